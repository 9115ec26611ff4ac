"""What a bundle adds to what a report's file proves: its rows, and its figures made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reports.bundle import figures_proved, opening, rows_proved
from reports.bundle.opening import BadBundle
from reports.bundle.recomputing import Fresh, OnStep
from reports.statements import manifest
from reports.statements.findings import Finding, Verdict
from reports.statements.verifying import FOLLOW

AGAIN = (
    "That what was entered is true, and that meters and sensors measured rightly: what follows "
    "from them was made again."
)


def check(
    verdict: Verdict,
    file: bytes,
    bundle: Path,
    fresh: Fresh,
    *,
    on_step: OnStep = lambda _words: None,
) -> Verdict:
    """Look at a report's bundle, after its file.

    Parameters
    ----------
    verdict : Verdict
        Of the file alone.
    file : bytes
        The report, as it was pulled.
    bundle : Path
        As it was pulled.
    fresh : callable
        Opens an empty, migrated database of its own, which is gone afterwards.
    on_step : callable, optional
        Hears what is done next.

    Raises
    ------
    OSError
        If the bundle cannot be read.
    """
    if verdict.is_refuted:
        words = "The bundle was not looked at: the report itself is to be rejected."
        return verdict._replace(findings=(*verdict.findings, Finding("open", words)))
    report = manifest.read(file).manifest
    found = tuple(_findings(report, bundle, fresh, on_step))
    not_proved = (AGAIN, *(one for one in verdict.not_proved if one != FOLLOW))
    if any(one.standing != "proved" for one in found):
        not_proved = verdict.not_proved
    return Verdict((*verdict.findings, *found), not_proved)


def _findings(
    report: Mapping[str, Any], path: Path, fresh: Fresh, on_step: OnStep
) -> Iterator[Finding]:
    try:
        on_step("reading the bundle")
        bundle = opening.read(path, report)
        on_step("hashing its rows")
        yield from rows_proved.findings(bundle, report)
        yield from figures_proved.findings(bundle, report, fresh, on_step=on_step)
    except BadBundle as error:
        yield Finding("refuted", f"This is not the report's evidence: {error}.")
