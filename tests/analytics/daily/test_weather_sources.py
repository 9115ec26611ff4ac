"""Where the weather of a day comes from: sensors, summaries, stations, and what is missing."""

import datetime as dt
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from analytics import daily
from analytics.hourly_et import hourly_extraterrestrial, sun_position
from storage import devices, farms, tables
from tests.analytics.daily.conftest import (
    Reading,
    World,
    at,
    day_of,
    meter,
    midnight,
    station,
)

Found = Callable[..., World]


def sensors(
    numbers: Iterable[int], *, every_min: int = 30, silent: Iterable[int] = ()
) -> list[Reading]:
    """Air temperature, humidity, wind and sun several times an hour; ``silent`` are lost hours."""
    rows: list[Reading] = []
    for number in numbers:
        for minute in range(0, 24 * 60, every_min):
            hour = minute / 60
            if int(hour) in silent:
                continue
            time = midnight(day_of(number)) + dt.timedelta(minutes=minute)
            middle = np.array([round(time.timestamp() * 1e6)])
            sun = sun_position(middle, 43.3, 68.2)
            ra = float(hourly_extraterrestrial(sun, 43.3)[0]) / 0.0036
            warmth = 24 + 8 * np.cos(2 * np.pi * (hour - 15) / 24)
            rows += [
                (time, "air_temperature", None, round(warmth, 3)),
                (time, "relative_humidity", None, round(80 - 2 * (warmth - 16), 3)),
                (time, "wind_speed", None, 2.0),
                (time, "solar_radiation", None, round(0.7 * ra, 1)),
            ]
    return rows


def test_a_station_of_sensors_gives_the_weather_of_its_days(found_farm: Found) -> None:
    hourly, daily = found_farm("hourly"), found_farm("daily")
    hourly.says("station", sensors(range(5)))
    hourly.analyse(day_of(5))
    rows = hourly.rows()
    # The same days as a station's own summaries say them: extremes of what the sensors said.
    summaries: list[Reading] = []
    for number in range(5):
        said = sensors([number])
        values = {q: [v for _, quantity, _, v in said if quantity == q] for _, q, _, _ in said[:4]}
        watts = np.array(values["solar_radiation"]).reshape(24, 2).mean(axis=1)
        time = at(day_of(number), 23.9)
        summaries += [
            (time, "air_temperature_max", None, max(values["air_temperature"])),
            (time, "air_temperature_min", None, min(values["air_temperature"])),
            (time, "relative_humidity_max", None, max(values["relative_humidity"])),
            (time, "relative_humidity_min", None, min(values["relative_humidity"])),
            (time, "wind_speed_mean", None, 2.0),
            (time, "solar_radiation_sum", None, float(watts.sum() * 0.0036)),
        ]
    daily.says("station", summaries)
    daily.analyse(day_of(5))

    assert [row["et0_mm"] for row in rows] == pytest.approx(
        [row["et0_mm"] for row in daily.rows()], rel=1e-6
    )
    assert {row["weather_source"] for row in rows} == {"rain taken as none"}


def test_a_day_of_too_few_hours_is_filled_and_says_so(found_farm: Found) -> None:
    world = found_farm("few")
    rows = sensors([0, 2]) + sensors([1], silent=range(10, 16))
    world.says("station", [*rows, *((at(day_of(n), 20), "rain", None, 0.0) for n in range(3))])
    world.analyse(day_of(3))

    sources = [row["weather_source"] for row in world.rows()]
    assert sources[0] == sources[2] == "measured"
    assert "temperature interpolated" in sources[1]
    assert world.result()["weather_coverage_pct"] == pytest.approx(100 * 2 / 3)


def test_reference_et_is_summed_from_hours_where_the_zone_asks_for_it(found_farm: Found) -> None:
    chosen = {"reference_et": "penman-monteith-hourly"}
    world, usual = found_farm("sum", conventions=chosen), found_farm("usual")
    for one in (world, usual):
        one.says("station", sensors(range(4)))
        one.says("station", [(at(day_of(n), 20), "rain", None, 0.0) for n in range(4)])
        one.analyse(day_of(4))
    summed, by_day = ([row["et0_mm"] for row in one.rows()] for one in (world, usual))

    assert summed != by_day
    assert summed == pytest.approx(by_day, rel=0.06)
    assert {row["weather_source"] for row in world.rows()} == {"measured"}
    assert "ET0 summed from hours" in world.result()["method"]


def test_rain_by_a_counter_is_its_differences(found_farm: Found) -> None:
    world = found_farm("rain")
    world.says("station", station(range(4), leave_out=["rain"]))
    counter = [(0, 100.0), (1, 100.0), (2, 112.5), (3, 3.0)]  # reset on the last day
    world.says("station", [(at(day_of(n), 20), "rain_total", None, value) for n, value in counter])
    world.analyse(day_of(4))

    assert [row["rain_mm"] for row in world.rows()] == [0.0, 0.0, 12.5, 3.0]


def test_a_season_mostly_without_weather_states_no_saving(found_farm: Found) -> None:
    for slug, days, option in (("little", range(30, 35), None), ("half", range(30), "D")):
        world = found_farm(slug)
        world.says("station", station(days))
        world.says("meter", meter(range(60)))
        world.analyse(day_of(61))
        result = world.result()

        assert result["savings_option"] == option
        assert result["applied_m3"] == 3600.0
        assert result["eta_mm"] > 0
        assert (result["apparent_savings_m3"] is None) == (option is None)
        told = "weather is interpolated on 55 of 60 days: no saving can be stated"
        assert (told in result["notes"]) == (option is None)


def test_weather_in_the_wrong_unit_is_noted(found_farm: Found) -> None:
    world = found_farm("watts")
    rows = [
        (time, quantity, depth, value * 11.574 if quantity == "solar_radiation_sum" else value)
        for time, quantity, depth, value in station(range(25))
    ]
    world.says("station", rows)
    world.analyse(day_of(25))

    assert any("W/m² for MJ/m²" in note for note in world.result()["notes"])


def test_stations_are_averaged_day_by_day_each_from_its_own_height(found_farm: Found) -> None:
    one, two = found_farm("one"), found_farm("two")
    for world in (one, two):
        world.says("station", station(range(3)))
    with two.engine.begin() as connection:
        devices.put(
            connection, "two-tower", farm_id=two.farm.id, field_id=None, kind="weather-station",
            name="tower", sensor_height_m=10.0,
        )  # fmt: skip
    two.says("tower", station(range(2)))  # it says the same, and is silent on the last day
    for world in (one, two):
        world.analyse(day_of(3))
    alone, both = ([row["wind_2m_m_s"] for row in world.rows()] for world in (one, two))

    # Eq. 47: at 10 m 0.748 of the wind is that at 2 m (FAO-56, Example 14).
    assert both[0] == pytest.approx(alone[0] * (1 + 0.748) / 2, rel=1e-3)
    assert both[2] == alone[2]
    assert [row["rain_mm"] for row in two.rows()] == [row["rain_mm"] for row in one.rows()]


def test_a_longitude_with_the_wrong_sign_is_noted(found_farm: Found) -> None:
    world = found_farm("west")
    with world.engine.begin() as connection:
        connection.execute(tables.farms.update().values(longitude_deg=-68.2))
        moved = farms.get(connection, "west")
    world.says("station", sensors(range(3)))
    daily.analyze(world.engine, [moved], now=midnight(day_of(3)))
    notes = [note for note in world.result()["notes"] if note.startswith("weather input")]

    # By the clock: 68.2° west is far from UTC+5. By the sun: radiation comes 9 hours early.
    assert sum("68.2° would fit" in note for note in notes) == 2
