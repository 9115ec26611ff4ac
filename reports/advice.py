"""Irrigation advice for the crop zones of a farm: today and the next seven days, and why.

Loads the evening that the soil water balance ends with and the weather to expect, lets
``analytics.advice`` compute, and gives plain values. Depths are mm over the zone's area.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from analytics.advice import Rules
from analytics.crop_document import crop_from_mapping
from analytics.sections import ScenarioError
from analytics.soil_document import soil_from_mapping
from reports import advice_words as words
from reports import advice_zone
from reports.advice_run import Outcome, Row, Standing, conventions_of, run
from reports.advice_words import Decision
from reports.messages import Language, Message, render
from reports.outlook import FarmOutlook, farm_outlook
from storage import farms, fields, results, stations
from storage.database import NotFound
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.forecasts import ForecastDay

Advice = dict[str, Any]

HORIZON_DAYS = 7  # after today
OLDEST_DAYS = 30  # that a balance may lie behind and still be gone on from


class DayAhead(ValueError):
    """Advice was asked for a day that has not come."""


class Question(NamedTuple):
    """What is asked, and by which forecast and rules it is answered."""

    now: dt.datetime
    day: dt.date | None = None  # the farm's today by default
    season: int | None = None  # year of harvest; by default the one that the day is in
    forecast: Sequence[ForecastDay] | None = None  # in place of the stored ones
    forecast_name: str = ""
    rules: Rules = Rules()


def of_farm(connection: sa.Connection, slug: str, asked: Question) -> Advice:
    """Advice for every field of a farm.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    DayAhead
        If the day asked for has not come at the farm.
    """
    farm = farms.get(connection, slug)
    zones = fields.zones(connection, farm_id=farm.id, season=asked.season)
    return _advise(connection, farm, zones, asked)


def of_field(connection: sa.Connection, field_id: int, asked: Question) -> Advice:
    """Advice for the crop zones of one field; NotFound if it or a crop on it is unknown."""
    farm = stations.farm_of_field(connection, field_id)
    zones = fields.zones(connection, farm_id=farm.id, season=asked.season)
    of_this = [(field, zone) for field, zone in zones if field.id == field_id]
    if not of_this:
        when = "" if asked.season is None else f" in {asked.season}"
        raise NotFound(f"crop on field {field_id}{when}")
    return _advise(connection, farm, of_this, asked)


def in_words(advice: Advice, language: Language) -> Advice:
    """The same advice, its messages with their text in a language."""

    def said(one: Message) -> dict[str, Any]:
        return {**one, "text": render(one, language)}

    zones = [
        {
            **zone,
            "decision_text": render(zone["decision_message"], language),
            "reasons": [said(one) for one in zone["reasons"]],
            "assumptions": [said(one) for one in zone["assumptions"]],
        }
        for zone in advice["crop_zones"]
    ]
    for zone in zones:
        del zone["decision_message"]
    return {**advice, "language": language, "crop_zones": zones}


def _advise(
    connection: sa.Connection,
    farm: Farm,
    zones: Sequence[tuple[Field, CropZone]],
    asked: Question,
) -> Advice:
    today = asked.now.astimezone(ZoneInfo(farm.timezone)).date()
    day = asked.day or today
    if day > today:
        raise DayAhead(f"day: {day} has not come at {farm.slug}, where it is {today}")
    days = [day + dt.timedelta(days=number) for number in range(HORIZON_DAYS + 1)]
    chosen = _of_the_day(zones, day)
    evening = day - dt.timedelta(days=1)
    known = results.evenings(connection, [zone.id for _, zone in chosen], evening)
    found = {zone.id: _standing(field, zone, day, known.get(zone.id)) for field, zone in chosen}
    ready = [one for one in found.values() if isinstance(one, Standing)]
    outlook = _outlook(connection, farm, ready, days, today, asked).known_from(day)
    days = [date for date in outlook.dates if date >= day]
    outcomes = _outcomes(ready, outlook, day, asked.rules)
    dry = [number for number, one in outcomes.items() if one.depletion_before >= one.line_before]
    share = asked.rules.line_share
    since = results.dry_since(connection, dry, evening, line_share=share)
    advised = []
    for field, zone in chosen:
        one = found[zone.id]
        head = advice_zone.head(field, zone)
        if not isinstance(one, Standing):
            advised.append(head | advice_zone.nothing(*one))
        elif zone.id not in outcomes:
            advised.append(head | advice_zone.nothing("no-balance", words.no_weather()))
        else:
            advised.append(
                head
                | advice_zone.advised(
                    one, outcomes[zone.id], outlook, days, asked.rules, since.get(zone.id)
                )
            )
    return {
        "farm": farm.slug,
        "name": farm.name,
        "day": day.isoformat(),
        "last_day": days[-1].isoformat() if days else None,
        "rules": {
            "line_share_of_raw": asked.rules.line_share,
            "room_share_of_forecast_rain": asked.rules.rain_room_share,
            "hours_per_day": asked.rules.hours_per_day,
        },
        "weather": advice_zone.weather(outlook, len(days)),
        "crop_zones": advised,
    }


def _of_the_day(
    zones: Sequence[tuple[Field, CropZone]], day: dt.date
) -> list[tuple[Field, CropZone]]:
    """Of each field the zones that grow on the day, else the one that is nearest in time."""
    of_field: dict[int, list[tuple[Field, CropZone]]] = defaultdict(list)
    for field, zone in zones:
        of_field[field.id].append((field, zone))
    chosen = []
    for pairs in of_field.values():
        growing = [pair for pair in pairs if pair[1].planted <= day <= pair[1].harvested]
        chosen += growing or [min(pairs, key=lambda pair: _distance(pair[1], day))]
    return chosen


def _distance(zone: CropZone, day: dt.date) -> dt.timedelta:
    return max(zone.planted - day, day - zone.harvested)


def _standing(
    field: Field, zone: CropZone, day: dt.date, known: Row | None
) -> Standing | tuple[Decision, list[Message]]:
    """The evening to begin from, or why there is none; ``known`` is the newest of the balance."""
    try:
        crop_from_mapping(zone.crop_parameters)
        soil_from_mapping(field.soil)
    except ScenarioError as error:
        return "no-balance", words.unusable(error)
    evening = day - dt.timedelta(days=1)
    decision: Decision = "no-balance"
    if day > zone.harvested:
        decision = "season-over"
    elif day < zone.planted:
        decision = "not-begun"
    elif day == zone.planted:
        return Standing(field, zone, evening, None)
    else:
        if known and (evening - known["day"]).days > OLDEST_DAYS:
            return decision, words.balance_too_old(known["day"])
        if known:
            return Standing(field, zone, known["day"], known)
    return decision, words.outside_season(decision, zone, evening)


def _outlook(
    connection: sa.Connection,
    farm: Farm,
    ready: Sequence[Standing],
    days: Sequence[dt.date],
    today: dt.date,
    asked: Question,
) -> FarmOutlook:
    """Weather from the day after the oldest evening on.

    Of a day in the past, the forecasts count that were issued before it was over.
    """
    after = [one.evening + dt.timedelta(days=1) for one in ready]
    zone = ZoneInfo(farm.timezone)
    over = dt.datetime.combine(days[0] + dt.timedelta(days=1), dt.time(), zone)
    return farm_outlook(
        connection,
        farm,
        first=min([days[0], *after]),
        day=days[0],
        last=days[-1],
        issued_by=asked.now if days[0] == today else over,
        given=asked.forecast,
        given_name=asked.forecast_name,
    )


def _outcomes(
    ready: Sequence[Standing], outlook: FarmOutlook, day: dt.date, rules: Rules
) -> dict[int, Outcome]:
    """By crop zone, those with weather; zones that share evening and conventions side by side."""
    et0 = dict(zip(outlook.dates, outlook.weather.expected.et0, strict=True))
    together: dict[Any, list[Standing]] = defaultdict(list)
    for one in ready if day in et0 else ():
        if not any(np.isnan(value) for date, value in et0.items() if date > one.evening):
            together[one.evening, conventions_of(one.zone)].append(one)
    return {
        one.zone.id: outcome
        for group in together.values()
        for one, outcome in zip(group, run(group, outlook, day, rules), strict=True)
    }
