"""The reference device on a real broker: whatever breaks, each reading is stored once."""

import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import cbor2
import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.codecs import decode
from ingest.storing import Line, Message
from ingest.subscriber import BrokerAddress, Subscriber
from seeds import compact, gateway
from seeds.buffers import MemoryBuffer, Number
from seeds.courier import SENML, Courier, NoReceipt
from seeds.device_clock import Clock, Moment
from seeds.reference_device import Packing, ReferenceDevice
from seeds.ring_buffer import RingBuffer
from seeds.sending import Pace
from storage import alerts, devices, watching

ROOT = Path(__file__).resolve().parents[2]
PACE = Pace(window=20, first_pause_s=0.6, longest_pause_s=2.0)
PACKING = Packing(interval_s=0.05, budget_bytes=300)
NOWHERE = BrokerAddress("127.0.0.1", 1, None, None, False)


def wait_until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


# --- a broker, a service, and somebody who stands in for the service ------------------------------


class Mosquitto:
    """A broker that keeps nothing beyond its end."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"log_type all\nlog_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.address = BrokerAddress.parse(self.url)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([str(self._binary), "-c", str(self._config)])
        wait_until(self._answers, "mosquitto")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=10)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("needs mosquitto, of the distribution's package of that name")
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.stop()


@contextmanager
def service(engine: sa.Engine, broker: Mosquitto, *registered: str) -> Iterator[None]:
    """The real ingester, in a thread."""
    with engine.begin() as connection:
        for one in registered:
            devices.put(connection, one, kind="gateway", name=one)
    subscriber = Subscriber(engine, broker.address, client_id=f"ingest-{registered[0]}")
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        yield
    finally:
        subscriber.stop()
        thread.join()


class StandIn:
    """In place of the service: hears a device, and says what a test wants said."""

    def __init__(self, broker: Mosquitto, device: str) -> None:
        self.heard: list[bytes] = []
        self._topic = f"dala/v1/{device}/receipt"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"stand-in-{device}")
        self._client.on_message = lambda _c, _d, message: self.heard.append(message.payload)
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect(broker.address.host, broker.address.port)
        self._client.subscribe(f"dala/v1/{device}/+", qos=1)
        self._client.loop_start()
        assert subscribed.wait(10)

    def say(self, boot: int, seq: int) -> None:
        self.say_raw(json.dumps({"boot": boot, "seq": seq, "stored": 0, "duplicate": 0}).encode())

    def say_raw(self, payload: bytes) -> None:
        self._client.publish(self._topic, payload, qos=1).wait_for_publish(10)

    def numbers(self) -> list[tuple[int, int]]:
        """What the device sent so far; our own receipts come back, too, and are no packs."""
        packs = [cbor2.loads(one) for one in self.heard if one[0] >= 0x80]
        return [(pack[0][2], pack[1][2]) for pack in packs]

    def payloads(self) -> list[bytes]:
        return [one for one in self.heard if one[0] >= 0x80]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def stand_in(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[StandIn]:
    made = StandIn(mosquitto, name_of(request))
    yield made
    made.close()


def name_of(request: pytest.FixtureRequest) -> str:
    return request.node.name.removeprefix("test_").replace("_", "-")[:60]


class Running:
    """A device in this process, as long as a test needs it."""

    def __init__(self, name: str, path: Path, address: BrokerAddress, **options: Any) -> None:
        self.said: list[str] = []
        capacity = {"capacity_bytes": options.pop("capacity")} if "capacity" in options else {}
        self.buffer = RingBuffer(path, block_bytes=4_096, **capacity)
        given = {"packing": PACKING, "pace": PACE, "say": self.said.append} | options
        self.device = ReferenceDevice(name, self.buffer, address, None, **given)
        self.boot = self.device.courier.boot

    def __enter__(self) -> "Running":
        self.device.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.device.stop()
        self.buffer.close()

    def measure(self, *values: int) -> None:
        """Each value in a message of its own."""
        for value in values:
            self.device.measure("water_total", Decimal(value))
            self.device.finish()


@pytest.fixture
def running(
    mosquitto: Mosquitto, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., Running]:
    def start(**options: Any) -> Running:
        return Running(name_of(request), tmp_path / "memory", mosquitto.address, **options)

    return start


def stored(engine: sa.Engine, device: str) -> list[int]:
    """Values of a device, sorted; none may be in conflict with another."""
    query = sa.text(
        "SELECT value FROM readings JOIN datastreams ON id = datastream_id"
        " WHERE device_id = :device ORDER BY value"
    )
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM reading_conflicts")) == 0
        return [int(value) for value in connection.scalars(query, {"device": device})]


# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_twenty_times_it_has_each_reading_stored_exactly_once(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    chance = random.Random(20)
    log, buffer, name = tmp_path / "log", tmp_path / "memory", "killed"
    log.touch()

    def start(first: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.seeds.measuring"]
        places = [name, str(buffer), mosquitto.url, str(log), str(first)]
        return subprocess.Popen([*command, *places], cwd=ROOT)

    with service(empty_engine, mosquitto, name):
        for life in range(20):
            size = log.stat().st_size
            process = start(life * 1_000_000)
            wait_until(lambda before=size: log.stat().st_size > before, "the first reading")
            time.sleep(chance.uniform(0.0, 1.0))
            process.kill()
            process.wait()
        assert start(-1).wait(timeout=60) == 0

    taken = [int(line) for line in log.read_text().split()]
    found = stored(empty_engine, name)
    assert len(found) == len(set(found))
    assert set(taken) <= set(found)
    # Killed between taking a reading and noting it, the device has one more than the log.
    assert len(found) <= len(taken) + 20
    assert len(taken) > 1_000
    with closing(RingBuffer(buffer)) as memory:
        assert (memory.held(), memory.loose()) == ([], [])


# --- the broker and the service go away -----------------------------------------------------------


@pytest.mark.slow
def test_a_broker_that_is_away_blocks_no_measurement_and_costs_nothing(
    empty_engine: sa.Engine, mosquitto: Mosquitto, running: Callable[..., Running]
) -> None:
    name = "a-broker-that-is-away-blocks-no-measurement-and-costs-nothing"
    longest = 0.0
    with service(empty_engine, mosquitto, name[:60]), running() as one:
        for value in range(300):
            if value == 100:
                mosquitto.stop(signal.SIGKILL)
            if value == 200:
                mosquitto.start()
            before = time.monotonic()
            one.device.measure("water_total", Decimal(value))
            longest = max(longest, time.monotonic() - before)
            time.sleep(0.01)
        one.device.finish()
        one.device.settle(30.0)

    assert stored(empty_engine, name[:60]) == list(range(300))
    assert longest < 0.5
    assert sum(" away: " in text for text in one.said) == 1  # once, however often it is tried


@pytest.mark.slow
def test_without_a_service_it_keeps_everything_and_says_so_in_the_end(
    empty_engine: sa.Engine, mosquitto: Mosquitto, running: Callable[..., Running]
) -> None:
    with running() as one:
        one.measure(1, 2, 3)
        with pytest.raises(NoReceipt, match="no receipt for 3 messages; they stay in the buffer"):
            one.device.settle(1.5)

    name = "without-a-service-it-keeps-everything-and-says-so-in-the-end"
    with service(empty_engine, mosquitto, name), running() as again:
        again.device.settle(20.0)
    assert stored(empty_engine, name) == [1, 2, 3]


def test_it_speaks_mqtt_5_with_a_session_where_the_broker_does(
    mosquitto: Mosquitto, stand_in: StandIn, running: Callable[..., Running]
) -> None:
    with running() as one:
        one.measure(1)
        wait_until(stand_in.numbers, "the message")

    assert "as it-speaks-mqtt-5-with-a-session-where-the-broker-does (p5, c0," in (
        mosquitto.log.read_text()
    )


# --- receipts -------------------------------------------------------------------------------------


def test_a_message_is_sent_again_in_the_same_bytes_until_its_receipt(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    with running() as one:
        one.measure(7)
        wait_until(lambda: len(stand_in.payloads()) >= 3, "repetitions")
        assert len(set(stand_in.payloads())) == 1

        stand_in.say(one.boot, 1)
        one.device.settle(10.0)
        assert one.buffer.held() == []


def test_messages_of_an_earlier_boot_come_again_as_they_were(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    with running() as first:
        first.measure(1, 2, 3)
        wait_until(lambda: len(stand_in.numbers()) >= 3, "three messages")
        stand_in.say(first.boot, 1)
        wait_until(lambda: first.device.courier.outstanding == 2, "the receipt")
        wait_until(lambda: len(first.buffer.held()) == 2, "room")
    before = dict(zip(stand_in.numbers(), stand_in.payloads(), strict=True))
    stand_in.heard.clear()

    with running() as second:
        second.measure(4)
        wait_until(lambda: len(set(stand_in.numbers())) == 3, "what was left, and the new one")
        assert second.boot == first.boot + 1
        assert stand_in.numbers()[:3] == [(first.boot, 2), (first.boot, 3), (second.boot, 1)]
        assert stand_in.payloads()[:2] == [before[first.boot, 2], before[first.boot, 3]]

        stand_in.say(first.boot, 3)
        stand_in.say(second.boot, 1)
        second.device.settle(10.0)


def test_a_receipt_takes_exactly_what_it_covers_however_often_it_comes(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    with running() as one:
        one.measure(1, 2, 3, 4)
        wait_until(lambda: len(stand_in.numbers()) >= 4, "four messages")
        for _ in range(10):
            stand_in.say(one.boot, 2)
        stand_in.say(one.boot, 1)
        wait_until(lambda: one.device.courier.outstanding == 2, "the receipts")
        time.sleep(0.2)

        assert one.buffer.held() == [Number(one.boot, 3), Number(one.boot, 4)]


def test_what_is_no_receipt_changes_nothing(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    nonsense = [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"boot": 1}',
        b'{"boot": "1", "seq": "1"}',
        b'{"boot": 1, "seq": -5}',
        b'{"boot": 1, "seq": true}',
        b'{"boot": 1, "seq": 1, "rejected": 3}',
        b"[" * 100_000,
    ]
    with running() as one:
        one.measure(1)
        wait_until(stand_in.numbers, "the message")
        for payload in nonsense:
            stand_in.say_raw(payload)
        wait_until(
            lambda: sum("not a receipt" in text for text in one.said) == len(nonsense), "complaints"
        )
        assert one.buffer.held() == [Number(one.boot, 1)]

        stand_in.say(one.boot, 1)
        one.device.settle(10.0)


def test_a_receipt_for_what_was_not_sent_makes_it_begin_another_boot(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    """Its memory was lost, and the service knows this boot: its receipts prove nothing."""
    with running() as one:
        one.measure(1, 2)
        wait_until(lambda: len(stand_in.numbers()) >= 2, "two messages")
        readings = [read(payload) for payload in stand_in.payloads()[:2]]

        stand_in.say(one.boot, 500)
        wait_until(lambda: one.device.courier.boot > one.boot, "another boot")
        new = one.device.courier.boot
        wait_until(lambda: {(new, 1), (new, 2)} <= set(stand_in.numbers()), "the same anew")

        again = dict(zip(stand_in.numbers(), stand_in.payloads(), strict=True))
        assert [read(again[new, seq]) for seq in (1, 2)] == readings
        stand_in.say(new, 2)
        one.device.settle(10.0)
    assert one.buffer.last_boot == new


def read(payload: bytes) -> list[Any]:
    decoded = decode("dala/v1/x/senml", payload, received_at_us=time.time_ns() // 1_000)
    assert not decoded.rejected
    return decoded.readings


# --- the buffer is full ---------------------------------------------------------------------------


def test_a_full_buffer_says_what_it_dropped_and_sends_the_numbers_empty(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    count = 450
    with running(capacity=4 * 4_096, pace=PACE._replace(window=1_000)) as one:
        for value in range(count):
            one.measure(value)
        said = [text for text in one.said if text.startswith("dropped ")]
        left = {number.seq for number in one.buffer.held()}
        full = f"dropped {count - len(left)} messages: the buffer is full, the oldest go first"
        assert said[-1].startswith(full)
        assert "Bring the device online" in said[-1]
        assert left == set(range(count - len(left) + 1, count + 1))
        stand_in.heard.clear()

        stand_in.say(one.boot, 0)
        wait_until(lambda: (one.boot, 1) in stand_in.numbers(), "the first number")
        first = stand_in.payloads()[stand_in.numbers().index((one.boot, 1))]
        assert read(first) == []


@pytest.mark.slow
def test_dropped_numbers_do_not_hold_up_the_receipts_of_what_is_left(
    empty_engine: sa.Engine, mosquitto: Mosquitto, running: Callable[..., Running]
) -> None:
    name = "dropped-numbers-do-not-hold-up-the-receipts-of-what-is-left"
    with service(empty_engine, mosquitto, name), running(capacity=4 * 4_096) as first:
        first.measure(0)
        first.device.settle(30.0)
    away = running(capacity=4 * 4_096)
    for value in range(1, 451):  # never started: the broker is out of reach
        away.measure(value)
    left = [number.seq for number in away.buffer.held()]
    away.buffer.close()

    with service(empty_engine, mosquitto, name), running(capacity=4 * 4_096) as one:
        one.device.settle(30.0)
    with empty_engine.begin() as connection:
        watching.watch(connection, datetime.now(UTC))

    assert 0 < len(left) < 450
    assert stored(empty_engine, name) == [0, *left]
    with empty_engine.connect() as connection:
        (alert,) = alerts.page(connection, active=None)
        times = connection.scalars(sa.text("SELECT time FROM readings ORDER BY value")).all()
    lost = 450 - len(left)
    assert (alert.kind, alert.details["lost_messages"]) == ("messages-lost", lost)
    assert alert.details["lost"] == [[1, lost]]
    # Between the last reading that was stored and the first that was left.
    between = [datetime.fromisoformat(alert.details[name]) for name in ("after", "before")]
    assert between == list(times[:2])


def test_a_boot_of_which_nothing_is_left_is_declared_lost_after_the_next_start(
    stand_in: StandIn, running: Callable[..., Running]
) -> None:
    away = running(capacity=4 * 4_096)
    away.measure(0)  # the only message of its boot, which nobody ever hears of
    first_boot = away.boot
    away.buffer.close()
    away = running(capacity=4 * 4_096)
    for value in range(450):
        away.measure(value)
    assert first_boot not in {
        number.boot for number in away.buffer.held() if away.buffer.read(number)
    }
    away.buffer.close()

    with running(capacity=4 * 4_096) as one:
        wait_until(lambda: (first_boot, 1) in stand_in.numbers(), "the number of the first boot")
        said = stand_in.payloads()[stand_in.numbers().index((first_boot, 1))]
        assert read(said) == []
        stand_in.say(first_boot, 1)
        wait_until(
            lambda: first_boot not in {number.boot for number in one.buffer.held()},
            "the receipt to be believed",
        )


# --- the clock ------------------------------------------------------------------------------------


class FakeClock(Clock):
    """A clock that a test sets."""

    def __init__(self, wall: int | None, uptime: int = 50_000, power_on: bytes = b"A" * 16) -> None:
        self.wall, self.uptime, self.power_on = wall, uptime, power_on

    def wall_ms(self) -> int | None:
        return self.wall

    def uptime_ms(self) -> int:
        return self.uptime

    def passes(self, ms: int) -> None:
        self.uptime += ms
        self.wall = None if self.wall is None else self.wall + ms


NOON_MS = 1_782_000_000_000


def silent(path: Path, clock: Clock, **options: Any) -> Running:
    """A device that is never started: what it would send stays in its buffer."""
    return Running("probe-7", path, NOWHERE, clock=clock, **options)


def sent(one: Running, arrived_ms: int) -> list[tuple[int, str, float]]:
    """Time before the arrival in ms, its source and the value, of all that would be sent now."""
    found = []
    for number in one.buffer.held():
        _, payload = one.device.courier._message(number)
        decoded = decode("dala/v1/probe-7/senml", payload, received_at_us=arrived_ms * 1_000)
        assert not decoded.rejected
        for reading in decoded.readings:
            age = arrived_ms - reading.time // 1_000
            found.append((age, reading.time_source, reading.value))
    return found


def test_readings_without_a_time_wait_for_the_clock_and_are_dated_by_it(tmp_path: Path) -> None:
    clock = FakeClock(None)
    one = silent(tmp_path / "memory", clock)
    one.device.measure("rain", Decimal("0.2"))
    clock.passes(30_000)
    one.device.measure("rain", Decimal("0.4"))
    clock.passes(5_000)
    assert one.buffer.held() == []

    clock.wall = NOON_MS
    one.device.finish()

    assert sent(one, NOON_MS) == [(35_000, "device", 0.2), (5_000, "device", 0.4)]
    one.buffer.close()


def test_when_no_clock_comes_times_count_from_the_arrival_each_time_anew(tmp_path: Path) -> None:
    clock = FakeClock(None)
    one = silent(tmp_path / "memory", clock, clock_patience_s=0.0)
    one.device.measure("rain", Decimal("0.2"))
    clock.passes(30_000)
    one.device.measure("rain", Decimal("0.4"))
    one.device.finish()

    assert sent(one, NOON_MS) == [(30_000, "server", 0.2), (0, "server", 0.4)]
    clock.passes(3_600_000)
    assert sent(one, NOON_MS) == [(3_630_000, "server", 0.2), (3_600_000, "server", 0.4)]
    clock.wall = NOON_MS  # it may have arrived already, and is known by its number alone
    assert sent(one, NOON_MS) == [(3_630_000, "server", 0.2), (3_600_000, "server", 0.4)]
    one.buffer.close()


def test_uptimes_of_an_earlier_process_are_dated_and_of_an_earlier_power_on_are_not(
    tmp_path: Path,
) -> None:
    clock = FakeClock(None)
    one = silent(tmp_path / "memory", clock)
    one.device.measure("rain", Decimal("0.2"))
    one.buffer.close()
    shutil.copy(tmp_path / "memory", tmp_path / "copy")

    clock.passes(10_000)
    clock.wall = NOON_MS
    same = silent(tmp_path / "memory", clock)
    same.device.finish()
    assert sent(same, NOON_MS) == [(10_000, "device", 0.2)]
    same.buffer.close()

    restarted = FakeClock(NOON_MS, uptime=4_000, power_on=b"B" * 16)
    other = silent(tmp_path / "copy", restarted)
    other.device.finish()
    assert sent(other, NOON_MS) == [
        (4_000, "server", 0.2)
    ]  # before this power-on, no more is known
    other.buffer.close()


def test_a_message_without_a_time_is_stored_once_however_often_it_arrives(
    empty_engine: sa.Engine, tmp_path: Path
) -> None:
    with empty_engine.begin() as connection:
        devices.put(connection, "probe-7", kind="soil-probe", name="probe-7")
    clock, line = FakeClock(None), Line(empty_engine)
    one = silent(tmp_path / "memory", clock, clock_patience_s=0.0)
    one.measure(5)
    counts = []
    for _ in range(3):
        topic, payload = one.device.courier._message(one.buffer.held()[0])
        arrived = NOON_MS * 1_000 + clock.uptime * 1_000
        outcome = line.store([Message(topic, payload, arrived)])
        counts.append((outcome.stored, outcome.duplicate, outcome.receipts[0].seq))
        clock.passes(7_000)
    one.buffer.close()

    assert counts == [(1, 0, 1), (0, 1, 1), (0, 1, 1)]
    assert stored(empty_engine, "probe-7") == [5]


def test_a_time_is_of_the_second_unless_two_readings_fall_in_one(tmp_path: Path) -> None:
    clock = FakeClock(NOON_MS + 700)
    one = silent(tmp_path / "memory", clock)
    clock.passes(1_000)
    for name in ("rain", "wind_speed", "rain", "rain"):
        one.device.measure(name, Decimal(1))
    clock.passes(1_000)
    one.device.measure("rain", Decimal(1))
    one.device.finish()

    times = sorted(NOON_MS - age for age, _, _ in sent(one, NOON_MS))
    assert [ms - NOON_MS for ms in times] == [1_000, 1_000, 1_700, 1_701, 2_000]
    one.buffer.close()


def test_seconds_that_come_twice_since_the_clock_was_set_back_give_other_times(
    tmp_path: Path,
) -> None:
    # Else the second value of a time would be a conflict with the first, and in no series.
    clock = FakeClock(NOON_MS)
    one = silent(tmp_path / "memory", clock)
    for _ in range(2):
        for _ in range(3):
            clock.passes(1_000)
            one.measure(1)
        clock.wall = NOON_MS  # set back by three seconds
    clock.wall = NOON_MS + 10_000
    one.measure(1)
    times = [moment for number in one.buffer.held() for moment, *_ in times_of(one, number)]
    one.buffer.close()

    assert len(set(times)) == 7
    assert times[:3] == [1_000, 2_000, 3_000]
    assert times[3:6] == [1_001, 2_001, 3_001]
    assert times[6] == 10_000  # later than all: on the second again


def times_of(one: Running, number: Number) -> list[tuple[int]]:
    """Of the readings of a message, in milliseconds after noon."""
    held = one.buffer.read(number)
    assert held is not None
    return [(reading.time // 1_000 - NOON_MS,) for reading in read(held.payload)]


def test_a_process_that_follows_in_the_same_second_gives_other_times(tmp_path: Path) -> None:
    clock = FakeClock(NOON_MS + 100)
    clock.passes(1_000)
    times = []
    for _ in range(3):
        one = silent(tmp_path / "memory", clock)
        one.device.measure("rain", Decimal(1))
        one.device.finish()
        times = [NOON_MS - age for age, _, _ in sent(one, NOON_MS)]
        one.buffer.close()
        clock.passes(50)

    # The first could be of the whole second, had nobody been there before it in this one.
    assert [ms - NOON_MS for ms in times] == [1_100, 1_150, 1_200]


# --- messages -------------------------------------------------------------------------------------


def test_readings_become_a_message_when_they_fill_it_or_have_waited(tmp_path: Path) -> None:
    packing = Packing(interval_s=1_000.0, budget_bytes=500)
    one = silent(tmp_path / "memory", FakeClock(NOON_MS), packing=packing)
    for turn in range(200):
        one.device.measure("rain", Decimal("0.2"), None, Moment(NOON_MS + turn * 60_000, True))
    sizes = [len(held.payload) for n in one.buffer.held() if (held := one.buffer.read(n))]
    waiting = len(one.buffer.loose())

    assert all(450 < size <= 500 for size in sizes)
    assert len(sent(one, NOON_MS)) + waiting == 200
    assert 0 < waiting < 100
    one.buffer.close()

    patient = silent(tmp_path / "other", FakeClock(NOON_MS), packing=packing._replace(interval_s=0))
    patient.device.measure("rain", Decimal("0.2"))
    assert len(patient.buffer.held()) == 1
    patient.buffer.close()


def test_a_message_is_synced_before_it_can_be_sent() -> None:
    order: list[str] = []

    class Watched(MemoryBuffer):
        def append(self, number: Number, *given: Any, **named: Any) -> None:
            order.append(f"append {number.seq}")
            super().append(number, *given, **named)

        def sync(self) -> None:
            order.append(f"sync, {courier._sending.outstanding} to send")

    buffer = Watched()
    courier = Courier("probe-7", buffer, NOWHERE, None, boot=1)
    courier.put(SENML, lambda number: compact.empty(number, cbor=True))
    courier.put(SENML, lambda number: compact.empty(number, cbor=True))

    assert order == ["append 1", "sync, 0 to send", "append 2", "sync, 1 to send"]
    assert courier.outstanding == 2


def test_a_reading_survives_the_process_before_it_is_in_a_message(tmp_path: Path) -> None:
    patient = Packing(interval_s=1_000.0)
    one = silent(tmp_path / "memory", FakeClock(NOON_MS), packing=patient)
    one.device.measure("soil_moisture/20", Decimal("0.2843"), None, Moment(NOON_MS, True))
    os.close(one.buffer._file)  # as the end of the process does it: nothing is synced or finished

    again = silent(tmp_path / "memory", FakeClock(NOON_MS), packing=patient)
    again.device.finish()
    assert sent(again, NOON_MS) == [(0, "device", 0.2843)]
    assert again.boot == one.boot + 1
    again.buffer.close()


# --- the verb -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rain,0.2", ("rain", "0.2", None, None)),
        ("soil_moisture/20,0.2843,,1782000000", ("soil_moisture/20", "0.2843", None, NOON_MS)),
        ("soil_moisture/20:1, 28.4, /100", ("soil_moisture/20:1", "28.4", "/100", None)),
        ("air_temperature,-3,Cel", ("air_temperature", "-3", None, None)),  # the stored unit
        ("rain,1,mm,2026-06-21T00:00:00Z", ("rain", "1", None, NOON_MS)),
        ("rain,1,2026-06-21T05:00:00.250+05:00", ("rain", "1", None, NOON_MS + 250)),
        ("valve_open:3,1,1782000000.5", ("valve_open:3", "1", None, NOON_MS + 500)),
    ],
)
def test_a_line_says_quantity_value_unit_and_time(
    text: str, expected: tuple[str, str, str | None, int | None]
) -> None:
    name, value, unit, ms = expected
    moment = None if ms is None else Moment(ms, True)

    assert gateway.parse(text) == (name, Decimal(value), unit, moment)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "quantity"),
        ("boot,1", "known quantity"),
        ("seq,1", "known quantity"),
        ("Rain,1", "known quantity"),
        ("rain/x,1", "known quantity"),
        ("rain", "quantity,value"),
        ("rain,1,mm,1782000000,more", "quantity,value"),
        ("rain,", "no number"),
        ("rain,nan", "no number"),
        ("rain,1e400", "no number"),
        ("rain,inf", "no number"),
        ("rain,1,parsec", "neither a unit nor a time"),
        ("rain,1,kPa", "which kPa cannot become"),
        ("rain,1,mm,yesterday", "no time"),
        ("rain,1,2026-06-21T05:00:00", "needs its offset"),
        ("rain,1,1970-01-01T00:00:12Z", "before 2020"),
    ],
)
def test_a_line_that_is_no_reading_says_why(text: str, why: str) -> None:
    with pytest.raises(gateway.BadLine, match=why):
        gateway.parse(text)


def verb(folder: Path, *, url: str, lines: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The verb in a process of its own, with lines on its standard input."""
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    buffer = f"Path({str(folder / 'memory')!r})"
    code = (
        "import sys; from pathlib import Path; from seeds.gateway import run; "
        f"sys.exit(run('gateway-1', buffer={buffer}, mqtt={url!r}, {given}))"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, input=lines, text=True, capture_output=True, cwd=ROOT, timeout=60, check=False
    )


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb in the process of the tests, whose signals are not its own."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("in_process")
def test_what_is_no_text_is_a_bad_line_and_not_the_end(
    mosquitto: Mosquitto, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "lines.csv"
    source.write_bytes(b"\xff\xfe,1\nrain,0.2\n")

    code = gateway.run(
        "nobody", buffer=tmp_path / "memory", mqtt=mosquitto.url, source=source, once=True,
        patience_s=0.5,
    )  # fmt: skip

    said = capfd.readouterr().err
    assert "line 1: " in said
    assert "no receipt for 1 messages; they stay in the buffer" in said  # the second line is there
    assert code == 1


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("name", "buffer", "why"),
    [
        ("a/b", "memory", "'a/b' is no id of a device"),
        ("", "memory", "is no id of a device"),
        ("probe", "none/memory", "none/memory: No such file or directory"),
        ("probe", ".", "Is a directory"),
    ],
)
def test_what_cannot_begin_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, buffer: str, why: str
) -> None:
    code = gateway.run(name, buffer=tmp_path / buffer, mqtt="mqtt://127.0.0.1:1")

    said = capfd.readouterr().err
    assert code == 1
    assert why in said
    assert "Errno" not in said


@pytest.mark.usefixtures("in_process")
def test_a_buffer_that_nothing_can_be_read_from_is_kept_and_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory"
    path.write_bytes(b"a photograph" * 1_000)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    code = gateway.run("probe", buffer=path, mqtt="mqtt://127.0.0.1:1")

    (aside,) = tmp_path.glob("memory.unreadable-*")
    assert aside.read_bytes().startswith(b"a photograph")
    said = capfd.readouterr().err
    assert f"it is kept as {aside}, a new one begins" in said
    assert code == 0  # there was nothing to send


@pytest.mark.slow
def test_lines_go_in_and_are_stored_and_bad_ones_are_said(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    lines = (
        "# morning round\n"
        "water_total,10,m3,2026-06-21T00:00:00Z\n"
        "water_total,what\n"
        "water_total,11,m3,2026-06-21T01:00:00Z\n"
        "water_total,12\n"
    )
    with service(empty_engine, mosquitto, "gateway-1"):
        done = verb(tmp_path, url=mosquitto.url, lines=lines, once=True)

        assert done.returncode == 0, done.stderr
        assert done.stderr == "line 3: 'what' is no number that can be stored\n"
        assert stored(empty_engine, "gateway-1") == [10, 11, 12]


@pytest.mark.slow
def test_a_file_is_delivered_twice_and_stored_once(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    rows = [f"rain,{n},mm,{1_782_000_000 + 60 * n}\n" for n in range(2_000)]
    (tmp_path / "rows.csv").write_text("quantity,value,unit,time\n" + "".join(rows))
    source = f"Path({str(tmp_path / 'rows.csv')!r})"

    with service(empty_engine, mosquitto, "gateway-1"):
        for _ in range(2):
            done = verb(tmp_path, url=mosquitto.url, lines="", source=source, once=True)
            assert (done.returncode, done.stderr) == (0, "")
        assert stored(empty_engine, "gateway-1") == list(range(2_000))


@pytest.mark.slow
def test_once_without_a_service_it_ends_with_what_is_left_in_one_sentence(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    done = verb(tmp_path, url=mosquitto.url, lines="rain,1\n", once=True, patience_s=1.0)

    assert done.returncode == 1
    assert done.stderr == "dala device: no receipt for 1 messages; they stay in the buffer\n"
    with closing(RingBuffer(tmp_path / "memory")) as memory:
        assert len(memory.held()) == 1
