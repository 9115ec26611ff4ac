"""Forecasts on a real database: which one speaks for a day."""

import datetime as dt

import numpy as np
import pytest
import sqlalchemy as sa

from storage import devices, farms, fields, forecasts, readings, stations
from storage.database import NotFound
from storage.devices import StreamKey
from storage.forecasts import ForecastDay

JULY_1 = dt.date(2025, 7, 1)
NOON = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def farm(connection: sa.Connection) -> int:
    return farms.put(
        connection,
        "forecast-farm",
        name="Forecast",
        timezone="Asia/Almaty",
        latitude_deg=43.0,
        longitude_deg=68.0,
        elevation_m=200.0,
    )


def day(number: int, tmax: float = 30.0, rain: float = 0.0) -> ForecastDay:
    date = JULY_1 + dt.timedelta(days=number)
    return ForecastDay(date, tmax, 15.0, rain, None, None, None, None)


def ask(connection: sa.Connection, farm: int, issued_by: dt.datetime = NOON):
    found = forecasts.newest(
        connection, farm, issued_by=issued_by, first=JULY_1, last=JULY_1 + dt.timedelta(days=7)
    )
    return [(one.forecast.day.day, one.forecast.tmax_c, one.source) for one in found]


def test_of_each_day_the_newest_forecast_that_has_it_speaks(connection, farm):
    early, late = NOON - dt.timedelta(days=1), NOON - dt.timedelta(hours=1)
    forecasts.put(connection, farm, [day(0), day(1), day(2)], issued_at=early, source="old")
    forecasts.put(connection, farm, [day(0, 31.0), day(1, 32.0)], issued_at=late, source="new")

    assert ask(connection, farm) == [(1, 31.0, "new"), (2, 32.0, "new"), (3, 30.0, "old")]


def test_a_forecast_of_later_than_the_moment_asked_for_is_unknown_to_it(connection, farm):
    forecasts.put(connection, farm, [day(0)], issued_at=NOON, source="then")
    after = NOON + dt.timedelta(seconds=1)
    forecasts.put(connection, farm, [day(0, 40.0)], issued_at=after, source="later")

    assert ask(connection, farm) == [(1, 30.0, "then")]
    assert ask(connection, farm, NOON - dt.timedelta(seconds=1)) == []


def test_the_same_issue_again_replaces_its_days(connection, farm):
    assert forecasts.put(connection, farm, [day(0)], issued_at=NOON, source="a") == 1
    assert forecasts.put(connection, farm, [day(0, 33.0)], issued_at=NOON, source="b") == 1

    assert ask(connection, farm) == [(1, 33.0, "b")]


def test_days_outside_the_range_and_other_farms_stay_out(connection, farm):
    forecasts.put(connection, farm, [day(-1), day(7), day(8)], issued_at=NOON, source="a")

    assert ask(connection, farm) == [(8, 30.0, "a")]
    assert ask(connection, farm + 1) == []


def test_what_no_weather_can_be_is_refused_by_the_database(connection, farm):
    for wrong in (day(0, tmax=10.0), day(0, rain=-1.0)):  # below its lowest; less than none
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            forecasts.put(connection, farm, [wrong], issued_at=NOON, source="a")


def test_a_station_speaks_since_its_first_reading(connection, farm):
    devices.put(connection, "sky", farm_id=farm, kind="weather-station", name="Sky")
    keys = [StreamKey("sky", quantity, None, None) for quantity in ("rain", "dew_point")]
    rain, dew = devices.open_datastreams(connection, keys).values()
    assert stations.since(connection, [rain, dew]) is None
    moments = [NOON, NOON - dt.timedelta(days=400), NOON - dt.timedelta(days=3)]
    rows = [(_us(moments[0]), rain), (_us(moments[1]), dew), (_us(moments[2]), rain)]
    readings.store(connection, _np([(time, stream, 1.0, 0, _us(NOON)) for time, stream in rows]))

    assert stations.since(connection, [rain, dew]) == moments[1]
    assert stations.since(connection, [rain]) == moments[2]
    assert stations.since(connection, []) is None


def test_a_field_leads_to_its_farm(connection, farm):
    field = fields.put(
        connection, farm_id=farm, name="a", area_ha=1.0, area_source="", soil={}, soil_source=""
    )

    assert stations.farm_of_field(connection, field).slug == "forecast-farm"
    with pytest.raises(NotFound, match=f"field {field + 1}"):
        stations.farm_of_field(connection, field + 1)


def _us(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1e6)


def _np(rows):
    return np.array(rows, readings.DTYPE)
