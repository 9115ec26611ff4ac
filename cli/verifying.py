"""The verb that checks a report's file, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.speaking import AsJson, say, trouble

if TYPE_CHECKING:
    from reports.statements.findings import Verdict

REJECTED, UNREADABLE, OPEN = 1, 2, 3


def verify(
    file: Annotated[Path, typer.Argument(help="A report as it was pulled.")],
    keys: Annotated[
        Path | None, typer.Option(help="Public keys that you trust (JWKS), got by another way.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(help="The same report as you pulled it before.")
    ] = None,
    head: Annotated[
        Path | None,
        typer.Option(
            "--head",
            "--earlier-head",
            help="A head of the tree of evidence that you kept, or another report that rests on "
            "one: are both of one tree?",
        ),
    ] = None,
    consistency: Annotated[
        list[Path] | None,
        typer.Option(
            help="What leads from one head to another: `dala evidence consistency`, or "
            "GET /v1/evidence/consistency. Give as many as there are."
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            help="Its evidence, of `dala report evidence`: its rows are hashed, and every figure "
            "is made again of them, in a database of its own that is gone afterwards."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a report offline: signature, contents, evidence, what changed since an earlier file.

    Ends with 0 where all was proved, 1 where the file is to be rejected, 2 where it could not be
    read, and 3 where nothing contradicts but whose file it is was not proved.
    """
    from reports.statements import verifying

    try:
        content = file.read_bytes()
        pinned = None if keys is None else verifying.pinned_keys(keys.read_bytes())
        beside = verifying.Beside(
            None if earlier is None else earlier.read_bytes(),
            None if head is None else head.read_bytes(),
            [one.read_bytes() for one in consistency or ()],
        )
    except OSError as error:
        say(trouble(error))
        raise typer.Exit(UNREADABLE) from error
    except ValueError as error:
        say(f"{keys}: {error}")
        raise typer.Exit(UNREADABLE) from error
    verdict = verifying.check(content, keys=pinned, beside=beside)
    if evidence is not None:
        verdict = _with_bundle(verdict, content, evidence)
    if as_json:
        found = [one._asdict() for one in verdict.findings]
        said = {"findings": found, "not_proved": list(verdict.not_proved)}
        print(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        from rich.console import Console

        from reports.printing_statements import print_verdict

        print_verdict(verdict, Console())
    if verdict.is_refuted:
        raise typer.Exit(REJECTED)
    if verdict.is_open:
        raise typer.Exit(OPEN)


def _with_bundle(verdict: Verdict, content: bytes, evidence: Path) -> Verdict:
    from cli import report_evidence
    from embedded.children import ChildError

    try:
        return report_evidence.with_bundle(verdict, content, evidence)
    except OSError as error:
        say(trouble(error))
        raise typer.Exit(UNREADABLE) from error
    except ChildError as error:
        say(f"The figures could not be made again: {error}")
        raise typer.Exit(UNREADABLE) from error
