"""What could not be stored, for people at a terminal and as lines of a file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.printing import NONE
from storage.rejected import BeyondCount, KeptMessage

NOTHING = "Nothing was rejected that matches."
NEXT = (
    "docs/protocol.md says what each reason means. `dala rejected retry` reads messages again once "
    "a codec is mended or a device is known; `dala rejected export FILE` writes their payloads."
)


def as_line(one: KeptMessage) -> dict[str, Any]:
    """A kept message as a line of JSON, its payload in base64."""
    fields = one._asdict()
    payload = fields.pop("payload")
    for name in ("received_at", "last_received_at"):
        fields[name] = fields[name].isoformat().replace("+00:00", "Z")
    return fields | {"payload_base64": base64.b64encode(payload).decode()}


def as_document(
    kept: Sequence[KeptMessage], beyond: Sequence[BeyondCount], total: int
) -> dict[str, Any]:
    """The list as JSON, without payloads."""
    lines = [as_line(one) for one in kept]
    for line in lines:
        del line["payload_base64"]
    counted = [
        one._asdict() | {"first_day": str(one.first_day), "last_day": str(one.last_day)}
        for one in beyond
    ]
    return {"kept": total, "messages": lines, "counted_only": counted}


def print_rejected(
    kept: Sequence[KeptMessage], beyond: Sequence[BeyondCount], total: int, console: Console
) -> None:
    """Print the newest kept messages and what was only counted."""
    if not kept and not beyond:
        console.print(NOTHING)
        return
    blocks: list[RenderableType] = []
    if kept:
        blocks.append(_messages(kept, total))
    if beyond:
        blocks.append(_counts(beyond))
    console.print(Group(*blocks, Text(NEXT, style="dim")))


def _table(title: str) -> Table:
    return Table(
        box=box.SIMPLE, pad_edge=False, collapse_padding=True, title=title, title_justify="left"
    )


def _messages(kept: Sequence[KeptMessage], total: int) -> Table:
    table = _table(f"Rejected messages: the newest {len(kept)} of {total:,}")
    table.add_column("last (UTC)", no_wrap=True)
    table.add_column("device", overflow="fold")
    table.add_column("reason", overflow="fold", style="bold")
    table.add_column("times", justify="right")
    table.add_column("detail", overflow="fold")
    for one in kept:
        cut = "" if one.is_whole else f" ({one.payload_bytes:,} bytes, kept in part)"
        table.add_row(
            f"{one.last_received_at:%Y-%m-%d %H:%M}",
            Text(one.device or NONE),
            one.reason,
            f"{one.times:,}",
            Text(one.detail + cut),
        )
    return table


def _counts(beyond: Sequence[BeyondCount]) -> Table:
    table = _table("Beyond a device's room: counted, their payloads are gone")
    for name in ("device", "reason", "from", "to"):
        table.add_column(name)
    table.add_column("messages", justify="right")
    for one in beyond:
        table.add_row(
            Text(one.device or NONE),
            one.reason,
            str(one.first_day),
            str(one.last_day),
            f"{one.messages:,}",
        )
    return table
