"""Files in one: a ZIP that has a single spelling, so that no byte of it can change unseen.

Files stand one after the other as they are, not packed, without times, rights or remarks; all
lengths are ZIP64's (APPNOTE.TXT 6.3.10, 4.3 and 4.5.3). Whatever reads ZIP reads it; what a reader
finds is written down anew and compared, byte for byte, before anything is believed.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

PIECE = 1 << 20  # bytes
_VERSION = 45  # of APPNOTE: the first with ZIP64
_DAY = 0x21  # 1980-01-01, the first that there is
_UNKNOWN_32 = 0xFFFFFFFF
_LOCAL = struct.Struct("<4s5H3I2H")
_LOCAL_64 = struct.Struct("<2H2Q")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_CENTRAL_64 = struct.Struct("<2H3Q")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")


class BadContainer(ValueError):
    """No such file of files; the message says what is wrong with it."""


class Member(NamedTuple):
    """A file among them."""

    name: str
    size: int  # bytes
    crc: int


def write(send: Callable[[bytes], object], files: Mapping[str, Path]) -> None:
    """Hand on the bytes of a container of files, piece by piece; names are ASCII."""
    members = [_member(name, path) for name, path in files.items()]
    offset = 0
    for one in members:
        head = _head(one)
        send(head)
        offset += len(head)
        for piece in _pieces(files[one.name]):
            send(piece)
        offset += one.size
    send(_directory(members, offset))


def _member(name: str, path: Path) -> Member:
    size = crc = 0
    for piece in _pieces(path):
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return Member(name, size, crc)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _head(one: Member) -> bytes:
    name = one.name.encode("ascii")
    sizes = _LOCAL_64.pack(1, 16, one.size, one.size)
    return (
        _LOCAL.pack(
            b"PK\x03\x04", _VERSION, 0, 0, 0, _DAY, one.crc, _UNKNOWN_32, _UNKNOWN_32,
            len(name), len(sizes),
        )
        + name
        + sizes
    )  # fmt: skip


def _directory(members: Sequence[Member], begin: int) -> bytes:
    """All that stands after the files."""
    made, offset = b"", 0
    for one in members:
        name = one.name.encode("ascii")
        sizes = _CENTRAL_64.pack(1, 24, one.size, one.size, offset)
        made += _CENTRAL.pack(
            b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DAY, one.crc, _UNKNOWN_32, _UNKNOWN_32,
            len(name), len(sizes), 0, 0, 0, 0, _UNKNOWN_32,
        )  # fmt: skip
        made += name + sizes
        offset += len(_head(one)) + one.size
    count, size = len(members), len(made)
    end = _END_64.pack(b"PK\x06\x06", 44, _VERSION, _VERSION, 0, 0, count, count, size, begin)
    locator = _LOCATOR.pack(b"PK\x06\x07", 0, begin + size, 1)
    unknown = min(count, 0xFFFF)
    last = _END.pack(b"PK\x05\x06", 0, 0, unknown, unknown, _UNKNOWN_32, _UNKNOWN_32, 0)
    return made + end + locator + last


def read(path: Path) -> dict[str, pa.Buffer]:
    """The files of a container by name, as they lie in it: nothing is copied, or unpacked.

    Raises
    ------
    OSError
        If it cannot be read.
    BadContainer
        If it is no such container to the last byte, or cut short.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            found = opened.infolist()
    # What zipfile raises of bytes that are no ZIP; nothing of ours runs here.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        raise BadContainer(f"it is no whole ZIP file ({error})") from error
    if any(one.compress_type != zipfile.ZIP_STORED for one in found):
        raise BadContainer("its files are packed, which those of a bundle are not")
    names = [one.filename for one in found]
    if len(set(names)) < len(names) or not all(name.isascii() for name in names):
        raise BadContainer("two of its files have one name, or a name that is not plain")
    members = [Member(one.filename, one.file_size, one.CRC) for one in found]
    whole = pa.memory_map(str(path)).read_buffer()
    return dict(_laid_out(members, whole))


def _laid_out(members: Sequence[Member], whole: pa.Buffer) -> Iterator[tuple[str, pa.Buffer]]:
    at = 0
    for one in members:
        head = _head(one)
        begin = at + len(head)
        if begin + one.size > whole.size or bytes(whole.slice(at, len(head))) != head:
            raise BadContainer(f"{one.name} does not stand in it as it was written")
        body = whole.slice(begin, one.size)
        if zlib.crc32(memoryview(body)) != one.crc:
            raise BadContainer(f"{one.name} is damaged")
        yield one.name, body
        at = begin + one.size
    if bytes(whole.slice(at)) != _directory(members, at):
        raise BadContainer("it says more than what its files are, or something is cut off")
