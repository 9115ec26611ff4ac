"""The Things Stack 3, JSON, on `v3/{application}/devices/{id}/up` and its sisters.

Zero, false and "" are left out of a message. `rx_metadata[].timestamp` is the counter of a
concentrator, not a time. A message that was simulated in the console says so and is marked.
"""

import re
from base64 import b64decode
from typing import Any

from ingest.codecs import lorawan
from ingest.codecs.documents import load, member, members
from ingest.codecs.times import first_time
from ingest.messages import Context, Decoded, PayloadError
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
    "location_solved",
    "service_data",
)


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings.

    Raises
    ------
    PayloadError
        If it is no message of The Things Stack 3, or nothing tells what its uplink means.
    """
    *_, event = context.levels  # the DevEUI is in the message, not in the topic
    document = load(payload)
    if event == "up/normalized":
        return _ignored(document, "up/normalized: says again what up has said")
    if not isinstance(document.get("uplink_message"), dict):
        about = [name for name in _QUIET if name in document]
        if about:
            return _ignored(document, f"{about[0]}: no uplink")
        raise PayloadError("bad-message", "no uplink_message: not from The Things Stack 3")
    device = _device(document)
    if device is None:
        raise PayloadError("bad-message", "end_device_ids.dev_eui is not 16 hex digits")
    return _uplink(document, device, context)


def _ignored(document: dict[str, Any], why: str) -> Decoded:
    return Decoded(_device(document), [], [], [], ignored=why)


def _device(document: dict[str, Any]) -> str | None:
    eui = member(document, "end_device_ids", "dev_eui")
    known = isinstance(eui, str) and _EUI.fullmatch(eui.lower())
    return f"lora:{eui.lower()}" if known else None


def _uplink(document: dict[str, Any], device: str, context: Context) -> Decoded:
    message = document["uplink_message"]
    time_us, source, quality = _time(document, context)
    if document.get("simulated") is True:
        quality |= int(Quality.SIMULATED)
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
    if not uplink.data and not uplink.decoded and not uplink.normalized:
        return Decoded(device, [], [], [], ignored="up: an uplink without data")
    brand, model_id = (member(message, "version_ids", name) for name in ("brand_id", "model_id"))
    names = (f"{brand}-{model_id}", member(message, "attributes", "profile"))
    return lorawan.decode(uplink, context.profile, *names)


def _time(document: dict[str, Any], context: Context) -> Any:
    """When the network heard the uplink, else the arrival."""
    time_us = first_time(
        member(document, "uplink_message", "received_at"),
        document.get("received_at"),
        *(member(heard, "time") for heard in members(document, "uplink_message", "rx_metadata")),
    )
    if time_us is not None:
        return time_us, "network", 0
    return context.received_at_us, "server", int(Quality.SERVER_TIME)


def _data(message: dict[str, Any]) -> bytes:
    data = message.get("frm_payload")
    if data is None:
        return b""
    try:
        return b64decode(data, validate=True)
    except (ValueError, TypeError) as error:
        raise PayloadError("bad-message", f"frm_payload is not base64: {error}") from error
