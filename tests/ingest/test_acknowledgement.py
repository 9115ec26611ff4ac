"""Commit, then receipts, then acknowledgements, each in order; and what happens when one hangs."""

import gc
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from paho.mqtt import publish

from ingest import batching
from ingest.batching import Waiting
from ingest.codecs import BUILT_IN
from ingest.outcomes import Message, Outcome, Receipt
from ingest.settings import MqttSettings
from ingest.storing import Line as StoringLine
from storage import devices
from tests.ingest.servers import (
    TIME_S,
    Delivery,
    Ingester,
    Line,
    Mosquitto,
    Serving,
    Unconfirming,
    stored,
    wait_until,
)

A, B, C = (Receipt(name, 1, 5, 2, 1, {}) for name in "abc")


# --- the batch ------------------------------------------------------------------------------------


def settings(**values: float) -> MqttSettings:
    return MqttSettings.model_validate({"batch_messages": 3, "batch_age_s": 1.0} | values)


def message(size: int = 10) -> Message:
    return Message("dala/v1/a/senml", b"x" * size, 0)


def test_a_batch_is_due_when_it_is_full_or_old_or_nothing_more_comes() -> None:
    waiting = Waiting(settings())
    assert not waiting.is_due(0.0)

    waiting.add(1, message(), 0.0)
    assert not waiting.is_due(0.05)
    assert waiting.is_due(0.1)  # a tenth of its age in silence
    for number in range(2, 12):
        waiting.take()
        waiting.add(number, message(), 0.0)
    waiting.add(12, message(), 0.95)
    assert not waiting.is_due(0.99)
    assert waiting.is_due(1.0)
    waiting.add(13, message(), 0.96)
    assert waiting.is_due(0.96)


def test_garbage_is_looked_for_as_before_once_serving_has_ended() -> None:
    before = gc.get_threshold()

    with batching.collecting_rarely():
        assert gc.get_threshold()[0] > 20_000  # objects of a batch

    assert gc.get_threshold() == before


def test_few_large_messages_fill_a_batch_as_well() -> None:
    waiting = Waiting(settings(batch_bytes=1_000))
    waiting.add(1, message(999), 0.0)
    assert not waiting.is_full
    waiting.add(2, message(1), 0.0)
    assert waiting.is_full

    batch = waiting.take()

    assert (batch.mids, len(batch.messages), len(waiting), waiting.is_full) == ([1, 2], 2, 0, False)


class Fragile(StoringLine):
    """A line with a fault of ours: one payload breaks it."""

    def store(self, messages: object) -> Outcome:
        if any(one.payload == b"poison" for one in messages):  # type: ignore[attr-defined]
            raise OverflowError("secret words of the payload")
        return super().store(messages)  # type: ignore[arg-type]


def test_a_message_on_which_the_line_itself_fails_stops_nothing_and_does_not_vanish(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        devices.put(connection, "probe", kind="soil-probe", name="Probe")
    topic = "dala/v1/probe/senml"
    good = [
        Message(topic, b'[{"n":"rain","v":1,"t":%d}]' % (TIME_S + n), (TIME_S + 60) * 1_000_000)
        for n in range(6)
    ]
    batch = [*good[:3], Message(topic, b"poison", 0), *good[3:]]

    outcome = batching.store(Fragile(empty_engine), empty_engine, BUILT_IN, batch)

    assert (outcome.stored, outcome.rejected, outcome.reasons) == (6, 1, {"codec-failed": 1})
    with empty_engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT device, reason, detail, payload FROM rejected_messages")
        ).all()
    assert rows == [("probe", "codec-failed", "OverflowError while storing", b"poison")]


# --- on a real broker -----------------------------------------------------------------------------


def said_of(mosquitto: Mosquitto, client: str, pattern: str) -> list[tuple[int, str]]:
    """Lines of the broker's log that the pattern finds: where, and its first group."""
    found = []
    for place, line in enumerate(mosquitto.said().splitlines()):
        if client in line and (match := re.search(pattern, line)):
            found.append((place, match[1]))
    return found


@pytest.mark.slow
def test_the_broker_has_every_receipt_before_an_acknowledgement_and_those_in_order(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(server_line).connected()
    client = running.log.parent.name
    Delivery(server_line, "in-order", 300).result.result()
    delivered = said_of(mosquitto, client, r"Sending PUBLISH to \S+ \(d0, q1, r0, m(\d+)")

    def acknowledged() -> list[tuple[int, str]]:
        return said_of(mosquitto, client, r"Received PUBACK from \S+ \(Mid: (\d+)")

    wait_until(lambda: len(acknowledged()) == 300, "the acknowledgements")
    receipts = said_of(mosquitto, client, r"Received PUBLISH from \S+ \(d0, q1, r0, m(\d+)")
    confirmed = said_of(mosquitto, client, r"Sending PUBACK to \S+ \(m(\d+)")
    assert [mid for _, mid in acknowledged()] == [mid for _, mid in delivered]
    assert [mid for _, mid in confirmed] == [mid for _, mid in receipts]
    # Each run of acknowledgements comes after a receipt that was not confirmed before the last run.
    runs = [
        place
        for index, (place, _) in enumerate(acknowledged())
        if index == 0 or acknowledged()[index - 1][0] != place - 1
    ]
    assert runs
    for run in runs:
        sent = sum(place < run for place, _ in receipts)
        assert sent == sum(place < run for place, _ in confirmed)
        assert sent >= 1


@pytest.mark.slow
def test_sigterm_in_a_flood_acknowledges_just_what_it_stored(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(server_line).connected()
    client = running.log.parent.name
    delivery = Delivery(server_line, "flood", 1_500)
    delivery.under_way()

    assert running.stop(signal.SIGTERM) == 0
    # Mosquitto writes of the last acknowledgements before the farewell.
    wait_until(lambda: f"Received DISCONNECT from {client}" in mosquitto.said(), "the farewell")
    kept = stored(server_line, "flood")
    acknowledged = {
        mid for _, mid in said_of(mosquitto, client, r"Received PUBACK from \S+ \(Mid: (\d+)")
    }

    assert kept == 5 * len(acknowledged)  # five readings a message; mids are not used twice here
    assert 0 < kept < 7_500
    ingester(server_line).connected()
    assert delivery.result.result().messages == 1_500
    assert stored(server_line, "flood") == 7_500


@pytest.fixture
def sulking(server_line: Line) -> Iterator[Callable[[], None]]:
    """A database that is there and takes no reading, for no fault of the data; call to end it."""
    with server_line.engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE FUNCTION sulk() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE EXCEPTION 'not today, soil_moisture/20'; END$$;"
                "CREATE TRIGGER sulk BEFORE INSERT ON readings EXECUTE FUNCTION sulk()"
            )
        )

    def end() -> None:
        with server_line.engine.begin() as connection:
            connection.execute(sa.text("DROP FUNCTION IF EXISTS sulk CASCADE"))

    yield end
    end()


@pytest.mark.slow
def test_a_message_unacknowledged_too_long_is_asked_for_again_and_counted(
    server_line: Line,
    mosquitto: Mosquitto,
    serving: Callable[..., Serving],
    sulking: Callable[[], None],
) -> None:
    running = serving(
        server_line, metrics_port=0, settings={"DALA_ACKNOWLEDGE_WITHIN_S": "1"}
    ).connected()
    delivery = Delivery(server_line, "overdue", 20)
    wait_until(lambda: "unacknowledged too long" in running.said(), "the watchdog")
    wait_until(lambda: running.said().count('"connected"') >= 2, "a new connection")
    assert delivery.receipted == 0

    sulking()

    assert delivery.result.result().messages == 20
    assert stored(server_line, "overdue") == 100
    assert "(d1, q1" in mosquitto.said()  # the broker sent again what was not acknowledged
    numbers = running.metrics()
    assert numbers["dala_ingest_overdue_reconnects_total"] >= 1
    assert numbers["dala_ingest_database_retries_total cause=failed"] >= 2
    assert "P0001" in running.said()
    assert "not today" not in running.said()  # words of the database may repeat data


@pytest.mark.slow
def test_receipts_that_nobody_confirms_hold_back_acknowledgements_and_end_the_connection(
    server_line: Line, mosquitto: Mosquitto, serving: Callable[..., Serving]
) -> None:
    way = Unconfirming(mosquitto.port)
    user, password = mosquitto.login
    lossy = server_line._replace(mqtt_url=f"mqtt://{user}:{password}@127.0.0.1:{way.port}")
    settings = {"DALA_ACKNOWLEDGE_WITHIN_S": "1"}
    running = serving(lossy, client_id="lossy-way", metrics_port=0, settings=settings).connected()

    delivery = Delivery(server_line, "unconfirmed", 30)
    wait_until(lambda: "the broker does not confirm receipts" in running.said(), "the watchdog")
    puback = r"Received PUBACK from lossy-way \(Mid: (\d+)"
    assert said_of(mosquitto, "lossy-way", puback) == []
    way.heal()

    delivery.result.result()
    wait_until(
        lambda: len({mid for _, mid in said_of(mosquitto, "lossy-way", puback)}) >= 30,
        "the acknowledgements",
    )
    assert stored(server_line, "unconfirmed") == 150
    way.close()


@pytest.mark.slow
def test_two_ingesters_under_one_client_id_say_what_is_wrong_and_one_alone_goes_on(
    server_line: Line, ingester: Callable[..., Ingester]
) -> None:
    # This Mosquitto closes the older connection without a word, so each takes it from the other.
    pair = [ingester(server_line).connected(), ingester(server_line).connected()]
    hint = "does another client run under our client id?"
    wait_until(lambda: any(hint in one.said() for one in pair), "the hint", 40)

    pair[0].stop(signal.SIGTERM)

    assert Delivery(server_line, "left-alone", 20).result.result().messages == 20
    assert stored(server_line, "left-alone") == 100


@pytest.mark.slow
def test_a_broker_that_hangs_up_while_it_starts_is_not_taken_for_an_old_one(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    mosquitto.stop()
    with socket.create_server(("127.0.0.1", mosquitto.port), reuse_port=False) as half_awake:
        running = ingester(server_line)
        half_awake.settimeout(20)
        for _ in range(2):  # hangs up on the greeting in 5 and on that in 3.1.1
            caller, _ = half_awake.accept()
            caller.close()
    client = running.log.parent.name
    mosquitto.start()
    running.connected()

    wait_until(lambda: f"as {client} (p5, c0," in mosquitto.said(), "a greeting in MQTT 5")
    assert Delivery(server_line, "patient", 10).result.result().stored == 50


@pytest.mark.slow
def test_a_session_that_retires_leaves_nothing_behind(
    server_line: Line, mosquitto: Mosquitto, serving: Callable[..., Serving]
) -> None:
    with server_line.engine.begin() as connection:
        devices.put(connection, "left-behind", kind="soil-probe", name="Probe")
    serving(server_line, client_id="leaver").connected().stop(signal.SIGTERM)

    def send(second: int) -> None:
        publish.single(
            "dala/v1/left-behind/senml",
            b'[{"n":"rain","v":1,"t":%d}]' % (TIME_S + second),
            qos=1,
            hostname="127.0.0.1",
            port=mosquitto.port,
            auth={"username": "somebody", "password": mosquitto.password},
        )

    send(1)  # queued for the session

    leaving = serving(server_line, client_id="leaver", retire=True)

    assert leaving.process.wait(timeout=30) == 0
    assert stored(server_line, "left-behind") == 1
    assert '"retired"' in leaving.said()
    send(2)  # nobody's any more
    back = serving(server_line, client_id="leaver").connected()
    assert '"session_present": false' in back.said()
    time.sleep(0.5)
    assert stored(server_line, "left-behind") == 1
