"""What `dala decode` reads and prints: one JSON line for each thing a message turned into."""

import json
from typing import Any

from ingest.messages import Decoded, iso
from storage.quantities import CATALOGUE

_OF_A_CAPTURE = frozenset(  # as `mosquitto_sub -F %J` writes a message down
    {"topic", "payload", "payloads", "tst", "mid", "qos", "retain", "payloadlen", "properties"}
)


def captured(content: bytes) -> list[bytes]:
    """The payloads in a file: one that is the file, or those of a message written down in JSON.

    A capture is an object with `topic` and `payload` (or a list of them, `payloads`) and nothing
    but what a subscriber notes beside them.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return [content]
    if not isinstance(document, dict) or not document.keys() <= _OF_A_CAPTURE:
        return [content]
    said = document.get("payloads", [document["payload"]] if "payload" in document else None)
    if "topic" not in document or not isinstance(said, list):
        return [content]
    return [one.encode() if isinstance(one, str) else json.dumps(one).encode() for one in said]


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
