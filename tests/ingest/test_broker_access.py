"""A real Mosquitto with dynamic security: who comes in, who says what, who is cut off and when."""

import datetime as dt
import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.broker_access import BrokerAccess
from ingest.settings import BrokerAddress
from storage import credentials, devices, registering, tables
from storage.credentials import Issued
from storage.sealing import CannotOpen, Seal, SealingSettings
from tests.ingest.dynamic_broker import PATH, DynamicMosquitto, Visitor
from tests.ingest.servers import Ingester, Line, stored, wait_until

KEY = secrets.token_hex(32)
SEAL = Seal(KEY)
HOURS = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamicMosquitto]:
    made = DynamicMosquitto(tmp_path_factory.mktemp("dynamic"))
    yield made
    made.stop()


@pytest.fixture
def access(empty_engine: sa.Engine, broker: DynamicMosquitto) -> Iterator[BrokerAccess]:
    running = BrokerAccess(
        empty_engine, broker.admin, service=BrokerAddress.parse(broker.ingest_url), seal=SEAL
    )
    running.start(patience_s=10)
    yield running
    running.stop()


def put(
    engine: sa.Engine, device_id: str, *, kind: str = "soil-probe", topics: list[str] | None = None
) -> Issued:
    with engine.begin() as connection:
        registering.register(connection, device_id, kind=kind, name=device_id, topic_filters=topics)
        return credentials.issue(connection, device_id, seal=SEAL)


def known(engine: sa.Engine, device_id: str) -> credentials.Known:
    with engine.connect() as connection:
        return credentials.of_device(connection, device_id)[0]


def told(engine: sa.Engine) -> None:
    """Wait until the broker was told of everything."""

    def nothing_waits() -> bool:
        with engine.connect() as connection:
            return not credentials.changes(connection)

    wait_until(nothing_waits, "the broker to be told")


def test_a_device_speaks_for_itself_and_hears_its_own_receipts(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    one, other = put(empty_engine, "probe-1"), put(empty_engine, "probe-2")
    told(empty_engine)
    probe = visit(one.username, one.token)

    assert probe.came_in
    assert probe.may_publish("dala/v1/probe-1/senml")
    assert probe.may_publish("dala/v1/probe-1/track")
    assert probe.may_hear("dala/v1/probe-1/receipt")
    for topic in ("dala/v1/probe-2/senml", "dala/v1/probe-1/receipt", "dala/v1/probe-2/receipt",
                  "application/a/device/b/event/up", "$CONTROL/dynamic-security/v1"):  # fmt: skip
        assert not probe.may_publish(topic), topic
    for topic in ("dala/v1/probe-2/receipt", "dala/v1/+/receipt", "dala/#", "#", "$SYS/#",
                  "dala/v1/probe-1/senml", "$share/a/dala/v1/probe-2/receipt",
                  "$CONTROL/dynamic-security/v1/response"):  # fmt: skip
        assert not probe.may_hear(topic), topic
    assert not visit("probe-1", other.token).came_in
    assert not visit("probe-1", one.token, client_id="probe-2").came_in
    # Nothing that would let somebody in is left behind.
    with empty_engine.connect() as connection:
        columns = tables.device_credentials.c
        rows = connection.execute(sa.select(columns.sealed_token, columns.failure)).all()
    assert rows == [(None, None)] * 2


def test_a_disabled_device_is_cut_off_at_once_and_comes_back_when_enabled(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    issued = put(empty_engine, "stolen")
    told(empty_engine)
    thief = visit(issued.username, issued.token)
    assert thief.came_in
    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "stolen", disabled=True)

    assert thief.ended.wait(5)
    assert not visit(issued.username, issued.token).came_in
    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "stolen", disabled=False)
    told(empty_engine)
    assert visit(issued.username, issued.token).came_in


def test_the_first_use_of_a_token_is_noted_and_not_one_of_the_token_before(
    empty_engine: sa.Engine, broker: DynamicMosquitto, visit: Callable[..., Visitor]
) -> None:
    service = BrokerAddress.parse(broker.ingest_url)
    access = BrokerAccess(empty_engine, broker.admin, service=service, seal=SEAL)
    access.start(patience_s=10)
    first = put(empty_engine, "probe")
    told(empty_engine)
    assert known(empty_engine, "probe").first_used_at is None
    assert visit(first.username, first.token).came_in
    wait_until(lambda: known(empty_engine, "probe").first_used_at, "the broker's word of it")
    access.stop()

    # A new one under the same name, which Mosquitto has not been told of.
    with empty_engine.begin() as connection:
        credentials.issue(connection, "probe", seal=SEAL)
        credentials.note_used(connection, "probe", if_told=True)
    assert known(empty_engine, "probe").first_used_at is None


def test_the_old_token_is_good_until_the_new_one_is_used(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    old = put(empty_engine, "probe")
    told(empty_engine)
    with empty_engine.begin() as connection:
        new = credentials.issue(connection, "probe", overlap=24 * HOURS, seal=SEAL)
    told(empty_engine)
    assert (old.username, new.username) == ("probe", "probe~2")
    assert visit(old.username, old.token).came_in

    probe = visit(new.username, new.token)
    assert probe.came_in
    assert probe.may_publish("dala/v1/probe/senml")
    wait_until(lambda: known(empty_engine, "probe").first_used_at, "the broker's word of it")
    told(empty_engine)
    assert not visit(old.username, old.token).came_in
    # The one after that comes under the first name again.
    with empty_engine.begin() as connection:
        third = credentials.issue(connection, "probe", overlap=24 * HOURS, seal=SEAL)
    told(empty_engine)
    assert third.username == "probe"
    assert visit(third.username, third.token).came_in


def test_an_overlap_ends_and_without_one_the_old_token_ends_at_once(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    first = put(empty_engine, "probe")
    told(empty_engine)
    probe = visit(first.username, first.token)
    with empty_engine.begin() as connection:
        second = credentials.issue(connection, "probe", seal=SEAL)
    assert second.username == "probe"
    assert probe.ended.wait(5)
    told(empty_engine)
    assert not visit(first.username, first.token).came_in

    with empty_engine.begin() as connection:
        third = credentials.issue(
            connection, "probe", overlap=dt.timedelta(seconds=0.01), seal=SEAL
        )
    told(empty_engine)
    assert not visit(second.username, second.token).came_in
    assert visit(third.username, third.token).came_in


def test_a_gateway_keeps_to_its_topics(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    lora = put(empty_engine, "lora", kind="gateway", topics=["application/+/device/+/event/#"])
    whole = put(empty_engine, "bridge", kind="network-server")
    told(empty_engine)
    gateway, bridge = visit(lora.username, lora.token), visit(whole.username, whole.token)

    assert gateway.may_publish("application/a/device/b/event/up")
    assert gateway.may_hear("application/+/device/+/event/#")
    assert gateway.may_hear("application/a/device/b/event/up")
    for topic in ("application/a/device/b/command/down", "v3/x", "dala/v1/probe/senml"):
        assert not gateway.may_publish(topic), topic
        assert not gateway.may_hear(topic), topic
    assert not gateway.may_hear("application/#")
    assert not gateway.may_hear("#")
    assert bridge.may_publish("v3/farm/devices/b/up")
    assert bridge.may_publish("dala/v1/bridge/senml")
    assert not bridge.may_publish("dala/v1/lora/senml")
    assert bridge.may_hear("spBv1.0/farm/NCMD/pump")
    assert not bridge.may_hear("spBv1.0/farm/NDATA/pump")

    with empty_engine.begin() as connection:
        registering.change(connection, "lora", topic_filters=["gateway/#"])
    told(empty_engine)
    assert gateway.may_publish("gateway/eu868/1")
    assert not gateway.may_publish("application/a/device/b/event/up")


def test_a_broker_that_was_away_is_told_afterwards_and_one_that_forgot_again(
    empty_engine: sa.Engine,
    access: BrokerAccess,
    broker: DynamicMosquitto,
    visit: Callable[..., Visitor],
) -> None:
    before = put(empty_engine, "before")
    told(empty_engine)
    broker.stop()
    meanwhile = put(empty_engine, "meanwhile")
    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "before", disabled=True)
    broker.start()
    told(empty_engine)
    assert visit(meanwhile.username, meanwhile.token).came_in
    assert not visit(before.username, before.token).came_in

    broker.stop()
    broker.forget()
    broker.start()
    wait_until(lambda: known(empty_engine, "meanwhile").failure, "what was forgotten to be noticed")
    assert not visit(meanwhile.username, meanwhile.token).came_in
    assert "give it a new one" in str(known(empty_engine, "meanwhile").failure)
    with empty_engine.begin() as connection:
        again = credentials.issue(connection, "meanwhile", overlap=24 * HOURS, seal=SEAL)
    told(empty_engine)
    assert visit(again.username, again.token).came_in


def test_who_is_no_device_any_more_is_taken_away_and_others_are_left(
    empty_engine: sa.Engine,
    access: BrokerAccess,
    broker: DynamicMosquitto,
    visit: Callable[..., Visitor],
) -> None:
    gone = put(empty_engine, "gone")
    told(empty_engine)
    access.stop()
    with empty_engine.begin() as connection:
        connection.execute(sa.delete(tables.device_credentials))
        connection.execute(sa.delete(tables.devices))
    ingest = BrokerAddress.parse(broker.ingest_url)
    following = BrokerAccess(empty_engine, broker.admin, service=ingest, seal=SEAL)
    following.start()
    try:
        wait_until(lambda: not visit(gone.username, gone.token).came_in, "the broker to forget")
    finally:
        following.stop()
    assert visit(str(ingest.user), str(ingest.password)).came_in


@pytest.mark.parametrize("name", ["admin", "ingest-of-old"])
def test_an_account_that_is_no_device_is_never_taken_for_one(
    empty_engine: sa.Engine,
    access: BrokerAccess,
    broker: DynamicMosquitto,
    visit: Callable[..., Visitor],
    name: str,
) -> None:
    if name != "admin":
        make = ["createClient", name, "-c", name, "-p", "its own"]
        subprocess.run(
            ["mosquitto_ctrl", "-u", "admin", "-P", broker.password, "-p", str(broker.port),
             "dynsec", *make], check=True, env={"PATH": PATH}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        access.stop()
        access = BrokerAccess(empty_engine, broker.admin, seal=SEAL)
        access.start()
    issued = put(empty_engine, name)
    told(empty_engine)
    access.stop()

    assert "another account" in str(known(empty_engine, name).failure)
    assert not visit(name, issued.token, client_id="somebody").came_in
    assert visit("admin", broker.password, client_id="somebody").came_in


def test_a_token_that_cannot_be_opened_is_said_and_the_others_go_on(
    empty_engine: sa.Engine, access: BrokerAccess, visit: Callable[..., Visitor]
) -> None:
    with empty_engine.begin() as connection:
        devices.put(connection, "odd", kind="soil-probe", name="odd")
        credentials.issue(connection, "odd", seal=Seal(secrets.token_hex(32)))
        devices.put(connection, "bare", kind="soil-probe", name="bare")
        credentials.issue(connection, "bare")
    even = put(empty_engine, "even")
    told(empty_engine)

    assert "another DALA_BROKER_KEY" in str(known(empty_engine, "odd").failure)
    assert "nobody can know it" in str(known(empty_engine, "bare").failure)
    assert known(empty_engine, "even").at_broker
    assert visit(even.username, even.token).came_in


@pytest.mark.parametrize("worker", ["1/1", "1/2"])
def test_ingest_lets_itself_in_and_stores_what_a_device_sends(
    server_line: Line,
    broker: DynamicMosquitto,
    visit: Callable[..., Visitor],
    tmp_path: Path,
    worker: str,
) -> None:
    name = f"real-{worker.replace('/', '-')}"
    issued = put(server_line.engine, name)
    ingester = Ingester(
        tmp_path / f"ingest-{name}", server_line.database_url, broker.ingest_url,
        worker=worker, DALA_MQTT_ADMIN_URL=broker.admin_url, DALA_BROKER_KEY=KEY,
    )  # fmt: skip
    try:
        ingester.connected()
        told(server_line.engine)
        probe = visit(issued.username, issued.token)
        assert probe.came_in
        assert probe.may_hear(f"dala/v1/{name}/receipt")
        pack = [{"n": "soil_moisture/20", "t": 1_750_000_000, "v": 0.25}, {"n": "boot", "v": 1}]
        pack.append({"n": "seq", "v": 1})
        assert probe.may_publish(f"dala/v1/{name}/senml", json.dumps(pack).encode())
        wait_until(probe.messages.qsize, "a receipt")
        topic, receipt = probe.messages.get()
    finally:
        ingester.stop()

    assert topic == f"dala/v1/{name}/receipt"
    assert b'"stored":1' in receipt.replace(b" ", b"")
    assert stored(server_line, name) == 1


def test_a_seal_opens_what_it_closed_for_the_name_it_was_closed_for() -> None:
    sealed = SEAL.close("probe", "secret")

    assert "secret" not in sealed
    assert SEAL.open("probe", sealed) == "secret"
    with pytest.raises(CannotOpen, match="another name"):
        SEAL.open("other", sealed)
    with pytest.raises(CannotOpen, match="another DALA_BROKER_KEY"):
        Seal(secrets.token_hex(32)).open("probe", sealed)
    with pytest.raises(CannotOpen):
        SEAL.open("probe", "rubbish")


@pytest.mark.parametrize("key", ["", "short", "g" * 64, "00" * 31])
def test_a_key_of_another_length_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        SealingSettings(broker_key=key)
