"""What devices hear of their numbered messages once these are committed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from ingest.messages import Rejected
from ingest.outcomes import Receipt
from storage import devices

Array = np.ndarray[Any, Any]


class Numbered(NamedTuple):
    """A message with the number that its device gave it."""

    message: int  # its place in the batch
    device: str
    boot: int
    seq: int


def note(
    connection: sa.Connection,
    numbered: Sequence[Numbered],
    offered: Array,
    stored: Array,
    problems: Mapping[int, Sequence[Rejected]],
) -> list[Receipt]:
    """Note the numbers of a batch as committed, and say what each device may forget.

    ``offered`` and ``stored`` count the readings and points of each message of the batch, and those
    of them that were new.
    """
    sent: dict[tuple[str, int], list[Numbered]] = defaultdict(list)
    for one in numbered:
        sent[one.device, one.boot].append(one)
    in_order = sorted(sent)
    contiguous = devices.note_all_committed(
        connection, {key: [one.seq for one in sent[key]] for key in in_order}
    )
    groups = np.repeat(np.arange(len(in_order)), [len(sent[key]) for key in in_order])
    messages = np.array([one.message for key in in_order for one in sent[key]], np.int64)
    kept, all_of_it = (
        np.bincount(groups, counts[messages], len(in_order)).astype(int).tolist()
        for counts in (stored, offered)
    )
    return [
        Receipt(*key, contiguous[key], new, whole - new, _reasons(sent[key], problems))
        for key, new, whole in zip(in_order, kept, all_of_it, strict=True)
    ]


def _reasons(
    messages: Sequence[Numbered], problems: Mapping[int, Sequence[Rejected]]
) -> dict[str, int]:
    if not problems:
        return {}
    found = (problem for one in messages for problem in problems.get(one.message, ()))
    return dict(Counter(problem.reason for problem in found))


def payload(receipt: Receipt) -> bytes:
    """A receipt as it is sent (docs/protocol.md)."""
    rejected = json.dumps(receipt.rejected) if receipt.rejected else "{}"
    return (
        f'{{"boot": {receipt.boot}, "seq": {receipt.seq}, "stored": {receipt.stored}, '
        f'"duplicate": {receipt.duplicate}, "rejected": {rejected}}}'
    ).encode()
