"""What a report's file proves, offline: of its bytes, its keys, and an earlier file.

Nothing is asked of a database, a network or the environment. What was looked at is said in words,
with what was proved by it and what was not.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reports.statements import heads, manifest, verifying_heads
from reports.statements.columns import ATTRIBUTES, DIMENSIONS, SUPPRESSED, key_of
from reports.statements.findings import (
    Finding,
    Pinned,
    Verdict,
    are_twice,
    pinned_keys,
    signed_by,
)
from reports.statements.heads import Evidence
from reports.statements.kinds import KINDS
from reports.statements.manifest import BadFile, Envelope

__all__ = ["Beside", "Finding", "Pinned", "Verdict", "check", "pinned_keys"]

REPLACES = frozenset({"revision", "digest", "difference"})

# What neither signatures nor hashes say.
TRUE = (
    "That the readings below the figures are true: a signature says who stated them, and that "
    "nobody changed them since."
)
FOLLOW = (
    "That the figures follow from the readings: this file has the digests of what they were made "
    "of, not the inputs themselves."
)
LEGAL = "Legal force: that takes a signature that the law of the country knows."


class Beside(NamedTuple):
    """What else an auditor has, each as it was pulled."""

    earlier: bytes | None = None  # a file of the same report
    head: bytes | None = None  # of the tree of evidence, or another report that rests on one
    consistency: Sequence[bytes] = ()  # proofs between two heads


def check(
    file: bytes, *, keys: Mapping[str, Pinned] | None = None, beside: Beside | None = None
) -> Verdict:
    """Look at a report's file.

    Parameters
    ----------
    file : bytes
        As it was pulled.
    keys : mapping of Pinned by thumbprint, optional
        Keys that are trusted; without them nothing is said of whose the file is.
    beside : Beside, optional
        Other files that it must not contradict.
    """
    try:
        envelope = manifest.read(file)
        evidence = heads.of_manifest(envelope.manifest)
    except BadFile as error:
        finding = Finding("refuted", f"This is no report as it was filed: {error}.")
        return Verdict((finding,), (TRUE, FOLLOW, LEGAL))
    found = _findings(envelope, evidence, keys, beside or Beside())
    return Verdict(tuple(found), _not_proved(evidence, beside or Beside()))


def _findings(
    envelope: Envelope,
    evidence: Evidence | None,
    keys: Mapping[str, Pinned] | None,
    beside: Beside,
) -> Iterator[Finding]:
    yield from _signed(envelope, keys)
    consistent = list(_consistent(envelope.manifest))
    yield from consistent
    if any(one.standing != "proved" for one in consistent):
        return
    if evidence is not None:
        yield from verifying_heads.of_report(evidence, keys)
    if beside.head is not None and evidence is not None:
        kept, proofs = beside.head, beside.consistency
        yield from verifying_heads.against_file(evidence.head, kept, proofs, keys)
    elif beside.head is not None:
        yield Finding("open", "The report rests on no head: there is none to compare yours with.")
    if beside.earlier is not None:
        yield from _against(envelope, evidence, beside, keys)


def _not_proved(evidence: Evidence | None, beside: Beside) -> tuple[str, ...]:
    if evidence is None:
        return (TRUE, FOLLOW, *verifying_heads.WITHOUT, LEGAL)
    unseen = verifying_heads.UNSEEN if beside.head is None else ()
    return (TRUE, FOLLOW, *verifying_heads.SEALED, *unseen, LEGAL)


# --- signatures -----------------------------------------------------------------------------------


def _signed(envelope: Envelope, keys: Mapping[str, Pinned] | None) -> Iterator[Finding]:
    ours, *others = envelope.signatures
    yield signed_by(ours, envelope.payload, keys, "files", "The report is signed")
    for one in others:
        words = "The report is countersigned"
        yield signed_by(one, envelope.payload, keys, "countersigns", words)
    if are_twice(envelope.signatures):
        yield Finding("refuted", "The same key signed twice.")


# --- what the manifest says of itself -------------------------------------------------------------


def _consistent(report: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        faults = list(_faults(report))
        whose = report["subject"].get("farm") or report["subject"]["area"]
        revision = f"revision {report['revision']}" if report["revision"] else "as first filed"
        words = (
            f"In itself it is in order: report {report['number']}, {revision}, "
            f"{report['title']['en']} of {whose} in {report['season']} as of {report['as_of']}, "
            f"with {len(report['content']['observations'])} figures; SHA-256 of the report, as on "
            f"its pages: {manifest.digest(manifest.canonical(report))}."
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        faults, words = [f"a part of it is missing or of another kind ({error!r})"], ""
    if faults:
        yield Finding("refuted", f"The report contradicts itself: {'; '.join(faults)}.")
    else:
        yield Finding("proved", words)


def _faults(report: Mapping[str, Any]) -> Iterator[str]:
    for one in report["content"]["inputs"]["season_results"]:
        if not isinstance(one["id"], int):
            yield "a result has no number"
    if report["kind"] not in KINDS or not report["number"].startswith(f"{report['kind']}-"):
        yield "its number is not one of its kind"
    if not isinstance(report["revision"], int):
        yield "its revision is no number"
    replaces = report["replaces"]
    if (report["revision"] == 0) != (replaces is None):
        yield "a revision names what it replaces, and nothing else does"
    if (report["revision"] == 0) != (report["reason"] is None):
        yield "a revision has a reason, and nothing else has"
    if replaces is not None and not (isinstance(replaces, dict) and set(replaces) == REPLACES):
        yield "what it replaces is not told as revisions tell it"
    # As times: of one second, text with a fraction comes before text without.
    if dt.datetime.fromisoformat(report["as_of"]) > dt.datetime.fromisoformat(report["filed_at"]):
        yield "it was filed before the time that it is as of"
    observations = report["content"]["observations"]
    if unknown := {name for one in observations for name in one} - {*DIMENSIONS, *ATTRIBUTES}:
        yield f"there are unknown columns: {', '.join(sorted(unknown))}"
    keys = Counter(manifest.canonical(key_of(one)) for one in observations)
    if keys and max(keys.values()) > 1:
        yield "two figures are of the same"
    if any(("OBS_VALUE" in one) != (one["OBS_STATUS"] == "A") for one in observations):
        yield "a figure is there and said not to be, or the other way round"
    if any(one["OBS_STATUS"] == SUPPRESSED and "FARM" in one for one in observations):
        yield "a farm's own figures are never left empty"


# --- against an earlier file ----------------------------------------------------------------------


def _against(
    envelope: Envelope,
    evidence: Evidence | None,
    beside: Beside,
    keys: Mapping[str, Pinned] | None,
) -> Iterator[Finding]:
    try:
        before = manifest.read(beside.earlier or b"")
        rested_on = heads.of_manifest(before.manifest)
    except BadFile as error:
        yield Finding("refuted", f"The earlier file is no report as it was filed: {error}.")
        return
    signed = signed_by(
        before.signatures[0], before.payload, keys, "files", "The earlier file is signed"
    )
    if signed.standing != "proved":
        yield signed
    if signed.standing == "refuted":
        return
    if any(one.standing != "proved" for one in _consistent(before.manifest)):
        yield Finding("refuted", "The earlier file contradicts itself.")
        return
    old, new = before.manifest, envelope.manifest
    if old["number"] != new["number"]:
        yield Finding(
            "refuted",
            f"The earlier file is of another report: {old['number']} and not {new['number']}.",
        )
    elif old["revision"] == new["revision"]:
        yield _same_revision(before, envelope)
    elif old["revision"] > new["revision"]:
        yield Finding("refuted", "The earlier file is of a later revision: give them in turn.")
    else:
        yield from _revised(before, envelope)
    if evidence is not None and rested_on is not None and before.payload != envelope.payload:
        yield from verifying_heads.against(
            evidence.head, rested_on.head, beside.consistency, must=False
        )


def _same_revision(before: Envelope, now: Envelope) -> Finding:
    if before.payload == now.payload:
        return Finding("proved", "The earlier file says the very same.")
    return Finding(
        "refuted",
        "Two different reports have one number and revision: a filed figure was changed.",
    )


def _revised(before: Envelope, now: Envelope) -> Iterator[Finding]:
    old, new = before.manifest, now.manifest
    replaced = new["replaces"]
    if replaced["revision"] != old["revision"]:
        yield Finding(
            "open",
            f"Between revision {old['revision']} and revision {new['revision']} there are others: "
            "check each against the one before it.",
        )
        return
    if replaced["digest"] != manifest.digest(before.payload):
        yield Finding("refuted", "The report replaces another text than that of the earlier file.")
        return
    told = manifest.difference(old["content"], new["content"])
    if manifest.canonical(told) != manifest.canonical(replaced["difference"]):
        yield Finding("refuted", "The difference to the earlier file is not the one that it tells.")
        return
    yield Finding(
        "proved",
        f"It replaces the earlier file, as of {old['as_of']}, for the reason {new['reason']!r}: "
        f"{len(told['observations'])} figures changed, as it tells.",
    )
