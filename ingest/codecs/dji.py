"""DJI Cloud API: what aircraft and docks report on `thing/product/{sn}/{osd,state,events}`.

A message says a part of what there is, so whatever is missing is unknown, not zero; 32767 is
unknown too. Aircraft give a position of zeros while they have no fix. A dock stands still: its
weather is measured, its place is on the farm's map, and its `rainfall` is a class from 0 to 3,
which is no amount. The wind that an aircraft reckons from its own tilt is not measured either.
"""

from typing import Any, NamedTuple

from ingest.codecs.documents import load, member, members
from ingest.codecs.places import position_problem
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

_UNKNOWN = 32767
_FIXED = 2  # of `is_fixed`: 0 not begun, 1 under way, 2 done, 3 failed
_BEYOND = 1e9  # no number of these messages is larger
_DOCK = frozenset(  # what only a dock reports; its weather and its place come together
    {"alternate_land_point", "cover_state", "drone_in_dock", "environment_temperature", "rainfall"}
)


class _Value(NamedTuple):
    """What one member of `data` means."""

    path: tuple[str, ...]
    quantity: str
    divide: float = 1.0


_AIRCRAFT = (_Value(("battery", "capacity_percent"), "battery_level"),)
_STATION = (
    _Value(("environment_temperature",), "air_temperature"),
    _Value(("wind_speed",), "wind_speed"),
)
_EITHER = (_Value(("backup_battery", "voltage"), "battery_voltage", 1000),)  # [mV]
_OF_EACH_BATTERY = (
    _Value(("capacity_percent",), "battery_level"),
    _Value(("voltage",), "battery_voltage", 1000),  # [mV]
)


def device_of(levels: tuple[str, ...]) -> str | None:
    """The wire identity of the serial number in a topic."""
    return f"dji:{levels[0]}" if levels[0] else None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings and, of an aircraft with a fix, a point.

    Raises
    ------
    PayloadError
        If it is no message of the Cloud API, or its time is none.
    """
    kind = context.options
    device = device_of(context.levels)
    if device is None:
        raise PayloadError("bad-message", "the topic has no serial number")
    document = load(payload)
    data = document.get("data")
    if not isinstance(data, dict):
        raise PayloadError("bad-message", "no data: not a message of the DJI Cloud API")
    if kind == "events" or "method" in document:
        method = str(document.get("method"))[:40]
        return Decoded(device, [], [], [], ignored=f"{kind}: {method!r} measures nothing")
    message = _Message(device, data, *_time(document, context))
    readings, rejected = message.readings()
    points = message.points(rejected)
    why = None if readings or points or rejected else f"{kind}: nothing measured"
    return Decoded(device, readings, points, rejected, ignored=why)


def _time(document: dict[str, Any], context: Context) -> tuple[int, TimeSource, int]:
    """When it was sent, by the sender's clock; else the arrival."""
    milliseconds: Any = document.get("timestamp")
    if milliseconds is None:
        return context.received_at_us, "server", int(Quality.SERVER_TIME)
    if type(milliseconds) not in (int, float) or not 0 <= milliseconds <= LATEST_TIME_US / 1000:
        raise PayloadError("bad-time", f"timestamp {str(milliseconds)[:40]!r} is no time in ms")
    return round(milliseconds * 1000), "device", 0


class _Message(NamedTuple):
    """The data of a message with its sender and time."""

    device: str
    data: dict[str, Any]
    time_us: int
    source: TimeSource
    quality: int

    @property
    def of_dock(self) -> bool:
        return not _DOCK.isdisjoint(self.data)

    def readings(self) -> tuple[list[Reading], list[Rejected]]:
        """The quantities of the catalogue, those of each battery with its index as channel."""
        readings: list[Reading] = []
        rejected: list[Rejected] = []
        for value in (*(_STATION if self.of_dock else _AIRCRAFT), *_EITHER):
            self._read(value, self.data, None, readings, rejected)
        for place, battery in enumerate(members(self.data, "battery", "batteries")):
            index = member(battery, "index")
            channel = index if type(index) is int and 0 <= index < 100 else place
            for value in _OF_EACH_BATTERY:
                self._read(value, battery, channel, readings, rejected)
        return readings, rejected

    def _read(
        self,
        value: _Value,
        holder: object,
        channel: int | None,
        readings: list[Reading],
        rejected: list[Rejected],
    ) -> None:
        written: Any = member(holder, *value.path)
        if written is None or written == _UNKNOWN:
            return
        name = ".".join(value.path)
        if type(written) not in (int, float):
            rejected.append(Rejected("not-a-number", f"{name} is a {type(written).__name__}"))
        elif not abs(written) < _BEYOND:
            rejected.append(Rejected("value-not-finite", f"{name} is beyond all measure"))
        else:
            readings.append(
                Reading(
                    self.device,
                    value.quantity,
                    written / value.divide,
                    self.time_us,
                    self.source,
                    channel=channel,
                    quality=self.quality,
                )
            )

    def points(self, rejected: list[Rejected]) -> list[TrackPoint]:
        """The place of an aircraft that has a fix; a message without one has no point."""
        latitude, longitude = self._number("latitude"), self._number("longitude")
        if latitude is None or longitude is None or self.of_dock or not self._is_fixed():
            return []
        problem = position_problem(latitude, longitude)
        if problem is not None:
            if problem.reason != "no-fix":  # as usual as an aircraft under a roof
                rejected.append(problem)
            return []
        heading = self._number("attitude_head")
        return [
            TrackPoint(
                self.time_us,
                latitude,
                longitude,
                elevation_m=self._number("height"),  # above the ellipsoid
                speed_m_s=self._number("horizontal_speed"),
                heading_deg=None if heading is None else heading % 360.0,
            )
        ]

    def _is_fixed(self) -> bool:
        fixed = member(self.data, "position_state", "is_fixed")
        return fixed is None or fixed == _FIXED

    def _number(self, name: str) -> float | None:
        written: Any = self.data.get(name)
        if type(written) not in (int, float) or written == _UNKNOWN or not abs(written) < _BEYOND:
            return None
        return float(written)
