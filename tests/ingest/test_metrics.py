"""Every stage is counted, in names that Prometheus expects; nothing of a payload is ever logged."""

import io
import json
import re
import signal
from collections.abc import Callable

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from paho.mqtt import publish
from prometheus_client import generate_latest

from ingest import logs
from ingest.logs import LogSettings
from ingest.metrics import MOST_REASONS, Metrics, MetricsServer
from ingest.outcomes import Outcome
from storage import devices
from tests.ingest.servers import TIME_S, Delivery, Line, Mosquitto, Serving, wait_until


def outcome(**values: object) -> Outcome:
    return Outcome([], 0, 0, 0, [])._replace(**values)  # type: ignore[arg-type]


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_batch_is_counted_stage_by_stage() -> None:
    metrics = Metrics()
    lags = (np.array([500_000, 1_000_000, 2_000_000]), np.array([-4_000_000, 10**13]))

    metrics.note(
        outcome(
            decoded=9, stored=30, duplicate=4, conflicts=1, lags_us=lags,
            reasons={"not-json": 2, "unknown-unit": 5},
        ),
        messages=12,
        seconds=0.03,
    )  # fmt: skip

    for name, expected in {
        "dala_ingest_messages_decoded_total": 9,
        "dala_ingest_readings_stored_total": 30,
        "dala_ingest_readings_duplicate_total": 4,
        "dala_ingest_reading_conflicts_total": 1,
        "dala_ingest_batch_messages_sum": 12,
        "dala_ingest_batch_commit_seconds_count": 1,
        "dala_ingest_lag_seconds_count": 5,
        # 0.5 + 1 + 2 + none for the clock that runs ahead + ten million
        "dala_ingest_lag_seconds_sum": 10_000_003.5,
    }.items():
        assert value(metrics, name) == expected, name
    assert value(metrics, "dala_ingest_rejected_total", reason="unknown-unit") == 5
    buckets = {
        le: value(metrics, "dala_ingest_lag_seconds_bucket", le=le)
        for le in ("1.0", "5.0", "604800.0", "+Inf")
    }
    assert buckets == {"1.0": 3, "5.0": 4, "604800.0": 4, "+Inf": 5}


def test_the_age_of_the_oldest_message_is_that_of_now() -> None:
    metrics, since = Metrics(), [None]
    metrics.watch(lambda: since[0], lambda: 7.0)

    assert value(metrics, "dala_ingest_oldest_unacknowledged_seconds") == 0.0
    assert value(metrics, "dala_ingest_waiting_messages") == 7.0
    since[0] = -1e9  # type: ignore[call-overload]
    assert (value(metrics, "dala_ingest_oldest_unacknowledged_seconds") or 0.0) > 1e9


def test_reasons_that_are_no_codes_and_too_many_of_them_are_counted_together() -> None:
    metrics = Metrics()
    invented = {f"reason-{number}": 1 for number in range(MOST_REASONS + 5)}

    metrics.note(outcome(reasons={'{"secret": 1}': 3, "Upper": 1}), 1, 0.1)
    metrics.note(outcome(reasons=invented), 1, 0.1)

    assert value(metrics, "dala_ingest_rejected_total", reason="other") == 4 + 5
    text = generate_latest(metrics.registry).decode()
    assert text.count("dala_ingest_rejected_total{") == MOST_REASONS + 1
    assert "secret" not in text


def test_names_end_in_their_unit_and_counters_in_total() -> None:
    families = list(Metrics().registry.collect())
    ours = [one for one in families if one.name.startswith("dala_")]

    assert len(ours) > 15
    for family in ours:
        assert re.fullmatch(r"dala_ingest_[a-z_]+", family.name)
        assert family.documentation.endswith((".", "none")), family.name
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            assert all(name.endswith(("_total", "_created")) for name in names)
        assert not re.search(r"_(ms|minutes|us|s)$", family.name)


def test_metrics_are_served_on_loopback_until_closed() -> None:
    server = MetricsServer(Metrics(), 0)
    address = f"http://127.0.0.1:{server.port}/metrics"

    answer = httpx.get(address)
    server.close()

    assert answer.headers["content-type"].startswith("text/plain")
    assert "dala_ingest_messages_received_total 0.0" in answer.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


# --- logs -----------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_logs_are_json_for_machines_and_words_on_a_terminal() -> None:
    for stream in (io.StringIO(), Terminal()):
        logs.configure(LogSettings(), stream)
        structlog.get_logger().info("connected", broker="b:1883")
        if stream.isatty():
            assert re.search(r"connected.*broker.*=.*b:1883", stream.getvalue())
        else:
            line = json.loads(stream.getvalue())
            assert {"event", "level", "broker", "timestamp"} == set(line)
            assert line["timestamp"].endswith("Z")


def test_the_level_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DALA_LOG_LEVEL", "warning")
    stream = io.StringIO()

    logs.configure(stream=stream)
    structlog.get_logger().info("hidden")
    structlog.get_logger().warning("shown")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["shown"]


def test_bytes_and_endless_words_do_not_get_into_a_log() -> None:
    stream = io.StringIO()
    logs.configure(LogSettings(), stream)

    structlog.get_logger().error("bad", payload=b"secret", topic="t" * 70_000)

    line = json.loads(stream.getvalue())
    assert line["payload"] == "6 bytes"
    assert len(line["topic"]) == 301


def test_a_fault_is_logged_with_its_place_and_without_what_variables_held() -> None:
    for stream in (io.StringIO(), Terminal()):
        logs.configure(LogSettings(), stream)
        token = "".join(("se", "cret"))
        try:
            raise KeyError(len(token))
        except KeyError:
            structlog.get_logger().exception("unexpected")

        assert "KeyError: 6" in stream.getvalue()
        assert "test_metrics.py" in stream.getvalue()
        assert "secret" not in stream.getvalue()


# --- a run ----------------------------------------------------------------------------------------

SECRET = "MARKED-4711"  # stands in every payload and must stand in no log
BAD = {
    "not-json": f'[{{"{SECRET}'.encode(),
    "bad-name": f'[{{"n":"{SECRET}!","v":1}}]'.encode(),
    "unknown-quantity": f'[{{"n":"{SECRET.lower()}","v":1}}]'.encode(),
    "not-a-number": f'[{{"n":"rain","vs":"{SECRET}"}}]'.encode(),
    "unknown-unit": f'[{{"n":"rain","u":"{SECRET}","v":1}}]'.encode(),
    "too-large": f'["{SECRET}"'.encode() + b" " * 300_000,
}


@pytest.mark.slow
def test_a_run_with_bad_messages_adds_up_and_logs_none_of_their_words(
    server_line: Line, mosquitto: Mosquitto, serving: Callable[..., Serving]
) -> None:
    with server_line.engine.begin() as connection:
        devices.put(connection, "counted", kind="soil-probe", name="Probe")
        connection.execute(
            sa.text("ALTER TABLE readings ADD CONSTRAINT fussy CHECK (value <> 0.666)")
        )
    running = serving(server_line, metrics_port=0, settings={"DALA_LOG_LEVEL": "debug"}).connected()
    topic = "dala/v1/counted/senml"

    def reading(second: int, value: float) -> bytes:
        return f'[{{"n":"rain","v":{value},"t":{TIME_S + second}}}]'.encode()

    sent = [
        *BAD.values(),
        reading(0, 1.5),
        reading(0, 1.5),  # the same again
        reading(0, 2.5),  # another value for that time
        reading(60, 0.666),  # refused by the database
    ]
    publish.multiple(
        [(topic, payload, 1, False) for payload in sent]
        + [(f"dala/v1/{SECRET}/senml", b"[{", 1, False)],
        hostname="127.0.0.1",
        port=mosquitto.port,
        auth={"username": "somebody", "password": mosquitto.password},
    )
    Delivery(server_line, "beside", 40).result.result()
    expected = len(sent) + 1 + 40
    acknowledged = "dala_ingest_messages_acknowledged_total"
    wait_until(lambda: running.metrics()[acknowledged] == expected, "the acknowledgements")

    numbers = running.metrics()

    with server_line.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE readings DROP CONSTRAINT fussy"))
    assert numbers["dala_ingest_messages_received_total"] == expected
    assert numbers["dala_ingest_readings_stored_total"] == 1 + 5 * 40
    assert numbers["dala_ingest_readings_duplicate_total"] == 2
    assert numbers["dala_ingest_reading_conflicts_total"] == 1
    for reason in ("not-json", *list(BAD)[1:]):
        assert numbers[f"dala_ingest_rejected_total reason={reason}"] >= 1, reason
    assert numbers["dala_ingest_rejected_total reason=refused-by-database"] == 1
    assert numbers["dala_ingest_lag_seconds_count"] == 1 + 5 * 40
    assert numbers["dala_ingest_connected"] == 1
    assert numbers["dala_ingest_oldest_unacknowledged_seconds"] == 0
    assert numbers["dala_ingest_receipts_sent_total"] >= 1
    assert numbers["dala_ingest_batch_messages_sum"] == expected
    assert running.stop(signal.SIGTERM) == 0
    said = running.said()
    assert '"event": "connected"' in said
    payloads = said.replace(f"dala/v1/{SECRET}/senml", "")  # a topic may be named
    assert SECRET.lower() not in payloads.lower()
    assert mosquitto.password not in said
    database_password = server_line.engine.url.password
    assert database_password is None or str(database_password) not in said
