"""Who may connect to the broker, from when on and until when."""

import datetime as dt
import hashlib
import threading
import time

import pytest
import sqlalchemy as sa

from storage import credentials, devices, registering, tables
from storage.database import make_engine
from storage.sealing import Seal
from tests.embedded.broker.clients import log_of


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
