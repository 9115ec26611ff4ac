"""`dala ingest` as a process of its own, on real brokers: nothing lost, nothing doubled."""

import signal
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from paho.mqtt import publish

from ingest.subscriber import BrokerAddress
from storage import devices
from tests.ingest.servers import (
    Delivery,
    Ingester,
    Line,
    Mosquitto,
    rejected,
    stored,
    wait_until,
)

pytestmark = pytest.mark.slow


# --- everything arrives, on both brokers ----------------------------------------------------------


def test_on_mosquitto_everything_is_stored_and_receipted_over_mqtt_5(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(server_line).connected()

    done = Delivery(server_line, "on-mosquitto", 500).result.result()

    assert (done.messages, done.stored, done.duplicate, done.rejected) == (500, 2_500, 0, {})
    assert stored(server_line, "on-mosquitto") == 2_500
    client = running.log.parent.name
    assert f"as {client} (p5, c0," in mosquitto.said()  # protocol 5, no clean start


def test_on_amqtt_everything_is_stored_and_receipted_over_mqtt_311(
    embedded_line: Line, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(embedded_line).connected()

    done = Delivery(embedded_line, "on-amqtt", 300).result.result()

    assert (done.messages, done.stored, done.duplicate, done.rejected) == (300, 1_500, 0, {})
    assert stored(embedded_line, "on-amqtt") == 1_500
    assert "using 3.1.1" in running.said()


def test_the_same_delivery_again_is_all_duplicates(
    server_line: Line, ingester: Callable[..., Ingester]
) -> None:
    ingester(server_line).connected()
    Delivery(server_line, "twice", 100).result.result()

    again = Delivery(server_line, "twice", 100).result.result()

    assert (again.stored, again.duplicate) == (0, 500)
    assert stored(server_line, "twice") == 500


# --- what breaks in the middle --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["server_line", "embedded_line"])
def test_an_ingester_killed_in_the_middle_loses_and_doubles_nothing(
    name: str, request: pytest.FixtureRequest, ingester: Callable[..., Ingester]
) -> None:
    line: Line = request.getfixturevalue(name)
    device = f"killed-on-{name.replace('_', '-')}"
    first = ingester(line).connected()
    delivery = Delivery(line, device, 600)
    delivery.under_way()

    first.stop(signal.SIGKILL)
    assert not delivery.result.done()
    ingester(line).connected()

    assert delivery.result.result().messages == 600
    assert stored(line, device) == 3_000


def test_a_database_that_is_away_for_five_seconds_costs_nothing(
    engine: sa.Engine, server_line: Line, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(server_line).connected()
    delivery = Delivery(server_line, "no-database", 800)
    delivery.under_way()
    name = server_line.engine.url.database
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        outside.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        outside.execute(sa.text(end), {"name": name})
        wait_until(lambda: "database away" in running.said(), "the ingester to notice")
        heard = delivery.receipted
        time.sleep(5.0)
        assert delivery.receipted == heard  # nobody says «stored» without a database
        outside.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))

    assert delivery.result.result().messages == 800
    assert heard < 800
    assert stored(server_line, "no-database") == 4_000


def test_a_broker_that_is_started_again_is_found_again_in_its_own_protocol(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    running = ingester(server_line).connected()
    client = running.log.parent.name

    mosquitto.stop()
    wait_until(lambda: "broker away" in running.said(), "the ingester to notice")
    mosquitto.start()
    wait_until(lambda: running.said().count("session_present") == 2, "the ingester's return")
    done = Delivery(server_line, "after-restart", 20).result.result()

    assert done.stored == 100
    assert mosquitto.said().count(f"as {client} (p5, c0,") == 2


# --- bad input ------------------------------------------------------------------------------------


def test_bad_messages_get_their_reason_and_the_line_goes_on(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    ingester(server_line).connected()
    bad: dict[str, bytes] = {
        "not-json": b"[{",
        "value-not-finite": b'[{"n":"rain","v":NaN}]',
        "time-in-future": b'[{"n":"rain","v":1,"t":3800000000}]',
        "too-large": b" " * 2_000_000,
    }
    topic = "dala/v1/clumsy/senml"
    publish.multiple(
        [(topic, payload, 1, False) for payload in bad.values()]
        + [("dala/v1/stranger/senml", b'[{"n":"rain","v":1}]', 1, False)],
        hostname="127.0.0.1",
        port=mosquitto.port,
        auth={"username": "somebody", "password": mosquitto.password},
    )

    done = Delivery(server_line, "clumsy", 10).result.result()

    assert (done.stored, done.rejected) == (50, {})
    wait_until(lambda: rejected(server_line, "stranger"), "the last of the bad messages")
    assert rejected(server_line, "stranger") == {"unknown-device"}
    # Those that came before the device was registered are of an unknown one; each is there.
    assert rejected(server_line, "clumsy") >= {"not-json", "value-not-finite", "too-large"}


def test_a_wrong_password_ends_the_ingester_with_one_clear_sentence(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    wrong = f"mqtt://somebody:not-this-one@127.0.0.1:{mosquitto.port}"

    running = ingester(server_line, mqtt_url=wrong)

    assert running.process.wait(timeout=20) == 1
    (sentence,) = running.said().splitlines()
    assert sentence.startswith(f"dala: the broker at 127.0.0.1:{mosquitto.port} refused us: ")
    assert sentence.endswith("Check the user and password in DALA_MQTT_URL.")
    assert "not-this-one" not in sentence


@pytest.mark.parametrize(("scheme", "port"), [("tcp", "1883"), ("mqtt", "none"), ("mqtt", "99999")])
def test_an_address_that_cannot_be_read_is_said_without_repeating_its_password(
    scheme: str, port: str
) -> None:
    with pytest.raises(ConnectionError, match="must look like mqtt://") as caught:
        BrokerAddress.parse(f"{scheme}://somebody:top-secret@broker:{port}")

    assert "top-secret" not in str(caught.value)


def test_an_address_may_leave_out_its_port_and_quote_its_password() -> None:
    plain, safe = (f"{scheme}://dala:a%40b@broker" for scheme in ("mqtt", "mqtts"))

    assert BrokerAddress.parse(plain) == BrokerAddress("broker", 1883, "dala", "a@b", tls=False)
    assert BrokerAddress.parse(safe) == BrokerAddress("broker", 8883, "dala", "a@b", tls=True)


def test_an_account_that_may_not_subscribe_is_told_so_rather_than_hearing_nothing(
    embedded_line: Line, ingester: Callable[..., Ingester]
) -> None:
    with embedded_line.engine.begin() as connection:
        devices.put(connection, "only-a-device", kind="soil-probe", name="Probe")
    user, password = embedded_line.login("only-a-device")
    _, _, host = embedded_line.mqtt_url.rpartition("@")

    url = f"mqtt://{user}:{password}@{host}"
    running = ingester(embedded_line, mqtt_url=url, client_id="only-a-device")

    assert running.process.wait(timeout=20) == 1
    assert "lets us in but not subscribe to dala/v1/+/senml" in running.said()


# --- stopping -------------------------------------------------------------------------------------


def test_sigterm_stores_and_acknowledges_what_waits_and_exits_0(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester]
) -> None:
    with server_line.engine.begin() as connection:
        devices.put(connection, "last-words", kind="soil-probe", name="Probe")
    running = ingester(server_line, DALA_BATCH_AGE_S="600").connected()
    client = running.log.parent.name
    publish.single(
        "dala/v1/last-words/senml",
        b'[{"n":"rain","v":1,"t":1750000000}]',
        qos=1,
        hostname="127.0.0.1",
        port=mosquitto.port,
        auth={"username": "somebody", "password": mosquitto.password},
    )
    wait_until(lambda: f"Sending PUBLISH to {client}" in mosquitto.said(), "the message")
    time.sleep(0.3)  # it is under way over loopback
    assert stored(server_line, "last-words") == 0  # it waits for its batch

    assert running.stop(signal.SIGTERM) == 0

    assert stored(server_line, "last-words") == 1
    wait_until(lambda: f"Received PUBACK from {client}" in mosquitto.said(), "the acknowledgement")
    assert f"Received DISCONNECT from {client}" in mosquitto.said()
