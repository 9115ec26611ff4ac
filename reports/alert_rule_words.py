"""What alerts of rules say: of batteries, water, frost, sensors and machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from reports.messages import Message, message

Details = Mapping[str, Any]
_HOUR_S = 3_600


def local(text: str, zone: ZoneInfo) -> str:
    """A time of details as the clock of a zone shows it."""
    return dt.datetime.fromisoformat(text).astimezone(zone).isoformat(timespec="minutes")


def _battery(details: Details, zone: ZoneInfo) -> Message:
    at_time = local(details["time"], zone)
    if "level_pct" in details:
        return message(
            "alert.low-battery-level",
            level_pct=float(details["level_pct"]),
            low_pct=float(details["low_level_pct"]),
            at_time=at_time,
        )
    return message(
        "alert.low-battery-voltage",
        voltage=float(details["voltage_v"]),
        low_voltage=float(details["low_voltage_v"]),
        at_time=at_time,
    )


def _refill_line(details: Details, _zone: ZoneInfo) -> Message:
    return message(
        "alert.refill-line",
        field=details["field"],
        crop=details["crop"],
        day=details["day"],
        depletion_mm=float(details["depletion_mm"]),
        line_mm=float(details["refill_line_mm"]),
    )


def _flow_valve_shut(details: Details, zone: ZoneInfo) -> Message:
    return message(
        "alert.flow-valve-shut",
        rate=float(details["flow_m3_h"]),
        since_time=local(details["since"], zone),
    )


def _no_flow_valve_open(details: Details, zone: ZoneInfo) -> Message:
    return message(
        "alert.no-flow-valve-open",
        rate=float(details["flow_m3_h"]),
        since_time=local(details["since"], zone),
    )


def _frost(details: Details, zone: ZoneInfo) -> Message:
    limit = float(details["limit_c"])
    if details["measured"]:
        return message(
            "alert.frost-measured",
            temperature=float(details["temperature_c"]),
            at_time=local(details["time"], zone),
            limit=limit,
        )
    return message(
        "alert.frost-forecast",
        temperature=float(details["forecast_c"]),
        day=details["forecast_day"],
        source=details["source"],
        limit=limit,
    )


def _implausible(details: Details, _zone: ZoneInfo) -> Message:
    return message(
        "alert.implausible",
        share_pct=float(details["share_pct"]),
        readings=details["readings"],
        quantities=[details["quantity"]],
        window_span=round(details["window_h"] * _HOUR_S),
    )


def _machine_outside(details: Details, zone: ZoneInfo) -> Message:
    return message(
        "alert.machine-outside",
        distance=details["distance_m"],
        outside_span=max(60 * round(details["outside_s"] / 60), 60),
        at_time=local(details["time"], zone),
    )


WORDS: Mapping[str, Callable[[Details, ZoneInfo], Message]] = MappingProxyType(
    {
        "low-battery": _battery,
        "refill-line": _refill_line,
        "flow-valve-shut": _flow_valve_shut,
        "no-flow-valve-open": _no_flow_valve_open,
        "frost": _frost,
        "implausible": _implausible,
        "machine-outside": _machine_outside,
    }
)
ACTIONS: Mapping[str, Message] = MappingProxyType(
    {
        "low-battery": message("alert.action.low-battery"),
        "refill-line": message("alert.action.refill-line"),
        "flow-valve-shut": message("alert.action.flow-valve-shut"),
        "no-flow-valve-open": message("alert.action.no-flow-valve-open"),
        "frost": message("alert.action.frost"),
        "implausible": message("alert.action.implausible"),
        "machine-outside": message("alert.action.machine-outside"),
    }
)
