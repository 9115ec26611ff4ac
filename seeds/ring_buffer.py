"""A device's memory on disk: what it measured and has no receipt for, safe from power cuts.

One file of a fixed size, reserved when it is made, so that a disk filled by others stops nothing.
It is cut into blocks that are written one after another; each begins with a header that carries a
serial number, and holds records that are only ever appended. A record's checksum covers the
block's serial too, so that what is left of an earlier use of the block is never taken for new.
When every block holds something that is still needed, the oldest block is used again and what it
held is lost, and counted. Of a boot that loses its last message so, its highest number is kept: the
service has to hear that there were any.

After a cut the file is read from its oldest block to its newest. A record that is torn or damaged
is passed over; all that were synced before it are there. What was being written when the power
failed had not been published, for a message is synced before it is sent.
"""

from __future__ import annotations

import fcntl
import os
import time
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from seeds.buffers import Held, Number
from seeds.ring_records import (
    HEADER_BYTES,
    RECORD_BYTES,
    Kind,
    Record,
    block_header,
    encoded,
    parse,
    payload_length,
    read_header,
    records,
    stride,
)

CAPACITY_BYTES = 16 * 2**20
BLOCK_BYTES = 64 * 2**10
LEAST_BLOCKS = 4
LOST_BOOTS = 200  # whose numbers are kept, the newest: they shall not fill the memory themselves


class BufferInUse(RuntimeError):
    """Another process has the file: two devices would share one numbering."""


class _Place(NamedTuple):
    block: int
    offset: int


class RingBuffer:
    """The file, open; it belongs to this process until it is closed.

    Attributes
    ----------
    last_boot : int
        The highest boot of the file; 0 in a new one.
    damaged : bool
        Something that once was in the file could not be read, more than a torn end.
    set_aside : Path or None
        Where a file went of which nothing could be read.
    dropped_messages, dropped_readings : int
        Lost since the file was opened, because it was full.
    """

    def __init__(
        self,
        path: Path,
        *,
        capacity_bytes: int = CAPACITY_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.last_boot, self.last_ordinal = 0, 0
        self.dropped_messages = self.dropped_readings = 0
        self._file = _open_locked(path)
        self.damaged = False
        self.set_aside: Path | None = None
        try:
            self._block_bytes = self._found_block_bytes() or block_bytes
            if self._is_foreign():
                self._file, self.set_aside = _set_aside(path, self._file)
                self.damaged = True
            size = os.fstat(self._file).st_size
            least = max(capacity_bytes // self._block_bytes, LEAST_BLOCKS)
            self._serials = [0] * max(least, -(-size // self._block_bytes))
            _reserve(path, self._file, len(self._serials) * self._block_bytes)
            self._messages: dict[int, dict[int, _Place]] = {}  # by boot and seq, both rising
            self._receipted: dict[int, int] = {}  # highest number of a boot in a receipt
            self._lost: dict[int, int] = {}  # number that stands for all of a boot that is no more
            self._readings: dict[int, tuple[int, bytes]] = {}  # by ordinal: block, payload
            self._needed = [0] * len(self._serials)  # records of each block that are still needed
            self._block, self._end = -1, self._block_bytes
            self._recover()
        except BaseException:
            self.close()
            raise
        self._dirty = False

    # --- writing

    def begin(self, boot: int) -> None:
        """Note that a new boot has begun, durably."""
        self.last_boot = boot
        self._write(Record(Kind.BOOT, 0, boot, 0, 0, b""))
        self.sync()

    def note(self, payload: bytes) -> int:
        """Keep a reading that is in no message yet; return its ordinal."""
        self.last_ordinal += 1
        ordinal = self.last_ordinal
        place = self._write(Record(Kind.READING, 0, self.last_boot, 0, ordinal, payload))
        self._readings[ordinal] = place.block, payload
        self._needed[place.block] += 1
        return ordinal

    def append(self, number: Number, tag: int, payload: bytes, *, ordinal: int = 0) -> None:
        """Keep a message, which holds the readings up to ``ordinal``.

        It is sure to survive once :meth:`sync` has returned.

        Raises
        ------
        ValueError
            If it is longer than a block.
        """
        place = self._write(Record(Kind.MESSAGE, tag, number.boot, number.seq, ordinal, payload))
        self._keep(number, place)
        self._let_go_readings(ordinal)

    def forget(self, boot: int, seq: int) -> int:
        """Let go of every message of a boot up to ``seq``; return how many those were.

        Not synced, for its loss does no harm: the messages would be sent again.
        """
        gone = self._let_go(boot, seq)
        note = Record(Kind.FORGET, 0, boot, seq, 0, b"")
        if gone and (self._fits(note) or self._free_blocks()):  # nothing is dropped for its sake
            self._write(note)
        return gone

    def sync(self) -> None:
        """Return when everything is where a loss of power cannot take it."""
        if self._dirty:
            os.fdatasync(self._file)
            self._dirty = False

    def close(self) -> None:
        """Sync, and let others have the file."""
        if self._file >= 0:
            os.fdatasync(self._file)
            os.close(self._file)
            self._file = -1

    # --- reading

    def read(self, number: Number) -> Held | None:
        """The message of a number; None if it is not there, or cannot be read any more."""
        place = self._messages.get(number.boot, {}).get(number.seq)
        if place is None:
            return None
        head = self._read(place, RECORD_BYTES)
        length = payload_length(head)
        record = parse(self._read(place, RECORD_BYTES + length), 0, self._serials[place.block])
        if record is None or record.kind == Kind.LOST:
            return None
        return Held(record.tag, record.payload)

    def held(self) -> list[Number]:
        """Messages that wait, the oldest first."""
        return [
            Number(boot, seq) for boot in sorted(self._messages) for seq in self._messages[boot]
        ]

    def receipted(self, boot: int) -> int:
        """Up to which number of a boot that has messages a receipt is known to have come."""
        return self._receipted.get(boot, 0)

    def loose(self) -> list[tuple[int, bytes]]:
        """Readings that are in no message, by their ordinals."""
        return [(ordinal, payload) for ordinal, (_, payload) in self._readings.items()]

    @property
    def filled(self) -> float:
        """Share of the blocks that hold something that is needed."""
        return sum(1 for count in self._needed if count) / len(self._needed)

    # --- blocks

    def _write(self, record: Record) -> _Place:
        body = record.payload
        if HEADER_BYTES + stride(len(body)) > self._block_bytes:
            most = self._block_bytes - HEADER_BYTES - stride(0)
            raise ValueError(f"{len(body)} bytes; a message may have {most}")
        if not self._fits(record):
            self._open_block()
        place = _Place(self._block, self._end)
        os.pwrite(self._file, encoded(record, self._serials[self._block]), self._at(place))
        self._end += stride(len(body))
        self._dirty = True
        return place

    def _fits(self, record: Record) -> bool:
        return self._end + stride(len(record.payload)) <= self._block_bytes

    def _free_blocks(self) -> list[int]:
        return [
            index for index, count in enumerate(self._needed) if not count and index != self._block
        ]

    def _open_block(self) -> None:
        """Go on in the block that was free for longest; if none is, in the oldest."""
        others = self._free_blocks() or [i for i in range(len(self._needed)) if i != self._block]
        chosen = min(others, key=lambda index: self._serials[index])
        lost = self._drop(chosen) if self._needed[chosen] else []
        serial = max(self._serials) + 1
        self._serials[chosen] = serial
        self._block, self._end = chosen, HEADER_BYTES
        os.pwrite(
            self._file,
            block_header(self._block_bytes, self.last_boot, serial),
            self._at((chosen, 0)),
        )
        for number in lost[-min(LOST_BOOTS, self._block_bytes // (4 * stride(0))) :]:
            self._lost[number.boot] = number.seq
            place = _Place(self._block, self._end)
            record = Record(Kind.LOST, 0, number.boot, number.seq, 0, b"")
            os.pwrite(self._file, encoded(record, serial), self._at(place))
            self._end += stride(0)
            self._dirty = True
            self._keep(number, place)

    def _drop(self, block: int) -> list[Number]:
        """Lose what a block holds; return the highest numbers of boots of which nothing is left."""
        lost = []
        for boot, of_boot in sorted(self._messages.items()):
            gone = [seq for seq, place in of_boot.items() if place.block == block]
            for seq in gone:
                del of_boot[seq]
                self.dropped_messages += self._lost.get(boot) != seq
            if gone and not of_boot:
                del self._messages[boot]
                self._lost.pop(boot, None)
                lost.append(Number(boot, gone[-1]))
        for ordinal in [one for one, (place, _) in self._readings.items() if place == block]:
            del self._readings[ordinal]
            self.dropped_readings += 1
        self._needed[block] = 0
        return lost

    def _keep(self, number: Number, place: _Place) -> None:
        self._messages.setdefault(number.boot, {})[number.seq] = place
        self._needed[place.block] += 1

    def _let_go(self, boot: int, seq: int) -> int:
        of_boot = self._messages.get(boot, {})
        gone = list(takewhile(lambda one: one <= seq, of_boot))
        for one in gone:
            self._needed[of_boot.pop(one).block] -= 1
        self._receipted[boot] = max(seq, self.receipted(boot))
        if not of_boot:
            for known in (self._messages, self._lost, self._receipted):
                known.pop(boot, None)
        return len(gone)

    def _let_go_readings(self, ordinal: int) -> None:
        """They are in a message now."""
        for one in list(takewhile(lambda each: each <= ordinal, self._readings)):
            block, _ = self._readings.pop(one)
            self._needed[block] -= 1

    def _at(self, place: tuple[int, int]) -> int:
        return place[0] * self._block_bytes + place[1]

    def _read(self, place: tuple[int, int], length: int) -> bytes:
        return os.pread(self._file, length, self._at(place))

    # --- after a start

    def _found_block_bytes(self) -> int | None:
        found = read_header(os.pread(self._file, HEADER_BYTES, 0))
        return None if found is None else found[0]

    def _is_foreign(self) -> bool:
        """Whether there is something in the file, and none of it is ours."""
        size = os.fstat(self._file).st_size
        blank = True
        for at in range(0, size, self._block_bytes):
            block = os.pread(self._file, self._block_bytes, at)
            if read_header(block) is not None:
                return False
            blank = blank and not any(block)
        return not blank

    def _recover(self) -> None:
        """Read the blocks in the order they were written, and go on behind the last record."""
        found = []
        for index in range(len(self._serials)):
            head = self._read((index, 0), HEADER_BYTES)
            header = read_header(head)
            if header is None:
                self.damaged = self.damaged or any(head)
            else:
                _, boot, self._serials[index] = header
                self.last_boot = max(self.last_boot, boot)
                found.append(index)
        for index in sorted(found, key=lambda one: self._serials[one]):
            self._block, self._end = index, HEADER_BYTES
            block = self._read((index, 0), self._block_bytes)
            for offset, record in records(block, self._serials[index]):
                self.damaged = self.damaged or offset != self._end
                self._end = offset + stride(len(record.payload))
                self._replay(record, _Place(index, offset))

    def _replay(self, record: Record, place: _Place) -> None:
        self.last_boot = max(self.last_boot, record.boot)
        self.last_ordinal = max(self.last_ordinal, record.ordinal)
        if record.kind == Kind.READING:
            self._readings[record.ordinal] = place.block, record.payload
            self._needed[place.block] += 1
        elif record.kind == Kind.MESSAGE:
            self._keep(Number(record.boot, record.seq), place)
            self._let_go_readings(record.ordinal)
        elif record.kind == Kind.LOST:
            self._keep(Number(record.boot, record.seq), place)
            self._lost[record.boot] = record.seq
        elif record.kind == Kind.FORGET:
            self._let_go(record.boot, record.seq)


# --- the file


def _open_locked(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise BufferInUse(
            f"{path} is in use by another process: a device runs once, and each has its own buffer"
        ) from error
    return file


def _set_aside(path: Path, file: int) -> tuple[int, Path]:
    """Begin a new file where nothing of the old one can be read; the old one is kept."""
    aside = path.rename(path.with_name(f"{path.name}.unreadable-{time.time_ns()}"))
    os.close(file)
    return _open_locked(path), aside


def _reserve(path: Path, file: int, size: int) -> None:
    """Make the file as long as it will ever be, with every byte of it written once."""
    at = os.fstat(file).st_size
    if at >= size:
        return
    begun = at
    try:
        while at < size:
            at += os.pwrite(file, bytes(min(size - at, 2**20)), at)
        os.fsync(file)
    except OSError as error:
        os.ftruncate(file, begun)  # a disk filled to the brim helps nobody
        need = f"{size / 2**20:.0f} MiB are reserved for it: free them, or give less (--capacity)"
        raise OSError(error.errno, f"{error.strerror}; {need}", str(path)) from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
