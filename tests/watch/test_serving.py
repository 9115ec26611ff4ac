"""`dala watch`: from a rule to a message, whatever else fails."""

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.watching import rules
from reports.notices import make_secret
from storage import alerts, devices, subscriptions, tables
from storage.devices import StreamKey
from storage.watching import Watched
from tests.two_farms import Land, put_land
from tests.watch.receivers import receiver
from watch.filing import Filed
from watch.sending import Sent
from watch.serving import Watcher
from watch.settings import WatchSettings

NOW = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)  # after all that the tests enter
MINUTE = dt.timedelta(minutes=1)


def put_low_battery(connection: sa.Connection, land: Land) -> None:
    key = StreamKey(land.device, "battery_level", None, None)
    stream = devices.open_datastreams(connection, [key])[key]
    values: dict[str, Any] = {"time": NOW - MINUTE, "received_at": NOW - MINUTE}
    values |= {"datastream_id": stream, "value": 9.0, "quality": 0}
    connection.execute(sa.insert(tables.readings).values(values))


@pytest.fixture
def farm(empty_engine: sa.Engine) -> Land:
    with empty_engine.begin() as connection:
        land = put_land(connection, "mine", "KZ-61")
        put_low_battery(connection, land)
    return land


def test_a_low_battery_becomes_a_message(empty_engine: sa.Engine, farm: Land) -> None:
    with receiver() as server:
        with empty_engine.begin() as connection:
            subscriptions.add(
                connection,
                farm.farm,
                channel="webhook",
                address=server.url,
                kinds=[],
                min_severity="warning",
                language="kk",
                secret=make_secret(),
                by="test",
            )
        watcher = Watcher(empty_engine, WatchSettings(webhook_private=True))

        assert watcher.step(NOW) == (Watched(1, 0), Filed(0, 0, 0), Sent(1, 0, 0))
        later = watcher.step(NOW + 30 * MINUTE)
        assert later == (Watched(0, 0), Filed(0, 0, 0), Sent(0, 0, 0))

    (request,) = server.received
    assert json.loads(request.body)["data"]["alert"]["text"].startswith("Батарея заряды 9 %")


def test_a_rule_is_looked_at_when_it_is_due(empty_engine: sa.Engine, farm: Land) -> None:
    watcher = Watcher(empty_engine, WatchSettings())
    watcher.step(NOW)
    with empty_engine.begin() as connection:
        connection.execute(sa.update(tables.readings).values(value=99.0))

    assert watcher.step(NOW + 9 * MINUTE)[0] == Watched(0, 0)
    assert watcher.step(NOW + 10 * MINUTE)[0] == Watched(0, 1)


def test_a_rule_that_fails_stops_no_other(
    empty_engine: sa.Engine, farm: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    broken = dict(rules.RULES)
    first = next(kind for kind, rule in broken.items() if rule.find is not None)
    assert first == "low-battery"
    broken = {"frost": broken["frost"]._replace(find=fails), **broken}
    broken["frost"] = broken["frost"]._replace(find=fails)
    monkeypatch.setattr("watch.serving.RULES", broken)

    assert Watcher(empty_engine, WatchSettings()).step(NOW)[0] == Watched(1, 0)


def test_a_rule_that_another_process_looks_at_is_left_to_it(
    empty_engine: sa.Engine, farm: Land
) -> None:
    with empty_engine.begin() as other:
        other.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('dala rule low-battery'))"))
        assert Watcher(empty_engine, WatchSettings()).step(NOW)[0] == Watched(0, 0)

    with empty_engine.begin() as connection:
        assert alerts.page(connection, kind="low-battery") == []


def test_it_ends_when_it_is_told_to(empty_engine: sa.Engine) -> None:
    watcher = Watcher(empty_engine, WatchSettings())
    watcher.stop()

    watcher.run()
