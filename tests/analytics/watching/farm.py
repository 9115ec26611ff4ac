"""Devices of a farm, what they said so long ago, and the alerts it has."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from analytics.watching.rules import RULES, look
from storage import alert_rules, alerts, devices, tables
from storage.alerts import Alert
from storage.devices import StreamKey
from storage.watching import Watched
from tests.two_farms import Land

NOW = dt.datetime(2025, 7, 10, 12, tzinfo=dt.UTC)  # 17:00 on the farm; its cotton stands
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def stream(
    connection: sa.Connection, device: str, quantity: str, channel: int | None = None
) -> int:
    key = StreamKey(device, quantity, None, channel)
    return devices.open_datastreams(connection, [key])[key]


def put_device(connection: sa.Connection, land: Land, name: str, kind: str = "flow-meter") -> str:
    devices.put(connection, name, farm_id=land.farm, kind=kind, name=name, field_id=land.field)
    return name


def say(
    connection: sa.Connection,
    datastream: int,
    values: Sequence[tuple[dt.timedelta, float]],
    *,
    quality: int = 0,
) -> None:
    """Readings of so long ago."""
    connection.execute(
        sa.insert(tables.readings),
        [
            {
                "time": NOW - ago,
                "datastream_id": datastream,
                "value": value,
                "quality": quality,
                "received_at": NOW - ago,
            }
            for ago, value in values
        ],
    )


def watch(connection: sa.Connection, kind: str, now: dt.datetime = NOW) -> Watched:
    return look(connection, RULES[kind], now)


def active(connection: sa.Connection, kind: str) -> list[Alert]:
    return alerts.page(connection, kind=kind)


def choose(
    connection: sa.Connection, land: Land, kind: str, *, enabled: bool = True, **numbers: Any
) -> None:
    numbers = RULES[kind].check(numbers)
    alert_rules.put(connection, land.farm, kind, enabled=enabled, parameters=numbers, by="test")
