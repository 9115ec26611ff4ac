"""What an alert says, and what to do about it: messages that have words in every language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from reports.alert_rule_words import ACTIONS, WORDS, local
from reports.messages import Language, Message, message, render
from storage.alerts import Alert

FEW_RANGES = 4  # of message numbers, in a sentence

_ACTIONS: Mapping[str, Message] = {
    **ACTIONS,
    "silent": message("alert.action.silent"),
    "gap": message("alert.action.gap"),
    "sequence-gap": message("alert.action.sequence-gap"),
    "messages-lost": message("alert.action.messages-lost"),
}


def as_document(alert: Alert, language: Language, timezone: str) -> dict[str, Any]:
    """An alert for whoever shows it: facts, keys of its words, and the words themselves.

    Times of facts are UTC; in the words they are those of ``timezone``, which is the farm's.
    """
    what, action = in_words(alert, ZoneInfo(timezone)), _ACTIONS[alert.kind]
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": str(alert.severity),
        "device": alert.details.get("device"),
        "subject": alert.subject,
        "farm_id": alert.farm_id,
        "opened_at": _iso(alert.opened_at),
        "cleared_at": _iso(alert.cleared_at),
        "acknowledged_at": _iso(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "note": alert.note,
        "details": alert.details,
        "message": what,
        "action": action,
        "text": render(what, language),
        "action_text": render(action, language),
        "language": language,
        "timezone": timezone,
    }


def in_words(alert: Alert, zone: ZoneInfo) -> Message:
    """What an alert says; its times are those of a zone."""
    words: Mapping[str, Callable[[Mapping[str, Any], ZoneInfo], Message]] = {
        **WORDS,
        "silent": _silence,
        "gap": _gaps,
        "sequence-gap": _missing,
        "messages-lost": _lost,
    }
    return words[alert.kind](alert.details, zone)


def _silence(details: Mapping[str, Any], zone: ZoneInfo) -> Message:
    return message(
        "alert.silent",
        newest_time=local(details["newest_reading"], zone),
        pace_span=details["expected_interval_s"],
    )


def _gaps(details: Mapping[str, Any], zone: ZoneInfo) -> Message:
    gaps = details["gaps"]
    return message(
        "alert.gap",
        gaps=len(gaps) + details.get("more", 0),
        first_time=min(local(one["from"], zone) for one in gaps),
        last_time=max(local(one["to"], zone) for one in gaps),
        quantities=list(dict.fromkeys(one["quantity"] for one in gaps)),
    )


def _missing(details: Mapping[str, Any], _zone: ZoneInfo) -> Message:
    numbers = _ranges(details["missing"])
    boot, count = details["boot"], details["missing_messages"]
    if details["boot_is_over"]:
        return message("alert.sequence-gap-over", messages=count, boot=boot, numbers=numbers)
    return message("alert.sequence-gap", messages=count, boot=boot, numbers=numbers)


def _lost(details: Mapping[str, Any], zone: ZoneInfo) -> Message:
    numbers = _ranges(details["lost"])
    boot, count = details["boot"], details["lost_messages"]
    first, last = details.get("after"), details.get("before")
    if first is None:
        return message("alert.messages-lost", messages=count, boot=boot, numbers=numbers)
    first_time = local(first, zone)
    if last is None:
        return message(
            "alert.messages-lost-since",
            messages=count,
            boot=boot,
            numbers=numbers,
            first_time=first_time,
        )
    return message(
        "alert.messages-lost-between",
        messages=count,
        boot=boot,
        numbers=numbers,
        first_time=first_time,
        last_time=local(last, zone),
    )


def _ranges(told: list[list[int]]) -> str:
    ranges = [str(a) if a == b else f"{a}–{b}" for a, b in told[:FEW_RANGES]]
    return ", ".join(ranges) + (" …" if len(told) > FEW_RANGES else "")


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
