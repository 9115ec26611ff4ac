"""The Things Stack 3, JSON, on `v3/{application}/devices/{id}/up` and its sisters.

Zero, false and "" are left out of a message. `rx_metadata[].timestamp` is the counter of a
concentrator, not a time. A message that was simulated in the console says so and is marked.
`locations` beside an uplink are what the network had on file; where a device is now comes as a
message of its own.
"""

import re
from base64 import b64decode
from typing import Any

from ingest.codecs import lorawan, places, repeats
from ingest.codecs.documents import load, member, members
from ingest.codecs.lorawan.link import strongest_dbm
from ingest.codecs.times import first_time
from ingest.messages import Context, Decoded, PayloadError, Reading, Rejected
from storage.readings import Quality

_EUI = re.compile(r"[0-9a-f]{16}")
_QUIET = (  # the member that carries what a message is about, if not an uplink
    "join_accept",
    "downlinks",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "service_data",
)


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings.

    Raises
    ------
    PayloadError
        If it is no message of The Things Stack 3, or nothing tells what its uplink means.
    """
    document = load(payload)  # the DevEUI is in the message, not in the topic
    if context.levels[2:] == ("up/normalized",):
        return _ignored(document, "up/normalized: says again what up has said")
    if not isinstance(document.get("uplink_message"), dict):
        if isinstance(document.get("location_solved"), dict):
            return _location(document, context)
        about = [name for name in _QUIET if name in document]
        if about:
            return _ignored(document, f"{about[0]}: no uplink")
        raise PayloadError("bad-message", "no uplink_message: not from The Things Stack 3")
    return _uplink(document, _known(document), context)


def _ignored(document: dict[str, Any], why: str) -> Decoded:
    return Decoded(_device(document), [], [], [], ignored=why)


def _device(document: dict[str, Any]) -> str | None:
    eui = member(document, "end_device_ids", "dev_eui")
    known = isinstance(eui, str) and _EUI.fullmatch(eui.lower())
    return f"lora:{eui.lower()}" if known else None


def _known(document: dict[str, Any]) -> str:
    device = _device(document)
    if device is None:
        raise PayloadError("bad-message", "end_device_ids.dev_eui is not 16 hex digits")
    return device


def _uplink(document: dict[str, Any], device: str, context: Context) -> Decoded:
    message = document["uplink_message"]
    time_us, source, quality, learned = _time(document, device, context)
    signal_dbm = strongest_dbm(members(message, "rx_metadata"))
    if document.get("simulated") is True:
        quality |= int(Quality.SIMULATED)
        signal_dbm = None  # no gateway heard it
    uplink = lorawan.Uplink(
        device,
        time_us,
        source,
        quality,
        members(message, "normalized_payload"),
        message.get("decoded_payload"),
        _data(message),
        port=message["f_port"] if type(message.get("f_port")) is int else None,
    )
    battery = _battery(message, device, quality & int(Quality.SIMULATED))
    if not uplink.data and not uplink.decoded and not uplink.normalized:
        why = None if battery else "up: an uplink without data"
        return Decoded(device, battery, [], [], ignored=why, signal_dbm=signal_dbm)
    brand, model_id = (member(message, "version_ids", name) for name in ("brand_id", "model_id"))
    names = (f"{brand}-{model_id}", member(message, "attributes", "profile"))
    decoded = lorawan.decode(uplink, context.profile, *names, memory=context.memory)
    return decoded._replace(
        readings=decoded.readings + battery,
        learned={**decoded.learned, **learned},
        ignored=None if battery else decoded.ignored,
        signal_dbm=signal_dbm,
    )


def _battery(message: dict[str, Any], device: str, quality: int) -> list[Reading]:
    """The level that the network last asked the device for, at the time of its answer.

    It is said again with every uplink: without its own time it would be one more each time.
    """
    level: Any = member(message, "last_battery_percentage", "value")
    time_us = first_time(member(message, "last_battery_percentage", "received_at"))
    if time_us is None or type(level) not in (int, float) or not 0 <= level <= 100:
        return []
    return [Reading(device, "battery_level", float(level), time_us, "network", quality=quality)]


def _location(document: dict[str, Any], context: Context) -> Decoded:
    device = _known(document)
    if not member(document, "location_solved", "location"):
        return _ignored(document, "location_solved: no place")
    if document.get("simulated") is True:
        return _ignored(document, "location_solved: simulated, and a place has no flag to say so")
    time_us = first_time(document.get("received_at")) or context.received_at_us
    found = places.point(member(document, "location_solved", "location"), time_us)
    if isinstance(found, Rejected):
        return Decoded(device, [], [], [found])
    return Decoded(device, [], [found], [])


def _time(document: dict[str, Any], device: str, context: Context) -> Any:
    """When the network heard the uplink, else the arrival.

    With it whose time it is, its quality, and what is learned so that a repeat has the same.
    """
    time_us = first_time(
        member(document, "uplink_message", "received_at"),
        document.get("received_at"),
        *(member(heard, "time") for heard in members(document, "uplink_message", "rx_metadata")),
    )
    if time_us is not None:
        return time_us, "network", 0, {}
    time_us, learned = repeats.first_arrival(context, device, _name(document))
    return time_us, "server", int(Quality.SERVER_TIME), learned


def _name(document: dict[str, Any]) -> str | None:
    """What identifies an uplink, beside its device: the session, and the counter in it."""
    session = member(document, "uplink_message", "session_key_id")
    counter = document["uplink_message"].get("f_cnt", 0)  # the server leaves zeros out
    if not isinstance(session, str) or not session or type(counter) is not int:
        return None
    return f"{'simulated ' if document.get('simulated') is True else ''}{session}/{counter}"


def _data(message: dict[str, Any]) -> bytes:
    data = message.get("frm_payload")
    if data is None:
        return b""
    try:
        return b64decode(data, validate=True)
    except (ValueError, TypeError) as error:
        raise PayloadError("bad-message", f"frm_payload is not base64: {error}") from error
