"""What a report's file proves, offline: of its bytes, its keys, and an earlier file.

Nothing is asked of a database, a network or the environment. What was looked at is said in words,
with what was proved by it and what was not.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from joserfc.jwk import OKPKey

from reports.statements import manifest
from reports.statements.columns import ATTRIBUTES, DIMENSIONS, SUPPRESSED, key_of
from reports.statements.kinds import KINDS
from reports.statements.manifest import BadFile, Envelope
from reports.statements.signing import BadSignature, Signature, header_of, public_key, verify

Standing = Literal["proved", "refuted", "open"]
REPLACES = frozenset({"revision", "digest", "difference"})


class Finding(NamedTuple):
    """One thing that was looked at."""

    standing: Standing
    words: str


class Verdict(NamedTuple):
    """All that was looked at, in order."""

    findings: tuple[Finding, ...]

    @property
    def is_refuted(self) -> bool:
        """Something in the file is not as it was signed, or contradicts an earlier file."""
        return any(one.standing == "refuted" for one in self.findings)

    @property
    def is_open(self) -> bool:
        """Nothing contradicts, and whose the file is was not proved."""
        return not self.is_refuted and any(one.standing == "open" for one in self.findings)


class Pinned(NamedTuple):
    """A key that the auditor trusts, and for what."""

    key: OKPKey
    role: str
    owner: str


# What no signature says.
NOT_PROVED = (
    "That the readings below the figures are true: a signature says who stated them, and that "
    "nobody changed them since.",
    "That the figures follow from the readings: this file has the digests of what they were made "
    "of, not the inputs themselves.",
    "Legal force: that takes a signature that the law of the country knows.",
)


def pinned_keys(jwks: bytes) -> dict[str, Pinned]:
    """Keys by their thumbprint; ValueError where the set is none.

    A key whose kid is not its thumbprint is somebody's mistake or trick, and refused.
    """
    try:
        found = json.loads(jwks)["keys"]
        pinned = {}
        for one in found:
            key = public_key(one)
            if one.get("kid", key.thumbprint()) != key.thumbprint():
                raise ValueError(f"key {one['kid']}: its kid is not its thumbprint")
            role, owner = one.get("dala_role", "files"), one.get("dala_owner", "")
            pinned[key.thumbprint()] = Pinned(key, str(role), str(owner))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no set of keys (RFC 7517): {error!r}") from error
    return pinned


def check(
    file: bytes, *, keys: Mapping[str, Pinned] | None = None, earlier: bytes | None = None
) -> Verdict:
    """Look at a report's file.

    Parameters
    ----------
    file : bytes
        As it was pulled.
    keys : mapping of Pinned by thumbprint, optional
        Keys that are trusted; without them nothing is said of whose the file is.
    earlier : bytes, optional
        A file of the same report that was pulled before.
    """
    return Verdict(tuple(_findings(file, keys, earlier)))


def _findings(
    file: bytes, keys: Mapping[str, Pinned] | None, earlier: bytes | None
) -> Iterator[Finding]:
    try:
        envelope = manifest.read(file)
    except BadFile as error:
        yield Finding("refuted", f"This is no report as it was filed: {error}.")
        return
    yield from _signed(envelope, keys)
    consistent = list(_consistent(envelope.manifest))
    yield from consistent
    if earlier is not None and all(one.standing == "proved" for one in consistent):
        yield from _against(envelope, earlier, keys)


# --- signatures -----------------------------------------------------------------------------------


def _signed(envelope: Envelope, keys: Mapping[str, Pinned] | None) -> Iterator[Finding]:
    ours, *others = envelope.signatures
    yield _one_signature(ours, envelope.payload, keys, "files", "The report is signed")
    for one in others:
        words = "The report is countersigned"
        yield _one_signature(one, envelope.payload, keys, "countersigns", words)
    kids = Counter(_kid(one) for one in envelope.signatures)
    if max(kids.values()) > 1:
        yield Finding("refuted", "The same key signed twice.")


def _one_signature(
    signature: Signature,
    payload: bytes,
    keys: Mapping[str, Pinned] | None,
    role: str,
    words: str,
) -> Finding:
    try:
        header = header_of(signature)
        kid = header["kid"]
        known = (keys or {}).get(kid)
        if known is not None:
            verify(signature, payload, known.key)
        elif "jwk" in header:
            verify(signature, payload, public_key(header["jwk"]))
        elif keys is None:
            says = f"{words} by key {kid}, so it says: the key is not here to check it with."
            return Finding("open", says)
    except (BadSignature, ValueError) as error:
        return Finding("refuted", f"{words}, and the signature does not hold: {error}.")
    if keys is None:
        return Finding(
            "open",
            f"{words} and unchanged since, by whoever holds key {kid}. Whose key that is was not "
            "checked: give the keys that you trust.",
        )
    if known is None:
        return Finding("refuted", f"{words} by key {kid}, which is none of those you trust.")
    if known.role != role:
        return Finding("refuted", f"{words} by key {kid}, which you do not trust for that.")
    whose = f" ({known.owner})" if known.owner else ""
    return Finding("proved", f"{words} by key {kid}{whose}, and unchanged since.")


def _kid(signature: Signature) -> str:
    try:
        return str(header_of(signature)["kid"])
    except BadSignature:
        return ""


# --- what the manifest says of itself -------------------------------------------------------------


def _consistent(report: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        faults = list(_faults(report))
        whose = report["subject"].get("farm") or report["subject"]["area"]
        revision = f"revision {report['revision']}" if report["revision"] else "as first filed"
        words = (
            f"In itself it is in order: report {report['number']}, {revision}, "
            f"{report['title']['en']} of {whose} in {report['season']} as of {report['as_of']}, "
            f"with {len(report['content']['observations'])} figures."
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
    envelope: Envelope, earlier: bytes, keys: Mapping[str, Pinned] | None
) -> Iterator[Finding]:
    try:
        before = manifest.read(earlier)
    except BadFile as error:
        yield Finding("refuted", f"The earlier file is no report as it was filed: {error}.")
        return
    signed = _one_signature(
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
