"""Alerts and strangers for people at a terminal: what is wrong, since when, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from reports.printing import NONE
from storage.alerts import Alert
from storage.unknown import OTHERS, Unknown

NO_ALERTS = "Nothing is open. `--all` shows what was."
NO_STRANGERS = "Every device that spoke is registered."
HOW_TO_ACKNOWLEDGE = (
    "Known to be lost? `dala acknowledge NUMBER --by NAME` closes a gap, "
    "and notes who knows of a silence."
)
HOW_TO_CLAIM = "Register one: dala claim IDENTITY --farm FARM --kind KIND"
TOO_MANY = f"{OTHERS}: more identities than the list keeps; somebody may be inventing them."
FEW_RANGES = 4  # of missing numbers, on a line


def print_alerts(alerts: Sequence[Alert], console: Console, *, timezone: str = "UTC") -> None:
    """Print alerts as ``storage.alerts.page`` gives them, times in a zone."""
    if not alerts:
        console.print(Text(NO_ALERTS))
        return
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("no.", justify="right")
    for name in ("", "device", "since", "until", "known to"):
        table.add_column(name, no_wrap=True)
    table.add_column("what")
    zone = ZoneInfo(timezone)
    for one in alerts:
        table.add_row(
            str(one.id),
            str(one.severity),
            str(one.details.get("device", one.subject)),
            _time(one.opened_at, zone),
            _time(one.cleared_at, zone),
            one.acknowledged_by or NONE,
            in_words(one, zone),
        )
    console.print(Group(table, Text(f"Times of {timezone}. {HOW_TO_ACKNOWLEDGE}", style="dim")))


def in_words(alert: Alert, zone: ZoneInfo) -> str:
    """What an alert says, as a sentence."""
    words = {"silent": _silence, "gap": _gaps, "sequence-gap": _missing}
    return words[alert.kind](alert, zone)


def _silence(alert: Alert, zone: ZoneInfo) -> str:
    newest = dt.datetime.fromisoformat(alert.details["newest_reading"])
    pace = _span(alert.details["expected_interval_s"])
    return f"silent: newest reading of {_time(newest, zone)}, expected every {pace}"


def _gaps(alert: Alert, zone: ZoneInfo) -> str:
    gaps = alert.details["gaps"]
    start = min(dt.datetime.fromisoformat(one["from"]) for one in gaps)
    end = max(dt.datetime.fromisoformat(one["to"]) for one in gaps)
    quantities = ", ".join(dict.fromkeys(one["quantity"] for one in gaps))
    count = len(gaps) + alert.details.get("more", 0)
    many = f"{count} gaps" if count > 1 else "a gap"
    return f"{many} between {_time(start, zone)} and {_time(end, zone)}: {quantities}"


def _missing(alert: Alert, _zone: ZoneInfo) -> str:
    told = alert.details["missing"]
    ranges = [str(a) if a == b else f"{a}–{b}" for a, b in told[:FEW_RANGES]]
    more = " and more" if len(told) > FEW_RANGES else ""
    count = alert.details["missing_messages"]
    noun = "message" if count == 1 else "messages"
    over = "; the device has started anew since" if alert.details["boot_is_over"] else ""
    return (
        f"{count} {noun} of boot {alert.details['boot']} never came: "
        f"{', '.join(ranges)}{more}{over}"
    )


def print_unknown(strangers: Sequence[Unknown], console: Console) -> None:
    """Print who waits, as ``storage.unknown.page`` gives it."""
    if not strangers:
        console.print(Text(NO_STRANGERS))
        return
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("identity", overflow="fold")
    table.add_column("messages", justify="right")
    for name in ("first heard, UTC", "last heard, UTC"):
        table.add_column(name, no_wrap=True)
    table.add_column("newest topic", overflow="fold")
    utc = ZoneInfo("UTC")
    for one in strangers:
        # Anybody may have chosen these names: they are texts, never markup.
        table.add_row(
            Text(one.identity),
            f"{one.messages:,}".replace(",", "\u202f"),
            _time(one.first_seen_at, utc),
            _time(one.last_seen_at, utc),
            Text(one.topic),
        )
    notes = [HOW_TO_CLAIM]
    if any(one.identity == OTHERS for one in strangers):
        notes.insert(0, TOO_MANY)
    console.print(Group(table, *(Text(note, style="dim") for note in notes)))


def _time(moment: dt.datetime | None, zone: ZoneInfo) -> str:
    return NONE if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _span(seconds: int) -> str:
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
