"""Which days of which crop zones have to be computed: those that something new reaches.

A season's figures rest on what people entered and on what was measured. New entries, a new version
of the method, or the end of the season concern all of its days; a late reading concerns the days
from its own on. Where nothing is new, nothing is computed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from analytics.daily.entered import OF_FIELDS, Entered, Stream
from analytics.weather import LocalDays, local_days
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.quantities import CATALOGUE, Kind
from storage.results import Standing, day_number

Array = np.ndarray[Any, Any]

METHOD_VERSION = "3"  # of days and season alike: raised when a figure would change

DAILY_SUMMARIES = {name for name, quantity in CATALOGUE.items() if quantity.kind is Kind.DAILY}
SENSORS = {"air_temperature", "relative_humidity", "solar_radiation", "wind_speed"}
RAIN = {"rain", "rain_total"}
WEATHER = DAILY_SUMMARIES | SENSORS | RAIN

days_of = lru_cache(maxsize=4096)(local_days)


class Plan(NamedTuple):
    """A crop zone, its days so far, and where its computation begins."""

    farm: Farm
    field: Field
    zone: CropZone
    days: LocalDays  # from planting to the last day that is over
    begin: int  # the first day to compute; those before stand as they are stored
    stored: Array  # the days before ``begin``, of storage.results.STORED_DTYPE
    ended: bool  # has the season ended? Then Kcb is fitted to the climate of its stages
    entered_digest: str
    standing: Standing | None

    @property
    def length(self) -> int:
        """Number of days so far."""
        return len(self.days.dates)


def last_day(zone: CropZone, farm: Farm, now: dt.datetime) -> dt.date:
    """The last day of the zone's season that is over."""
    yesterday = now.astimezone(ZoneInfo(farm.timezone)).date() - dt.timedelta(days=1)
    return min(zone.harvested, yesterday)


def is_read(stream: Stream, field: Field) -> bool:
    """Whether a datastream concerns the figures of a field."""
    quantity = stream.stream.quantity
    if quantity in WEATHER:
        return True
    return quantity in OF_FIELDS and stream.field_id in {None, field.id}


def is_settled(
    entered: Entered,
    field: Field,
    zone: CropZone,
    standing: Standing | None,
    news: Mapping[int, dt.datetime],
    *,
    now: dt.datetime,
) -> bool:
    """Whether the zone's result can stand without a look at its days."""
    farm = entered.farms[field.farm_id]
    last = last_day(zone, farm, now)
    if last < zone.planted:
        return True
    if standing is None or standing.computed_to != last:
        return False
    if (standing.method_version, standing.entered_digest) != (
        METHOD_VERSION,
        entered.digest(field, zone),
    ):
        return False
    streams = [one for one in entered.streams.get(farm.id, []) if is_read(one, field)]
    days = days_of(zone.planted, last, farm.timezone)
    return _reached(streams, news, days) >= len(days.dates)


def plan(
    entered: Entered,
    field: Field,
    zone: CropZone,
    standing: Standing | None,
    stored: Array,
    news: Mapping[int, dt.datetime],
    *,
    now: dt.datetime,
) -> Plan | None:
    """What to compute of a crop zone; None where its season has not begun or nothing is new."""
    farm = entered.farms[field.farm_id]
    last = last_day(zone, farm, now)
    if last < zone.planted:
        return None
    days = days_of(zone.planted, last, farm.timezone)
    digest, ended = entered.digest(field, zone), last == zone.harvested
    begin = 0
    if _continues(standing, digest, stored, zone, ended=ended):
        streams = [one for one in entered.streams.get(farm.id, []) if is_read(one, field)]
        reached = _reached(streams, news, days)
        begin = min(len(stored), reached)
        if ended and any(one.stream.quantity in WEATHER for one in streams if _new(one, news)):
            begin = 0 if begin < len(days.dates) else begin  # Kcb of a stage follows its climate
        if begin >= len(days.dates):
            return None
        metered = any(one.stream.quantity == "water_total" for one in streams)
        begin = _after_gap(stored, begin, metered=metered)
    return Plan(farm, field, zone, days, begin, stored[:begin], ended, digest, standing)


def anew(
    entered: Entered,
    field: Field,
    zone: CropZone,
    standing: Standing | None,
    stored: Array,
    *,
    now: dt.datetime,
) -> Plan | None:
    """The plan of a crop zone without news, because a zone beside it is judged with it anew."""
    farm = entered.farms[field.farm_id]
    last = last_day(zone, farm, now)
    if last < zone.planted:
        return None
    days = days_of(zone.planted, last, farm.timezone)
    digest, ended, begin = entered.digest(field, zone), last == zone.harvested, 0
    if _continues(standing, digest, stored, zone, ended=ended):
        begin = _after_gap(stored, min(len(stored), len(days.dates) - 1), metered=True)
    return Plan(farm, field, zone, days, begin, stored[:begin], ended, digest, standing)


def _continues(
    standing: Standing | None, digest: str, stored: Array, zone: CropZone, *, ended: bool
) -> bool:
    """Whether the stored days can stand, and only later ones are in question."""
    if standing is None or standing.computed_to is None:
        return False
    if (standing.method_version, standing.entered_digest) != (METHOD_VERSION, digest):
        return False
    if ended != (standing.computed_to == zone.harvested):
        return False
    first = day_number(zone.planted)
    return bool(np.array_equal(stored["day"], first + np.arange(len(stored))))


def _new(stream: Stream, news: Mapping[int, dt.datetime]) -> bool:
    return stream.stream.id in news


def _reached(streams: list[Stream], news: Mapping[int, dt.datetime], days: LocalDays) -> int:
    """The first day that new readings reach; the number of days where they reach none."""
    moments = [news[one.stream.id] for one in streams if _new(one, news)]
    if not moments:
        return len(days.dates)
    since_us = np.int64(min(moments).timestamp() * 1e6)
    # A reading at midnight ends the interval of the day before.
    return max(int(np.searchsorted(days.edges_us, since_us, side="left")) - 1, 0)


def _after_gap(stored: Array, begin: int, *, metered: bool) -> int:
    """Step back over filled days: what fills them may depend on the days that came now."""
    while begin > 0:
        before = stored[begin - 1]
        if before["weather_measured"] and (before["water_known"] or not metered):
            return begin
        begin -= 1
    return 0
