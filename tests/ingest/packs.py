"""Messages of devices of our own, and what is stored of them."""

import json
from typing import Any

import sqlalchemy as sa

from ingest.messages import iso
from ingest.storing import Message

HOUR_US = 3_600_000_000
TIME_S = 1_750_000_000  # 2025-06-15T15:06:40Z
RECEIVED_US = (TIME_S + 3_600) * 1_000_000
PROBE, TRACTOR = "probe-7", "tractor-1"


def senml(*records: dict[str, Any], device: str = PROBE, later_us: int = 0) -> Message:
    """A pack whose base time is TIME_S."""
    first, *rest = records
    payload = json.dumps([{"bt": TIME_S} | first, *rest]).encode()
    return Message(f"dala/v1/{device}/senml", payload, RECEIVED_US + later_us)


def pack(seq: int, *values: float, boot: int = 3, device: str = PROBE) -> Message:
    """A numbered pack: soil moisture at 20 cm, a value a minute, no two packs the same minutes."""
    readings = [
        {"n": "soil_moisture/20", "t": 60 * (100 * seq + index) - 60_000, "v": value}
        for index, value in enumerate(values)
    ]
    numbering = ({"n": "boot", "v": boot}, {"n": "seq", "v": seq})
    return senml(*numbering, *readings, device=device)


def track(seq: int, *points: dict[str, Any], device: str = TRACTOR) -> Message:
    payload = json.dumps({"boot": 1, "seq": seq, "points": list(points)}).encode()
    return Message(f"dala/v1/{device}/track", payload, RECEIVED_US)


def point(second: int, **more: Any) -> dict[str, Any]:
    time = iso((TIME_S + second) * 1_000_000)
    return {"time": time, "lat": 43.25, "lon": 76.95} | more


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def values(engine: sa.Engine) -> list[float]:
    return [value for (value,) in rows(engine, "SELECT value FROM readings ORDER BY time, value")]


def set_aside(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "SELECT device, reason, times FROM rejected_messages ORDER BY id")
