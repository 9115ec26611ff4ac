"""One message that cannot go, and one whose time is over, hold up no other."""

import datetime as dt
import socket
import time

import pytest
import sqlalchemy as sa

from reports.notices import make_secret
from storage import alerts, deliveries, subscriptions
from storage.alerts import Opening
from tests.two_farms import put_land
from tests.watch.receivers import receiver
from watch import webhook
from watch.failures import NotSent
from watch.sending import Sent, send_due
from watch.settings import WatchSettings

NOW = dt.datetime(2100, 6, 15, 12, tzinfo=dt.UTC)  # after what the database has for now
FROST = {"measured": True, "temperature_c": -1.2, "time": NOW.isoformat(), "limit_c": 1.0}


def test_a_message_with_a_fault_of_its_own_is_noted_and_the_others_go(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        farm = put_land(connection, "mine", "KZ-61").farm
        alerts.open(connection, [Opening("frost", "farm:1", farm, FROST)], now=NOW)
    with receiver() as server:
        for secret in ("whsec_x", make_secret()):  # of a length that no base64 has
            with empty_engine.begin() as connection:
                subscriptions.add(
                    connection,
                    farm,
                    channel="webhook",
                    address=server.url,
                    kinds=[],
                    min_severity="info",
                    language="en",
                    secret=secret,
                    by="test",
                )
        settings = WatchSettings(webhook_private=True)
        assert send_due(empty_engine, settings, NOW) == Sent(1, 1, 0)
        assert send_due(empty_engine, settings, NOW + dt.timedelta(days=3)) == Sent(0, 0, 1)

    with empty_engine.begin() as connection:
        arrived, given_up = sorted(
            deliveries.of_farm(connection, farm), key=lambda one: one.status, reverse=True
        )
    assert (arrived.status, given_up.status) == ("sent", "given-up")
    assert "base64" in str(given_up.last_error)


def test_who_is_reached_when_time_is_over_is_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first address that swallows what it is sent may leave no time for a second one."""
    connect = webhook._connect

    def slowly(addresses: list[str], port: int, deadline: float) -> socket.socket:
        time.sleep(max(deadline - time.monotonic(), 0.0) + 0.1)
        return connect(addresses, port, deadline)

    monkeypatch.setattr(webhook, "_connect", slowly)
    with receiver() as server, pytest.raises(NotSent, match="no answer within"):
        webhook.send(
            server.url,
            b"{}",
            secret=make_secret(),
            message_id="1",
            settings=WatchSettings(webhook_private=True, webhook_timeout_s=0.1),
        )

    assert server.received == []
