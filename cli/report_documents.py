"""What verbs for reports write for people: PDF and XLSX, of what was filed and of drafts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli import reporting
from cli.speaking import fail, say
from reports.documents import FORMS

if TYPE_CHECKING:
    import sqlalchemy as sa

    from reports.documents.paper import Paper
    from reports.messages import Language
    from reports.statements.statement import Asked


def check(form: str, out: Path | None) -> None:
    """Ask for a file to write where a form is nothing to print."""
    if form in FORMS and out is None:
        fail(f"Say which file to write: --out report.{form}.")


def write_draft(
    asked: Asked, as_of: dt.datetime, out: Path | None, form: str, language: Language
) -> None:
    """Write a statement that nobody filed, and which says so."""
    from reports.documents import paper
    from reports.statements import statement

    def find(connection: sa.Connection) -> Paper:
        return paper.of_draft(connection, statement.of(connection, asked, as_of=as_of))

    _write(find, out, form, language, "Not made")


def write_filed(
    number: str, revision: int | None, out: Path | None, form: str, language: Language
) -> None:
    """Write a report as it was filed."""
    from api.settings import ApiSettings
    from reports.documents import paper
    from storage import filing

    address = ApiSettings().public_url

    def find(connection: sa.Connection) -> Paper:
        found = filing.revision(connection, filing.get(connection, number), revision)
        return paper.of_revision(connection, found, address=address)

    _write(find, out, form, language, "Not shown")


def _write(
    find: Callable[[sa.Connection], Paper],
    out: Path | None,
    form: str,
    language: Language,
    refused: str,
) -> None:
    from reports.documents import rendering
    from reports.documents.typesetting import NotTypeset
    from reports.documents.words import Words

    check(form, out)
    shown: Paper = reporting.with_database(find, refused)
    try:
        content = rendering.render(shown, Words(language), form)
    except NotTypeset as error:
        fail(f"{refused}: {error}.")
    if out is not None:
        reporting.save(out, content)
        say(f"Written to {out}. What is signed is the JSON: `dala report show`.")
