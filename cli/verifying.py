"""The verb that checks a report's file, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.speaking import AsJson, say, trouble

if TYPE_CHECKING:
    from reports.statements.findings import Pinned, Verdict

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

    content = _read(file)
    pinned = None if keys is None else _trusted(keys)
    beside = verifying.Beside(
        None if earlier is None else _read(earlier),
        None if head is None else _read(head),
        [_read(one) for one in consistency or ()],
    )
    verdict = verifying.check(content, keys=pinned, beside=beside)
    if evidence is not None:
        verdict = _with_bundle(verdict, content, evidence)
    _tell(verdict, as_json=as_json)
    if verdict.is_refuted:
        raise typer.Exit(REJECTED)
    if verdict.is_open:
        raise typer.Exit(OPEN)


def _unreadable(words: str) -> NoReturn:
    say(words)
    raise typer.Exit(UNREADABLE)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _unreadable(trouble(error))


def _trusted(keys: Path) -> dict[str, Pinned]:
    from reports.statements import findings

    try:
        return findings.pinned_keys(_read(keys))
    except ValueError as error:
        _unreadable(f"{keys}: {error}")


def _with_bundle(verdict: Verdict, content: bytes, evidence: Path) -> Verdict:
    from cli import report_evidence
    from embedded.children import ChildError

    try:
        return report_evidence.with_bundle(verdict, content, evidence)
    except OSError as error:
        _unreadable(trouble(error))
    except ChildError as error:
        _unreadable(f"The figures could not be made again: {error}")


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        found = [one._asdict() for one in verdict.findings]
        said = {"findings": found, "not_proved": list(verdict.not_proved)}
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    from reports.printing_statements import print_verdict

    print_verdict(verdict, Console())
