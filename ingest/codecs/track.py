"""Machine tracks of our own devices: JSON on `dala/v1/{device}/track` (docs/protocol.md)."""

import json
from math import isfinite
from typing import Any

import msgspec
from msgspec import Raw

from ingest.codecs.times import rfc3339
from ingest.messages import Context, Decoded, PayloadError, Rejected, TrackPoint

MAX_POINTS = 10_000
LARGEST_COUNT = 2**53  # as in SenML: numbers of JSON are exact up to here


class _Message(msgspec.Struct):
    points: list[Any]
    boot: int | None = None
    seq: int | None = None


class _RawMessage(msgspec.Struct):
    points: list[Raw]
    boot: int | None = None
    seq: int | None = None


class _Point(msgspec.Struct):
    """A point as it is written: `null` and absent both mean unknown."""

    time: str
    lat: float
    lon: float
    elevation_m: float | None = None
    speed_m_s: float | None = None
    heading_deg: float | None = None
    work_state: int | bool | None = None
    width_m: float | None = None
    mass_flow_kg_s: float | None = None
    crop_moisture_pct: float | None = None
    application_rate_l_ha: float | None = None
    fuel_rate_l_h: float | None = None
    animals_seen: float | None = None


_message = msgspec.json.Decoder(_RawMessage)
_point = msgspec.json.Decoder(_Point)


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one track message into points, leaving out those that cannot be placed.

    Raises
    ------
    PayloadError
        If it is no track message at all.
    """
    (device,) = context.levels
    message, read = _open(payload)
    if len(message.points) > MAX_POINTS:
        raise PayloadError(
            "too-many-records", f"{len(message.points)} points; send at most {MAX_POINTS}"
        )
    for name, number in (("boot", message.boot), ("seq", message.seq)):
        if number is not None and not 0 <= number < LARGEST_COUNT:
            detail = f"{name} is {str(number)[:40]}; count from 0 up"
            raise PayloadError("bad-numbering", detail)
    points, rejected = [], []
    for index, raw in enumerate(message.points):
        try:
            points.append(_placed(read(raw)))
        except (msgspec.DecodeError, UnicodeError, OverflowError) as error:
            rejected.append(Rejected("bad-record", f"point {index}: {error}"))
        except PayloadError as error:
            rejected.append(Rejected(error.reason, f"point {index}: {error.detail}"))
    return Decoded(device, [], points, rejected, boot=message.boot, seq=message.seq)


def _open(payload: bytes) -> tuple[Any, Any]:
    """The message, and how to read one of its points."""
    try:
        return _message.decode(payload), _point.decode
    except msgspec.ValidationError as error:
        raise PayloadError("bad-message", f"not a track message: {error}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        cause = error
    # Python and C devices write NaN where they have no number; say which point it is.
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        raise PayloadError("not-json", f"the payload is not valid JSON: {cause}") from cause
    try:
        message = msgspec.convert(document, _Message)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise PayloadError("bad-message", f"not a track message: {error}") from error
    return message, lambda item: msgspec.convert(item, _Point)


def _placed(point: _Point) -> TrackPoint:
    """A point that has a time and a place on Earth."""
    try:
        time_us = rfc3339(point.time)
    except ValueError as error:
        raise PayloadError("bad-time", str(error)) from error
    values = [getattr(point, name) for name in _Point.__struct_fields__[1:]]
    for name, value in zip(_Point.__struct_fields__[1:], values, strict=True):
        if value is not None and not isfinite(value):
            raise PayloadError("value-not-finite", f"{name} is {value}: leave out the unknown")
    if abs(point.lat) > 90 or abs(point.lon) > 180:
        raise PayloadError("position-out-of-range", f"{point.lat}, {point.lon} is not on Earth")
    if point.lat == 0 and point.lon == 0:
        raise PayloadError("no-fix", "0, 0 is what a receiver says that has no fix")
    if point.animals_seen is not None and point.animals_seen < 0:
        raise PayloadError("bad-count", f"{point.animals_seen:g} animals cannot be seen")
    if point.work_state is not None:
        if not 0 <= point.work_state <= 3:
            raise PayloadError("bad-work-state", f"{point.work_state} is not 0, 1, 2 or 3")
        values[5] = int(point.work_state)
    return TrackPoint(time_us, *values)
