"""Verbs for the evidence of a report: written for auditors, and checked offline."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.report_keys import app
from cli.reporting import Number
from cli.speaking import fail, note, say, trouble

if TYPE_CHECKING:
    from reports.bundle.making import Made
    from reports.statements.findings import Verdict

__all__ = ["app"]


@app.command()
def evidence(
    number: Number,
    out: Annotated[Path, typer.Option(help="File to write, a ZIP of Parquet.")],
    revision: Annotated[int | None, typer.Option(min=0, help="The newest by default.")] = None,
) -> None:
    """Write all that a report rests on: with it `dala verify --evidence` makes its figures again.

    Readings and track points of its farms with the batches that were hashed, and every record, as
    they stood at the report's time. An area's has those of all farms.
    """
    from storage.database import NotFound

    if not out.parent.is_dir():
        fail(f"Not written: there is no folder {out.parent}.")
    draft = out.with_name(f".{out.name}.part")
    try:
        made = _write(number, revision, draft)
        draft.replace(out)
    except NotFound as error:
        fail(f"Not written: there is no {error}.")
    except OSError as error:
        fail(f"Not written: {trouble(error)}")
    finally:
        draft.unlink(missing_ok=True)
    rows = sum(made.rows.values())
    say(f"Wrote {out}: {rows:,} rows in {len(made.rows)} files, {made.size / 2**20:,.1f} MB.")
    say(f"Check it anywhere with: dala verify report.json --keys keys.json --evidence {out}")


def _write(number: str, revision: int | None, draft: Path) -> Made:
    import json

    from rich.console import Console
    from rich.progress import Progress

    from reports.bundle import forms, making
    from seeds.services import open_services
    from storage import filing
    from storage.database import take_time

    with open_services("report") as services:
        services.check_migrated()
        one_state = services.engine.execution_options(isolation_level="REPEATABLE READ")
        with (
            one_state.begin() as connection,
            tempfile.TemporaryDirectory(dir=draft.parent, prefix=".dala-evidence-") as folder,
            draft.open("wb") as file,
            Progress(console=Console(stderr=True), transient=True) as bar,
        ):
            take_time(connection)
            report = filing.get(connection, number)
            found = filing.revision(connection, report, revision)
            task = bar.add_task("Writing", total=len(forms.FILES))

            def show(name: str) -> None:
                bar.update(task, advance=1, description=name)

            manifest = json.loads(found.manifest)
            made = making.make(connection, manifest, file.write, Path(folder), on_file=show)
            details = {"revision": found.revision, "rows": sum(made.rows.values())}
            note(connection, "report.evidence", f"report:{number}", report.farm_id, details)
    return made


def with_bundle(verdict: Verdict, file: bytes, bundle: Path) -> Verdict:
    """What a report's bundle adds to what its file proves.

    Raises
    ------
    OSError
        If the bundle cannot be read.
    """
    from rich.console import Console

    from reports.bundle import verifying
    from seeds.own_database import open_own

    with Console(stderr=True).status("Reading the bundle") as status:

        def show(words: str) -> None:
            status.update(f"{words[0].upper()}{words[1:]}")

        fresh = partial(open_own, "verify")
        return verifying.check(verdict, file, bundle, fresh, on_step=show)
