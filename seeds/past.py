"""A season that is over, stored as ingest would have received it while it went on; no broker.

Each device said once a day what it had measured; its messages arrive in the order of time, each at
the time of its last record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ingest.storing import Line, Message
from seeds.messages import Outgoing, Sender, numbered

BOOT = 1
MESSAGES_A_BATCH = 500


class Past(NamedTuple):
    """What devices said, by message, in the order of time."""

    times_us: np.ndarray[Any, np.dtype[np.int64]]  # of each message's last record
    messages: list[Message]


def of(senders: Iterable[Sender]) -> Past:
    """What the devices said in their season."""
    found = sorted((pair for sender in senders for pair in _said(sender)), key=lambda pair: pair[0])
    return Past(np.array([time for time, _ in found]), [message for _, message in found])


def store(
    line: Line,
    past: Past,
    after: dt.datetime | None,
    until: dt.datetime,
    *,
    advance: Callable[[int], object] = lambda _count: None,
) -> int:
    """Store what was said in the time; return how many readings and points were new."""
    start = 0 if after is None else _place(past, after)
    end = _place(past, until)
    stored = 0
    for first in range(start, end, MESSAGES_A_BATCH):
        part = past.messages[first : min(first + MESSAGES_A_BATCH, end)]
        stored += line.store(part).stored
        advance(len(part))
    return stored


def _place(past: Past, moment: dt.datetime) -> int:
    return int(np.searchsorted(past.times_us, round(moment.timestamp() * 1e6)))


def _said(sender: Sender) -> list[tuple[int, Message]]:
    """A device's readings day by day, each a message; its tracks as they are."""
    days: dict[int, list[dict[str, Any]]] = {}
    tracks = []
    for one in sender.messages:
        if one.kind == "track":
            last = dt.datetime.fromisoformat(one.body[-1]["time"])
            tracks.append((round(last.timestamp()), one))
            continue
        base = one.body[0]["bt"]
        for record in one.body:
            moment = base + record["t"]
            clean = {k: v for k, v in record.items() if k != "bt"} | {"t": moment}
            days.setdefault(moment // 86_400, []).append(clean)
    packs = [
        (max(record["t"] for record in body), Outgoing("senml", body)) for body in days.values()
    ]
    return [
        (
            moment * 1_000_000,
            Message(
                f"dala/v1/{sender.device_id}/{one.kind}",
                numbered(one, sender.device_id, BOOT, seq),
                moment * 1_000_000,
            ),
        )
        for seq, (moment, one) in enumerate(sorted([*packs, *tracks], key=lambda p: p[0]), 1)
    ]
