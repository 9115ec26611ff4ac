"""Alerts that are told, to whom, and what became of that."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from reports.notices import make_secret
from storage import alerts, deliveries, subscriptions
from storage.alerts import Opening
from storage.subscriptions import Subscription
from watch.settings import WatchSettings

NOW = dt.datetime(2100, 6, 15, 12, tzinfo=dt.UTC)  # after what the database has for now
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
FROST = {
    "measured": True,
    "temperature_c": -1.2,
    "time": "2100-06-15T11:55:00+00:00",
    "limit_c": 1.0,
}


def settings(**values: Any) -> WatchSettings:
    return WatchSettings(**({"webhook_private": True, "smtp_security": "plain"} | values))


def subscribe(engine: sa.Engine, farm: int, **values: Any) -> Subscription:
    asked: dict[str, Any] = {"channel": "webhook", "address": "", "kinds": []}
    asked |= {"min_severity": "info", "language": "en", "secret": make_secret(), "by": "test"}
    with engine.begin() as connection:
        return subscriptions.add(connection, farm, **(asked | values))


def open_alert(
    engine: sa.Engine, farm: int, kind: str = "frost", subject: str = "farm:1", **details: Any
) -> None:
    with engine.begin() as connection:
        alerts.open(connection, [Opening(kind, subject, farm, details or FROST)], now=NOW)


def sent(engine: sa.Engine, farm: int) -> list[tuple[str, str, int]]:
    with engine.begin() as connection:
        found = deliveries.of_farm(connection, farm)
    return [(one.event, one.status, one.attempts) for one in found]
