"""Points and readings of a file into the tables, once each, as those that arrive by message."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ingest.imports.results import Asked, Refused, Stored
from ingest.plausibility import EARLIEST_US, FUTURE_LIMIT_US
from ingest.plausibility.streams import Streams
from storage import devices, heard, news, readings, tracks
from storage.devices import Device, StreamKey
from storage.readings import Quality

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 50_000  # rows a statement
_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)


class Values(NamedTuple):
    """Values of one quantity, arrays of one shape."""

    quantity: str
    time_us: Integers
    values: Array


def register(
    connection: sa.Connection, asked: Asked, device_id: str, kind: str, name: str, **values: Any
) -> Device:
    """The device that data is of: the one that was asked for, else one made under this id.

    Raises
    ------
    Refused
        If it belongs to another farm, was disabled, or its id cannot be one.
    """
    wanted = asked.device or device_id
    known = devices.by_identity(connection, [wanted]).get(wanted)
    if known is None:
        if not _ID.fullmatch(wanted):
            raise Refused(f"device {wanted!r}: an id has letters, digits and . _ : - only")
        devices.put(connection, wanted, farm_id=asked.farm.id, kind=kind, name=name, **values)
        return devices.get(connection, wanted)
    if known.farm_id != asked.farm.id:
        raise Refused(f"device {known.id} is not one of the farm {asked.farm.slug}")
    if known.disabled:
        raise Refused(f"device {known.id} was disabled by an operator")
    return known


def as_id(*parts: str) -> str:
    """An id of a device from words of any kind."""
    joined = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
    return joined[:100].strip("-")


def store_points(
    connection: sa.Connection,
    device_id: str,
    columns: Mapping[str, NDArray[Any]],
    received_at_us: int,
) -> Stored:
    """Store points by the columns of ``storage.tracks.DTYPE``; what is not given is unknown."""
    table = np.zeros(len(columns["time"]), tracks.DTYPE)
    table["work_state"] = -1
    for name in tracks.NUMBERS:
        table[name] = np.nan
    for name, values in columns.items():
        table[name] = values
    table["received_at"] = received_at_us
    table, refused = _possible(table, received_at_us)
    stored = Stored(refused=refused)
    for part in _chunks(table):
        new = tracks.store(connection, [device_id], part)
        news.note_points(connection, [device_id], part["device"][new], part["time"][new])
        if new.any():
            heard.note(connection, {device_id: received_at_us})
        stored = stored.and_more(_counted(part, new))
    return stored


def store_readings(
    connection: sa.Connection, device_id: str, series: Sequence[Values], received_at_us: int
) -> Stored:
    """Store readings, flagged as those that arrive by message are."""
    if not series:
        return Stored()
    keys = [StreamKey(device_id, one.quantity, None, None) for one in series]
    ids = devices.open_datastreams(connection, keys)
    if not ids.keys() >= set(keys):
        raise Refused(f"device {device_id}: it has too many datastreams to open another")
    table = np.zeros(sum(len(one.time_us) for one in series), readings.DTYPE)
    sizes = [len(one.time_us) for one in series]
    table["datastream_id"] = np.repeat([ids[key] for key in keys], sizes)
    table["time"] = np.concatenate([one.time_us for one in series])
    table["value"] = np.concatenate([one.values for one in series])
    table["received_at"] = received_at_us
    table, refused = _possible(table, received_at_us)
    table = table[np.argsort(table["time"], kind="stable")]
    stored, known = Stored(refused=refused), Streams()
    for part in _chunks(table):
        known.look_up(connection, part)
        part["quality"][known.out_of_range(part)] |= Quality.OUT_OF_RANGE
        judged = known.judge(part)
        part["quality"] |= judged.flags
        new = readings.store(connection, part).new
        known.keep(part, judged, new)
        ids_of, times = judged.spikes
        if len(ids_of):
            readings.flag(connection, ids_of, times, Quality.SPIKE)
            news.note_readings(connection, ids_of, times)
        news.note_readings(connection, part["datastream_id"][new], part["time"][new])
        if new.any():
            heard.note(connection, {device_id: received_at_us})
        stored = stored.and_more(_counted(part, new))
    return stored


def _possible(table: NDArray[Any], now_us: int) -> tuple[NDArray[Any], Counter[str]]:
    """Rows whose time can be true, and how many cannot."""
    future = table["time"] > now_us + FUTURE_LIMIT_US
    before = table["time"] < EARLIEST_US
    counts = {"time-in-future": int(future.sum()), "time-before-2000": int(before.sum())}
    return table[~(future | before)], Counter({name: n for name, n in counts.items() if n})


def _chunks(table: NDArray[Any]) -> list[NDArray[Any]]:
    return [table[cut : cut + CHUNK] for cut in range(0, len(table), CHUNK)]


def _counted(part: NDArray[Any], new: NDArray[np.bool_]) -> Stored:
    number = int(new.sum())
    times = part["time"]
    return Stored(number, len(part) - number, Counter(), int(times.min()), int(times.max()))
