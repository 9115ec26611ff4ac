"""What was read of a batch, as arrays that storage takes: a row each for readings and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ingest.codecs.senml_columns import Rows
from ingest.codecs.track_columns import Points
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
    point: TrackPoint


class Table(NamedTuple):
    """Rows in the order of their messages."""

    rows: Array
    messages: Array  # the message of each row, as its place in the batch

    def without(self, left_out: Array) -> Table:
        """All rows but those of a mask."""
        return Table(self.rows[~left_out], self.messages[~left_out])


class Origins(NamedTuple):
    """The messages that were read into columns, and how many rows there were after each."""

    messages: list[int]
    ends: list[int]

    def of_rows(self) -> Array:
        """The message of each row."""
        return np.repeat(np.array(self.messages, np.int64), self._sizes())

    def with_rows(self) -> int:
        """How many of the messages have rows."""
        return int(np.count_nonzero(self._sizes()))

    def _sizes(self) -> Array:
        return np.diff(np.array(self.ends, np.int64), prepend=0)


def of_columns(columns: Rows, origins: Origins, received_at: Array) -> Table:
    """Readings that were read into columns."""
    messages = origins.of_rows()
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


def of_points(
    usual: Points,
    origins: Origins,
    found: Sequence[Placed],
    owners: Mapping[int, str],
    received_at: Array,
) -> tuple[list[str], Table]:
    """All track points of a batch, and the devices that their rows count in.

    Parameters
    ----------
    usual, origins
        Points that were read into columns.
    found
        Those that were read one by one.
    owners
        The device of each message that has points.
    """
    table = _points(usual.times, usual.columns(), origins.of_rows(), received_at)
    if found:
        times, *columns = zip(*(one.point for one in found), strict=True)
        messages = np.array([one.message for one in found], np.int64)
        table = in_order(table, _points(times, columns, messages, received_at))
    speakers = {message: owners[message] for message in np.unique(table.messages).tolist()}
    names = sorted(set(speakers.values()))
    places = {name: place for place, name in enumerate(names)}
    place_of = np.zeros(len(received_at), np.int64)
    place_of[list(speakers)] = [places[name] for name in speakers.values()]
    table.rows["device"] = place_of[table.messages]
    return names, table


def _points(
    times: Sequence[int],
    columns: Sequence[Sequence[float | None]],
    messages: Array,
    received_at: Array,
) -> Table:
    """Rows of no device yet; ``columns`` are those of a point but its time."""
    table = np.zeros(len(messages), tracks.DTYPE)
    table["time"], table["received_at"] = times, received_at[messages]
    said = dict(zip(TrackPoint._fields[1:], columns, strict=True))
    table["work_state"] = [-1 if state is None else state for state in said["work_state"]]
    called = {"latitude_deg": "lat", "longitude_deg": "lon"}
    for name in tracks.NUMBERS:
        table[name] = np.array(said[called.get(name, name)], dtype=float)  # None becomes NaN
    return Table(table, messages)
