"""Why: the decision, its reasons and what was assumed, as messages without words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import numpy as np

from analytics.advice import NEVER, UNSTRESSED, WAIT_DAYS, Rules
from analytics.climatology import CLIMATOLOGY, FORECAST, PERSISTENCE
from reports.advice_run import Outcome, Standing
from reports.messages import Message, message
from reports.outlook import FarmOutlook
from storage.fields import CropZone

Decision = Literal[
    "irrigate-now",
    "irrigate-in-days",
    "wait-for-rain",
    "no-need",
    "rain-fed",
    "season-over",
    "not-begun",
    "no-balance",
]

_PLAIN: dict[Decision, Message] = {
    "irrigate-now": message("advice.decision.irrigate-now"),
    "wait-for-rain": message("advice.decision.wait-for-rain"),
    "no-need": message("advice.decision.no-need"),
    "rain-fed": message("advice.decision.rain-fed"),
    "season-over": message("advice.decision.season-over"),
    "not-begun": message("advice.decision.not-begun"),
    "no-balance": message("advice.decision.no-balance"),
}


def decision_message(decision: Decision, days: int, day: dt.date | None) -> Message:
    """The decision as a message; ``days`` and ``day`` are those of the next irrigation."""
    if decision == "irrigate-in-days" and day is not None:
        return message("advice.decision.irrigate-in-days", days=days, day=day.isoformat())
    return _PLAIN[decision]


def decide(zone: CropZone, found: Outcome) -> tuple[Decision, int]:
    """What to do with a zone in its season, and on which of the days it is watered next."""
    if zone.irrigation_method is None:
        return "rain-fed", NEVER
    events = np.flatnonzero(found.plan.net_mm > 0)
    if found.plan.waiting[0]:
        return "wait-for-rain", int(events[0]) if len(events) else NEVER
    if not len(events):
        return "no-need", NEVER
    return ("irrigate-now" if events[0] == 0 else "irrigate-in-days"), int(events[0])


def reasons(
    one: Standing,
    found: Outcome,
    outlook: FarmOutlook,
    days: Sequence[dt.date],
    *,
    since: dt.date | None,
    event: int,
    rules: Rules,
) -> list[Message]:
    """Why a zone in its season is advised what it is.

    ``days`` are those of the advice; ``since`` is the evening on which the line was passed, where
    it is behind us; ``event`` is the day of the next irrigation.
    """
    said = []
    if one.zone.irrigation_method is None:
        said.append(
            message(
                "advice.reason.rain_fed",
                depletion_mm=_round(found.depletion_before),
                taw_mm=_round(found.taw_before),
            )
        )
    said += _line(one.zone, found, days, since)
    said += _awaited(found, outlook, days)
    if event != NEVER:
        said += _amount(one.zone, found, days, event, rules)
    return said + _stress(found, days)


def _awaited(found: Outcome, outlook: FarmOutlook, days: Sequence[dt.date]) -> list[Message]:
    """The rain that the zone waits for at its line instead of being watered."""
    if not found.plan.waiting.any():
        return []
    first = int(found.plan.waiting.argmax())
    ahead = slice(len(outlook.dates) - len(days) + first, None)
    rain = outlook.weather.expected.rain[ahead][:WAIT_DAYS]
    told = np.array([source == FORECAST for source in outlook.weather.source[ahead][:WAIT_DAYS]])
    return [
        message(
            "advice.reason.rain_expected",
            day=days[first].isoformat(),
            rain_mm=_round(rain[told].sum()),
        )
    ]


def _line(
    zone: CropZone, found: Outcome, days: Sequence[dt.date], since: dt.date | None
) -> list[Message]:
    if since is not None:
        return [
            message(
                "advice.reason.line_passed",
                day=since.isoformat(),
                depletion_mm=_round(found.depletion_before),
                line_mm=_round(found.line_before),
            )
        ]
    if found.refill != NEVER:
        reached = message(
            "advice.reason.line_reached",
            day=days[found.refill].isoformat(),
            depletion_mm=_round(found.depletion_dry[found.refill]),
            line_mm=_round(found.line_dry[found.refill]),
        )
        return [reached, *_range(found, days)]
    if not found.in_season.all():
        return [message("advice.reason.harvest_first", day=zone.harvested.isoformat())]
    far = message(
        "advice.reason.line_far",
        days=len(days),
        depletion_mm=_round(found.depletion_dry[-1]),
        line_mm=_round(found.line_dry[-1]),
    )
    return [far, *_range(found, days)]


def _range(found: Outcome, days: Sequence[dt.date]) -> list[Message]:
    """Where the day is uncertain, from when to when."""
    if found.earliest in {NEVER, found.latest}:
        return []
    earliest = days[found.earliest].isoformat()
    if found.latest == NEVER:
        return [message("advice.reason.range_open", earliest_day=earliest)]
    latest = days[found.latest].isoformat()
    return [message("advice.reason.range", earliest_day=earliest, latest_day=latest)]


def _amount(
    zone: CropZone, found: Outcome, days: Sequence[dt.date], event: int, rules: Rules
) -> list[Message]:
    plan = found.plan
    gross = _round(plan.gross_mm[event])
    efficiency = 1.0 if zone.application_efficiency is None else zone.application_efficiency
    day, net = days[event].isoformat(), _round(plan.net_mm[event])
    percent = 100.0 * efficiency
    said = [
        message(
            "advice.reason.amount_part",
            day=day,
            net_mm=net,
            gross_mm=gross,
            efficiency_pct=percent,
        )
        if plan.capped[event]
        else message(
            "advice.reason.amount", day=day, net_mm=net, gross_mm=gross, efficiency_pct=percent
        ),
        message(
            "advice.reason.volume",
            area_ha=zone.area_ha,
            volume_m3=_round(plan.volume_m3[event]),
        ),
    ]
    if zone.system_flow_m3_h is not None:
        said.append(
            message(
                "advice.reason.hours",
                flow_m3_h=zone.system_flow_m3_h,
                hours=_round(plan.hours[event]),
            )
        )
    if plan.capped[event]:
        said.append(
            message("advice.reason.flow_limits", gross_mm=gross, day_hours=rules.hours_per_day)
        )
    return said


def _stress(found: Outcome, days: Sequence[dt.date]) -> list[Message]:
    short = stress_days(found)
    if not len(short):
        return [message("advice.reason.no_stress")]
    return [
        message(
            "advice.reason.stress_ahead",
            days=len(short),
            day=days[short[0]].isoformat(),
            lowest_pct=_round(100.0 * found.ks[short].min()),
        )
    ]


def stress_days(found: Outcome) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices of the days in season on which the crop is short of water without irrigation."""
    return np.flatnonzero(found.in_season & (found.ks < UNSTRESSED))


def outside_season(decision: Decision, zone: CropZone, evening: dt.date) -> list[Message]:
    """Why a zone is advised nothing."""
    if decision == "season-over":
        return [message("advice.reason.season_over", day=zone.harvested.isoformat())]
    if decision == "not-begun":
        return [message("advice.reason.not_begun", day=zone.planted.isoformat())]
    return [message("advice.reason.no_balance", day=evening.isoformat())]


def balance_too_old(day: dt.date) -> list[Message]:
    """Why a zone is advised nothing although it has a balance, which ends on ``day``."""
    return [message("advice.reason.balance_too_old", day=day.isoformat())]


def unusable(error: ValueError) -> list[Message]:
    """Why a zone is advised nothing: what was entered of its crop or soil allows no balance."""
    return [message("advice.reason.unusable", detail=str(error))]


def no_weather() -> list[Message]:
    """Why a zone is advised nothing although its balance is known."""
    return [message("advice.reason.no_weather")]


def assumptions(
    one: Standing,
    outlook: FarmOutlook,
    days: Sequence[dt.date],
    *,
    stale_days: int,
    rules: Rules,
) -> list[Message]:
    """What stands in for what nobody measured, entered or forecast."""
    said = [message("advice.assumption.refill_line", share_pct=100.0 * rules.line_share)]
    if stale_days:
        said.append(
            message("advice.assumption.stale", day=one.evening.isoformat(), days=stale_days)
        )
    if one.row is None:
        said.append(message("advice.assumption.from_planting"))
    elif one.row["surface_depletion_mm"] is None or one.row["wetted_fraction"] is None:
        said.append(message("advice.assumption.dry_surface", day=one.evening.isoformat()))
    if one.zone.irrigation_method is not None:
        said += _unknown_system(one.zone)
    return said + _weather(outlook, days)


def _unknown_system(zone: CropZone) -> list[Message]:
    rules = (
        (zone.application_efficiency, message("advice.assumption.efficiency_unknown")),
        (zone.wetted_fraction, message("advice.assumption.wetted_fraction_unknown")),
        (zone.system_flow_m3_h, message("advice.assumption.flow_unknown")),
    )
    return [said for value, said in rules if value is None]


def _weather(outlook: FarmOutlook, days: Sequence[dt.date]) -> list[Message]:
    """Where the weather of the days is from."""
    first = len(outlook.dates) - len(days)
    sources = outlook.weather.source[first:]
    expected = outlook.weather.expected
    said = []
    forecasters = sorted({name for name in outlook.forecaster[first:] if name is not None})
    if forecast := sources.count(FORECAST):
        named = ", ".join(forecasters)
        said.append(message("advice.assumption.forecast", days=forecast, source=named))
    if climate := [i for i, source in enumerate(sources, first) if source == CLIMATOLOGY]:
        years = int(expected.years[climate].min())
        said.append(message("advice.assumption.climatology", days=len(climate), years=years))
    if lately := [i for i, source in enumerate(sources, first) if source == PERSISTENCE]:
        measured = int(expected.days[lately].max())
        said += [
            message("advice.assumption.persistence", days=len(lately), measured_days=measured),
            message("advice.assumption.no_rain_without_forecast"),
        ]
    return said


def _round(value: float) -> float:
    """To the tenth that is shown, so that words and values agree."""
    return round(float(value), 1)
