"""A filed report as a file: the manifest in canonical JSON (RFC 8785), and signatures over it.

The whole file is canonical too, byte for byte, so that there is no second spelling of a report.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import rfc8785

from reports.statements.columns import key_of
from reports.statements.signing import Signature

FORMAT = "dala-report/2"
_MEMBERS = frozenset(
    {
        "format",
        "number",
        "revision",
        "kind",
        "title",
        "subject",
        "season",
        "period",
        "as_of",
        "filed_at",
        "filed_by",
        "reason",
        "code",
        "replaces",
        "content",
    }
)
# By format: what was filed before evidence began says nothing of it, and proves itself still.
MANIFEST_MEMBERS = {"dala-report/1": _MEMBERS, FORMAT: _MEMBERS | {"evidence"}}


class BadFile(ValueError):
    """Bytes that are no filed report; the message says what is wrong."""


class Envelope(NamedTuple):
    """A report's file, taken apart."""

    manifest: Mapping[str, Any]
    payload: bytes  # the manifest's bytes, as signed
    signatures: Sequence[Signature]  # the filing service's own first


def canonical(value: Any) -> bytes:
    """The bytes of RFC 8785."""
    return rfc8785.dumps(value)


def digest(payload: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(payload).hexdigest()


def write(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The file of a report, canonical since both of its members are and come in order."""
    others = canonical([one._asdict() for one in signatures])
    return b'{"report":' + payload + b',"signatures":' + others + b"}"


def read(file: bytes) -> Envelope:
    """Take a report's file apart; BadFile unless it is canonical and of a form that is known."""
    found = canonical_json(file)
    if not isinstance(found, dict) or set(found) != {"report", "signatures"}:
        raise BadFile("its members are not report and signatures")
    manifest, signatures = found["report"], found["signatures"]
    if not isinstance(manifest, dict):
        raise BadFile("its report is no object")
    members = MANIFEST_MEMBERS.get(str(manifest.get("format")))
    if members is None:
        known = " or ".join(MANIFEST_MEMBERS)
        raise BadFile(f"its format is {manifest.get('format')!r} and not {known}")
    if set(manifest) != members:
        raise BadFile("its report has other members than a report")
    return Envelope(manifest, canonical(manifest), signatures_of(signatures))


def canonical_json(file: bytes) -> Any:
    """What a file says; BadFile unless it is canonical, to the last byte."""
    try:
        found = json.loads(file, parse_constant=_no_number)
        is_canonical = canonical(found) == file
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise BadFile(f"it is no JSON that a report could be: {error}") from error
    if not is_canonical:
        raise BadFile("it is not in canonical form (RFC 8785): something was changed or added")
    return found


def signatures_of(found: Any) -> list[Signature]:
    """The signatures beside what they are over; BadFile where there are none."""
    if not isinstance(found, list) or not found:
        raise BadFile("it is not signed")
    for one in found:
        is_one = isinstance(one, dict) and set(one) == set(Signature._fields)
        if not is_one or not all(isinstance(part, str) for part in one.values()):
            raise BadFile("a signature has other members than protected and signature")
    return [Signature(**one) for one in found]


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


# --- differences ----------------------------------------------------------------------------------


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What a content says otherwise than one before it.

    Observation by observation, each by its dimensions, with null where there is none; of the rest
    which members differ, and which results were replaced.
    """
    before, after = _by_key(old), _by_key(new)
    changed = [
        {"key": json.loads(key), "old": before.get(key), "new": after.get(key)}
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    others = sorted(
        name
        for name in old.keys() | new.keys()
        if name != "observations" and old.get(name) != new.get(name)
    )
    return {"observations": changed, "members": others, "season_results": _replaced(old, new)}


def _by_key(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for one in content["observations"]:
        key = key_of(one)
        said = {name: value for name, value in one.items() if name not in key}
        found[canonical(key).decode()] = said
    return found


def _replaced(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[int]]:
    before, after = (
        {one["id"] for one in content["inputs"]["season_results"]} for content in (old, new)
    )
    return {"gone": sorted(before - after), "come": sorted(after - before)}
