"""Real clients against the real broker, on a real database of devices."""

import datetime as dt
import hashlib
import queue
import socket
import threading
import time
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa

from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from migrations import upgrade
from storage import credentials, devices, registering, tables
from storage.database import make_engine
from storage.sealing import Seal

TOKENS = {"probe-1": "t0", "probe-2": "t1", "gateway": "t2", "retired": "t3", "fresh": None}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    settings = EmbeddedSettings(home=tmp_path_factory.mktemp("broker") / "home")
    with open_embedded(settings, verb="test") as servers:
        engine = make_engine(servers.database_url)
        upgrade(engine)
        with engine.begin() as connection:
            for name, token in TOKENS.items():
                kind = "network-server" if name == "gateway" else "soil-probe"
                devices.put(connection, name, kind=kind, name=name, disabled=name == "retired")
                if token is not None:
                    digest = hashlib.sha256(token.encode()).hexdigest()
                    credentials.set_credential(connection, name, digest)
        yield servers
        engine.dispose()


class Client:
    """A paho client whose callbacks end in queues."""

    def __init__(self, servers, user, password, *, client_id=None, keep=False, manual=False):
        url = urlsplit(servers.mqtt_url)
        self.answers, self.messages = queue.Queue(), queue.Queue()
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id or user or "nobody",
            clean_session=not keep,
            protocol=mqtt.MQTTv311,
            manual_ack=manual,
            reconnect_on_failure=False,
        )
        if user:
            self.paho.username_pw_set(user, password)
        self.paho.on_connect = lambda *args: self.answers.put((args[3], args[2]))
        self.paho.on_subscribe = lambda *args: self.answers.put(args[3])
        self.paho.on_message = lambda *args: self.messages.put(args[2])
        self.paho.connect(url.hostname, url.port)
        self.paho.loop_start()
        self.code, self.flags = self.answers.get(timeout=10)

    def subscribe(self, topic_filter):
        self.paho.subscribe(topic_filter, 1)
        (code,) = self.answers.get(timeout=10)
        return code.is_failure

    def publish(self, topic, payload, **options):
        self.paho.publish(topic, payload, 1, **options).wait_for_publish(10)

    def receive(self, count):
        return [self.messages.get(timeout=10) for _ in range(count)]

    def lose_connection(self):
        """As when the process is killed: no DISCONNECT."""
        self.paho._sock.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def client(servers):
    """Connect; every client is closed after the test."""
    opened = []

    def connect(*args, **options):
        opened.append(Client(servers, *args, **options))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def ingest(servers, client):
    """Connect as the service."""
    url = urlsplit(servers.mqtt_url)
    return lambda **options: client(url.username, url.password, **options)


def log_of(servers):
    return (servers.home.logs / "broker.log").read_text()


@pytest.mark.parametrize(
    ("user", "password", "client_id", "reason"),
    [
        (None, None, None, "anonymous"),
        ("probe-1", None, None, "anonymous"),
        ("probe-1", "guessed-token", None, "wrong token"),
        ("dala-ingest", "guessed-password", None, "wrong password"),
        ("stranger", "t0", None, "no such device"),
        ("fresh", "t0", None, "no such device, or it has no credential"),
        ("retired", "t3", None, "the device is disabled"),
        ("probe-1", "t0", "probe-2", "the client id is not the id of the device"),
    ],
)
def test_who_does_not_belong_is_refused_and_the_reason_logged(
    servers, client, user, password, client_id, reason
):
    before = len(log_of(servers))

    refused = client(user, password, client_id=client_id)

    assert str(refused.code) == "Bad user name or password"
    said = log_of(servers)[before:]
    assert reason in said
    assert "guessed" not in said


def test_a_device_is_heard_on_its_own_topics_only(servers, client, ingest):
    listener, device = ingest(), client("probe-1", "t0")
    listener.subscribe("#")
    for topic in (
        "dala/v1/probe-2/senml",
        "dala/v1/probe-1/receipt",
        "dala/v1/probe-1/senml/x",
        "application/1/device/2/event/up",
        "anything",
        "dala/v1/probe-1/senml",
        "dala/v1/probe-1/track",
    ):
        device.publish(topic, b"x")

    assert [m.topic for m in listener.receive(2)] == [
        "dala/v1/probe-1/senml",
        "dala/v1/probe-1/track",
    ]
    assert listener.messages.empty()
    assert "dropped a message of 'probe-1': may not publish on 'anything'" in log_of(servers)


@pytest.mark.parametrize(
    "topic_filter", ["#", "+/v1/probe-1/receipt", "dala/v1/probe-2/receipt", "$SYS/#", "dala/#"]
)
def test_a_device_may_not_listen_to_others(client, topic_filter):
    device = client("probe-1", "t0")

    assert device.subscribe(topic_filter)


def test_a_device_hears_its_receipts_and_ingest_publishes_nothing_else(client, ingest):
    service, device = ingest(), client("probe-1", "t0")
    assert not device.subscribe("dala/v1/probe-1/receipt")
    service.subscribe("#")

    service.publish("dala/v1/probe-1/senml", b"not mine to say")
    service.publish("dala/v1/probe-1/receipt", b"stored")

    assert [m.payload for m in device.receive(1)] == [b"stored"]
    assert [m.payload for m in service.receive(1)] == [b"stored"]


def test_a_network_server_may_speak_for_its_devices(client, ingest):
    listener, gateway = ingest(), client("gateway", "t2")
    listener.subscribe("#")

    gateway.publish("application/1/device/2/event/up", b"chirpstack")
    gateway.publish("v3/app@tenant/devices/2/up", b"ttn")

    assert [m.payload for m in listener.receive(2)] == [b"chirpstack", b"ttn"]


def test_a_sparkplug_node_hears_the_commands_of_the_service(client, ingest):
    service, node = ingest(), client("gateway", "t2")
    service.subscribe("spBv1.0/#")
    assert not node.subscribe("spBv1.0/Farm 1/NCMD/pump/#")

    node.publish("spBv1.0/Farm 1/NDATA/pump", b"by number")
    (heard,) = service.receive(1)
    service.publish("spBv1.0/Farm 1/NCMD/pump", b"be born again")

    assert heard.payload == b"by number"
    assert [m.payload for m in node.receive(1)] == [b"be born again"]


def test_what_was_not_acknowledged_comes_again_in_order_after_the_subscriber_is_killed(
    client, ingest
):
    device = client("probe-1", "t0")
    killed = ingest(client_id="worker", keep=True, manual=True)
    killed.subscribe("dala/v1/+/senml")
    for number in range(300):
        device.publish("dala/v1/probe-1/senml", str(number))
    for message in killed.receive(300)[:100]:
        killed.paho.ack(message.mid, message.qos)
    killed.paho.subscribe("dala/v1/+/track", 1)  # its answer says that the acks were read
    killed.answers.get(timeout=10)
    killed.lose_connection()
    for number in range(300, 400):  # while nobody listens
        device.publish("dala/v1/probe-1/senml", str(number))

    again = ingest(client_id="worker", keep=True)

    received = again.receive(300)
    assert again.flags.session_present
    assert [int(m.payload) for m in received] == list(range(100, 400))
    assert [m.dup for m in received] == [True] * 200 + [False] * 100


def test_a_wrong_password_cannot_take_what_waits_for_another(client, ingest):
    service = ingest(client_id="patient", keep=True)
    service.subscribe("dala/v1/probe-2/senml")
    service.lose_connection()
    client("probe-2", "t1").publish("dala/v1/probe-2/senml", b"waiting")

    intruder = client("dala-ingest", "guessed", client_id="patient")  # a clean session

    assert intruder.code.is_failure
    again = ingest(client_id="patient", keep=True)
    assert [m.payload for m in again.receive(1)] == [b"waiting"]


def test_a_second_connection_of_a_client_takes_over(client):
    first = client("probe-1", "t0")
    ended = threading.Event()
    first.paho.on_disconnect = lambda *_: ended.set()

    second = client("probe-1", "t0")

    assert not second.code.is_failure
    assert ended.wait(5)


def test_messages_are_not_retained(client, ingest):
    client("probe-1", "t0").publish("dala/v1/probe-1/senml", b"old", retain=True)
    late = ingest()
    late.subscribe("dala/v1/probe-1/senml")

    client("probe-2", "t1")  # some later event
    time.sleep(0.2)

    assert late.messages.empty()


def test_a_message_that_is_too_large_is_dropped_with_its_reason_and_the_line_goes_on(
    servers, client, ingest
):
    listener, device = ingest(), client("probe-1", "t0")
    listener.subscribe("#")

    device.publish("dala/v1/probe-1/senml", bytes(5_000_000))
    device.publish("dala/v1/probe-1/senml", bytes(2_000_000))

    assert [len(m.payload) for m in listener.receive(1)] == [2_000_000]
    assert "dropped a message of 50000" in log_of(servers)
    assert "on 'dala/v1/probe-1/senml' from 'probe-1'" in log_of(servers)


# Of probe-1: MQTT 3.1.1, a clean session with user name and password, keep alive 60 s.
CONNECT = bytes.fromhex("1020 0004 4d515454 04 c2 003c") + (
    b"\x00\x07probe-1\x00\x07probe-1\x00\x02t0"
)


@pytest.mark.parametrize(
    "packet",
    [
        "32 07 0003 612f2b 0001",  # a wildcard in the topic of a message
        "32 07 0003 240062 0001",  # a topic that begins with $
        "32 05 0003 610062",  # no packet id
        "32 04 00ff 6161",  # a topic longer than the packet
        "36 05 0001 61 0001",  # QoS 3
        "32 05 0001 61 0000",  # packet id 0
        "82 03 000100",  # a subscription without a filter
        "f0 00",  # a packet type that does not exist
        "20 02 0000",  # what only a broker may say
        "32 ff ff ff ff 7f",  # a length of five bytes
        "82 ff ff ff 7f",  # a subscription of 256 MB
        "10 0c 0004 4d515454 04 02 003c 0000",  # a second CONNECT
    ],
)
def test_a_malformed_packet_ends_its_own_connection_only(servers, client, packet):
    url = urlsplit(servers.mqtt_url)
    other = client("probe-2", "t1")
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        raw.sendall(CONNECT)
        assert raw.recv(4) == bytes.fromhex("20020000")

        raw.sendall(bytes.fromhex(packet))

        assert _read_to_the_end(raw) == b""
    other.publish("dala/v1/probe-2/senml", b"goes on")
    assert other.paho.is_connected()


def _read_to_the_end(raw):
    try:
        return raw.recv(100)
    except ConnectionResetError:
        return b""


def test_a_client_of_mqtt_5_hears_that_it_should_speak_3_1_1(servers):
    url = urlsplit(servers.mqtt_url)
    codes = queue.Queue()
    paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    paho.username_pw_set(url.username, url.password)
    paho.on_connect = lambda *args: codes.put(str(args[3]))
    paho.connect(url.hostname, url.port)
    paho.loop_start()

    assert codes.get(timeout=10) == "Unsupported protocol version"
    paho.disconnect()
    paho.loop_stop()


def test_a_client_that_falls_silent_is_let_go(servers):
    url = urlsplit(servers.mqtt_url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        raw.sendall(CONNECT[:10] + b"\x00\x01" + CONNECT[12:])  # keep alive: one second
        assert raw.recv(4) == bytes.fromhex("20020000")
        began = time.monotonic()

        assert _read_to_the_end(raw) == b""

    assert 1.0 < time.monotonic() - began < 5.0
    assert "silent for too long" in log_of(servers)


def test_a_device_may_enter_as_soon_as_it_has_a_credential(servers, client):
    engine = make_engine(servers.database_url)
    with engine.begin() as connection:
        devices.put(connection, "new-probe", kind="soil-probe", name="new")
        digest = hashlib.sha256(b"new token").hexdigest()
        credentials.set_credential(connection, "new-probe", digest)
    engine.dispose()

    assert not client("new-probe", "new token").code.is_failure


def test_a_disabled_device_is_cut_off_within_seconds(servers, client):
    engine = make_engine(servers.database_url)
    with engine.begin() as connection:
        devices.put(connection, "thief", kind="soil-probe", name="stolen")
        token = credentials.issue(connection, "thief").token
    one = client("thief", token)
    ended = threading.Event()
    one.paho.on_disconnect = lambda *_: ended.set()
    with engine.begin() as connection:
        registering.set_disabled(connection, "thief", disabled=True)
    engine.dispose()

    assert ended.wait(10)
    assert client("thief", token).code.is_failure


def test_a_replaced_token_ends_once_the_new_one_is_used(servers, client):
    engine = make_engine(servers.database_url)
    with engine.begin() as connection:
        devices.put(connection, "rotated", kind="soil-probe", name="rotated")
        old = credentials.issue(connection, "rotated")
        new = credentials.issue(connection, "rotated", overlap=dt.timedelta(days=1))
    engine.dispose()
    earlier = client(old.username, old.token, client_id="rotated")
    assert not earlier.code.is_failure

    later = client(new.username, new.token, client_id="rotated")
    assert not later.code.is_failure
    assert not later.subscribe("dala/v1/rotated/receipt")
    assert client(old.username, old.token, client_id="rotated").code.is_failure


def test_a_credential_is_told_and_its_first_use_is_known_without_anybody_telling(servers, client):
    engine = make_engine(servers.database_url)
    seal = Seal("ab" * 32)  # as where Mosquitto would be told: nothing stays behind for it
    with engine.begin() as connection:
        devices.put(connection, "honest", kind="soil-probe", name="honest")
        token = credentials.issue(connection, "honest", seal=seal).token

    def known():
        with engine.connect() as connection:
            (one,) = credentials.of_device(connection, "honest")
            return one

    deadline = time.monotonic() + 10
    while not known().at_broker and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (known().at_broker, known().first_used_at) == (True, None)
    sealed = tables.device_credentials.c.sealed_token
    with engine.connect() as connection:
        query = sa.select(sealed).where(tables.device_credentials.c.username == "honest")
        assert connection.scalar(query) is None
    assert client("honest", "wrong").code.is_failure
    assert known().first_used_at is None
    before = dt.datetime.now(dt.UTC)
    assert not client("honest", token).code.is_failure
    first = known().first_used_at
    assert abs(first - before) < dt.timedelta(seconds=10)
    assert not client("honest", token).code.is_failure
    assert known().first_used_at == first
    engine.dispose()
