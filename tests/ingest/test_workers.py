"""Several ingesters on one broker: each message is one's, and one may die."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.codecs import BUILT_IN, Registry, Route, senml
from ingest.mapping import load
from ingest.settings import BrokerAddress, Worker
from ingest.sharing import every_form, subscriptions
from ingest.storing import Line as StoringLine
from ingest.storing import Message
from seeds.devices import SimulatedDevice
from seeds.messages import Outgoing
from storage import devices, heard, rejected
from storage.rejected import RejectedMessage
from tests.ingest.servers import TIME_S, Delivery, Line, Serving, wait_until

MESSAGES, DEVICES, WORKERS = 1_000, 20, 3

# --- who is who -----------------------------------------------------------------------------------


def test_a_worker_is_one_of_several_and_has_a_client_id_of_its_own() -> None:
    assert Worker.parse("2/3") == Worker(2, 3)
    assert Worker.parse("2/3").client_id() == "dala-ingest-2"
    assert Worker.parse("1/1").client_id() == Worker().client_id() == "dala-ingest"


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "1/101", "-1/3", "a/b", "1/3/5"])
def test_a_worker_that_cannot_be_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write which of how many, as 2/3"):
        Worker.parse(text)


def test_one_worker_shares_nothing() -> None:
    assert subscriptions(BUILT_IN, Worker(1, 1)) == BUILT_IN.subscriptions


def test_workers_share_each_topic_but_those_whose_messages_need_their_order() -> None:
    # Filters of an operator's under which the same messages come, and one under which none do.
    own = ("spBv1.0/+/+/+", "+/rover", "mavlink/#", "#", "mavlink/+/state")
    registry = Registry([Route(one, senml.decode, lambda _levels: None) for one in own])
    alone = {"spBv1.0/#", "mavlink/+", *own[:4]}
    others = {f"$share/dala/{one}" for one in registry.subscriptions if one not in alone}

    first, *rest = (set(subscriptions(registry, Worker(number, 3))) for number in (1, 2, 3))

    assert rest == [others, others]
    assert "$share/dala/mavlink/+/state" in others
    assert first - others == alone
    assert first | others <= set(every_form(registry))


def test_a_mapping_to_a_format_that_needs_its_order_is_not_shared(tmp_path: Path) -> None:
    pytest.importorskip("pymavlink")
    written = tmp_path / "mapping.toml"
    written.write_text(
        '[[topics]]\npattern = "rovers/+/frames"\nformat = "mavlink"\ndevice = "$1"\n'
    )
    registry = Registry(load(written))

    assert "rovers/+/frames" in subscriptions(registry, Worker(1, 2))
    assert not any("rovers" in one for one in subscriptions(registry, Worker(2, 2)))


# --- what the database promises two of them -------------------------------------------------------


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, "probe", kind="soil-probe", name="Probe")
    return empty_engine


def waits(engine: sa.Engine) -> bool:
    """Whether a session of this database waits for another one's lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :d"
    with engine.connect() as connection:
        return bool(connection.scalar(sa.text(query), {"d": engine.url.database}))


def test_numbers_that_two_workers_store_at_once_are_put_together(database: sa.Engine) -> None:
    with ThreadPoolExecutor(1) as other, database.begin() as first:
        assert devices.note_committed(first, "probe", 1, [1, 3]) == 1

        def second() -> int:
            with database.begin() as connection:
                return devices.note_committed(connection, "probe", 1, [2, 4])

        answer = other.submit(second)
        wait_until(lambda: waits(database), "the second to wait for the first")
        assert not answer.done()
        first.commit()

        assert answer.result(10) == 4  # what the first committed counts: 1, 2, 3, 4


@pytest.mark.parametrize("first_is_later", [True, False])
def test_of_two_workers_that_hear_a_device_at_once_the_later_message_tells_its_signal(
    database: sa.Engine, *, first_is_later: bool
) -> None:
    early, late = heard.Signal(TIME_S * 1_000_000, -60.0), heard.Signal(TIME_S * 1_000_000 + 1, -99)
    one, two = (late, early) if first_is_later else (early, late)

    def note(connection: sa.Connection, signal: heard.Signal) -> None:
        heard.note(connection, {"probe": signal.received_at_us}, {"probe": signal})

    def second() -> None:
        with database.begin() as connection:
            note(connection, two)

    with ThreadPoolExecutor(1) as other, database.begin() as first:
        note(first, one)
        answer = other.submit(second)
        wait_until(lambda: waits(database), "the second to wait for the first")
        first.commit()
        answer.result(10)
    with database.connect() as connection:
        query = "SELECT signal_dbm, received_at = signal_at FROM device_heard"
        assert connection.execute(sa.text(query)).one() == (-99.0, True)


def undated(seq: int, *, second: int) -> Message:
    payload = b'[{"n":"boot","v":1},{"n":"seq","v":%d},{"n":"rain","v":1}]' % seq
    return Message("dala/v1/probe/senml", payload, (TIME_S + second) * 1_000_000)


def test_a_message_without_a_time_that_reaches_two_workers_at_once_is_stored_once(
    database: sa.Engine,
) -> None:
    # It is dated by its arrival, so nothing but its number tells that they are the same.
    with ThreadPoolExecutor(1) as other, database.begin() as first:
        assert devices.committed(first, "probe", 1, [7]) == set()
        answer = other.submit(StoringLine(database).store, [undated(7, second=9)])
        wait_until(lambda: waits(database), "the second to wait for the first")
        devices.note_committed(first, "probe", 1, [7])
        first.commit()

        assert answer.result(10).stored == 0
    with database.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 0


def test_a_bad_message_that_reaches_two_workers_at_once_is_kept_once(database: sa.Engine) -> None:
    bad = Message("dala/v1/probe/senml", b"[{", TIME_S * 1_000_000)
    with ThreadPoolExecutor(1) as other, database.begin() as first:
        answer_of_first = StoringLine(database)
        record = RejectedMessage(
            "probe",
            bad.topic,
            bad.payload,
            "not-json",
            "…",
            sa.func.now(),  # type: ignore[arg-type]
        )
        record = record._replace(received_at=first.scalar(sa.text("SELECT now()")))
        rejected.add(first, [record])
        answer = other.submit(answer_of_first.store, [bad])
        wait_until(lambda: waits(database), "the second to wait for the first")
        first.commit()

        assert answer.result(10).reasons == {"not-json": 1}
    with database.connect() as connection:
        rows = connection.execute(sa.text("SELECT reason, times FROM rejected_messages")).all()
    assert rows == [("not-json", 2)]


# --- on real servers ------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_are_refused_on_a_broker_that_cannot_share(
    embedded_line: Line, serving: Callable[..., Serving]
) -> None:
    refused = serving(embedded_line, client_id="dala-ingest", worker="1/2")

    assert refused.process.wait(timeout=30) == 1
    (last,) = [line for line in refused.said().splitlines() if line.startswith("dala: ")]
    assert "has no shared subscriptions, which several workers need" in last


class Receipts:
    """All receipts, in the order they come."""

    def __init__(self, line: Line) -> None:
        self.by_device: dict[str, list[int]] = defaultdict(list)
        address = BrokerAddress.parse(line.mqtt_url)
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.username_pw_set(address.user, address.password)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        self._client.subscribe("dala/v1/+/receipt", qos=1)
        assert self._ready.wait(10)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        device = message.topic.split("/")[2]
        self.by_device[device].append(json.loads(message.payload)["seq"])

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def receipts(server_line: Line) -> Iterator[Receipts]:
    made = Receipts(server_line)
    yield made
    made.close()


def contiguous(line: Line) -> dict[str, int]:
    """The highest contiguous number that is committed of each device."""
    query = sa.text(
        "SELECT device_id, CASE WHEN lower(received) <= 1 THEN"
        " (SELECT upper(part) - 1 FROM unnest(received) AS part LIMIT 1) ELSE 0 END AS seq"
        " FROM device_sequences"
    )
    with line.engine.connect() as connection:
        return {row.device_id: row.seq for row in connection.execute(query)}


def counts(line: Line) -> tuple[int, int]:
    query = sa.text(
        "SELECT count(*), count(DISTINCT (datastream_id, time)) FROM readings"
        " JOIN datastreams ON id = datastream_id WHERE device_id LIKE 'shared-%'"
    )
    with line.engine.connect() as connection:
        total, distinct = connection.execute(query).one()
        return int(total), int(distinct)


@pytest.mark.slow
def test_a_worker_that_is_retired_leaves_its_part_to_the_others(
    server_line: Line, serving: Callable[..., Serving]
) -> None:
    one, two = (
        serving(server_line, client_id="pair", worker=f"{number}/2", metrics_port=0).connected()
        for number in (1, 2)
    )
    two.stop()  # kill -9: its session stays, and the broker goes on queueing for it

    retired = serving(server_line, client_id="pair", worker="2/2", retire=True)
    assert retired.process.wait(timeout=30) == 0
    begun = time.monotonic()
    delivery = Delivery(server_line, "after-retirement", 200)

    assert delivery.result.result().stored == 1_000
    assert time.monotonic() - begun < 3  # before a device would send again what nobody stored
    assert one.metrics()["dala_ingest_messages_received_total"] == 200
    one.stop()
    last = serving(server_line, client_id="pair", worker="1/2", retire=True)
    assert last.process.wait(timeout=30) == 0


@pytest.mark.slow
def test_of_three_workers_one_is_killed_and_everything_receipted_is_stored_once(
    server_line: Line, serving: Callable[..., Serving], receipts: Receipts
) -> None:
    names = [f"shared-{number}" for number in range(DEVICES)]
    with server_line.engine.begin() as connection:
        for name in names:
            devices.put(connection, name, kind="soil-probe", name=name)
    workers = [
        serving(
            server_line, client_id="many", worker=f"{number}/{WORKERS}", metrics_port=0
        ).connected()
        for number in range(1, WORKERS + 1)
    ]
    address, heard = BrokerAddress.parse(server_line.mqtt_url), threading.Semaphore(0)

    def deliver(name: str) -> int:
        packs = [
            Outgoing("senml", [{"n": "soil_moisture/20", "t": TIME_S + 60 * n, "v": 0.25}])
            for n in range(MESSAGES)
        ]
        device = SimulatedDevice(address, name, server_line.login(name))
        told = device.deliver(packs, on_receipt=heard.release, patience_s=120)
        return told.messages

    with ThreadPoolExecutor(DEVICES) as pool:
        delivered = [pool.submit(deliver, name) for name in names]
        for _ in range(DEVICES * MESSAGES // 4):
            assert heard.acquire(timeout=60)
        shares = [one.metrics()["dala_ingest_messages_received_total"] for one in workers]
        workers[1].stop()  # kill -9
        told = {name: max(seqs) for name, seqs in list(receipts.by_device.items())}
        committed = contiguous(server_line)
        time.sleep(5)  # the broker goes on giving it a third, and keeps that for its return
        stuck = sum(not one.done() for one in delivered)
        back = serving(server_line, client_id="many", worker="2/3", metrics_port=0).connected()
        assert [one.result() for one in delivered] == [MESSAGES] * DEVICES

    assert all(committed[name] >= seq for name, seq in told.items())
    assert stuck > 0
    assert min(shares) > 0.5 * max(shares)  # the broker gives to each in turn
    assert '"session_present": true' in back.said()
    assert counts(server_line) == (DEVICES * MESSAGES, DEVICES * MESSAGES)
    with server_line.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM reading_conflicts")) == 0
    # From several workers receipts may come in another order; the highest one tells the truth.
    wait_until(
        lambda: all(max(receipts.by_device[name], default=0) == MESSAGES for name in names),
        "the last receipts",
    )
