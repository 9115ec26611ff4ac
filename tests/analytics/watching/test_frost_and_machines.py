"""Alerts of frost, measured and forecast, and of machines outside of every field."""

import datetime as dt

import pytest
import sqlalchemy as sa

from storage import fields, forecasts, tables
from storage.forecasts import ForecastDay
from storage.watching import Watched
from tests.analytics.watching.farm import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    active,
    put_device,
    say,
    stream,
    watch,
)
from tests.two_farms import Land

# --- frost ---------------------------------------------------------------------------------------


def put_night(connection: sa.Connection, land: Land, day: dt.date, tmin: float) -> None:
    forecasts.put(
        connection,
        land.farm,
        [ForecastDay(day, 20.0, tmin, 0.0, None, None, None, None)],
        issued_at=NOW - HOUR,
        source="Kazhydromet",
    )


def test_frost_that_is_measured_ends_when_it_is_warm(connection: sa.Connection, mine: Land) -> None:
    station = put_device(connection, mine, "station", "weather-station")
    air = stream(connection, station, "air_temperature")
    say(connection, air, [(20 * MINUTE, 0.4)])

    assert watch(connection, "frost") == Watched(1, 0)
    (alert,) = active(connection, "frost")
    assert (alert.details["temperature_c"], alert.details["crops"]) == (0.4, ["cotton"])
    assert alert.details["measured"] is True
    say(connection, air, [(10 * MINUTE, 2.0)])
    assert watch(connection, "frost") == Watched(0, 0)
    say(connection, air, [(5 * MINUTE, 3.0)])
    assert watch(connection, "frost") == Watched(0, 1)


def test_frost_of_the_coming_night_is_told_in_the_afternoon(
    connection: sa.Connection, mine: Land
) -> None:
    put_night(connection, mine, NOW.date(), -5.0)  # this morning's: over
    assert watch(connection, "frost") == Watched(0, 0)
    put_night(connection, mine, NOW.date() + 2 * DAY, -2.0)  # further ahead than looked
    assert watch(connection, "frost") == Watched(0, 0)
    put_night(connection, mine, NOW.date() + DAY, -1.0)

    assert watch(connection, "frost") == Watched(1, 0)
    (alert,) = active(connection, "frost")
    assert alert.details["measured"] is False
    assert alert.details["forecast_day"] == "2025-07-11"


@pytest.mark.parametrize(
    ("crop", "planted", "told"),
    [
        ("winter-wheat", dt.date(2024, 9, 20), 0),
        ("cotton", dt.date(2025, 7, 20), 0),  # not sown yet
        ("dragon-fruit", dt.date(2025, 4, 20), 1),  # nobody knows it: better told
    ],
)
def test_frost_is_told_of_crops_that_suffer(
    connection: sa.Connection, mine: Land, crop: str, planted: dt.date, told: int
) -> None:
    connection.execute(sa.update(tables.crop_zones).values(crop=crop, planted=planted))
    put_night(connection, mine, NOW.date() + DAY, -1.0)

    assert watch(connection, "frost").opened == told


# --- machines ------------------------------------------------------------------------------------


def drive(connection: sa.Connection, device: str, longitude: float, state: int) -> None:
    connection.execute(
        sa.insert(tables.track_points),
        [
            {
                "time": NOW - n * MINUTE,
                "device_id": device,
                "latitude_deg": 43.305,
                "longitude_deg": longitude,
                "work_state": state,
                "quality": 0,
                "received_at": NOW,
            }
            for n in range(8)
        ],
    )


@pytest.mark.parametrize(
    ("kind", "longitude", "state", "told"),
    [
        ("tractor", 68.27, 1, 1),
        ("tractor", 68.255, 1, 0),  # in the field
        ("tractor", 68.27, 0, 0),  # on the road
        ("truck", 68.27, 1, 0),  # it never works a field
    ],
)
def test_a_machine_that_works_outside_of_every_field(
    connection: sa.Connection, mine: Land, kind: str, longitude: float, state: int, told: int
) -> None:
    corners = [[68.25, 43.3], [68.26, 43.3], [68.26, 43.31], [68.25, 43.31], [68.25, 43.3]]
    fields.add_boundary(
        connection,
        mine.field,
        {"type": "Polygon", "coordinates": [corners]},
        geometry_source="test",
        area_ha=90.0,
    )
    drive(connection, put_device(connection, mine, "machine", kind), longitude, state)

    assert watch(connection, "machine-outside") == Watched(told, 0)
    if told:
        (alert,) = active(connection, "machine-outside")
        assert alert.details["distance_m"] == pytest.approx(810, rel=0.02)  # 0.01° at 43.3° N
        assert watch(connection, "machine-outside", NOW + HOUR) == Watched(0, 1)  # it is parked


def test_a_farm_without_fields_has_no_outside(connection: sa.Connection, mine: Land) -> None:
    drive(connection, put_device(connection, mine, "machine", "tractor"), 68.27, 1)

    assert watch(connection, "machine-outside") == Watched(0, 0)
