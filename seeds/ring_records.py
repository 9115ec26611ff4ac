"""The bytes of a device's memory: blocks with a header, and the records in them.

A record's checksum covers the serial number of its block too, so that what is left of an earlier
use of the block is never taken for new.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

MAGIC = b"DALABLK1"
MARK = 0xDA1A
_HEADER = struct.Struct("<8sIIQI4x")  # magic, size of a block, boot, serial, checksum
_RECORD = struct.Struct("<HBBIIIQI4x")  # mark, kind, tag, length, boot, seq, ordinal, checksum
_ALIGNED = 8
HEADER_BYTES, RECORD_BYTES = _HEADER.size, _RECORD.size


class Kind(IntEnum):
    """What a record says."""

    BOOT = 1  # a boot has begun
    READING = 2  # a reading that is in no message yet
    MESSAGE = 3  # a message, made of the readings up to an ordinal
    FORGET = 4  # the messages of a boot up to a number are receipted
    LOST = 5  # no message of a boot is left that came up to a number, and nobody knows of them


class Record(NamedTuple):
    """One record as it stands in a block."""

    kind: int
    tag: int
    boot: int
    seq: int
    ordinal: int
    payload: bytes


def stride(length: int) -> int:
    """Bytes that a record with a payload of this length takes."""
    return -(-(_RECORD.size + length) // _ALIGNED) * _ALIGNED


def encoded(record: Record, serial: int) -> bytes:
    """A record as it stands in the block of a serial number."""
    kind, tag, boot, seq, ordinal, payload = record
    fields = (MARK, kind, tag, len(payload), boot, seq, ordinal)
    head = _RECORD.pack(*fields, _checksum(fields, payload, serial))
    return (head + payload).ljust(stride(len(payload)), b"\0")


def payload_length(head: bytes) -> int:
    """How long the payload is that a record's beginning announces; 0 if it is cut off."""
    return int(_RECORD.unpack(head)[3]) if len(head) == _RECORD.size else 0


def parse(block: bytes, offset: int, serial: int) -> Record | None:
    """The record at an offset of a block; None if there is no whole and sound one."""
    if offset + _RECORD.size > len(block):
        return None
    *fields, checksum = _RECORD.unpack_from(block, offset)
    mark, kind, tag, length, boot, seq, ordinal = fields
    start = offset + _RECORD.size
    if mark != MARK or start + length > len(block):
        return None
    payload = block[start : start + length]
    if checksum != _checksum(tuple(fields), payload, serial):
        return None
    return Record(kind, tag, boot, seq, ordinal, payload)


def _checksum(fields: tuple[int, ...], payload: bytes, serial: int) -> int:
    head = _RECORD.pack(*fields, 0) + serial.to_bytes(8, "little")
    return zlib.crc32(payload, zlib.crc32(head))


def records(block: bytes, serial: int) -> Iterator[tuple[int, Record]]:
    """Sound records of a block with their offsets, those behind a damaged one too."""
    offset = _HEADER.size
    while offset + _RECORD.size <= len(block):
        record = parse(block, offset, serial)
        if record is not None:
            yield offset, record
            offset += stride(len(record.payload))
            continue
        offset = block.find(MARK.to_bytes(2, "little"), offset + 1)
        if offset < 0:
            return
        offset = -(-offset // _ALIGNED) * _ALIGNED


def block_header(block_bytes: int, boot: int, serial: int) -> bytes:
    """What a block begins with."""
    fields = MAGIC, block_bytes, boot, serial
    return _HEADER.pack(*fields, zlib.crc32(_HEADER.pack(*fields, 0)))


def read_header(block: bytes) -> tuple[int, int, int] | None:
    """Size of a block, boot and serial; None if there is no sound header."""
    if len(block) < _HEADER.size:
        return None
    magic, block_bytes, boot, serial, _ = _HEADER.unpack_from(block)
    sound = magic == MAGIC and block[: _HEADER.size] == block_header(block_bytes, boot, serial)
    return (block_bytes, boot, serial) if sound else None
