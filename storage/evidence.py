"""The tree over all that was stored: batches that wait, what a seal adds, entries and tiles.

Nothing here is pure and nothing here is signed: what a seal makes of the batches stands in
``evidence``, who signs it in ``reports``. Heads are in :mod:`storage.tree_heads`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from evidence.entries import KINDS, Batch
from evidence.merkle import HASH_BYTES, Nodes
from evidence.tiles import Place, Tiles, nodes_of
from storage import locks, tables
from storage.database import NotFound, clock

LOCK = "dala sealing"
PAGE = 10_000  # batches that are read at a time
FEW = 10  # entries that are read at a time: one may hold megabytes of records
MOST_RECORDS = 4_000_000  # of a seal, 180 MB: what waits beyond is the next one's

_HEAD, _ENTRY, _TILE = tables.tree_heads, tables.evidence_entries, tables.evidence_tiles


class Waiting(NamedTuple):
    """Batches that no entry holds yet."""

    batches: int
    since: dt.datetime | None  # of the oldest


def waiting(connection: sa.Connection) -> Waiting:
    """What the next seal would take."""
    table = tables.pending_batches
    query = sa.select(sa.func.count(), sa.func.min(table.c.stored_at))
    return Waiting(*connection.execute(query).one())


# --- sealing --------------------------------------------------------------------------------------


class Gathered(NamedTuple):
    """Records of a farm's batches, packed in order."""

    batches: bytes
    first_at: dt.datetime
    last_at: dt.datetime


def begin(connection: sa.Connection) -> dt.datetime:
    """Let nobody else seal until the transaction ends, and say what time it is."""
    locks.wait(connection, LOCK)
    return clock(connection)


_TAKE = sa.text("""
    DELETE FROM pending_batches
     WHERE id IN (SELECT id FROM pending_batches WHERE id > :after ORDER BY id LIMIT :page)
 RETURNING id, kind, farm_ids, row_counts, digests, first_at, last_at
""")


class Taken(NamedTuple):
    """Batches that do not wait any longer."""

    by_farm: Mapping[int | None, Gathered]  # None: rows of devices that have no farm
    is_all: bool  # whatever had been committed when the taking began


def take(connection: sa.Connection, *, most: int = MOST_RECORDS, page: int = PAGE) -> Taken:
    """Take batches that wait; once ``most`` records are there, the rest goes on waiting.

    Else whatever was committed by now is among them, also with a lower number than some that an
    earlier seal took.
    """
    packed: dict[int, bytearray] = {}
    first: dict[int, dt.datetime] = {}
    last: dict[int, dt.datetime] = {}
    after = records = 0
    is_all = False
    while not is_all and records < most:
        rows = sorted(connection.execute(_TAKE, {"after": after, "page": page}).all())
        for number, kind, farms, counts, digests, firsts, lasts in rows:
            of = KINDS.index(kind)
            for place, farm in enumerate(farms):
                digest = digests[place * HASH_BYTES : (place + 1) * HASH_BYTES]
                record = Batch(number, of, counts[place], digest).packed()
                packed.setdefault(farm, bytearray()).extend(record)
                first[farm] = min(first.get(farm, firsts[place]), firsts[place])
                last[farm] = max(last.get(farm, lasts[place]), lasts[place])
            records += len(farms)
        is_all = len(rows) < page
        after = rows[-1][0] if rows else after
    found = {
        farm or None: Gathered(bytes(packed[farm]), first[farm], last[farm]) for farm in packed
    }
    return Taken(found, is_all)


def in_order(
    connection: sa.Connection, farm_ids: Sequence[int | None]
) -> list[tuple[int | None, str | None]]:
    """Farms with their slugs as a seal puts them: those of a region side by side, none at the end.

    So what proves an area's entries is hardly longer than what proves a farm's.
    """
    table = tables.farms
    query = (
        sa.select(table.c.id, table.c.slug)
        .where(table.c.id.in_([one for one in farm_ids if one is not None]))
        .order_by(table.c.region_code, table.c.slug)
    )
    found: list[tuple[int | None, str | None]] = [(*row,) for row in connection.execute(query)]
    return [*found, (None, None)] if None in farm_ids else found


class NewEntry(NamedTuple):
    """What a seal adds of a farm."""

    farm_id: int | None
    gathered: Gathered
    leaf: bytes  # hash


def add_entries(
    connection: sa.Connection,
    seal: int,
    begins: int,
    entries: Sequence[NewEntry],
    grown: Mapping[Place, bytes],
) -> None:
    """Add the entries of a seal, whose head is there, from a place on; and the tiles with them."""
    connection.execute(
        _ENTRY.insert().inline(),
        [
            {
                "position": begins + place,
                "seal": seal,
                "farm_id": one.farm_id,
                **one.gathered._asdict(),
                "leaf": one.leaf,
            }
            for place, one in enumerate(entries)
        ],
    )
    statement = insert(_TILE)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["floor", "number"], set_={"hashes": statement.excluded.hashes}
        ),
        [{**place._asdict(), "hashes": hashes} for place, hashes in grown.items()],
    )


# --- the tree -------------------------------------------------------------------------------------


def tiles(connection: sa.Connection) -> Tiles:
    """The tiles of the tree, each read when it is asked for and kept as long as this is.

    Raises (from what is returned)
    ------------------------------
    LookupError
        If there is no such tile.
    """
    known: dict[Place, bytes] = {}

    def tile(place: Place) -> bytes:
        if place not in known:
            query = sa.select(_TILE.c.hashes).where(
                _TILE.c.floor == place.floor, _TILE.c.number == place.number
            )
            found = connection.scalar(query)
            if found is None:
                raise LookupError(f"there is no tile {place.number} of floor {place.floor}")
            known[place] = found
        return known[place]

    return tile


def nodes(connection: sa.Connection) -> Nodes:
    """The whole subtrees of the tree."""
    return nodes_of(tiles(connection))


class StoredEntry(NamedTuple):
    """An entry of the tree."""

    position: int
    seal: int
    sealed_at: dt.datetime
    farm_id: int | None
    farm: str | None
    batches: bytes
    first_at: dt.datetime
    last_at: dt.datetime
    leaf: bytes  # hash


_ENTRIES = (
    sa.select(
        _ENTRY.c.position, _ENTRY.c.seal, _HEAD.c.sealed_at, _ENTRY.c.farm_id, tables.farms.c.slug,
        _ENTRY.c.batches, _ENTRY.c.first_at, _ENTRY.c.last_at, _ENTRY.c.leaf,
    )
    .join(_HEAD, _HEAD.c.seal == _ENTRY.c.seal)
    .outerjoin(tables.farms, tables.farms.c.id == _ENTRY.c.farm_id)
    .order_by(_ENTRY.c.position)
)  # fmt: skip


def entry(connection: sa.Connection, position: int) -> StoredEntry:
    """The entry at a place; NotFound if there is none."""
    row = connection.execute(_ENTRIES.where(_ENTRY.c.position == position)).one_or_none()
    if row is None:
        raise NotFound(f"entry {position} of the tree")
    return StoredEntry(*row)


def leaves_of_seal(connection: sa.Connection, seal: int) -> list[tuple[int, bytes]]:
    """Places and hashes of what a seal added, in order."""
    query = sa.select(_ENTRY.c.position, _ENTRY.c.leaf).where(_ENTRY.c.seal == seal)
    return [(*row,) for row in connection.execute(query.order_by(_ENTRY.c.position))]


_FARMS = sa.text("""
    SELECT farm.id, count(entry.position)
      FROM farms AS farm LEFT JOIN evidence_entries AS entry ON entry.farm_id = farm.id
  GROUP BY farm.id
 UNION ALL
    SELECT NULL, count(*) FROM evidence_entries WHERE farm_id IS NULL
  ORDER BY 1 NULLS LAST
""")


def farms(connection: sa.Connection) -> list[tuple[int | None, int]]:
    """All farms and how many entries each has; at the end those of no farm."""
    return [(*row,) for row in connection.execute(_FARMS)]


def places_of(connection: sa.Connection, farm_id: int | None) -> list[int]:
    """Places of all entries of a farm, in order."""
    query = sa.select(_ENTRY.c.position).where(_ENTRY.c.farm_id.is_not_distinct_from(farm_id))
    return list(connection.scalars(query.order_by(_ENTRY.c.position)))


def _window(
    farm_ids: Sequence[int], start: dt.datetime, end: dt.datetime
) -> sa.ColumnElement[bool]:
    numbers = sa.cast(list(farm_ids), sa.ARRAY(sa.BigInteger))
    return sa.and_(
        _ENTRY.c.farm_id == sa.func.any(numbers), _ENTRY.c.last_at >= start, _ENTRY.c.first_at < end
    )


def positions(
    connection: sa.Connection, farm_ids: Sequence[int], *, start: dt.datetime, end: dt.datetime
) -> list[int]:
    """Places of the entries of farms that have rows from [start, end), in order."""
    query = sa.select(_ENTRY.c.position).where(_window(farm_ids, start, end))
    return list(connection.scalars(query.order_by(_ENTRY.c.position)))


def entries_at(connection: sa.Connection, places: Sequence[int]) -> Iterator[StoredEntry]:
    """Entries by their places, in order, a few read at a time."""
    for begins in range(0, len(places), FEW):
        few = places[begins : begins + FEW]
        for row in connection.execute(_ENTRIES.where(_ENTRY.c.position.in_(few))):
            yield StoredEntry(*row)
