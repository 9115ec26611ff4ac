"""What `dala decode` prints: one JSON line for each thing a message turned into."""

from typing import Any

from ingest.messages import Decoded, iso
from storage.quantities import CATALOGUE


def describe(decoded: Decoded) -> list[dict[str, Any]]:
    """The lines of a decoded message: readings, points, reasons, or why there is nothing."""
    lines: list[dict[str, Any]] = [
        {
            "device": reading.device,
            "quantity": reading.quantity,
            "value": reading.value,
            "unit": CATALOGUE[reading.quantity].unit,
            "time": iso(reading.time),
            "time_source": reading.time_source,
            "depth_cm": reading.depth_cm,
            "channel": reading.channel,
            "quality": reading.quality,
        }
        for reading in decoded.readings
    ]
    for point in decoded.points:
        known = {name: value for name, value in point._asdict().items() if value is not None}
        lines.append({"device": decoded.device} | known | {"time": iso(point.time)})
    for rejected in decoded.rejected:
        lines.append(
            {"rejected": rejected.reason, "detail": rejected.detail, "device": decoded.device}
        )
    if decoded.ignored is not None:
        lines.append({"ignored": decoded.ignored, "device": decoded.device})
    return lines
