"""Entries of the tree: what a seal says of a farm's batches, and the bytes that stand for it.

A batch is what one transaction stored of one kind; its record here is of one farm's rows in it. The
records of an entry are packed end to end, in order of their batches. Their own root stands in the
entry's data, so that a single batch is proved by two paths: to its entry, and from there to a head.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Iterator
from typing import NamedTuple

import rfc8785

from evidence import merkle, tiles
from evidence.merkle import HASH_BYTES, Nodes, ProofError

READINGS, TRACK_POINTS = 0, 1
KINDS = ("readings", "track_points")  # by the number that stands in a record
_RECORD = struct.Struct(f">qBI{HASH_BYTES}s")
RECORD_BYTES = _RECORD.size
MEMBERS = frozenset({"batches", "farm", "first_at", "last_at", "root", "rows", "seal", "sealed_at"})


class Batch(NamedTuple):
    """The rows of a farm in a batch."""

    id: int
    kind: int  # READINGS or TRACK_POINTS
    rows: int
    digest: bytes

    def packed(self) -> bytes:
        """As it stands in an entry."""
        return _RECORD.pack(*self)


class Entry(NamedTuple):
    """What the data of a leaf say."""

    seal: int
    farm: str | None  # short name; none: rows of devices that had no farm
    batches: int
    rows: int
    first_at: str  # time of the earliest row, as it is written
    last_at: str
    root: bytes  # over the records of its batches
    sealed_at: str

    def data(self) -> bytes:
        """The bytes of the leaf, canonical JSON (RFC 8785)."""
        return rfc8785.dumps({**self._asdict(), "root": self.root.hex()})

    def hash(self) -> bytes:
        """Of the leaf."""
        return merkle.leaf_hash(self.data())


def unpacked(batches: bytes) -> Iterator[Batch]:
    """The records of an entry.

    Raises
    ------
    ProofError
        If the bytes are no such records, or do not stand in order of their batches.
    """
    if not batches or len(batches) % RECORD_BYTES:
        raise ProofError(f"{len(batches)} bytes are no records of {RECORD_BYTES} bytes")
    before: tuple[int, int] | None = None
    for one in map(Batch._make, _RECORD.iter_unpack(batches)):
        if one.kind >= len(KINDS) or (before is not None and (one.id, one.kind) <= before):
            raise ProofError(f"the record of batch {one.id} is of no kind, or not in its place")
        before = one.id, one.kind
        yield one


def tree_of(batches: bytes) -> Nodes:
    """The tree over the records of an entry."""
    ends = range(RECORD_BYTES, len(batches) + 1, RECORD_BYTES)
    leaves = (merkle.leaf_hash(batches[end - RECORD_BYTES : end]) for end in ends)
    return tiles.nodes_of(tiles.grown(0, _nothing, leaves).__getitem__)


def _nothing(_place: tiles.Place) -> bytes:
    return b""


def root_of(batches: bytes) -> bytes:
    """The root over the records of an entry."""
    return merkle.root(tree_of(batches), len(batches) // RECORD_BYTES)


def of_batches(
    seal: int,
    sealed_at: dt.datetime,
    farm: str | None,
    batches: bytes,
    first_at: dt.datetime,
    last_at: dt.datetime,
) -> Entry:
    """The entry of packed records."""
    known = list(unpacked(batches))
    return Entry(
        seal,
        farm,
        len(known),
        sum(one.rows for one in known),
        moment(first_at),
        moment(last_at),
        root_of(batches),
        moment(sealed_at),
    )


def read(data: bytes) -> Entry:
    """The entry that a leaf's data say.

    Raises
    ------
    ProofError
        If they are no such data, to the last byte.
    """
    try:
        found = json.loads(data)
        entry = Entry(**{**found, "root": bytes.fromhex(found["root"])})
        if set(found) != MEMBERS or entry.data() != data:
            raise ValueError("it has another form")
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        rfc8785.CanonicalizationError,
    ) as error:
        raise ProofError(f"these are no data of an entry: {error}") from error
    return entry


def check(entry: Entry, batches: bytes) -> list[Batch]:
    """The records of an entry, that are all there and no others.

    Raises
    ------
    ProofError
        If they are not what the entry says.
    """
    known = list(unpacked(batches))
    if (len(known), sum(one.rows for one in known)) != (entry.batches, entry.rows):
        raise ProofError(
            f"the entry is of {entry.rows} rows in {entry.batches} batches, and these are of "
            f"{sum(one.rows for one in known)} in {len(known)}"
        )
    if root_of(batches) != entry.root:
        raise ProofError("the records of the batches are others than those that were sealed")
    return known


def moment(at: dt.datetime) -> str:
    """A time as it is written in what is sealed."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
