"""Time logs of machines by EFDI (ISO 5231): protobuf on a topic that names the machine.

Each record has a time in UTC, mostly a position, and the values that changed since the record
before it; what they mean is in the table of `ddi`. Where several elements of a machine report one
thing, it works while any of them does, and of numbers the largest counts: the whole, beside which
its parts are told too. Totals of the work are known, and not kept: points add up to them.
"""

from collections.abc import Iterable
from math import isfinite
from typing import Any, NamedTuple

from ingest.codecs.ddi import (
    CROP_MOISTURE,
    ENTRIES,
    SPEED,
    UNKNOWN,
    WORK_STATE,
    overall_work_state,
)
from ingest.codecs.efdi_timelog import TimeLog
from ingest.codecs.places import position_problem
from ingest.codecs.protobuf_schema import parse
from ingest.messages import (
    LATEST_TIME_US,
    Context,
    Decoded,
    PayloadError,
    Reading,
    Rejected,
    TimeSource,
    TrackPoint,
)
from storage.readings import Quality

PREFIX = "efdi:"  # of the identity, where the topic gives the name alone
MAX_RECORDS = 10_000
MAX_ELEMENTS = 1_000  # of a machine that say one thing
SIMULATED, ERROR_STATUS = 8, 14  # of a position; 0, no fix, is not on the wire
_FARTHEST_MM = 10_000_000  # 10 km above or below: nobody farms there
_SERVER_TIME = int(Quality.SERVER_TIME)


class _Moment(NamedTuple):
    """When a record was made, and by whose clock."""

    time_us: int
    source: TimeSource
    quality: int


class _Place(NamedTuple):
    lat: float
    lon: float
    elevation_m: float | None


def device_of(levels: tuple[str, ...]) -> str | None:
    """The identity of a machine that a built-in topic names."""
    return f"{PREFIX}{levels[0]}" if levels[0] else None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one time log into points and readings.

    Raises
    ------
    PayloadError
        If it is no time log, or one still in the envelope of the agrirouter.
    """
    device = f"{context.options or ''}{context.levels[0]}"
    if not context.levels[0]:
        raise PayloadError("bad-topic", "the topic does not name the machine")
    log = _open(payload)
    if len(log.time) > MAX_RECORDS:
        raise PayloadError("too-many-records", f"{len(log.time)} times; send at most {MAX_RECORDS}")
    reader = _Reader(device, context)
    for index, record in enumerate(log.time):
        try:
            reader.read(record)
        except PayloadError as error:
            reader.rejected.append(Rejected(error.reason, f"time {index}: {error.detail}"))
    why = None
    if not (reader.readings or reader.points or reader.rejected):
        why = "a time log without a position or a value to keep"
    return Decoded(device, reader.readings, reader.points, reader.rejected, ignored=why)


def _open(payload: bytes) -> Any:
    if payload[:1] in (b"[", b"{"):
        envelope = b'"sensorAlternateId"' in payload or b'"command"' in payload
        if envelope:
            raise PayloadError(
                "agrirouter-envelope",
                "a command of the agrirouter, which has to be confirmed and may be a part only; "
                "let its bridge hand over the time log inside",
            )
        raise PayloadError("bad-message", "a time log of EFDI is protobuf, not JSON")
    log = parse(TimeLog, payload)
    if not log.time and not log.filename:
        raise PayloadError("bad-message", "no time in it: not a time log of EFDI")
    return log


class _Reader:
    """Goes through the records of one log; a value holds until its element says another."""

    def __init__(self, device: str, context: Context) -> None:
        self.readings: list[Reading] = []
        self.points: list[TrackPoint] = []
        self.rejected: list[Rejected] = []
        self._device = device
        self._context = context
        self._said: dict[int, dict[object, int]] = {}  # for points: DDI, element, raw number
        self._values: dict[str, Any] = {}  # what these come to, by the field of a point

    def read(self, record: Any) -> None:
        """Add what one record says; its values hold for later ones even if it has no place."""
        said: dict[int, dict[object, int]] = {}
        for value in record.data_log_value:
            element = value.device_element_id_ref
            key = element.uri or element.number
            said.setdefault(value.process_data_ddi, {})[key] = value.process_data_value
        for ddi, numbers in said.items():
            if ddi in ENTRIES and ENTRIES[ddi].field is not None:
                self._hold(ddi, numbers)
        moment = self._moment(record)
        place = _place(record)
        if place is not None:
            self.points.append(TrackPoint(moment.time_us, *place, **self._values))
        self._measure(moment, said, on_a_point=place is not None)

    def _hold(self, ddi: int, numbers: dict[object, int]) -> None:
        """Take in what elements say for the points that follow."""
        held = self._said.setdefault(ddi, {})
        held.update(numbers)
        if len(held) > MAX_ELEMENTS:
            raise PayloadError("bad-record", f"more than {MAX_ELEMENTS:,} elements say DDI {ddi}")
        if ddi == WORK_STATE:
            self._values["work_state"] = overall_work_state(held.values())
        else:
            self._values[ENTRIES[ddi].field or ""] = _largest(ddi, held.values())

    def _moment(self, record: Any) -> _Moment:
        for holder, name in ((record, "start"), (record.position_start, "gps_utc_timestamp")):
            if holder.HasField(name):
                stamp = getattr(holder, name)
                time_us = stamp.seconds * 1_000_000 + stamp.nanos // 1000
                if not 0 <= time_us <= LATEST_TIME_US or not 0 <= stamp.nanos < 1_000_000_000:
                    raise PayloadError("time-out-of-range", f"{stamp.seconds} s since 1970")
                return _Moment(time_us, "device", 0)
        return _Moment(self._context.received_at_us, "server", _SERVER_TIME)

    def _measure(
        self, moment: _Moment, said: dict[int, dict[object, int]], *, on_a_point: bool
    ) -> None:
        """Readings of what stands on no point."""
        for ddi, numbers in said.items():
            entry = ENTRIES.get(ddi)
            if entry is None or entry.quantity is None or (on_a_point and entry.field):
                continue
            value = _largest(ddi, numbers.values())
            if value is not None:
                quantity, (time_us, source, quality) = entry.quantity, moment
                self.readings.append(
                    Reading(self._device, quantity, value, time_us, source, quality=quality)
                )


def _largest(ddi: int, numbers: Iterable[int]) -> float | None:
    """The largest of what the elements say, in our unit; None if none can be."""
    # Only a speed has a sign, which is its direction: below zero, others say that something failed.
    floor = 1 if ddi == CROP_MOISTURE else 0
    raw = map(abs, numbers) if ddi == SPEED else (number for number in numbers if number >= floor)
    largest = max((number for number in raw if number < UNKNOWN), default=None)
    return None if largest is None else ENTRIES[ddi].value(float(largest))


def _place(record: Any) -> _Place | None:
    """Where a record was made; None if it does not say."""
    if not record.HasField("position_start"):
        return None
    position = record.position_start
    if position.position_status == SIMULATED:
        raise PayloadError("simulated-position", "the receiver makes its positions up")
    if position.position_status == ERROR_STATUS:
        raise PayloadError("no-fix", "the receiver reports an error")
    lat, lon = float(position.position_north), float(position.position_east)
    if not (isfinite(lat) and isfinite(lon)):
        raise PayloadError("position-out-of-range", f"{lat}, {lon} is not on Earth")
    problem = position_problem(lat, lon)
    if problem is not None:
        raise PayloadError(*problem)
    up_mm = int(position.position_up)
    known = up_mm != 0 and abs(up_mm) < _FARTHEST_MM  # zero is what is left out on the wire
    return _Place(lat, lon, up_mm / 1000 if known else None)
