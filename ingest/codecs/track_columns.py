"""The usual track message of a known device, read as a whole and stood in columns.

Usual is a message without a fault. Whatever is not usual is left alone, and
:func:`ingest.codecs.track.decode` reads it from the beginning: there is one place that knows what
is wrong with a message, and which of its points to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from ingest.codecs import track
from ingest.codecs.senml_columns import Numbers
from ingest.codecs.times import rfc3339


class _Point(msgspec.Struct, gc=False):
    """A point that can be placed, in the order of :class:`ingest.messages.TrackPoint`."""

    time: str
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    elevation_m: float | None = None
    speed_m_s: float | None = None
    heading_deg: float | None = None
    work_state: Annotated[int, Meta(ge=0, le=3)] | bool | None = None
    width_m: float | None = None
    mass_flow_kg_s: float | None = None
    crop_moisture_pct: float | None = None
    application_rate_l_ha: float | None = None
    fuel_rate_l_h: float | None = None
    animals_seen: Annotated[float, Meta(ge=0)] | None = None


_Count = Annotated[int, Meta(ge=0, lt=track.LARGEST_COUNT)]


class _Message(msgspec.Struct):
    points: Annotated[list[_Point], Meta(max_length=track.MAX_POINTS)]
    boot: _Count | None = None
    seq: _Count | None = None


_usual = msgspec.json.Decoder(_Message)


class Points:
    """Points that grow with each message; a batch is one of them."""

    def __init__(self) -> None:
        self.times: list[int] = []  # [µs since 1970]
        self._points: list[_Point] = []

    def __len__(self) -> int:
        return len(self.times)

    def add(self, times: Sequence[int], points: Sequence[_Point]) -> None:
        """Add the points of a message."""
        self.times += times
        self._points += points

    def columns(self) -> Sequence[Sequence[float | None]]:
        """What was said beside the time, a column for each field of a point; None: unknown."""
        columns = list(zip(*map(astuple, self._points), strict=True))
        return columns[1:] or [()] * len(_Point.__struct_fields__[1:])


def read(payload: bytes, rows: Points) -> Numbers | None:
    """Add the points of a usual message to ``rows``; None if it is not one, and none is added."""
    try:
        message = _usual.decode(payload)
        times = [rfc3339(point.time) for point in message.points]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if any(point.lat == 0 == point.lon for point in message.points):  # no fix
        return None
    rows.add(times, message.points)
    return Numbers(message.boot, message.seq)
