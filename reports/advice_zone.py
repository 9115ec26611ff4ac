"""The advice for one crop zone as plain values, units in their names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.advice import NEVER, Rules
from reports import advice_words as words
from reports.advice_run import Outcome, Standing
from reports.advice_words import Decision
from reports.messages import Message
from reports.outlook import FarmOutlook
from storage.fields import CropZone, Field

Advice = dict[str, Any]


def head(field: Field, zone: CropZone) -> Advice:
    """Which crop zone it is."""
    return {
        "crop_zone_id": zone.id,
        "field_id": field.id,
        "field": field.name,
        "crop": zone.crop,
        "season": zone.season,
        "area_ha": zone.area_ha,
        "irrigation_method": zone.irrigation_method,
    }


_NO_VALUES = (
    "balance_day", "depletion_mm", "depletion_sd_mm", "taw_mm", "raw_mm", "refill_line_mm",
    "next_irrigation", "refill_day", "refill_day_earliest", "refill_day_latest", "stress_days",
    "first_stress_day", "lowest_ks",
)  # fmt: skip


def nothing(decision: Decision, reasons: list[Message]) -> Advice:
    """Of a zone that is advised nothing: why."""
    return {
        "decision": decision,
        "decision_message": words.decision_message(decision, 0, None),
        "stale_days": None,
        **dict.fromkeys(_NO_VALUES),
        "refill_day_uncertainty": [],
        "days": [],
        "reasons": reasons,
        "assumptions": [],
    }


def advised(
    one: Standing,
    found: Outcome,
    outlook: FarmOutlook,
    days: Sequence[dt.date],
    rules: Rules,
    dry: dt.date | None,
) -> Advice:
    """Of a zone in its season: what to do, what is expected, and why.

    ``dry`` is the day since which its stored balance has been beyond the refill line, if it is.
    """
    decision, event = words.decide(one.zone, found)
    since = _since(one, found, days[0], dry)
    stale = (days[0] - one.evening).days - 1
    rows = _days(found, outlook, days)
    short = words.stress_days(found)
    doubts = _doubts(found, outlook, len(days))
    if since is not None:
        doubts = []
    return {
        "decision": decision,
        "decision_message": words.decision_message(
            decision, event, None if event == NEVER else days[event]
        ),
        "balance_day": None if one.row is None else one.evening.isoformat(),
        "stale_days": stale,
        "depletion_mm": found.depletion_before,
        "depletion_sd_mm": None if np.isnan(found.depletion_sd) else found.depletion_sd,
        "taw_mm": found.taw_before,
        "raw_mm": found.raw_before,
        "refill_line_mm": found.line_before,
        "next_irrigation": None
        if event == NEVER
        else {
            name: rows[event][name]
            for name in (
                "day",
                "irrigation_net_mm",
                "irrigation_gross_mm",
                "irrigation_m3",
                "irrigation_hours",
            )
        },
        "refill_day": since.isoformat() if since else _date(days, found.refill),
        "refill_day_earliest": _date(days, found.earliest) if doubts else None,
        "refill_day_latest": _date(days, found.latest) if doubts else None,
        "refill_day_uncertainty": doubts,
        "stress_days": len(short),
        "first_stress_day": _date(days, int(short[0])) if len(short) else None,
        "lowest_ks": float(found.ks[found.in_season].min()),
        "days": rows,
        "reasons": words.reasons(
            one,
            found if doubts else found._replace(earliest=NEVER, latest=NEVER),
            outlook,
            days,
            since=since,
            event=event,
            rules=rules,
        ),
        "assumptions": words.assumptions(one, outlook, days, stale_days=stale, rules=rules),
    }


def _since(one: Standing, found: Outcome, day: dt.date, dry: dt.date | None) -> dt.date | None:
    """The evening on which the line was passed that the soil is still beyond; None: it is not."""
    if found.depletion_before < found.line_before:
        return None
    since = day - dt.timedelta(days=1)
    if one.row is None or one.evening != since or dry is None:
        return since  # somewhere in the days that no balance covers
    return min(dry, since)


def _doubts(found: Outcome, outlook: FarmOutlook, count: int) -> list[str]:
    """What the range of the refill day comes from; nothing: its width is not known."""
    doubts = []
    if not np.isnan(found.depletion_sd) and found.depletion_sd > 0:
        doubts.append("depletion")
    if (np.nan_to_num(outlook.weather.expected.et0_sd[-count:]) > 0).any():
        doubts.append("weather")
    return doubts


def _days(found: Outcome, outlook: FarmOutlook, days: Sequence[dt.date]) -> list[Advice]:
    plan, first = found.plan, len(outlook.dates) - len(days)
    expected = outlook.weather.expected
    return [
        {
            "day": date.isoformat(),
            "et0_mm": float(expected.et0[first + index]),
            "rain_mm": float(expected.rain[first + index]),
            "weather_source": outlook.weather.source[first + index],
            "etc_mm": float(found.etc[index]),
            "refill_line_mm": float(found.line_dry[index]),
            "depletion_without_irrigation_mm": float(found.depletion_dry[index]),
            "ks_without_irrigation": float(found.ks[index]),
            "depletion_mm": float(plan.depletion[index]),
            "irrigation_net_mm": float(plan.net_mm[index]),
            "irrigation_gross_mm": float(plan.gross_mm[index]),
            "irrigation_m3": float(plan.volume_m3[index]),
            "irrigation_hours": None if np.isnan(plan.hours[index]) else float(plan.hours[index]),
        }
        for index, date in enumerate(days)
        if found.in_season[index]
    ]


def weather(outlook: FarmOutlook, count: int) -> list[Advice]:
    """The last ``count`` days of an outlook: what is expected and where it is from."""
    expected, first = outlook.weather.expected, len(outlook.dates) - count
    return [
        {
            "day": outlook.dates[index].isoformat(),
            "et0_mm": _known(expected.et0[index]),
            "et0_sd_mm": _known(expected.et0_sd[index]),
            "rain_mm": _known(expected.rain[index]),
            "source": outlook.weather.source[index],
            "forecaster": outlook.forecaster[index],
            "issued_at": _moment(outlook.issued_at[index]),
            "measured_days": int(expected.days[index]),
            "years": int(expected.years[index]),
        }
        for index in range(first, len(outlook.dates))
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _moment(moment: dt.datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _date(days: Sequence[dt.date], index: int) -> str | None:
    return None if index == NEVER else days[index].isoformat()
