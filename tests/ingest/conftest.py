"""Real brokers and databases that tests of ingest share."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from embedded.home import EmbeddedSettings
from embedded.stack import Servers, open_embedded
from ingest.mapping import MappingError, MappingSettings, load, registry
from ingest.storing import Line as StoringLine
from seeds.devices import Login
from storage import credentials, devices
from storage.database import make_engine
from tests.conftest import own_database
from tests.ingest.dynamic_broker import Visitor
from tests.ingest.mapped import NOW_US
from tests.ingest.packs import PROBE, TRACTOR
from tests.ingest.servers import Ingester, Line, Mosquitto, Serving
from tests.leisure import write_at_leisure


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    for name in ("mosquitto", "mosquitto_passwd"):
        if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"needs {name}, of the distribution's packages mosquitto")
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def server_line(postgres_url: str, mosquitto: Mosquitto) -> Iterator[Line]:
    """Mosquitto and a database of its own, which may be shut without harm to other tests."""
    with own_database(postgres_url) as url:
        made = make_engine(url)
        migrations.upgrade(made)
        yield Line(made, url, mosquitto.url, lambda _device: mosquitto.login)
        made.dispose()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    settings = EmbeddedSettings(home=tmp_path_factory.mktemp("line-home"))
    with open_embedded(settings, verb="test") as servers:
        write_at_leisure(settings, servers.database_url)
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
            credentials.set_credential(connection, device, digest)
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


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start `ingest.serving.serve` on a line with options; none stays."""
    started: list[Serving] = []

    def start(line: Line, *, settings: dict[str, str] | None = None, **options: object) -> Serving:
        options = {"client_id": tmp_path.name, **options}
        started.append(Serving(tmp_path / "serving", line, options, **(settings or {})))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def visit(broker: Mosquitto) -> Iterator[Callable[..., Visitor]]:
    """Come to the broker of a test's own file as somebody; nobody stays."""
    came: list[Visitor] = []

    def come(username: str, token: str, **more: str) -> Visitor:
        came.append(Visitor(broker, username, token, **more))
        return came[-1]

    yield come
    for one in came:
        one.leave()


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    """Two devices of our own, one switched off, one behind a LoRaWAN network."""
    with empty_engine.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe")
        devices.put(connection, TRACTOR, kind="tractor", name="Tractor")
        devices.put(connection, "stolen-1", kind="soil-probe", name="Stolen", disabled=True)
        devices.put(
            connection,
            "lse01-1",
            kind="soil-probe",
            name="Soil sensor",
            wire_id="lora:a840410000000001",
            profile="dragino-lse01",
        )
    return empty_engine


@pytest.fixture
def line(database: sa.Engine) -> StoringLine:
    return StoringLine(database)


@pytest.fixture
def reads(tmp_path):
    """A function: what a mapping makes of a message."""

    def read(mapping, topic, document, timezone=None):
        path = tmp_path / "mappings.toml"
        path.write_text(mapping)
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        routes = registry(MappingSettings(mappings=path))
        return routes.decode(topic, payload, received_at_us=NOW_US, timezone=timezone)

    return read


@pytest.fixture
def refusal(tmp_path):
    """A function: what is wrong with a mapping."""

    def refuse(mapping):
        path = tmp_path / "mappings.toml"
        path.write_text(mapping)
        with pytest.raises(MappingError) as caught:
            load(path)
        return str(caught.value).replace(str(path), "FILE")

    return refuse
