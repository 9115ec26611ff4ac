"""A device's memory: the power may fail at any byte, and nothing that was synced is missing."""

import errno
import os
import random
from contextlib import closing
from pathlib import Path

import pytest

from seeds.buffers import Held, Number
from seeds.ring_buffer import BufferInUse, RingBuffer
from tests.seeds.ring_files import (
    A_BLOCK,
    BLOCK,
    BLOCKS,
    HEADER,
    PAYLOAD,
    RECORD,
    expected,
    filled,
    found,
    last_record,
    opened,
    payload,
)


def test_what_was_synced_is_there_after_a_start(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(7)
        buffer.append(Number(7, 1), 3, b"one")
        buffer.append(Number(7, 2), 0, b"")

    with opened(tmp_path / "memory") as buffer:
        assert buffer.last_boot == 7
        assert not buffer.damaged
        assert buffer.held() == [Number(7, 1), Number(7, 2)]
        assert buffer.read(Number(7, 1)) == Held(3, b"one")
        assert buffer.read(Number(7, 2)) == Held(0, b"")
        assert buffer.read(Number(7, 3)) is None


# --- the power fails ------------------------------------------------------------------------------


def test_a_file_cut_off_at_any_byte_of_the_last_record_keeps_all_before_it(tmp_path: Path) -> None:
    filled(tmp_path / "whole", 10)
    image = (tmp_path / "whole").read_bytes()
    start, end = last_record(tmp_path / "whole", 10)

    for cut in range(start, end):
        (tmp_path / "cut").write_bytes(image[:cut])
        assert found(tmp_path / "cut") == expected(*range(1, 10)), cut


def test_a_record_written_up_to_any_byte_keeps_all_before_it(tmp_path: Path) -> None:
    """The file has its full length from the beginning, so a torn write leaves what was there."""
    filled(tmp_path / "whole", 10)
    image = (tmp_path / "whole").read_bytes()
    start, end = last_record(tmp_path / "whole", 10)

    for cut in range(start, end):
        blank = bytes(end - cut)
        for rest in (blank, random.Random(cut).randbytes(len(blank))):
            (tmp_path / "torn").write_bytes(image[:cut] + rest + image[end:])
            assert found(tmp_path / "torn") == expected(*range(1, 10)), cut


def test_after_a_torn_record_the_device_goes_on_writing_where_it_was(tmp_path: Path) -> None:
    filled(tmp_path / "memory", 10)
    start, end = last_record(tmp_path / "memory", 10)
    image = (tmp_path / "memory").read_bytes()
    (tmp_path / "memory").write_bytes(image[: start + 40] + bytes(end - start - 40) + image[end:])

    with opened(tmp_path / "memory") as buffer:
        buffer.begin(2)
        buffer.append(Number(2, 1), 0, b"after")

    with opened(tmp_path / "memory") as buffer:
        assert buffer.held() == [*(Number(1, seq) for seq in range(1, 10)), Number(2, 1)]
        assert not buffer.damaged  # a torn end is what a power cut leaves


def test_a_byte_that_rots_anywhere_costs_its_record_and_invents_nothing(tmp_path: Path) -> None:
    count = 40
    filled(tmp_path / "whole", count)
    image = (tmp_path / "whole").read_bytes()
    before = expected(*range(1, count + 1))
    chance = random.Random(4)

    for offset in [*range(2 * BLOCK), *(chance.randrange(len(image)) for _ in range(500))]:
        rotten = bytearray(image)
        rotten[offset] ^= 1 << chance.randrange(8)
        (tmp_path / "rotten").write_bytes(rotten)
        after = found(tmp_path / "rotten")
        lost = before.keys() - after.keys()
        assert after.items() <= before.items(), offset
        # The first block holds the record of the boot, too; a header takes its block along.
        assert len(lost) <= (A_BLOCK if offset % BLOCK < HEADER else 1), offset


def test_what_follows_a_damaged_record_is_found_and_the_damage_is_known(tmp_path: Path) -> None:
    filled(tmp_path / "memory", 5)
    image = bytearray((tmp_path / "memory").read_bytes())
    image[image.index(payload(2)) + 5] ^= 255
    (tmp_path / "memory").write_bytes(image)

    assert found(tmp_path / "memory") == expected(1, 3, 4, 5)
    with opened(tmp_path / "memory") as buffer:
        assert buffer.damaged


def test_any_cut_of_any_history_gives_a_state_that_once_was(tmp_path: Path) -> None:
    """Random histories: after a write that is torn, the state is the one before it."""
    for seed in range(20):
        chance, path = random.Random(seed), tmp_path / f"memory-{seed}"
        seq = 0
        for boot in range(1, 6):
            with opened(path) as buffer:
                buffer.begin(boot)
                seq = 0
                for _ in range(chance.randrange(1, 12)):
                    seq += 1
                    buffer.append(Number(boot, seq), 0, payload(seq))
                    if chance.random() < 0.6:
                        buffer.forget(boot, chance.randrange(seq + 1))
                buffer.sync()
                state = {one: buffer.read(one) for one in buffer.held()}
                image = path.read_bytes()
                buffer.append(Number(boot, seq + 1), 0, payload(seq + 1))
            torn = bytearray(path.read_bytes())
            changed = [at for at in range(len(torn)) if torn[at] != image[at]]
            keep = chance.randrange(len(changed))
            for at in changed[keep:]:
                torn[at] = image[at]
            path.write_bytes(torn)
            with opened(path) as buffer:
                assert {one: buffer.read(one) for one in buffer.held()} == state, (seed, boot)


# --- readings that are in no message yet ----------------------------------------------------------


def test_readings_wait_until_they_are_in_a_message(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        first, second, third = (buffer.note(word) for word in (b"a", b"b", b"c"))
        buffer.append(Number(1, 1), 0, b"a and b", ordinal=second)

    with opened(tmp_path / "memory") as buffer:
        assert (first, second, third) == (1, 2, 3)
        assert buffer.loose() == [(3, b"c")]
        assert buffer.note(b"d") == 4


def test_readings_whose_message_was_torn_wait_still(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        ordinal = [buffer.note(word) for word in (b"a", b"b")][-1]
        buffer.append(Number(1, 1), 0, payload(1), ordinal=ordinal)
    start, end = last_record(tmp_path / "memory", 1)
    image = (tmp_path / "memory").read_bytes()
    (tmp_path / "memory").write_bytes(image[: end - 1] + b"\0" + image[end:])

    with opened(tmp_path / "memory") as buffer:
        assert buffer.held() == []
        assert buffer.loose() == [(1, b"a"), (2, b"b")]
    assert start > 0


# --- full -----------------------------------------------------------------------------------------


def test_a_full_buffer_drops_the_oldest_block_and_counts(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        count = 0
        while not buffer.dropped_messages:
            count += 1
            buffer.append(Number(1, count), 0, payload(count))
        dropped = buffer.dropped_messages
        left = [number.seq for number in buffer.held()]

    # The first block holds the record of the boot and five messages of 80 bytes beside it.
    assert dropped == (BLOCK - HEADER - RECORD) // (RECORD + PAYLOAD) == 5
    assert left == list(range(6, count + 1))
    assert found(tmp_path / "memory") == expected(*left)


def test_the_file_never_grows(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        size = (tmp_path / "memory").stat().st_size
        buffer.begin(1)
        for seq in range(1, 500):
            buffer.append(Number(1, seq), 0, payload(seq))

    assert (tmp_path / "memory").stat().st_size == size == BLOCK * BLOCKS


def test_what_is_receipted_makes_room_and_nothing_is_dropped(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        for seq in range(1, 1_000):
            buffer.append(Number(1, seq), 0, payload(seq))
            if seq > 20:
                assert buffer.forget(1, seq - 20) == 1
        assert buffer.dropped_messages == 0
        assert len(buffer.held()) == 20

    assert found(tmp_path / "memory") == expected(*range(980, 1_000))


def test_one_old_message_is_kept_while_others_come_and_go(tmp_path: Path) -> None:
    """Room is made of what is receipted, wherever it lies; only then of what is oldest."""
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        buffer.append(Number(1, 1), 0, b"stuck")
        buffer.begin(2)
        for seq in range(1, 1_000):
            buffer.append(Number(2, seq), 0, payload(seq))
            buffer.forget(2, seq)
        assert buffer.dropped_messages == 0
        assert buffer.read(Number(1, 1)) == Held(0, b"stuck")


def test_a_receipt_never_costs_a_message_its_room(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        seq = 0
        while buffer.filled < 1:
            seq += 1
            buffer.append(Number(1, seq), 0, payload(seq))
        for number in range(1, seq + 1):
            buffer.forget(1, number)
        assert buffer.dropped_messages == 0


def test_what_is_left_of_an_earlier_use_of_a_block_is_never_taken_for_new(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        for seq in range(1, 200):
            buffer.append(Number(1, seq), 0, payload(seq))
        left = [number.seq for number in buffer.held()]
    assert any(payload(seq) in (tmp_path / "memory").read_bytes() for seq in range(1, left[0]))

    assert sorted(found(tmp_path / "memory")) == left


# --- the file -------------------------------------------------------------------------------------


def test_a_message_longer_than_a_block_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "memory") as buffer:
        buffer.begin(1)
        longest = BLOCK - HEADER - RECORD
        buffer.append(Number(1, 1), 0, bytes(longest))
        with pytest.raises(ValueError, match=f"may have {longest}"):
            buffer.append(Number(1, 2), 0, bytes(longest + 1))
        assert buffer.held() == [Number(1, 1)]


def test_two_processes_cannot_share_a_numbering(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "memory"),
        pytest.raises(BufferInUse, match="memory is in use"),
        opened(tmp_path / "memory"),
    ):
        pass


def test_a_file_of_somebody_else_is_put_aside_and_kept(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("dear diary")

    with opened(tmp_path / "memory") as buffer:
        assert buffer.held() == []
        assert buffer.damaged

    (aside,) = tmp_path.glob("memory.unreadable-*")
    assert aside.read_text() == "dear diary"


def test_a_larger_capacity_is_taken_up_without_loss(tmp_path: Path) -> None:
    filled(tmp_path / "memory", 30)

    grown = RingBuffer(tmp_path / "memory", capacity_bytes=4 * BLOCK * BLOCKS, block_bytes=BLOCK)

    with closing(grown) as buffer:
        assert len(buffer.held()) == 30
    assert (tmp_path / "memory").stat().st_size == 4 * BLOCK * BLOCKS


def test_a_disk_that_is_too_small_is_not_filled_to_the_brim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pwrite(file: int, data: bytes, at: int) -> int:
        if at >= 2 * 2**20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(file, data, at)

    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)

    with pytest.raises(OSError, match="4 MiB are reserved for it: free them, or give less"):
        RingBuffer(tmp_path / "memory", capacity_bytes=4 * 2**20)
    assert (tmp_path / "memory").stat().st_size == 0
