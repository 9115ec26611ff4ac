"""ChirpStack 4 events, JSON or protobuf, on `application/{id}/device/{devEui}/event/{event}`.

The first byte tells which: `{` begins no protobuf event. Times are the gateway's or the server's,
never the device's. A field may be absent where its value is zero, and `object` is absent where the
server has no codec or the codec threw.
"""

import re
import zlib
from base64 import b64decode
from typing import Any

from ingest.codecs import chirpstack_protobuf, lorawan, places, repeats
from ingest.codecs.documents import load, member, members
from ingest.codecs.lorawan.link import strongest_dbm
from ingest.codecs.times import first_time
from ingest.messages import Context, Decoded, PayloadError, Reading, Rejected
from storage.readings import Quality

_EUI = re.compile(r"[0-9a-f]{16}")
_QUIET = {  # events that measure nothing
    "join": "a device joined",
    "ack": "a downlink was acknowledged",
    "txack": "a downlink was sent",
    "log": "a log entry of the server",
    "integration": "an event of another integration",
}
_BEYOND = 1e9  # no per cent
_NO_BATTERY = {  # members of a status, and why there is no level beside them
    "externalPowerSource": "the device has external power",
    "batteryLevelUnavailable": "the device cannot measure its battery",
}


def device_of(levels: tuple[str, ...]) -> str | None:
    """The wire identity in a topic, if its DevEUI is one."""
    eui = levels[1].lower()
    return f"lora:{eui}" if _EUI.fullmatch(eui) else None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one event into readings.

    Raises
    ------
    PayloadError
        If it is no event of ChirpStack 4, or nothing tells what its uplink means.
    """
    event = context.levels[2]
    json = payload.lstrip()[:1] == b"{"
    document = load(payload) if json else chirpstack_protobuf.load(payload, event)
    device = _device(document, context)
    if event == "up":
        return _uplink(document, device, context)
    if event == "status":
        return _status(document, device, context)
    if event == "location":
        return _location(document, device, context)
    if event in _QUIET:
        return Decoded(device, [], [], [], ignored=f"{event}: {_QUIET[event]}")
    raise PayloadError("unknown-event", f"ChirpStack has no event {event[:40]!r}")


def _device(document: dict[str, Any], context: Context) -> str:
    if "deviceInfo" not in document and ("devEUI" in document or "applicationID" in document):
        raise PayloadError(
            "legacy-chirpstack-v3",
            "an event of ChirpStack 3, which is read differently: update the server to version 4",
        )
    eui = member(document, "deviceInfo", "devEui")
    if not isinstance(eui, str) or not _EUI.fullmatch(eui.lower()):
        raise PayloadError("bad-message", "deviceInfo.devEui is not a DevEUI of 16 hex digits")
    device = f"lora:{eui.lower()}"
    if device_of(context.levels) not in (None, device):
        raise PayloadError("foreign-device", f"{device} is not the device of the topic")
    return device


def _uplink(document: dict[str, Any], device: str, context: Context) -> Decoded:
    time_us, source, quality, learned = _time(document, device, context)
    decoded = member(document, "object")
    uplink = lorawan.Uplink(
        device, time_us, source, quality, [], decoded, _data(document), _port(document)
    )
    if not uplink.data and not decoded:
        return Decoded(device, [], [], [], ignored="up: an uplink without data")
    tags = member(document, "deviceInfo", "tags")
    names = (member(document, "deviceInfo", "deviceProfileName"), member(tags, "profile"))
    found = lorawan.decode(uplink, context.profile, *names, memory=context.memory)
    return found._replace(
        learned={**found.learned, **learned},
        signal_dbm=strongest_dbm(members(document, "rxInfo")),
    )


def _status(document: dict[str, Any], device: str, context: Context) -> Decoded:
    level: Any = document.get("batteryLevel")
    for said, why in _NO_BATTERY.items():
        if document.get(said):
            return Decoded(device, [], [], [], ignored=f"status: {why}")
    if type(level) not in (int, float) or not abs(level) < _BEYOND:  # so NaN is none
        return Decoded(device, [], [], [], ignored="status: no battery level")
    time_us, source, quality, learned = _time(document, device, context)
    reading = Reading(device, "battery_level", float(level), time_us, source, quality=quality)
    return Decoded(device, [reading], [], [], learned=learned)


def _location(document: dict[str, Any], device: str, context: Context) -> Decoded:
    """Where the device is; the place of the gateway (in `rxInfo`) is another matter."""
    if not document.get("location"):
        return Decoded(device, [], [], [], ignored="location: no place")
    time_us, _, _, learned = _time(document, device, context)
    found = places.point(document.get("location"), time_us)
    if isinstance(found, Rejected):
        return Decoded(device, [], [], [found])
    return Decoded(device, [], [found], [], learned=learned)


def _time(document: dict[str, Any], device: str, context: Context) -> Any:
    """Time of an event: its own, else when a gateway or the server heard it, else the arrival.

    With it whose time it is, its quality, and what is learned so that a repeat has the same.
    """
    heard = [
        member(gateway, name)
        for name in ("nsTime", "gwTime", "time")
        for gateway in members(document, "rxInfo")
    ]
    time_us = first_time(document.get("time"), *heard)
    if time_us is not None:
        return time_us, "network", 0, {}
    time_us, learned = repeats.first_arrival(context, device, _name(document))
    return time_us, "server", int(Quality.SERVER_TIME), learned


def _name(document: dict[str, Any]) -> str | None:
    """What identifies an event: the server's id, else the counter of its uplink.

    A counter may begin again in a device without a join, so its bytes belong to it.
    """
    given, address = document.get("deduplicationId"), document.get("devAddr")
    if isinstance(given, str) and given:
        return given
    counter = document.get("fCnt", 0)  # older servers leave zeros out
    if not isinstance(address, str) or not address or type(counter) is not int:
        return None
    return f"{address}/{counter}/{zlib.crc32(_data(document)):08x}"


def _data(document: dict[str, Any]) -> bytes:
    data = document.get("data")
    if data is None:
        return b""
    if isinstance(data, bytes):  # of protobuf
        return data
    try:
        return b64decode(data, validate=True)
    except (ValueError, TypeError) as error:
        raise PayloadError("bad-message", f"data is not base64: {error}") from error


def _port(document: dict[str, Any]) -> int | None:
    port = document.get("fPort")
    return port if type(port) is int else None
