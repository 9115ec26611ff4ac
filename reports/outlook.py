"""The weather of a farm around a day: what was measured before it, what to expect from it on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.climatology import (
    CLIMATOLOGY,
    FORECAST,
    PERSISTENCE,
    Expected,
    Outlook,
    PastDays,
    climatology,
    outlook,
    persistence,
)
from analytics.daily import stations as made
from analytics.daily.entered import streams_of
from analytics.daily.measured import Readings
from analytics.daily.plans import WEATHER
from analytics.weather import USUAL_WIND_M_S, DailyWeather, Station, complete, local_days
from storage import devices, forecasts, series, stations
from storage.farms import Farm
from storage.forecasts import ForecastDay
from storage.series import Span

Array = NDArray[np.float64]

MEASURED = "measured"
MOST_YEARS = 30  # the length of a climatological normal (WMO No. 1203)
MARGIN_DAYS = 7  # around the days asked for, in earlier years
LOOKBACK_DAYS = 30  # in which the last measured days are looked for
COUNTER_DAYS = 2  # to the reading that a rain counter's first difference needs


class FarmOutlook(NamedTuple):
    """Consecutive days of a farm, measured or expected, arrays of shape (days,)."""

    dates: list[dt.date]
    weather: Outlook
    issued_at: list[dt.datetime | None]  # of the forecast
    forecaster: list[str | None]

    def known_from(self, day: dt.date) -> FarmOutlook:
        """The same up to the first day, from ``day`` on, whose weather nobody knows."""
        et0 = self.weather.expected.et0
        unknown = [i for i, date in enumerate(self.dates) if date >= day and np.isnan(et0[i])]
        end = unknown[0] if unknown else len(self.dates)
        columns = (values[:end] for values in self.weather.expected)
        expected = Expected(*columns)  # type: ignore[arg-type]
        return FarmOutlook(
            self.dates[:end],
            Outlook(expected, self.weather.source[:end]),
            self.issued_at[:end],
            self.forecaster[:end],
        )


def farm_outlook(
    connection: sa.Connection,
    farm: Farm,
    *,
    first: dt.date,
    day: dt.date,
    last: dt.date,
    issued_by: dt.datetime,
    given: Sequence[ForecastDay] | None = None,
    given_name: str = "",
) -> FarmOutlook:
    """Weather from ``first`` to ``last``: measured before ``day``, expected from it on.

    Before ``day``, what was not measured is expected as well. Of expectations the forecast goes
    first (``given``, else the newest stored that was issued by ``issued_by``), then the climatology
    of the farm's own stations, then the persistence of their last days.
    """
    dates = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    past = _Past(connection, farm, first, day, last)
    choices = [
        (MEASURED, _on(dates, past.before)),
        (CLIMATOLOGY, climatology(dates, past.earlier)),
        (PERSISTENCE, persistence(len(dates), past.before)),
    ]
    if given is None:
        stored = forecasts.newest(connection, farm.id, issued_by=issued_by, first=day, last=last)
    else:
        stored = [forecasts.StoredForecast(one, issued_by, given_name) for one in given]
    told = {one.forecast.day: one for one in stored if day <= one.forecast.day <= last}
    if told:
        choices.insert(0, (FORECAST, _forecast(farm, dates, [o.forecast for o in told.values()])))
    found = [told.get(date) for date in dates]
    return FarmOutlook(
        dates,
        outlook(choices),
        [None if one is None or given is not None else one.issued_at for one in found],
        [None if one is None else one.source for one in found],
    )


class _Past:
    """Measured days: the last ones before a day, and those of the same season in earlier years."""

    def __init__(
        self, connection: sa.Connection, farm: Farm, first: dt.date, day: dt.date, last: dt.date
    ) -> None:
        self._connection, self._farm = connection, farm
        known = {device.id: device for device in devices.of_farms(connection, [farm.id])}
        self._streams = [
            one for one in streams_of(connection, known) if one.stream.quantity in WEATHER
        ]
        start = min(first, day - dt.timedelta(days=LOOKBACK_DAYS))
        self.before = self._measured(start, day - dt.timedelta(days=1))
        self.earlier = _joined(
            [
                self._measured(
                    _years_back(first, back) - dt.timedelta(days=MARGIN_DAYS),
                    _years_back(last, back) + dt.timedelta(days=MARGIN_DAYS),
                )
                for back in range(1, self._years(first) + 1)
            ]
        )

    def _years(self, first: dt.date) -> int:
        """How many years before the day its stations go back."""
        since = stations.since(self._connection, [one.stream.id for one in self._streams])
        if since is None:
            return 0
        local = since.astimezone(ZoneInfo(self._farm.timezone))
        return min(max(first.year - local.year, 0), MOST_YEARS)

    def _measured(self, first: dt.date, last: dt.date) -> PastDays:
        days = local_days(first, last, self._farm.timezone)
        start, end = (
            dt.datetime.fromtimestamp(int(edge) / 1e6, dt.UTC)
            for edge in (days.edges_us[0], days.edges_us[-1])
        )
        early = start - dt.timedelta(days=COUNTER_DAYS)
        by_hours = [one.stream.id for one in self._streams if made.by_hours(one)]
        by_days = [one.stream.id for one in self._streams if not made.by_hours(one)]
        read = Readings(
            series.series(self._connection, dict.fromkeys(by_days, Span(early, end))),
            series.hours(self._connection, dict.fromkeys(by_hours, Span(start, end))),
        )
        found = made.weather(self._farm, self._streams, read, days)
        if found is None:
            return _joined([])
        return _as_past(days.dates, found.daily)


def _as_past(dates: list[dt.date], weather: DailyWeather) -> PastDays:
    """Days whose temperature was measured; what else was filled for them stays filled."""
    known = np.array(["temperature interpolated" not in text for text in weather.source])
    dry = np.array(["rain taken as none" in text for text in weather.source])
    return PastDays(
        dates,
        et0=np.where(known, weather.et0, np.nan),
        rain=np.where(known & ~dry, weather.rain, np.nan),
        wind_2m=weather.wind_2m,
        rh_min=weather.rh_min,
    )


def _joined(parts: Sequence[PastDays]) -> PastDays:
    dates = [date for part in parts for date in part.dates]
    names = PastDays._fields[1:]
    empty = np.empty(0)
    columns = {
        name: np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in names
    }
    return PastDays(dates, **columns)


def _years_back(date: dt.date, years: int) -> dt.date:
    if (date.month, date.day) == (2, 29):
        date = date.replace(day=28)
    return date.replace(year=date.year - years)


def _on(dates: Sequence[dt.date], past: PastDays) -> Expected:
    """What was measured on the dates."""
    row = {date: index for index, date in enumerate(past.dates)}
    place = [row.get(date) for date in dates]

    def column(values: Array) -> Array:
        return np.array([np.nan if at is None else values[at] for at in place], float)

    et0, none = column(past.et0), np.zeros(len(dates), np.int64)
    return Expected(
        et0,
        np.where(np.isnan(et0), np.nan, 0.0),
        column(past.rain),
        column(past.wind_2m),
        column(past.rh_min),
        none,
        none,
    )


def _forecast(farm: Farm, dates: Sequence[dt.date], told: Sequence[ForecastDay]) -> Expected:
    """Expected weather of the forecast days, ET0 by FAO-56's fall-backs where it leaves out."""
    days = local_days(min(one.day for one in told), max(one.day for one in told), farm.timezone)
    rows = {one.day: one for one in told}

    def column(name: str) -> Array:
        values: list[Any] = [getattr(rows.get(date), name, None) for date in days.dates]
        return np.array([np.nan if value is None else value for value in values], float)

    unknown, wind = np.full(len(days.dates), np.nan), column("wind_m_s")
    if np.isnan(wind).all():
        wind = np.full(len(days.dates), USUAL_WIND_M_S)
    filled = complete(
        Station(
            tmax=column("tmax_c"),
            tmin=column("tmin_c"),
            dew_point=column("tdew_c"),
            rh_max=unknown,
            rh_min=column("rh_min_pct"),
            solar=column("solar_mj_m2"),
            wind=wind,
            rain=column("rain_mm"),
        ),
        days,
        latitude=farm.latitude_deg,
        elevation=farm.elevation_m,
        wind_height=None,
    )
    given = np.array([date in rows for date in days.dates])
    et0 = np.where(given, filled.et0, np.nan)
    found = _on(dates, PastDays(days.dates, et0, filled.rain, filled.wind_2m, filled.rh_min))
    return found._replace(et0_sd=np.full(len(dates), np.nan))  # it does not say how far it errs
