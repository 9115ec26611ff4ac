"""The demo's alerts go the way of all: what its page counts as received was signed."""

import datetime as dt
import io
import json
import time

import httpx
import pytest
import sqlalchemy as sa
from rich.console import Console

from ingest.storing import Line, Message
from reports import notices
from seeds import demo_alerts
from seeds.demo_alerts import Listener
from storage import registering
from tests.reports.machine_farm import put_farm


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


def test_a_battery_that_runs_low_is_told_to_the_page(
    empty_engine: sa.Engine, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DALA_SMTP_HOST", raising=False)
    with empty_engine.begin() as connection:
        farm = put_farm(connection)
        registering.register(connection, "p", kind="soil-probe", name="p", farm_id=farm.id)
    demo_alerts.subscribe(empty_engine, farm.slug, listener)
    now = dt.datetime.now(dt.UTC).timestamp()
    pack = json.dumps([{"n": "battery_level", "t": int(now), "u": "%EL", "v": 12}]).encode()
    Line(empty_engine).store([Message("dala/v1/p/senml", pack, round(now * 1e6))])

    out = Console(file=io.StringIO(), width=200)
    demo_alerts.show(empty_engine, farm.slug, listener, out)

    said = out.file.getvalue()  # type: ignore[attr-defined]
    assert "The battery is at 12 %" in said
    assert "signed: 1 of Steppe; not arrived: 0" in said
    assert "Mail is not sent: no mail server is named" in said
    assert [one["type"] for one in listener.received] == ["alert.opened"]
    # Another demo on the same database is told by its own page alone.
    demo_alerts.subscribe(empty_engine, farm.slug, listener)
    with empty_engine.connect() as connection:
        open_ones = sa.text("SELECT count(*) FROM subscriptions WHERE ended_at IS NULL")
        assert connection.scalar(open_ones) == 1


@pytest.mark.parametrize("signature", ["", "v1,AAAA", None])
def test_what_is_not_signed_is_not_received(listener: Listener, signature: str | None) -> None:
    at = str(int(time.time()))
    right = notices.signature(listener.secret, "m-1", int(at), b"{}")
    sent = right if signature is None else signature
    headers = {"webhook-id": "m-1", "webhook-timestamp": at, "webhook-signature": sent}
    answer = httpx.post(listener.url, content=b"{}", headers=headers)

    assert answer.status_code == (204 if signature is None else 401)
    assert listener.received == ([{}] if signature is None else [])
