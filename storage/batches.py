"""What one call newly stores of a hypertable: numbered, and hashed in the same transaction.

Each new row carries the number of its batch; beside it stands, for every farm, a digest of the
farm's rows in it (:mod:`evidence.rows`). Rows of devices without a farm are a batch of their own:
once such a device is claimed its rows are a farm's, and would be missing in what was hashed of that
farm. A row of which nothing says what measured it has no name, and is in no batch.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import sqlalchemy as sa

from evidence import rows as evidence
from storage import arrays

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Kind = Literal["readings", "track_points"]

NO_FARM, UNKNOWN = 0, -1


class Series(NamedTuple):
    """Datastreams, or devices."""

    ids: Array  # in order
    farm_ids: Array  # NO_FARM, and UNKNOWN where there is no such series
    names: Array  # of evidence.rows.NAME
    ranks: Array  # by farm, then by name


class Batch(NamedTuple):
    """Rows that are offered to a table, in the order of their series and times."""

    kind: Kind
    series: Series
    places: Array  # of the series of each row
    ids: Array  # the number that each row carries if it is new; 0: none
    numbers: Sequence[int]  # that are among them


def of_readings(connection: sa.Connection, datastream_ids: Array) -> Batch:
    """Readings by their datastreams, that stand in order."""
    firsts = np.ones(len(datastream_ids), bool)
    firsts[1:] = datastream_ids[1:] != datastream_ids[:-1]
    series, places = _streams(connection, datastream_ids[firsts])
    return _numbered(connection, "readings", series, places[np.cumsum(firsts) - 1])


# Few machines, many points of each; and a device may be given to a farm with its first points.
_FARMS = sa.text("SELECT id, farm_id FROM devices WHERE id = ANY(:devices) AND farm_id IS NOT NULL")


def of_points(connection: sa.Connection, devices: Sequence[str], places: Array) -> Batch:
    """Track points by the places of their devices in the list."""
    found = connection.execute(_FARMS, {"devices": list(devices)})
    farms: dict[str, int] = {row.id: row.farm_id for row in found}
    farm_ids = [farms.get(one, NO_FARM) for one in devices]
    names = [evidence.name_of_device(one) for one in devices]
    series = _series(range(len(devices)), farm_ids, names)
    return _numbered(connection, "track_points", series, places)


_BYTES = {
    "readings": (evidence.READINGS, evidence.of_readings),
    "track_points": (evidence.POINTS, evidence.of_points),
}
_ADD = """
    INSERT INTO pending_batches (id, kind, farm_ids, row_counts, digests, first_at, last_at)
    VALUES (%(id)s, %(kind)s, %(farm_ids)s, %(row_counts)s, %(digests)s, %(first_at)s, %(last_at)s)
"""


def add(connection: sa.Connection, batch: Batch, rows: Array, new: Mask) -> None:
    """Note what those of the rows are hashed to that are new. Not committed here.

    ``rows`` are as they are stored, ``new`` is a mask of them.
    """
    for number in batch.numbers:
        chosen = np.flatnonzero(new & (batch.ids == number))
        if not len(chosen):
            continue
        hashed = _hashed(batch, rows, chosen)
        parameters = {
            "id": number,
            "kind": batch.kind,
            "farm_ids": hashed.groups,
            "row_counts": hashed.row_counts.astype(np.int32),
            "digests": hashed.digests,
            "first_at": arrays.times(hashed.first_us),
            "last_at": arrays.times(hashed.last_us),
        }
        arrays.fetch(connection, _ADD, parameters)


def _hashed(batch: Batch, rows: Array, chosen: Array) -> evidence.Digests:
    ranks = batch.series.ranks[batch.places[chosen]]
    chosen = chosen[np.argsort(ranks, kind="stable")]  # of a series they stand by time
    places = batch.places[chosen]
    kind, as_bytes = _BYTES[batch.kind]
    names, farm_ids = batch.series.names[places], batch.series.farm_ids[places]
    return evidence.digests(kind, farm_ids, as_bytes(names, np.take(rows, chosen)))


# --- numbers --------------------------------------------------------------------------------------

_AHEAD = "dala: numbers of batches that were taken ahead"
_TAKE = "SELECT array_agg(nextval('batch_ids')) FROM generate_series(1, 64)"


def _numbered(connection: sa.Connection, kind: Kind, series: Series, places: Array) -> Batch:
    farm_ids = series.farm_ids[places]
    ids, numbers = np.zeros(len(places), np.int64), []
    for members in (farm_ids > NO_FARM, farm_ids == NO_FARM):
        if members.any():
            numbers.append(_take(connection))
            ids[members] = numbers[-1]
    return Batch(kind, series, places, ids, numbers)


def _take(connection: sa.Connection) -> int:
    """A number that no batch has, nor will have: one of what is rolled back is lost."""
    ahead: deque[int] = connection.info.setdefault(_AHEAD, deque())
    if not ahead:
        (taken,) = arrays.fetch(connection, _TAKE, {})
        ahead.extend(taken.tolist())
    return ahead.popleft()


# --- names ----------------------------------------------------------------------------------------

_SEEN = "dala: datastreams of farms"
_CLAIMING = "dala: the transaction that gives devices to farms"
_STREAMS = sa.text("""
    SELECT stream.id, coalesce(device.farm_id, 0), device_id, quantity, depth_cm, channel
      FROM datastreams AS stream JOIN devices AS device ON device.id = device_id
     WHERE stream.id = ANY(:ids)
""")


def note_claim(connection: sa.Connection) -> None:
    """Of a transaction that gives a device to a farm: what it knows is true once it is committed.

    So nothing of it is remembered: rolled back, it would have rows hashed for a farm that the
    device was never given to.
    """
    connection.info[_CLAIMING] = _transaction_of(connection)


def _transaction_of(connection: sa.Connection) -> weakref.ref[sa.RootTransaction] | None:
    found = connection.get_transaction()
    return None if found is None else weakref.ref(found)


def _streams(connection: sa.Connection, ids: Array) -> tuple[Series, Array]:
    """Datastreams, these among them, and the places of these.

    What makes a datastream one of its own never changes, and a device stays with its farm: so they
    are remembered for as long as the connection lasts. One without a farm is asked for each time,
    and so is what a transaction itself gave to one (:func:`note_claim`).
    """
    series: Series = connection.info.get(_SEEN) or _series((), (), ())
    places, seen = _places(series, ids)
    if seen.all():
        return series, places
    unseen = ids[~seen].tolist()
    found = {
        number: (farm_id, evidence.name_of_stream(*key))
        for number, farm_id, *key in connection.execute(_STREAMS, {"ids": unseen})
    }
    is_claiming = connection.info.get(_CLAIMING) == _transaction_of(connection)
    of_farms = {
        number: one for number, one in found.items() if one[0] != NO_FARM and not is_claiming
    }
    if of_farms:
        connection.info[_SEEN] = series = _with(series, of_farms)
    if others := {one: found.get(one, (UNKNOWN, b"")) for one in unseen if one not in of_farms}:
        series = _with(series, others)
    return series, _places(series, ids)[0]


def _places(series: Series, ids: Array) -> tuple[Array, Mask]:
    """Where series are, and which of them are there."""
    if not len(series.ids):
        return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
    places = np.searchsorted(series.ids, ids).clip(max=len(series.ids) - 1)
    return places, np.asarray(series.ids[places] == ids)


def _with(series: Series, others: Mapping[int, tuple[int, bytes]]) -> Series:
    """The same, and others that were not among them."""
    added = _series(list(others), *zip(*others.values(), strict=True))
    ids, farm_ids, names, _ = map(np.append, series, added)
    order = np.argsort(ids)
    farm_ids, names = farm_ids[order], names[order]
    return Series(ids[order], farm_ids, names, evidence.ranks(farm_ids, names))


def _series(ids: Sequence[int], farm_ids: Sequence[int], names: Sequence[bytes]) -> Series:
    farms, named = np.array(farm_ids, np.int64), np.array(names, evidence.NAME)
    return Series(np.array(ids, np.int64), farms, named, evidence.ranks(farms, named))
