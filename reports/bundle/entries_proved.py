"""From entries to the signed head: what was sealed of each batch of a report's farms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evidence import entries, merkle
from evidence.entries import Batch
from evidence.merkle import ProofError
from reports.bundle import forms
from reports.bundle.opening import Bundle
from reports.statements.heads import Evidence
from storage.evidence_rows import microseconds


class Expected(NamedTuple):
    """What a sealed entry says of a farm's rows in a batch."""

    batch: Batch
    may_be_dropped: bool  # its entry has rows from before readings were kept


Known = dict[tuple[int, int, str], Expected]  # by kind, number and farm


class Sealed(NamedTuple):
    """What the entries of a report say."""

    known: Known
    began_us: int | None  # when the first of them was sealed; none: there are no entries


def sealed(bundle: Bundle, evidence: Evidence) -> Sealed:
    """What is sealed of each batch of a report.

    Raises
    ------
    evidence.merkle.ProofError
        If the bundle's entries are not those that the report's proof is of.
    """
    known: Known = {}
    leaves: dict[int, bytes] = {}
    began: list[dt.datetime] = []
    twice: int | None = None
    since = bundle.complete_since
    for position, seal, sealed_at, farm, first_at, last_at, batches in bundle.rows_of(
        forms.ENTRIES
    ):
        if position in leaves:  # the batches of both would count, and the hash of one alone
            raise ProofError(f"entry {position} is there twice")
        leaves[position] = entries.of_batches(
            seal, sealed_at, farm, batches, first_at, last_at
        ).hash()
        began.append(sealed_at)
        dropped = since is not None and first_at < since
        for one in entries.unpacked(batches):
            if (one.kind, one.id, farm or "") in known:
                twice = one.id
            # Points of tracks are kept for ever.
            may_be = dropped and one.kind == entries.READINGS
            known[one.kind, one.id, farm or ""] = Expected(one, may_be)
    _check_leaves(leaves, evidence)
    if twice is not None:  # of other rows, and the later word would hide the first
        raise ProofError(f"batch {twice} was sealed twice")
    return Sealed(known, microseconds(min(began)) if began else None)


def _check_leaves(leaves: Mapping[int, bytes], evidence: Evidence) -> None:
    """ProofError unless these are the very leaves that the report's parts are of."""
    left = dict(leaves)
    for part in evidence.entries:
        hashes = []
        for place in range(part.first, part.end):  # may be as many as a report likes to say
            if place not in left:
                raise ProofError(f"entry {place}, which the report names, is not there")
            hashes.append(left.pop(place))
        if _root(hashes) != part.hash:
            raise ProofError(
                f"entry {part.first} is not as it was sealed"
                if part.leaves == 1
                else f"one of the entries {part.first} to {part.end - 1} is not as it was sealed"
            )
    if left:
        raise ProofError(f"entry {min(left)} is none that the report names")


def _root(hashes: Sequence[bytes]) -> bytes:
    """Over leaves that fill a whole subtree."""
    level = list(hashes)
    while len(level) > 1:
        level = [
            merkle.node_hash(one, other) for one, other in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]
