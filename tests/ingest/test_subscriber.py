"""`dala ingest` as a process of its own, on real brokers: nothing lost, nothing doubled."""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from paho.mqtt import publish

import migrations
from embedded.home import EmbeddedSettings
from embedded.stack import Servers, open_embedded
from ingest.subscriber import BrokerAddress
from seeds.devices import Login, SimulatedDevice
from seeds.messages import Outgoing
from storage import devices
from storage.database import make_engine

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 5  # readings in a message
TIME_S = 1_750_000_000


def wait_until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Ingester:
    """A running `dala ingest`; its folder's name is its client id."""

    def __init__(self, folder: Path, database_url: str, mqtt_url: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"ingest-{time.monotonic_ns()}.log"
        environment = os.environ | {"DALA_DATABASE_URL": database_url, "DALA_MQTT_URL": mqtt_url}
        command = [sys.executable, "-m", "dala", "ingest", "--client-id", folder.name]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment | settings, stdout=log, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        return self.log.read_text()

    def connected(self) -> "Ingester":
        wait_until(lambda: "connected" in self.said() or self.process.poll() is not None, "ingest")
        assert self.process.poll() is None, self.said()
        return self

    def stop(self, number: int = signal.SIGKILL) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


class Mosquitto:
    """A Mosquitto of our own on a loopback port, with a password."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.password = secrets.token_urlsafe(12)
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        passwords = folder / "passwords"
        make = ["mosquitto_passwd", "-c", "-b", str(passwords), "somebody", self.password]
        subprocess.run(make, check=True)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"log_type all\nlog_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://somebody:{self.password}@127.0.0.1:{self.port}"

    @property
    def login(self) -> Login:
        return Login("somebody", self.password)

    def start(self) -> None:
        self.process = subprocess.Popen([str(self._binary), "-c", str(self._config)])
        wait_until(self._answers, "mosquitto")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)

    def said(self) -> str:
        return self.log.read_text()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Line(NamedTuple):
    """A database and a broker, and how a device logs in there."""

    engine: sa.Engine
    database_url: str
    mqtt_url: str
    login: Callable[[str], Login]


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    for name in ("mosquitto", "mosquitto_passwd"):
        if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"needs {name}, of the distribution's packages mosquitto")
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def server_line(engine: sa.Engine, mosquitto: Mosquitto) -> Iterator[Line]:
    """Mosquitto and a database of its own, which may be shut without harm to other tests."""
    url = engine.url.set(database="dala_ingest_test")
    outside = engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {url.database}"))
    words = url.render_as_string(hide_password=False)
    made = make_engine(words)
    migrations.upgrade(made)
    yield Line(made, words, mosquitto.url, lambda _device: mosquitto.login)
    made.dispose()
    with outside.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {url.database} WITH (FORCE)"))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    settings = EmbeddedSettings(home=tmp_path_factory.mktemp("line-home"))
    with open_embedded(settings, verb="test") as servers:
        yield servers


@pytest.fixture(scope="module")
def embedded_line(embedded: Servers) -> Iterator[Line]:
    """The embedded servers, where each device has a token of its own."""
    made = make_engine(embedded.database_url)
    migrations.upgrade(made)

    def login(device: str) -> Login:
        token = secrets.token_urlsafe(24)
        with made.begin() as connection:
            digest = hashlib.sha256(token.encode()).hexdigest()
            devices.set_credential(connection, device, digest)
        return Login(device, token)

    yield Line(made, embedded.database_url, embedded.mqtt_url, login)
    made.dispose()


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Callable[..., Ingester]]:
    """Start `dala ingest` on a line, as many times as a test needs; none stays."""
    started: list[Ingester] = []

    def start(
        line: Line, *, mqtt_url: str | None = None, client_id: str | None = None, **settings: str
    ) -> Ingester:
        folder = tmp_path / (client_id or f"{tmp_path.name}-ingest")
        started.append(Ingester(folder, line.database_url, mqtt_url or line.mqtt_url, **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def messages(count: int) -> list[Outgoing]:
    """Packs that share no time."""
    return [
        Outgoing(
            "senml",
            [
                {"n": "soil_moisture/20", "t": TIME_S + 60 * (RECORDS * number + record), "v": 0.25}
                for record in range(RECORDS)
            ],
        )
        for number in range(count)
    ]


class Delivery:
    """A device that delivers beside the test."""

    def __init__(self, line: Line, device: str, count: int) -> None:
        with line.engine.begin() as connection:
            devices.put(connection, device, kind="soil-probe", name=device)
        self.receipted = 0
        self._some = threading.Event()
        simulated = SimulatedDevice(BrokerAddress.parse(line.mqtt_url), device, line.login(device))
        self._pool = ThreadPoolExecutor(1)
        self.result = self._pool.submit(
            simulated.deliver, messages(count), on_receipt=self._on_receipt, patience_s=25
        )

    def _on_receipt(self, count: int) -> None:
        self.receipted += count
        self._some.set()

    def under_way(self) -> None:
        """Return when the first receipts are there and others are not."""
        assert self._some.wait(20), "no receipt"
        assert not self.result.done()


def stored(line: Line, device: str) -> int:
    """Readings of a device; its times are all different, so each was counted once."""
    query = sa.text(
        "SELECT count(*), count(DISTINCT time) FROM readings"
        "  JOIN datastreams ON id = datastream_id WHERE device_id = :device"
    )
    with line.engine.connect() as connection:
        count, times = connection.execute(query, {"device": device}).one()
        assert count == times
        assert connection.scalar(sa.text("SELECT count(*) FROM reading_conflicts")) == 0
        return int(count)


def rejected(line: Line, device: str) -> set[str]:
    query = sa.text("SELECT reason FROM rejected_messages WHERE device = :device")
    with line.engine.connect() as connection:
        return set(connection.scalars(query, {"device": device}))


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
