"""Devices say which messages they lost: an empty one comes under each number (docs/protocol.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from ingest.messages import Rejected, from_us
from ingest.receipts import Numbered
from storage import lost_messages
from storage.devices import Device
from storage.lost_messages import Declared

Array = np.ndarray[Any, Any]


def note(
    connection: sa.Connection,
    numbered: Sequence[Numbered],
    offered: Array,
    problems: Mapping[int, Sequence[Rejected]],
    known: Iterable[Device],
    times: tuple[Array, Array],
    *,
    now_us: int,
) -> None:
    """Note the numbers of a batch under which nothing came, before they are committed.

    Parameters
    ----------
    offered
        How many readings and points each message of the batch has.
    times
        Of the batch's readings: their times [µs since epoch], and the message of each.
    """
    if offered.all():  # as in nearly every batch: no message is empty
        return
    empty: dict[tuple[str, int], list[int]] = defaultdict(list)
    for one in numbered:
        if not offered[one.message] and not problems.get(one.message):
            empty[one.device, one.boot].append(one.seq)
    if not empty:
        return
    farms = {device.id: device.farm_id for device in known if not device.disabled}
    declared = [
        _declared(device, farms[device], boot, seqs, numbered, times)
        for (device, boot), seqs in sorted(empty.items())
        if device in farms
    ]
    lost_messages.note(connection, declared, now=from_us(now_us))


def _declared(
    device: str,
    farm_id: int | None,
    boot: int,
    seqs: list[int],
    numbered: Sequence[Numbered],
    times: tuple[Array, Array],
) -> Declared:
    """What is lost, between the readings of the batch that were sent before it and after it."""
    alike = [one for one in numbered if (one.device, one.boot) == (device, boot)]
    earlier = _times_of([one.message for one in alike if one.seq < min(seqs)], times)
    later = _times_of([one.message for one in alike if one.seq > max(seqs)], times)
    return Declared(
        device,
        farm_id,
        boot,
        sorted(set(seqs)),
        after=from_us(int(earlier.max())) if len(earlier) else None,
        before=from_us(int(later.min())) if len(later) else None,
    )


def _times_of(messages: list[int], times: tuple[Array, Array]) -> Array:
    found: Array = times[0][np.isin(times[1], messages)]
    return found
