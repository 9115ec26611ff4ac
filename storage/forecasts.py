"""Weather forecasts of a farm, kept issue by issue: advice can be asked for as it was given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from storage import tables


class ForecastDay(NamedTuple):
    """The weather forecast for a farm's local day; None where the forecast does not say."""

    day: dt.date
    tmax_c: float
    tmin_c: float
    rain_mm: float
    solar_mj_m2: float | None
    tdew_c: float | None
    rh_min_pct: float | None
    wind_m_s: float | None  # at 2 m


class StoredForecast(NamedTuple):
    """A day of a forecast, and which forecast it is of."""

    forecast: ForecastDay
    issued_at: dt.datetime
    source: str


_TABLE = tables.weather_forecasts
_DAY = [_TABLE.c[name] for name in ForecastDay._fields]


def put(
    connection: sa.Connection,
    farm_id: int,
    days: Sequence[ForecastDay],
    *,
    issued_at: dt.datetime,
    source: str,
) -> int:
    """Store a forecast and return its number of days; the same issue again replaces its days."""
    if not days:
        return 0
    head: dict[str, Any] = {"farm_id": farm_id, "issued_at": issued_at, "source": source}
    statement = insert(_TABLE)
    keys = ("farm_id", "issued_at", "day")
    changed = {
        column.name: statement.excluded[column.name]
        for column in _TABLE.columns
        if column.name not in keys
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed),
        [head | day._asdict() for day in days],
    )
    return len(days)


def newest(
    connection: sa.Connection,
    farm_id: int,
    *,
    issued_by: dt.datetime,
    first: dt.date,
    last: dt.date,
) -> list[StoredForecast]:
    """For each day from ``first`` to ``last`` what the newest forecast that has it says, in order.

    Of those issued at ``issued_by`` or before.
    """
    query = (
        sa.select(*_DAY, _TABLE.c.issued_at, _TABLE.c.source)
        .where(
            _TABLE.c.farm_id == farm_id,
            _TABLE.c.issued_at <= issued_by,
            _TABLE.c.day.between(first, last),
        )
        .order_by(_TABLE.c.day, _TABLE.c.issued_at.desc())
        .ext(distinct_on(_TABLE.c.day))
    )
    width = len(_DAY)
    return [
        StoredForecast(ForecastDay(*row[:width]), *row[width:])
        for row in connection.execute(query).all()
    ]
