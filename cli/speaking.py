"""What verbs share: options that mean the same everywhere, and how they speak to people."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    import sqlalchemy as sa
    from pydantic import BaseModel
    from rich.console import Console

Farm = Annotated[str, typer.Argument(help="The farm's short name, e.g. turkistan-01.")]
Season = Annotated[int | None, typer.Option(help="Year of harvest; the newest by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Farms = Annotated[int, typer.Option(min=1, max=5_000, help="How many simulated farms.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Of the API; 0 takes a free one.")]


def say(text: str) -> None:
    """Tell people, beside the output that programs read."""
    print(text, file=sys.stderr)


def fail(text: str) -> NoReturn:
    """Say what is wrong, and end."""
    say(text)
    raise typer.Exit(1)


def trouble(error: Exception) -> str:
    """What is wrong, in words for people: an error of the system names its file first."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def mendable(error: Exception) -> str:
    """What a person has to mend, in a sentence; never with what is secret."""
    import psycopg
    import sqlalchemy as sa
    from pydantic import ValidationError

    if isinstance(error, sa.exc.ArgumentError):
        return "DALA_DATABASE_URL must look like postgresql://user:password@host/name"
    if isinstance(error, sa.exc.OperationalError | psycopg.OperationalError):
        words = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return f"the database does not do it: {words}. Look at DALA_DATABASE_URL and its server"
    if isinstance(error, ValidationError):
        return "; ".join(
            f"DALA_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()
        )
    return trouble(error)


def no_farm(connection: sa.Connection, slug: str) -> NoReturn:
    """Say that there is no such farm, and which there are."""
    from storage import farms

    near = ", ".join(farms.slugs_like(connection, slug))
    fail(
        f"There is no farm {slug!r}. "
        + (
            f"Try: {near}"
            if near
            else "`dala farm add` enters yours; `dala seed` adds simulated ones."
        )
    )


def report(
    verb: str,
    farm: str,
    compute: Callable[[sa.Connection], Any],
    show: Callable[[Any, Console], None],
    *,
    as_json: bool,
) -> None:
    """Print what the database knows of a farm, as JSON or as ``show`` has it for people."""
    from rich.console import Console

    from seeds.services import open_services
    from storage.database import NotFound

    with open_services(verb) as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                found = compute(connection)
            except NotFound:
                no_farm(connection, farm)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        show(found, Console())


def enter(verb: str, action: Callable[[sa.Connection], int], refused: str) -> int:
    """Let people enter something in one transaction; what it cannot be is said."""
    import sqlalchemy as sa

    from seeds.services import open_services
    from storage.database import NotFound

    with open_services(verb) as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                return action(connection)
        except NotFound as error:
            fail(f"{refused}: there is no {error}.")
        except ValueError as error:
            fail(f"{refused}: {error}")
        except sa.exc.IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != "23505":
                raise
            fail(f"{refused}: there is one like it already.")


def author() -> str:
    """Who enters something here, as the audit log has it."""
    import getpass
    import os

    try:
        return f"console:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"console:{os.getuid()}"


def note(
    connection: sa.Connection, action: str, of: str, farm_id: int | None, details: dict[str, Any]
) -> None:
    """A line in the audit log, in the transaction of what was done."""
    from storage import audit

    audit.record(
        connection, actor=author(), action=action, object=of, farm_id=farm_id, details=details
    )


Model = TypeVar("Model", bound="BaseModel")


def checked(model: type[Model], refused: str, **values: Any) -> Model:
    """What options say, as the API would take it; ends with what is wrong, option by option."""
    from pydantic import ValidationError

    try:
        return model(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        fail(
            f"{refused}: "
            + "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'together'}: {one['msg']}"
                for one in error.errors()
            )
        )


def lines(file: Path) -> list[str]:
    """Lines of a text file; an error names the file and says what it is instead."""
    from analytics.text_files import read_text

    return read_text(file).splitlines()


def moment(option: str, given: str | None) -> dt.datetime:
    """A time with its offset; now where none is given."""
    if given is None:
        return dt.datetime.now(dt.UTC)
    try:
        at = dt.datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{option} {given!r} is no time: write 2026-06-21T05:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{option} {given}: a time needs its offset, e.g. {given}Z")
    return at


def print_table(columns: Sequence[str], rows: list[list[str]], empty: str) -> None:
    """Print rows, or say what to do where there are none.

    On a narrow screen the first column, by which other verbs know a row, stays in one piece.
    """
    from rich.console import Console
    from rich.table import Table

    if not rows:
        say(empty)
        return
    table = Table()
    for name in columns:
        table.add_column(name, no_wrap=name == columns[0], overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)  # addresses and errors are as they are
