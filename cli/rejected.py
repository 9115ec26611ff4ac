"""`dala rejected`: what could not be stored, and reading it again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.speaking import AsJson, fail, say, trouble

Device = Annotated[
    str | None, typer.Option(help="Id, or wire identity of one that was unknown; all by default.")
]
Reason = Annotated[
    str | None, typer.Option(help="Code, as unknown-device; any by default (docs/protocol.md).")
]

app = typer.Typer(help="Messages that could not be stored: list, read again, write to a file.")


@app.callback(invoke_without_command=True)
def rejected(
    context: typer.Context,
    device: Device = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List messages that could not be stored, the newest first, and why."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from reports import printing_rejected as printing
    from seeds.services import open_services
    from storage import rejected as kept

    with open_services("rejected") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            total, _ = kept.count(connection, device=device, reason=reason)
            newest = kept.newest(connection, device=device, reason=reason, limit=limit)
            beyond = kept.beyond(connection, device=device, reason=reason, limit=limit)
    if as_json:
        print(json.dumps(printing.as_document(newest, beyond, total), ensure_ascii=False, indent=1))
    else:
        printing.print_rejected(newest, beyond, total, Console())


@app.command()
def retry(device: Device = None, reason: Reason = None) -> None:
    """Read messages again and store what can be read now; safe to repeat."""
    from rich.console import Console
    from rich.progress import Progress

    from ingest import retrying
    from ingest.mapping import MappingError, registry
    from seeds.services import open_services
    from storage import rejected as kept

    try:
        routes = registry()
    except MappingError as error:
        fail(trouble(error))
    with open_services("rejected") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            total, _ = kept.count(connection, device=device, reason=reason)
        with Progress(console=Console(stderr=True), disable=not total) as progress:
            task = progress.add_task("Reading again", total=total)
            done = retrying.retry(
                services.engine,
                device=device,
                reason=reason,
                registry=routes,
                on_progress=lambda messages: progress.advance(task, messages),
            )
    if not done.tried:
        say("No message that was kept matches: there is nothing to read again.")
        return
    say(
        f"{done.mended} of {done.tried} messages are stored now and left the list: {done.stored} "
        f"readings and points were new, {done.duplicate} were there already."
    )
    if done.mended < done.tried:
        say(
            f"Still kept, with the reason of today: {done.tried - done.mended}. "
            "`dala rejected` lists them; docs/protocol.md says what to do about each reason."
        )
    if done.cut:
        say(f"{done.cut} were too long to be kept whole and cannot be read again.")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="JSON lines, payloads in base64; - prints them.")],
    device: Device = None,
    reason: Reason = None,
) -> None:
    """Write kept messages with their payloads to a file, in the order they came."""
    from reports.printing_rejected import as_line
    from seeds.services import open_services
    from storage import rejected as kept

    with open_services("rejected") as services:
        services.check_migrated()
        written = last = 0
        try:
            out = sys.stdout if str(file) == "-" else file.open("w", encoding="utf-8")
            with out, services.engine.connect() as connection:
                while page := kept.page(connection, after=last, device=device, reason=reason):
                    last = page[-1].id
                    written += len(page)
                    out.writelines(
                        json.dumps(as_line(one), ensure_ascii=False) + "\n" for one in page
                    )
        except OSError as error:
            fail(trouble(error))
    say(f"{written} messages were written.")
