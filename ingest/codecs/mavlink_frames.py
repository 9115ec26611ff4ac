"""MAVLink frames, versions 1 and 2, and the telemetry logs that put a time before each.

Frames are cut apart here by their lengths; what is inside them is read by pymavlink, an optional
package, with its checksum. Only messages that `mavlink` asks for are opened.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from ingest.messages import PayloadError

V1, V2 = 0xFE, 0xFD
_HEADERS = {V1: 6, V2: 10}  # bytes before the content
_CHECKSUM, _SIGNATURE = 2, 13
_LOG_TIME = 8  # bytes of a log's time before each frame: µs since 1970, big-endian


class Frame(NamedTuple):
    """One message of a vehicle."""

    system: int
    name: str
    fields: dict[str, Any]
    logged_us: int | None  # when a ground station logged it, by its clock


def is_frames(payload: bytes) -> bool:
    """Whether frames begin here, alone or behind the time of a log."""
    return payload[:1] in (b"\xfd", b"\xfe") or payload[8:9] in (b"\xfd", b"\xfe")


def frames(payload: bytes, wanted: Collection[str]) -> Iterator[Frame | PayloadError]:
    """The wanted messages of a run of frames, or why one cannot be read; the rest is passed over.

    Raises
    ------
    PayloadError
        If pymavlink is not installed.
    """
    dialect = _dialect()
    numbers = {number: kind.msgname for number, kind in dialect.mavlink_map.items()}
    reader = dialect.MAVLink(None)
    in_log = payload[0] not in _HEADERS
    start = 0
    while start < len(payload):
        logged = int.from_bytes(payload[start : start + _LOG_TIME]) if in_log else None
        begin = start + _LOG_TIME * in_log
        size = _size(payload, begin)
        if size is None or begin + size > len(payload):
            yield PayloadError(
                "bad-frame", f"byte {begin}: no MAVLink frame begins here, or it ends early"
            )
            return
        frame = payload[begin : begin + size]
        name = numbers.get(_message_number(frame))
        if name is not None and name in wanted:
            try:
                message = reader.decode(bytearray(frame))
            except Exception as error:  # what it raises beyond its own kind is not documented
                yield PayloadError("bad-frame", f"byte {begin}: {error}")
            else:
                yield Frame(message.get_srcSystem(), name, message.to_dict(), logged)
        start = begin + size


def _size(payload: bytes, begin: int) -> int | None:
    """Length of the frame that begins at a byte; None if none does."""
    if begin + 3 > len(payload) or payload[begin] not in _HEADERS:
        return None
    size = _HEADERS[payload[begin]] + payload[begin + 1] + _CHECKSUM
    signed = payload[begin] == V2 and payload[begin + 2] & 1
    return size + _SIGNATURE if signed else size


def _message_number(frame: bytes) -> int:
    return frame[5] if frame[0] == V1 else int.from_bytes(frame[7:10], "little")


@lru_cache(maxsize=1)
def _dialect() -> Any:
    try:
        return import_module("pymavlink.dialects.v20.common")
    except ImportError:
        raise PayloadError(
            "mavlink-not-installed",
            "frames of MAVLink need pymavlink: pip install 'dala[mavlink]', "
            "or send the JSON of mavlink2rest",
        ) from None
