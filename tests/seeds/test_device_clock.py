"""Times of readings: of a clock that is late, is set back, or never comes."""

import shutil
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from ingest.storing import Line, Message
from seeds.buffers import Number
from storage import devices
from tests.seeds.broker import stored
from tests.seeds.devices import NOON_MS, FakeClock, Running, read, sent, silent


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
