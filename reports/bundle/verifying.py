"""What a bundle adds to what a report's file proves: its rows, and its figures made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.bundle import figures_proved, opening, rows_proved
from reports.bundle.opening import BadBundle
from reports.bundle.recomputing import Fresh, OnStep
from reports.statements import manifest, verifying_heads
from reports.statements.findings import Finding, Verdict
from reports.statements.verifying import FOLLOW, TRUE

TRUTH = (
    "That what was measured and entered is true: who stated it is proved, and that nobody changed "
    "it since, not that a meter counted rightly."
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
    rows: list[Finding] = []
    figures: list[Finding] = []
    try:
        on_step("reading the bundle")
        opened = opening.read(bundle, report)
        on_step("hashing its rows")
        rows += rows_proved.findings(opened, report)
        figures += figures_proved.findings(opened, report, fresh, on_step=on_step)
    except BadBundle as error:
        figures.append(Finding("refuted", f"This is not the report's evidence: {error}."))
    not_proved = _not_proved(verdict, rows, figures)
    return Verdict((*verdict.findings, *rows, *figures), not_proved)


def _not_proved(
    verdict: Verdict, rows: Sequence[Finding], figures: Sequence[Finding]
) -> tuple[str, ...]:
    """What neither file nor bundle proves: the less, the more of its findings are proofs."""
    answered = set()
    if all(one.standing == "proved" for one in figures):
        answered.add(FOLLOW)
    if all(one.standing == "proved" for one in (*rows, *figures)):
        answered |= {TRUE, verifying_heads.SEALED[0]}
    left = tuple(one for one in verdict.not_proved if one not in answered)
    return (TRUTH, *left) if TRUE in answered else left
