"""The normalized payload of The Things Stack: one object for each measurement of an uplink.

Names and units: lib/payload.json of the TheThingsNetwork/lorawan-devices repository.
"""

from collections.abc import Iterable
from typing import Any

from ingest.codecs.documents import member
from ingest.codecs.lorawan.models import Field, Found
from ingest.codecs.times import rfc3339
from ingest.messages import Rejected

FIELDS = {
    ("battery",): Field("battery_voltage", "V"),
    ("soil", "moisture"): Field("soil_moisture", "/100"),
    ("soil", "temperature"): Field("soil_temperature", "Cel"),
    ("soil", "ec"): Field("soil_ec", "dS/m"),
    ("air", "temperature"): Field("air_temperature", "Cel"),
    ("air", "relativeHumidity"): Field("relative_humidity", "/100"),
    ("air", "pressure"): Field("air_pressure", "hPa"),
    ("wind", "speed"): Field("wind_speed", "m/s"),
    ("wind", "direction"): Field("wind_direction", "deg"),
    ("rain", "cumulative"): Field("rain_total", "mm"),
    ("metering", "water", "total"): Field("water_total", "l"),
}
_INSIDE = "indoor"


def read(measurements: list[Any]) -> Iterable[Found | Rejected]:
    """The measurements we store, with their depth and their own time where they have one."""
    for position, measurement in enumerate(measurements):
        time_us = None
        written = member(measurement, "time")
        if written is not None:
            try:
                time_us = rfc3339(str(written))
            except ValueError as error:
                yield Rejected("bad-time", f"normalized_payload {position}: {error}")
                continue
        depth = member(measurement, "soil", "depth")
        depth_cm = float(depth) if type(depth) in (int, float) and 0 <= depth < 10_000 else None
        indoors = member(measurement, "air", "location") == _INSIDE
        for path, field in FIELDS.items():
            holder = member(measurement, *path[:-1])
            if not isinstance(holder, dict) or path[-1] not in holder:
                continue
            if path[0] == "air" and indoors:
                continue  # the air of a room is not the weather
            placed = field._replace(depth_cm=depth_cm) if path[0] == "soil" else field
            yield Found(".".join(path), placed, holder[path[-1]], time_us)
