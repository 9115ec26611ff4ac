"""Alerts and strangers for people at a terminal: what is wrong, since when, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from reports.alert_words import as_document
from reports.messages import Language, text_of
from reports.printing import NONE
from storage.alerts import Alert
from storage.unknown import OTHERS, Unknown

NO_STRANGERS = "Every device that spoke is registered."
HOW_TO_CLAIM = "Register one: dala claim IDENTITY --farm FARM --kind KIND"
TOO_MANY = f"{OTHERS}: more identities than the list keeps; somebody may be inventing them."


def print_alerts(
    alerts: Sequence[Alert],
    console: Console,
    *,
    language: Language = "en",
    zones: Mapping[int | None, str] = MappingProxyType({}),
    ever: bool = False,
    limit: int | None = None,
) -> None:
    """Print alerts as ``storage.alerts.page`` gives them, each in the time of its farm.

    Parameters
    ----------
    zones
        Time zone of each farm; UTC for an alert of no farm.
    ever
        Those that ended were asked for, too.
    limit
        How many were asked for at most.
    """
    if not alerts:
        console.print(Text(_word("none_ever" if ever else "none", language)))
        return
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column(_word("number", language), justify="right")
    ended = any(one.cleared_at for one in alerts)
    known = any(one.acknowledged_by for one in alerts)  # room is for what there is to tell
    names = ["severity", "device", "since", *["until"] * ended, *["known_to"] * known]
    for name in names:
        table.add_column(_word(name, language), overflow="fold")
    table.add_column(_word("what", language), ratio=1)
    used = {}
    for one in alerts:
        timezone = used[one.farm_id] = zones.get(one.farm_id, "UTC")
        zone = ZoneInfo(timezone)
        told = as_document(one, language, timezone)
        # Anybody may have chosen the names of devices and people: they are texts, never markup.
        table.add_row(
            str(one.id),
            _word(told["severity"], language),
            Text(str(told["device"] or one.subject)),
            _time(one.opened_at, zone),
            *[_time(one.cleared_at, zone)] * ended,
            *[Text(one.acknowledged_by or NONE)] * known,
            Text(f"{told['text']} {told['action_text']}"),
        )
    notes = [_times(list(dict.fromkeys(used.values())), language), _word("how", language)]
    if limit is not None and len(alerts) >= limit:
        notes.append(_word("more", language).format(count=len(alerts)))
    console.print(Group(table, *(Text(note, style="dim") for note in notes)))


def _times(zones: Sequence[str], language: Language) -> str:
    if len(zones) == 1:
        return _word("times", language).format(timezone=zones[0])
    return _word("times_each", language).format(timezones=", ".join(zones))


def _word(name: str, language: Language) -> str:
    return str(text_of(f"alert.table.{name}", language))


def as_stranger(one: Unknown) -> dict[str, Any]:
    """Who waits, for JSON."""
    times = {"first_seen_at": one.first_seen_at, "last_seen_at": one.last_seen_at}
    told = {name: at.astimezone(dt.UTC).isoformat() for name, at in times.items()}
    return one._asdict() | told


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
