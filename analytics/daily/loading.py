"""What was measured in the days that are to be computed, in as few queries as there are kinds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from analytics.daily import applied, plans, stations
from analytics.daily.entered import Entered
from analytics.daily.measured import Readings
from analytics.daily.plans import Plan
from analytics.daily.stations import FarmWeather, ReferenceEt
from analytics.weather import DailyWeather, LocalDays
from storage import series
from storage.series import Span

COUNTERS = {"water_total", "rain_total"}
BY_HOURS = {*plans.SENSORS, "soil_moisture"}

_WeatherKey = tuple[int, dt.date, dt.date, ReferenceEt]


class Loaded(NamedTuple):
    """Readings of the days to compute, and the weather made of them."""

    readings: Readings
    made: dict[_WeatherKey, FarmWeather | None]

    def fresh_days(self, plan: Plan) -> LocalDays:
        """The days of a plan that are to be computed."""
        return LocalDays(plan.days.dates[plan.begin :], plan.days.edges_us[plan.begin :])

    def weather_of(
        self, plan: Plan, entered: Entered, reference: ReferenceEt
    ) -> tuple[DailyWeather, list[str]] | None:
        """Weather of the days to compute, and what looks like a slip in it.

        It is made from the day before on, which was measured: gaps are filled from there.
        """
        first = max(plan.begin - 1, 0)
        days = LocalDays(plan.days.dates[first:], plan.days.edges_us[first:])
        key = plan.farm.id, days.dates[0], days.dates[-1], reference
        if key not in self.made:
            streams = entered.streams.get(plan.farm.id, [])
            self.made[key] = stations.weather(
                plan.farm, streams, self.readings, days, reference=reference
            )
        found = self.made[key]
        if found is None:
            return None
        skip = plan.begin - first
        daily = found.daily
        cut = DailyWeather(
            daily.et0[skip:],
            daily.rain[skip:],
            daily.wind_2m[skip:],
            daily.rh_min[skip:],
            daily.source[skip:],
        )
        return cut, found.findings


def load(connection: sa.Connection, entered: Entered, todo: Sequence[Plan]) -> Loaded:
    """Load what the plans need."""
    spans: dict[int, Span] = {}
    hourly: set[int] = set()
    for plan in todo:
        for one in entered.streams.get(plan.farm.id, []):
            if not plans.is_read(one, plan.field):
                continue
            span = _span(plan, one.stream.quantity)
            known = spans.get(one.stream.id, span)
            spans[one.stream.id] = Span(min(known.start, span.start), max(known.end, span.end))
            if one.stream.quantity in BY_HOURS:
                hourly.add(one.stream.id)
        _add_meters_beside(plan, entered, spans)
    as_measured = {one: span for one, span in spans.items() if one not in hourly}
    by_hours = {one: spans[one] for one in hourly}
    found = Readings(series.series(connection, as_measured), series.hours(connection, by_hours))
    return Loaded(found, {})


def _add_meters_beside(plan: Plan, entered: Entered, spans: dict[int, Span]) -> None:
    """All the season's readings of the farm's meters, where one of them is an offtake's.

    Which fields share it, those without a meter of their own, must not depend on the days that
    are computed today.
    """
    if not entered.has_offtake(plan.farm.id):
        return
    whole = _span(plan._replace(begin=0), "water_total")
    for one in entered.streams.get(plan.farm.id, []):
        if one.stream.quantity == "water_total":
            known = spans.get(one.stream.id, whole)
            spans[one.stream.id] = Span(min(known.start, whole.start), max(known.end, whole.end))


def _span(plan: Plan, quantity: str) -> Span:
    edges = plan.days.edges_us
    start = _moment(edges[max(plan.begin - 1, 0)])
    end = _moment(edges[-1])
    if quantity in COUNTERS:
        # A difference needs the reading before; one at midnight sharp ends the day's last interval.
        return Span(start - applied.LOOKBACK, end + dt.timedelta(seconds=1))
    return Span(start, end)


def _moment(microseconds: object) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(microseconds) / 1e6, dt.UTC)  # type: ignore[call-overload]
