"""Writing readings: the narrow hypertable that every sensor writes to, each key once."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from storage import arrays, arrival, batches, copying, once
from storage.newest import Newest


class Quality(IntFlag):
    """What is known about a reading; zero is a good one.

    The low bits only inform. From ``OUT_OF_RANGE`` on a reading is kept but not used: queries
    ask for ``quality < 16``.
    """

    SERVER_TIME = 1  # the message had no time of its own: stamped when it arrived
    COUNTER_RESET = 2  # a counter that began again, and did not just run over its end
    RATE_OF_CHANGE = 4  # further from the readings before than the catalogue lets it move
    STUCK = 8  # the very same value for longer than the catalogue lets it rest
    OUT_OF_RANGE = 16  # outside the catalogue's plausible range
    SPIKE = 32  # alone far from the readings before and after: known once the next one is there
    SIMULATED = 256  # a network's test message


USABLE_BELOW = int(Quality.OUT_OF_RANGE)

DTYPE = np.dtype(
    [
        ("time", np.int64),  # [µs since 1970, UTC]
        ("datastream_id", np.int32),
        ("value", np.float64),
        ("quality", np.int16),
        ("received_at", np.int64),  # [µs since 1970, UTC]
    ]
)
COLUMNS = (*(DTYPE.names or ()), "batch_id")


Array = np.ndarray[Any, Any]


class Stored(NamedTuple):
    """What became of each row of a batch, as masks of its shape."""

    new: np.ndarray[Any, np.dtype[np.bool_]]
    duplicate: np.ndarray[Any, np.dtype[np.bool_]]  # the same value again, or a conflict
    conflicts: int  # of the duplicates, those of another value that was not seen before


def store(connection: sa.Connection, rows: Array) -> Stored:
    """Store each reading once; a second, different value for a time goes to the conflicts.

    What is new is hashed, as a batch of its own (storage.batches).
    ``rows`` has :data:`DTYPE`. Of equal keys in one batch the first stays. Not committed here.
    """
    if not len(rows):
        return Stored(np.zeros(0, bool), np.zeros(0, bool), 0)
    order, first = once.in_order(rows["datastream_id"], rows["time"])
    rows = np.take(rows, order)
    rows["received_at"] = arrival.rounded(rows["received_at"])
    candidates = rows if first.all() else rows[first]
    newest: Newest = connection.info.setdefault(_NEWEST, Newest())
    key = candidates["datastream_id"], candidates["time"]
    batch = batches.of_readings(connection, key[0])

    def suspect(*, anew: bool) -> once.Mask:
        if anew:
            newest.note(*_newest_of(connection, *key))
        return newest.reached(*key)

    known = once.copy_missing(
        connection,
        "readings",
        suspect,
        _KNOWN,
        lambda asked: _stored_of(connection, candidates, np.flatnonzero(asked)),
        lambda missing: _copy(connection, candidates[missing], batch.ids[missing]),
    )
    newest.note(*key)
    missing = np.ones(len(candidates), bool)
    missing[known["place"]] = False
    batches.add(connection, batch, candidates, missing)
    new = np.zeros(len(rows), bool)
    new[order[first]] = missing
    if new.all():
        return Stored(new, ~new, 0)
    kept = candidates["value"].copy()  # what the table holds of each key
    kept[known["place"]] = known["value"]
    return Stored(new, ~new, _keep_conflicts(connection, rows, kept[np.cumsum(first) - 1]))


def _copy(connection: sa.Connection, rows: Array, batch_ids: Array) -> None:
    copying.copy_in(connection, "readings", COLUMNS, packed(rows, batch_ids))


def packed(rows: Array, batch_ids: Array) -> Iterator[bytes]:
    """Readings as a binary COPY of :data:`COLUMNS` takes them, with the batch of each; 0: none."""
    numbered = batch_ids != 0
    for chosen in (numbered, ~numbered):
        if not chosen.any():
            continue
        part = rows if chosen.all() else rows[chosen]
        sent: dict[str, copying.Column] = {name: part[name] for name in DTYPE.names or ()}
        for name in ("time", "received_at"):
            sent[name] = copying.times(part[name])
        sent["batch_id"] = batch_ids[chosen] if chosen is numbered else None
        yield from copying.pieces(list(sent.values()), len(part))


# OFFSET 0 keeps the planner at one look into the index for each range: a plain join may read all
# readings, since nothing is known of how many ranges there are. The outer bounds are the chunks
# that the batch can touch.
_STORED_OF = """
    SELECT array_agg(known.datastream_id), array_agg(known.time), array_agg(known.value)
      FROM unnest(%(ids)s, %(starts)s, %(ends)s) AS span (id, first, last)
CROSS JOIN LATERAL (SELECT datastream_id, time, value FROM readings
                     WHERE datastream_id = span.id AND time BETWEEN span.first AND span.last
                       AND time BETWEEN to_timestamp(%(earliest_s)s) AND to_timestamp(%(latest_s)s)
                    OFFSET 0) AS known
"""
_NEWEST = "dala: the newest reading of each datastream"
_KNOWN = np.dtype([("place", np.intp), ("value", np.float64)])


# How far datastreams are stored from the first row of a batch on: one look into the index for each,
# and none for what lies beyond, in this batch and in those that follow.
_NEWEST_OF = """
    SELECT array_agg(span.id), array_agg(known.time)
      FROM unnest(%(ids)s, %(starts)s) AS span (id, first)
CROSS JOIN LATERAL (SELECT time FROM readings
                     WHERE datastream_id = span.id AND time >= span.first
                       AND time >= to_timestamp(%(earliest_s)s)
                  ORDER BY time DESC LIMIT 1) AS known
"""


def _newest_of(connection: sa.Connection, ids: Array, times_us: Array) -> tuple[Array, Array]:
    """Datastreams of which more is stored from the first of these rows on, that stand in order,
    and their newest times.
    """
    firsts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    parameters = {"ids": ids[firsts]} | once.bounds(times_us, once.Ranges(firsts, firsts))
    found, newest_us = once.of_ranges(connection, _NEWEST_OF, parameters)
    order = np.argsort(found)
    return found[order], newest_us[order]


def _stored_of(connection: sa.Connection, rows: Array, places: Array) -> Array:
    """Which of the rows at these places, that stand in order, are stored, and with what value."""
    rows = rows[places]
    stretches = once.ranges(rows["datastream_id"], rows["time"])
    parameters = {"ids": rows["datastream_id"][stretches.starts]}
    parameters |= once.bounds(rows["time"], stretches)
    ids, times, values = once.of_ranges(connection, _STORED_OF, parameters)
    asked, found = once.matched((rows["datastream_id"], rows["time"]), (ids, times))
    known = np.empty(len(asked), _KNOWN)
    known["place"], known["value"] = places[asked], values[found]
    return known


_ADD_CONFLICTS = """
    WITH added AS (
        INSERT INTO reading_conflicts
               (datastream_id, time, stored_value, value, quality, received_at)
        SELECT * FROM unnest(%(datastream_id)s, %(time)s, %(stored_value)s, %(value)s,
                             %(quality)s, %(received_at)s)
        ON CONFLICT DO NOTHING
        RETURNING datastream_id)
    SELECT array_agg(datastream_id) FROM added
"""


def _keep_conflicts(connection: sa.Connection, rows: Array, stored_values: Array) -> int:
    """Keep the rows of another value than the stored one; return how many had not been seen."""
    differs = once.differ(rows["value"], stored_values)
    if not differs.any():
        return 0
    parameters = {name: rows[name][differs] for name in ("datastream_id", "value", "quality")}
    parameters["time"] = arrays.times(rows["time"][differs])
    parameters["received_at"] = arrays.times(rows["received_at"][differs])
    parameters["stored_value"] = stored_values[differs]
    (added,) = arrays.fetch(connection, _ADD_CONFLICTS, parameters)
    return len(added)


# A statement for each reading, since in the columnstore a key that is written out unpacks only the
# thousand rows around it; a join would unpack the chunk. That being bounded, TimescaleDB's bound on
# what a transaction unpacks is lifted. Elsewhere nobody reads the setting.
_UNPACK = sa.text(
    "SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true)"
)
_FLAG = sa.text("""
    UPDATE readings SET quality = quality | :flag
     WHERE datastream_id = :id AND time = to_timestamp(0) + :time_us * interval '1 us'
       AND quality & :flag = 0
""")


def flag(
    connection: sa.Connection,
    datastream_ids: np.ndarray[Any, Any],
    times_us: np.ndarray[Any, Any],
    quality: Quality,
) -> None:
    """Add a flag to stored readings, by datastream and time [µs since 1970]."""
    keys = zip(datastream_ids.tolist(), times_us.tolist(), strict=True)
    each = [{"id": one, "time_us": time_us, "flag": int(quality)} for one, time_us in keys]
    if each:
        connection.execute(_UNPACK)
        connection.execute(_FLAG, each)
