"""What was read of a batch, as arrays that storage takes: a row each for readings and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ingest.codecs.senml_columns import Rows
from ingest.messages import Reading, TrackPoint
from storage import readings, tracks
from storage.devices import StreamKey

Array = np.ndarray[Any, Any]


class Measured(NamedTuple):
    """A reading-to-be and the message it came in."""

    message: int
    key: StreamKey
    reading: Reading


class Placed(NamedTuple):
    """A track point-to-be and the message it came in."""

    message: int
    device: str
    point: TrackPoint


class Table(NamedTuple):
    """Rows in the order of their messages."""

    rows: Array
    messages: Array  # the message of each row, as its place in the batch

    def without(self, left_out: Array) -> Table:
        """All rows but those of a mask."""
        return Table(self.rows[~left_out], self.messages[~left_out])


def of_columns(columns: Rows, ends: Sequence[int], received_at: Array) -> Table:
    """Readings that were read into columns; ``ends`` has their number after each message."""
    messages = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    table = np.empty(len(columns), readings.DTYPE)
    table["datastream_id"] = columns.streams
    table["time"] = columns.times
    table["value"] = columns.values
    table["quality"] = 0
    table["received_at"] = received_at[messages]
    return Table(table, messages)


def of_readings(
    found: Sequence[Measured], ids: Mapping[StreamKey, int], received_at: Array
) -> Table:
    """Readings that were read one by one."""
    messages = np.array([one.message for one in found], np.int64)
    table = np.empty(len(found), readings.DTYPE)
    table["datastream_id"] = [ids[one.key] for one in found]
    table["time"] = [one.reading.time for one in found]
    table["value"] = [one.reading.value for one in found]
    table["quality"] = [one.reading.quality for one in found]
    table["received_at"] = received_at[messages]
    return Table(table, messages)


def in_order(one: Table, other: Table) -> Table:
    """Two tables as one: of equal keys the first to come counts, so the order of arrival stays."""
    if not len(one.rows) or not len(other.rows):
        return one if len(one.rows) else other
    rows = np.concatenate([one.rows, other.rows])
    messages = np.concatenate([one.messages, other.messages])
    order = np.argsort(messages, kind="stable")
    return Table(rows[order], messages[order])


def of_points(found: Sequence[Placed], received_at: Array) -> tuple[list[str], Table]:
    """Track points, and the devices that their rows count in."""
    names = sorted({one.device for one in found})
    places = {name: place for place, name in enumerate(names)}
    messages = np.array([one.message for one in found], np.int64)
    table = np.empty(len(found), tracks.DTYPE)
    table["device"] = [places[one.device] for one in found]
    table["received_at"] = received_at[messages]
    table["quality"] = 0
    columns = dict(
        zip(TrackPoint._fields, zip(*(one.point for one in found), strict=True), strict=True)
    )
    table["time"] = columns["time"]
    table["work_state"] = [-1 if state is None else state for state in columns["work_state"]]
    called = {"latitude_deg": "lat", "longitude_deg": "lon"}
    for name in tracks.NUMBERS:
        table[name] = np.array(columns[called.get(name, name)], dtype=float)  # None becomes NaN
    return names, Table(table, messages)
