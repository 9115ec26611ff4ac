"""Small files of a device's memory, whose messages are all of one length."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from seeds.buffers import Number
from seeds.ring_buffer import RingBuffer

BLOCK = 512
BLOCKS = 8
HEADER, RECORD = 32, 32  # bytes before the first record of a block, and before each payload
PAYLOAD = 48
A_BLOCK = (BLOCK - HEADER) // (RECORD + PAYLOAD)  # 6 messages


def payload(seq: int) -> bytes:
    return f"message {seq} ".encode().ljust(PAYLOAD, b".")


@contextmanager
def opened(path: Path) -> Iterator[RingBuffer]:
    with closing(RingBuffer(path, capacity_bytes=BLOCK * BLOCKS, block_bytes=BLOCK)) as buffer:
        yield buffer


def filled(path: Path, count: int) -> None:
    """A buffer with messages 1 to ``count`` of boot 1."""
    with opened(path) as buffer:
        buffer.begin(1)
        for seq in range(1, count + 1):
            buffer.append(Number(1, seq), 0, payload(seq))
        buffer.sync()


def found(path: Path) -> dict[int, bytes]:
    """What a device finds after a start; whatever is there must be readable."""
    with opened(path) as buffer:
        messages = {number.seq: buffer.read(number) for number in buffer.held()}
    return {seq: held.payload for seq, held in messages.items() if held is not None}


def expected(*numbers: int) -> dict[int, bytes]:
    return {seq: payload(seq) for seq in numbers}


def last_record(path: Path, count: int) -> tuple[int, int]:
    """Where the record of the last message begins and ends."""
    image = path.read_bytes()
    start = image.index(payload(count)) - RECORD
    return start, start + RECORD + PAYLOAD
