"""Two devices of a farm, and what is heard of them."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ingest.storing import Message
from storage import alerts
from storage.alerts import Alert

BEGIN = dt.datetime(2025, 6, 15, tzinfo=dt.UTC)


PROBE, TRACTOR = "probe-7", "tractor-1"


MINUTE = dt.timedelta(minutes=1)


def pack(
    minutes: Sequence[float],
    *,
    device: str = PROBE,
    quantity: str = "soil_moisture/20",
    number: tuple[int, int] | None = None,
) -> Message:
    records: list[dict[str, Any]] = [
        {"n": quantity, "t": round(60 * minute), "v": 0.25 + minute % 7 / 1000}
        for minute in minutes
    ]
    if number is not None:
        records += [{"n": "boot", "t": 0, "v": number[0]}, {"n": "seq", "t": 0, "v": number[1]}]
    records[0] = {"bt": BEGIN.timestamp()} | records[0]
    heard = BEGIN + dt.timedelta(minutes=max([*minutes, 0]))
    received_us = round(heard.timestamp() * 1e6)
    return Message(f"dala/v1/{device}/senml", json.dumps(records).encode(), received_us)


def after(minutes: float) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=minutes)


def found(engine: sa.Engine, *, active: bool | None = True) -> list[Alert]:
    with engine.connect() as connection:
        return alerts.page(connection, active=active)


def expect_every(engine: sa.Engine, seconds: int) -> None:
    with engine.begin() as connection:
        statement = sa.text("UPDATE datastreams SET expected_interval_s = :seconds")
        connection.execute(statement, {"seconds": seconds})
