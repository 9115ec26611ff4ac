"""What the bench of storing stores: readings of many sensors, points of many machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from bench import hashing
from storage import arrival, batches, devices, readings, tracks

STREAMS, MACHINES = 1_000, 40
TRACTORS = [f"tractor-{place:02}" for place in range(MACHINES)]
FIRST_US = 1_750_000_000_000_000  # 2025-06-15T15:06:40Z
READINGS_EVERY_US, POINTS_EVERY_US = 600 * 1_000_000, 1_000_000

Rows = np.ndarray[Any, Any]


class Subject(NamedTuple):
    """One table, what goes into it, and our writer."""

    name: str
    table: str
    columns: tuple[str, ...]
    rows: Rows  # in the order they would come: all of one time, then the next
    packed: Callable[[Rows], list[bytes]]  # as COPY takes them
    store: Callable[[sa.Connection, Rows], Rows]  # says which were new
    know: Callable[[sa.Connection], object]  # as a connection does that has stored for a while


class Offer(NamedTuple):
    """What one run stores, and what is in the table before."""

    beforehand: Rows
    batches: list[Rows]
    known: int  # rows of the batches that are stored already when their batch comes
    by_others: list[Rows]  # what another worker stores just before each batch


def sent_again(rows: Rows, size: int, share_pct: float) -> Offer:
    """Batches that hold rows of the batch before, as a broker or a device sends them again.

    Half of the rows are in the table beforehand.
    """
    half, random = len(rows) // 2, np.random.default_rng(2)
    before, rest = rows[:half], rows[half:]
    batches, known = [], 0
    last = before[-size:]
    for cut in range(0, half, size):
        count = min(size, half - cut)
        again = min(len(last), round(count * share_pct / 100.0))
        chosen = np.sort(random.permutation(len(last))[:again])
        batches.append(np.concatenate([last[chosen], rest[: count - again]]))
        last, rest, known = rest[: count - again], rest[count - again :], known + again
    return Offer(before, batches, known, [rows[:0] for _ in batches])


def by_another(rows: Rows, size: int, share_pct: float) -> Offer:
    """Batches of which somebody else stores a part just before, anywhere: the worst that can come.

    As many rows as are offered are in the table beforehand.
    """
    half, random = len(rows) // 2, np.random.default_rng(2)
    batches = [rows[half:][cut : cut + size] for cut in range(0, half, size)]
    theirs = []
    for batch in batches:
        count = round(len(batch) * share_pct / 100.0)
        theirs.append(batch[np.sort(random.permutation(len(batch))[:count])])
    return Offer(rows[:half], batches, sum(map(len, theirs)), theirs)


def of_readings(count: int, streams: int = STREAMS) -> Subject:
    """Readings of so many datastreams, every ten minutes."""
    rows = np.zeros(count, readings.DTYPE)
    number = np.arange(count)
    rows["datastream_id"] = number % streams + 1
    rows["time"] = FIRST_US + number // streams * READINGS_EVERY_US
    rows["value"] = np.random.default_rng(1).normal(0.25, 0.05, count)
    rows["received_at"] = arrival.rounded(rows["time"] + 1_000_000)

    def store(connection: sa.Connection, batch: Rows) -> Rows:
        return readings.store(connection, batch).new

    def know(connection: sa.Connection) -> None:
        batches.of_readings(connection, np.arange(1, streams + 1))

    name = "readings" if streams == STREAMS else f"fleet of {streams:,}"
    return Subject(name, "readings", readings.COLUMNS, rows, _packed_readings, store, know)


def in_one_batch(rows: Rows) -> Rows:
    """A number as writers give it: the limit writes as many columns as we do."""
    return np.full(len(rows), 1)


def _packed_readings(rows: Rows) -> list[bytes]:
    return list(readings.packed(rows, in_one_batch(rows)))


def of_points(count: int) -> Subject:
    """Points of forty machines once a second, of which half do not weigh a harvest."""
    rows = np.zeros(count, tracks.DTYPE)
    number, random = np.arange(count), np.random.default_rng(3)
    rows["device"] = number % MACHINES
    rows["time"] = FIRST_US + number // MACHINES * POINTS_EVERY_US
    rows["received_at"] = arrival.rounded(rows["time"] + 1_000_000)
    rows["work_state"] = 1
    for name in tracks.NUMBERS:
        rows[name] = random.uniform(1.0, 9.0, count)
    rows["animals_seen"] = np.nan
    for name in ("mass_flow_kg_s", "crop_moisture_pct"):
        rows[name][rows["device"] % 2 == 0] = np.nan
    names = list(TRACTORS)

    def packed(chosen: Rows) -> list[bytes]:
        return list(tracks.packed(names, chosen, in_one_batch(chosen)))

    def store(connection: sa.Connection, batch: Rows) -> Rows:
        return tracks.store(connection, names, batch)

    def know(connection: sa.Connection) -> None:
        batches.of_points(connection, names, np.zeros(0, np.int64))

    return Subject("track points", "track_points", tracks.COLUMNS, rows, packed, store, know)


# Four datastreams a device, its devices in turn of each farm.
_DEVICES = sa.text("""
    INSERT INTO devices (id, farm_id, kind, name)
    SELECT 'bench-' || number, (CAST(:farms AS bigint[]))[number % cardinality(:farms) + 1],
           'soil-probe', 'Bench ' || number
      FROM generate_series(0, (:streams - 1) / 4) AS number
    ON CONFLICT DO NOTHING
""")
_STREAMS = sa.text("""
    INSERT INTO datastreams (id, device_id, quantity, channel)
    SELECT number, 'bench-' || (number - 1) / 4, 'soil_moisture', (number - 1) % 4
      FROM generate_series(1, :streams) AS number
    ON CONFLICT DO NOTHING
""")


def register(connection: sa.Connection, streams: int) -> None:
    """Make datastreams 1 to ``streams`` and the machines known, each of one of forty farms."""
    farms = hashing.put_farms(connection)
    parameters = {"farms": farms, "streams": streams}
    connection.execute(_DEVICES, parameters)
    connection.execute(_STREAMS, parameters)
    for place, name in enumerate(TRACTORS):
        devices.put(connection, name, farm_id=farms[place], kind="tractor", name=name)
