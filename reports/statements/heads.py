"""Files of a tree's heads and of what leads from one to the next, as auditors keep them.

Like those of reports they are canonical to the last byte, and signatures over a head are detached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from evidence import heads
from evidence.heads import Head, hash_of
from evidence.merkle import ProofError
from evidence.multiproof import Part
from reports.statements import manifest
from reports.statements.manifest import BadFile
from reports.statements.signing import Signature

CONSISTENCY_FORMAT = "dala-tree-consistency/1"
EVIDENCE_MEMBERS = frozenset({"head", "start", "end", "entries", "proof"})


class SignedHead(NamedTuple):
    """A head, and who stands for it: the filing service first."""

    head: Head
    signatures: Sequence[Signature]

    def as_json(self) -> dict[str, Any]:
        """As it stands in a file, or in a report."""
        said = {**self.head._asdict(), "format": heads.FORMAT, "root": self.head.root.hex()}
        return {"head": said, "signatures": [one._asdict() for one in self.signatures]}

    def file(self) -> bytes:
        """Its file."""
        return manifest.canonical(self.as_json())


def read_head(found: Any) -> SignedHead:
    """The head that JSON says; BadFile where it says none."""
    if not isinstance(found, dict) or set(found) != {"head", "signatures"}:
        raise BadFile("its members are not head and signatures")
    try:
        return SignedHead(heads.read(found["head"]), manifest.signatures_of(found["signatures"]))
    except ProofError as error:
        raise BadFile(str(error)) from error


def head_of_file(file: bytes) -> SignedHead:
    """The head in a file: a head's own, or a report's that rests on one."""
    found = manifest.canonical_json(file)
    if isinstance(found, dict) and "report" in found:
        evidence = of_manifest(manifest.read(file).manifest)
        if evidence is None:
            raise BadFile("it is a report that rests on no head of the tree")
        return evidence.head
    return read_head(found)


class Consistency(NamedTuple):
    """What shows that the tree of ``second`` leaves begins with that of ``first``."""

    first: int
    second: int
    proof: Sequence[bytes]

    def file(self) -> bytes:
        """Its file."""
        proof = [one.hex() for one in self.proof]
        said = {"first": self.first, "second": self.second, "proof": proof}
        return manifest.canonical({"format": CONSISTENCY_FORMAT, **said})


def consistency_of_file(file: bytes) -> Consistency:
    """What a file of consistency says; BadFile where it is none."""
    found = manifest.canonical_json(file)
    members = {"format", "first", "second", "proof"}
    is_one = isinstance(found, dict) and set(found) == members
    if not is_one or found["format"] != CONSISTENCY_FORMAT:
        raise BadFile(f"it is no proof of consistency ({CONSISTENCY_FORMAT})")
    first, second, proof = found["first"], found["second"], found["proof"]
    if not _are_whole(first, second) or not isinstance(proof, list):
        raise BadFile("it says nothing of two sizes of the tree")
    try:
        return Consistency(first, second, [hash_of(one) for one in proof])
    except ProofError as error:
        raise BadFile(str(error)) from error


class Evidence(NamedTuple):
    """What a report says of the readings below it: entries of the tree, and that they stand in it.

    They are the entries of the subject's farms with rows from [start, end).
    """

    head: SignedHead
    start: str
    end: str
    entries: Sequence[Part]
    proof: Sequence[bytes]

    def as_json(self) -> dict[str, Any]:
        """As it stands in a report."""
        return {
            "head": self.head.as_json(),
            "start": self.start,
            "end": self.end,
            "entries": [[one.first, one.leaves, one.hash.hex()] for one in self.entries],
            "proof": [one.hex() for one in self.proof],
        }

    @property
    def leaves(self) -> int:
        """How many entries there are."""
        return sum(one.leaves for one in self.entries)


def of_manifest(report: Any) -> Evidence | None:
    """The evidence that a report carries, if it does; BadFile where that is of another form."""
    found = report.get("evidence")
    if found is None:
        return None
    if not isinstance(found, dict) or set(found) != EVIDENCE_MEMBERS:
        raise BadFile("its evidence has other members than evidence has")
    if not all(isinstance(found[name], list) for name in ("entries", "proof")):
        raise BadFile("its entries, or their proof, are no list")
    try:
        entries = [_part(one) for one in found["entries"]]
        proof = [hash_of(one) for one in found["proof"]]
        start, end = _time(found["start"]), _time(found["end"])
    except ProofError as error:
        raise BadFile(f"its evidence cannot be read: {error}") from error
    return Evidence(read_head(found["head"]), start, end, entries, proof)


def _time(found: Any) -> str:
    try:
        if dt.datetime.fromisoformat(found).tzinfo is None:
            raise ValueError("its zone is not told")
    except (TypeError, ValueError) as error:
        raise ProofError(f"{str(found)[:80]!r} is no time: {error}") from error
    return str(found)


def _part(found: Any) -> Part:
    if not isinstance(found, list) or len(found) != 3 or not _are_whole(*found[:2]):
        raise ProofError("an entry is where it begins, how many leaves it is, and their hash")
    return Part(found[0], found[1], hash_of(found[2]))


def _are_whole(*numbers: Any) -> bool:
    return all(type(one) is int and one >= 0 for one in numbers)
