"""The real broker on a real database of devices, and real clients that connect to it."""

import hashlib
from urllib.parse import urlsplit

import pytest

from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from migrations import upgrade
from storage import credentials, devices
from storage.database import make_engine
from tests.embedded.broker.clients import Client

TOKENS = {"probe-1": "t0", "probe-2": "t1", "gateway": "t2", "retired": "t3", "fresh": None}


@pytest.fixture(scope="package")  # started once for all these files
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
