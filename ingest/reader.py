"""A batch taken apart: the usual messages of known devices into columns, the others one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from typing import Any, NamedTuple

import sqlalchemy as sa

from ingest.codecs import (
    ASKS_FOR_DEVICE,
    MAX_BYTES,
    senml,
    senml_columns,
    track,
    track_columns,
)
from ingest.codecs.senml_columns import Names, Numbers
from ingest.kept import Kept
from ingest.messages import Decoded
from ingest.outcomes import Message
from ingest.receipts import Numbered
from ingest.rows import Origins
from storage import devices
from storage.devices import Device


class Read(NamedTuple):
    """What the messages of a batch say, by their places in it."""

    packs: senml_columns.Rows
    pack_origins: Origins
    tracks: track_columns.Points
    track_origins: Origins
    others: dict[int, Decoded]  # messages that were read one by one
    owners: dict[int, str]  # ids of the devices of usual messages
    numbered: list[Numbered]  # usual messages with a number


class _Usual(NamedTuple):
    """How the usual messages of one topic are read."""

    device_id: str
    names: Names | None  # of a pack's datastreams; None: it is a track


def read(connection: sa.Connection, messages: Sequence[Message], kept: Kept) -> Read:
    """Read the messages in order: what one says of later ones counts for the next already.

    Devices that they name are looked up; what senders say of later messages is remembered.
    """
    usual = _usual_senders(connection, messages, kept)
    packs, points = senml_columns.Rows(), track_columns.Points()
    found = Read(packs, Origins([], []), points, Origins([], []), {}, {}, [])
    for index, message in enumerate(messages):
        sender = usual[message.topic]
        numbers = None if sender is None else _read_usual(index, message.payload, sender, found)
        if sender is None or numbers is None:
            one = found.others[index] = _decode(message, kept)
            if one.learned:
                kept.memory.update(one.learned)  # right whether or not we commit
            continue
        found.owners[index] = sender.device_id
        boot, seq = numbers
        if boot is not None and seq is not None:
            found.numbered.append(Numbered(index, sender.device_id, boot, seq))
    kept.memory.save(connection)
    named = {one.device for one in found.others.values() if one.device is not None}
    _look_up(connection, named, kept)
    _read_by_device(messages, found.others, kept)
    return found


def _read_usual(index: int, payload: bytes, sender: _Usual, found: Read) -> Numbers | None:
    """Read a message into columns; None if it is not a usual one."""
    if len(payload) > MAX_BYTES:
        return None
    if sender.names is not None:
        rows: Sized = found.packs
        origins = found.pack_origins
        numbers = senml_columns.read(payload, sender.names, found.packs)
    else:
        rows, origins = found.tracks, found.track_origins
        numbers = track_columns.read(payload, found.tracks)
    if numbers is not None:
        origins.messages.append(index)
        origins.ends.append(len(rows))
    return numbers


def _usual_senders(
    connection: sa.Connection, messages: Sequence[Message], kept: Kept
) -> dict[str, _Usual | None]:
    """By topic: how its messages are read into columns, where that may be."""
    routes = {topic: kept.registry.route(topic) for topic in {one.topic for one in messages}}
    named = {
        topic: (found[0].codec, found[1][0])
        for topic, found in routes.items()
        if found is not None and found[0].codec in (senml.decode, track.decode)
    }
    _look_up(connection, {identity for _, identity in named.values() if identity}, kept)
    usual: dict[str, _Usual | None] = dict.fromkeys(routes)
    for topic, (codec, identity) in named.items():
        device = kept.devices.get(identity)
        if device is not None and not device.disabled:
            names = _names(identity, device, kept) if codec is senml.decode else None
            usual[topic] = _Usual(device.id, names)
    return usual


def _names(identity: str, device: Device, kept: Kept) -> Names:
    names = kept.names.get(identity)
    if names is None or names.device_id != device.id:
        names = kept.names[identity] = Names(identity, device.id, kept.streams)
    return names


def _decode(message: Message, kept: Kept, **known: Any) -> Decoded:
    return kept.registry.decode(
        message.topic,
        message.payload,
        received_at_us=message.received_at_us,
        memory=kept.memory,
        **known,
    )


def _look_up(connection: sa.Connection, identities: Iterable[str], kept: Kept) -> None:
    missing = [identity for identity in identities if identity not in kept.devices]
    clean = [identity for identity in missing if "\x00" not in identity]
    kept.devices.update(devices.by_identity(connection, clean))


def _read_by_device(messages: Sequence[Message], found: dict[int, Decoded], kept: Kept) -> None:
    """Some messages are read by what is known of their device: its profile, its time zone."""
    for index, decoded in found.items():
        device = kept.devices.get(decoded.device or "")
        if device is None or (device.profile is None and device.timezone is None):
            continue
        asks = any(problem.reason in ASKS_FOR_DEVICE for problem in decoded.rejected)
        # A network's own decoder may know a part of what the profile reads.
        by_profile = device.profile is not None and (decoded.device or "").startswith("lora:")
        if asks or by_profile:
            found[index] = _decode(
                messages[index], kept, profile=device.profile, timezone=device.timezone
            )
