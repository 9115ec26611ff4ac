"""MAVLink from drones and ground robots: the JSON of mavlink2rest, or frames as they are.

A topic is one vehicle's. What it says of its place and its batteries is kept; its uptimes become
times by `mavlink_clock`, which is learned under `mavlink:{device}`.
"""

from collections import defaultdict
from collections.abc import Iterator
from math import hypot
from typing import Any, NamedTuple

from ingest.codecs import mavlink_frames
from ingest.codecs.documents import load_any, member
from ingest.codecs.mavlink_clock import CLOCK_SET_US, Clock, Uptime, clocks
from ingest.codecs.mavlink_frames import Frame
from ingest.codecs.places import position_problem
from ingest.codecs.times import first_time
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

PREFIX = "mavlink:"  # of the identity, where the topic gives the name alone
MAX_MESSAGES = 10_000
CLOCK, PLACE, BATTERY = "SYSTEM_TIME", "GLOBAL_POSITION_INT", "BATTERY_STATUS"
_NO_HEADING = _NO_CELL = 65_535
_HIGHEST_MM = 100_000_000


class _Heard(NamedTuple):
    """A message that is kept, with its uptime where it has one."""

    frame: Frame
    uptime: Uptime | None


def device_of(levels: tuple[str, ...]) -> str | None:
    """The identity of a vehicle that a built-in topic names."""
    return f"{PREFIX}{levels[0]}" if levels[0] else None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn the messages of one payload into points and battery readings.

    Raises
    ------
    PayloadError
        If the payload is neither frames nor JSON of mavlink2rest, or is frames, which need a
        package that is not installed.
    """
    (name,) = context.levels
    if not name:
        raise PayloadError("bad-topic", "the topic does not name the vehicle")
    heard, rejected = _heard(payload)
    key = f"{PREFIX}{name}"
    said = context.memory.get(key) or {}
    vehicle = _Vehicle(f"{context.options or ''}{name}", context, rejected)
    by_system: dict[int, list[Uptime]] = defaultdict(list)
    for one in heard:
        if one.uptime is not None:
            by_system[one.frame.system].append(one.uptime)
    ours = clocks(said, by_system, context.received_at_us)
    for one in heard:
        vehicle.hear(one, ours.get(one.frame.system))
    changed = {
        str(system): list(clock.anchor)
        for system, clock in ours.items()
        if clock.changed and clock.anchor
    }
    decoded = vehicle.decoded()
    return decoded._replace(learned={key: {**said, **changed}}) if changed else decoded


def _heard(payload: bytes) -> tuple[list[_Heard], list[Rejected]]:
    """The messages we keep something of, and what is wrong with others."""
    if payload[:1] in (b"{", b"["):
        found = _of_json(payload)
    elif mavlink_frames.is_frames(payload):
        found = mavlink_frames.frames(payload, {CLOCK, PLACE, BATTERY})
    else:
        raise PayloadError("bad-message", "neither frames of MAVLink nor JSON of mavlink2rest")
    heard, rejected = [], []
    for index, one in enumerate(found):
        if index >= MAX_MESSAGES:
            detail = f"more than {MAX_MESSAGES} messages; send at most so many"
            rejected.append(Rejected("too-many-records", detail))
            break
        try:
            if isinstance(one, PayloadError):
                raise one
            heard.append(_Heard(one, _uptime(one)))
        except PayloadError as error:
            rejected.append(Rejected(error.reason, f"message {index}: {error.detail}"))
    return heard, rejected


def _of_json(payload: bytes) -> Iterator[Frame | PayloadError]:
    document = load_any(payload)
    items = document if isinstance(document, list) else [document]
    if len(items) > MAX_MESSAGES:
        raise PayloadError(
            "too-many-records", f"{len(items)} messages; send at most {MAX_MESSAGES}"
        )
    for item in items:
        kind, system = member(item, "message", "type"), member(item, "header", "system_id")
        if not isinstance(kind, str):
            yield PayloadError("bad-message", "no message.type: not JSON of mavlink2rest")
        elif kind in (CLOCK, PLACE, BATTERY):
            if system is not None and (type(system) is not int or not 0 <= system <= 255):
                yield PayloadError("bad-record", "header.system_id is not 0 to 255")
                continue
            logged = first_time(member(item, "status", "time", "last_update"))
            yield Frame(system or 0, kind, item["message"], logged)


def _uptime(frame: Frame) -> Uptime | None:
    """The uptime of a message; batteries do not say theirs."""
    if frame.name == BATTERY:
        return None
    boot_ms = _whole(frame, "time_boot_ms", 0, 2**32)
    known = _whole(frame, "time_unix_usec", 0, 2**64) if frame.name == CLOCK else None
    return Uptime(boot_ms, known, _logged(frame))


def _logged(frame: Frame) -> int | None:
    """When a message was taken down, if that clock was set."""
    logged = frame.logged_us
    return logged if logged is not None and CLOCK_SET_US <= logged <= LATEST_TIME_US else None


def _whole(frame: Frame, name: str, low: int, high: int) -> int:
    """A whole number of a message in low <= number < high."""
    value = frame.fields.get(name)
    if type(value) is not int or not low <= value < high:
        raise PayloadError("bad-record", f"{frame.name}: {name} is {str(value)[:40]!r}")
    return value


class _Vehicle:
    """What a vehicle says of itself in one payload."""

    def __init__(self, device: str, context: Context, rejected: list[Rejected]) -> None:
        self._device, self._now_us, self._rejected = device, context.received_at_us, rejected
        self._points: list[TrackPoint] = []
        # Of several values of one moment the last counts: without a clock, all have the arrival's.
        self._readings: dict[tuple[str, int, int], Reading] = {}
        self._moment: tuple[int, TimeSource] | None = None  # of the newest message with an uptime

    def hear(self, one: _Heard, clock: Clock | None) -> None:
        """Take one message in; what is wrong with it is noted."""
        frame, uptime = one
        try:
            if uptime is None or clock is None:
                self._battery(frame)
                return
            if frame.name == CLOCK:
                clock.set(uptime)
            moment = clock.date(uptime)
            self._moment = moment
            if frame.name == PLACE:
                self._points.append(_point(frame, moment[0]))
        except PayloadError as error:
            self._rejected.append(Rejected(error.reason, error.detail))

    def decoded(self) -> Decoded:
        readings = list(self._readings.values())
        nothing = not (readings or self._points or self._rejected)
        why = "MAVLink: no place and no battery" if nothing else None
        return Decoded(self._device, readings, self._points, self._rejected, ignored=why)

    def _battery(self, frame: Frame) -> None:
        channel = _whole(frame, "id", 0, 256)
        level = _whole(frame, "battery_remaining", -1, 101)
        volts = _volts(frame)
        if level >= 0:
            self._add("battery_level", float(level), channel, frame)
        if volts is not None:
            self._add("battery_voltage", volts, channel, frame)

    def _add(self, quantity: str, value: float, channel: int, frame: Frame) -> None:
        time_us, source = self._dated(frame)
        quality = int(Quality.SERVER_TIME) if source == "server" else 0
        self._readings[quantity, channel, time_us] = Reading(
            self._device, quantity, value, time_us, source, channel=channel, quality=quality
        )

    def _dated(self, frame: Frame) -> tuple[int, TimeSource]:
        logged = _logged(frame)
        if logged is not None:
            return logged, "network"
        return self._moment or (self._now_us, "server")


def _point(frame: Frame, time_us: int) -> TrackPoint:
    lat, lon = (_whole(frame, name, -(2**31), 2**31) / 1e7 for name in ("lat", "lon"))
    problem = position_problem(lat, lon)
    if problem is not None:
        raise PayloadError(*problem)
    alt_mm = _whole(frame, "alt", -(2**31), 2**31)
    north, east = (_whole(frame, name, -(2**15), 2**15) for name in ("vx", "vy"))  # [cm/s]
    heading = _whole(frame, "hdg", 0, 2**16)  # [0.01°]
    return TrackPoint(
        time_us,
        lat,
        lon,
        elevation_m=alt_mm / 1000 if abs(alt_mm) < _HIGHEST_MM else None,
        speed_m_s=hypot(north, east) / 100,
        heading_deg=None if heading == _NO_HEADING else heading % 36_000 / 100,
    )


def _volts(frame: Frame) -> float | None:
    """The pack's voltage: the sum of its cells, of which the first may stand for all."""
    cells: list[int] = []
    for name, unknown in (("voltages", _NO_CELL), ("voltages_ext", 0)):
        listed: Any = frame.fields.get(name, [])
        if not isinstance(listed, list) or not all(type(one) is int for one in listed):
            raise PayloadError("bad-record", f"{frame.name}: {name} is no list of millivolts")
        cells += [one for one in listed if one not in (unknown, _NO_CELL)]
    if not all(0 <= one < _NO_CELL for one in cells):
        raise PayloadError("bad-record", f"{frame.name}: a cell is not 0 to 65534 mV")
    return sum(cells) / 1000 if cells else None
