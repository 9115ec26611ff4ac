"""Boots as a device's memory knows them: their numbers, and what is left of each."""

from pathlib import Path

from seeds.buffers import Number
from seeds.device_clock import Clock
from seeds.reference_device import next_boot
from seeds.ring_buffer import RingBuffer
from tests.seeds.ring_files import A_BLOCK, BLOCKS, filled, opened, payload

# --- the number of the boot -----------------------------------------------------------------------


class _NoClock(Clock):
    def wall_ms(self) -> int | None:
        return None


class _SetClock(Clock):
    def wall_ms(self) -> int | None:
        return 1_782_000_000_123


def test_a_boot_rises_by_one_and_begins_with_the_time(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        first = next_boot(buffer, _SetClock())
        buffer.begin(first)
    with opened(tmp_path / "memory") as buffer:
        second = next_boot(buffer, _SetClock())

    assert (first, second) == (1_782_000_000, 1_782_000_001)


def test_without_a_clock_two_new_memories_begin_with_different_boots(tmp_path: Path) -> None:
    boots = set()
    for name in "abc":
        with opened(tmp_path / name) as buffer:
            boots.add(next_boot(buffer, _NoClock()))

    assert len(boots) == 3


def test_a_damaged_memory_begins_far_above_the_boots_it_knows(tmp_path: Path) -> None:
    filled(tmp_path / "memory", 5)
    image = bytearray((tmp_path / "memory").read_bytes())
    image[image.index(payload(2)) + 5] ^= 255
    (tmp_path / "memory").write_bytes(image)

    with opened(tmp_path / "memory") as buffer:
        assert buffer.last_boot == 1
        assert next_boot(buffer, _NoClock()) >= 1_001


# --- boots of which nothing is left ---------------------------------------------------------------


def flood(buffer: RingBuffer, boot: int, laps: int) -> None:
    """Messages of a boot that use every block several times."""
    buffer.begin(boot)
    for seq in range(1, laps * BLOCKS * A_BLOCK + 1):
        buffer.append(Number(boot, seq), 0, payload(seq))


def test_of_a_boot_that_lost_all_its_messages_the_highest_number_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    with opened(path) as buffer:
        for boot, count in ((3, 4), (4, 2)):
            buffer.begin(boot)
            for seq in range(1, count + 1):
                buffer.append(Number(boot, seq), 0, payload(seq))
        flood(buffer, 5, laps=3)
        held = buffer.held()
        dropped = buffer.dropped_messages
    assert {Number(3, 4), Number(4, 2)} == {number for number in held if number.boot < 5}
    assert dropped + len(held) == 4 + 2 + 3 * BLOCKS * A_BLOCK + 2  # a mark is no message

    with opened(path) as buffer:
        assert buffer.held() == held
        assert buffer.read(Number(3, 4)) is None  # so its number is sent empty
        assert buffer.forget(3, 4) == 1
        flood(buffer, 6, laps=1)
        assert {number.boot for number in buffer.held()} == {4, 5, 6}  # 5 is a mark by now
        assert buffer.read(Number(5, 3 * BLOCKS * A_BLOCK)) is None


def test_marks_of_lost_boots_do_not_fill_the_memory(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        for boot in range(1, 2_000):
            buffer.begin(boot)
            buffer.append(Number(boot, 1), 0, payload(1))
        whole = [number for number in buffer.held() if buffer.read(number)]

    assert whole[-1] == Number(1_999, 1)
    assert len(whole) > 10


def test_how_far_receipts_came_is_known_after_a_start(tmp_path: Path) -> None:
    filled(tmp_path / "memory", 10)
    with opened(tmp_path / "memory") as buffer:
        assert buffer.receipted(1) == 0
        buffer.forget(1, 4)
        assert buffer.receipted(1) == 4

    with opened(tmp_path / "memory") as buffer:
        assert (buffer.receipted(1), buffer.held()[0]) == (4, Number(1, 5))
        buffer.forget(1, 10)
        assert buffer.receipted(1) == 0  # of a boot that has nothing left, nothing is kept
