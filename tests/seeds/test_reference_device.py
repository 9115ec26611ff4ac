"""The reference device on a real broker: whatever breaks, each reading is stored once."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from seeds import compact
from seeds.buffers import MemoryBuffer, Number
from seeds.courier import SENML, Courier, NoReceipt
from seeds.device_clock import Moment
from seeds.reference_device import Packing
from seeds.ring_buffer import RingBuffer
from storage import alerts, watching
from tests.seeds import measuring
from tests.seeds.broker import Mosquitto, StandIn, service, stored, wait_until
from tests.seeds.devices import NOON_MS, NOWHERE, PACE, FakeClock, Running, read, sent, silent

# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_twenty_times_it_has_each_reading_stored_exactly_once(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    chance = random.Random(20)
    log, buffer, name = tmp_path / "log", tmp_path / "memory", "killed"
    log.touch()
    # Each a process of its own, forked of one that has imported already.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([measuring.__name__])

    def start(first: int) -> multiprocessing.process.BaseProcess:
        places = (name, str(buffer), mosquitto.url, str(log), str(first))
        process = processes.Process(target=measuring.main, args=places)
        process.start()
        return process

    with service(empty_engine, mosquitto, name):
        for life in range(20):
            size = log.stat().st_size
            process = start(life * 1_000_000)
            wait_until(lambda before=size: log.stat().st_size > before, "the first reading")
            time.sleep(chance.uniform(0.0, 1.0))
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
        last = start(-1)
        last.join(60)
        assert last.exitcode == 0

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
