"""Rules look at what is stored, open one alert for each cause, and end it when it is over."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.watching.rules import RULES, look
from storage import alert_rules, alerts, devices, fields, forecasts, silence, tables
from storage.alerts import KINDS, Alert
from storage.devices import StreamKey
from storage.forecasts import ForecastDay
from storage.readings import Quality
from storage.watching import Watched
from tests.two_farms import Land, put_land

NOW = dt.datetime(2025, 7, 10, 12, tzinfo=dt.UTC)  # 17:00 on the farm; its cotton stands
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def mine(connection: sa.Connection) -> Land:
    return put_land(connection, "mine", "KZ-61")


def stream(
    connection: sa.Connection, device: str, quantity: str, channel: int | None = None
) -> int:
    key = StreamKey(device, quantity, None, channel)
    return devices.open_datastreams(connection, [key])[key]


def put_device(connection: sa.Connection, land: Land, name: str, kind: str = "flow-meter") -> str:
    devices.put(connection, name, farm_id=land.farm, kind=kind, name=name, field_id=land.field)
    return name


def say(
    connection: sa.Connection,
    datastream: int,
    values: Sequence[tuple[dt.timedelta, float]],
    *,
    quality: int = 0,
) -> None:
    """Readings of so long ago."""
    connection.execute(
        sa.insert(tables.readings),
        [
            {
                "time": NOW - ago,
                "datastream_id": datastream,
                "value": value,
                "quality": quality,
                "received_at": NOW - ago,
            }
            for ago, value in values
        ],
    )


def watch(connection: sa.Connection, kind: str, now: dt.datetime = NOW) -> Watched:
    return look(connection, RULES[kind], now)


def active(connection: sa.Connection, kind: str) -> list[Alert]:
    return alerts.page(connection, kind=kind)


def choose(
    connection: sa.Connection, land: Land, kind: str, *, enabled: bool = True, **numbers: Any
) -> None:
    numbers = RULES[kind].check(numbers)
    alert_rules.put(connection, land.farm, kind, enabled=enabled, parameters=numbers, by="test")


# --- the table -----------------------------------------------------------------------------------


def test_every_rule_is_of_a_kind_and_its_defaults_pass_its_own_check() -> None:
    for kind, rule in RULES.items():
        assert kind in KINDS
        given = {one.name: one.default for one in rule.parameters if one.default is not None}
        assert rule.check(given) == given
        assert rule.meaning
        assert all(one.meaning for one in rule.parameters)


# --- batteries -----------------------------------------------------------------------------------


def test_a_battery_that_runs_low_is_one_alert_until_it_is_well_again(
    connection: sa.Connection, mine: Land
) -> None:
    level = stream(connection, mine.device, "battery_level")
    say(connection, level, [(HOUR, 19.0)])

    assert watch(connection, "low-battery") == Watched(1, 0)
    assert watch(connection, "low-battery") == Watched(0, 0)
    (alert,) = active(connection, "low-battery")
    assert (alert.subject, alert.farm_id) == (f"device:{mine.device}/battery", mine.farm)
    assert (alert.details["level_pct"], alert.details["low_level_pct"]) == (19.0, 20.0)
    say(connection, level, [(30 * MINUTE, 25.0)])  # between the limits
    assert watch(connection, "low-battery") == Watched(0, 0)
    say(connection, level, [(10 * MINUTE, 31.0)])
    assert watch(connection, "low-battery") == Watched(0, 1)
    say(connection, level, [(5 * MINUTE, 18.0)])  # and low again: it never went
    assert watch(connection, "low-battery") == Watched(0, 0)
    assert [one.id for one in active(connection, "low-battery")] == [alert.id]


def test_a_battery_of_twelve_volts_is_judged_as_one(connection: sa.Connection, mine: Land) -> None:
    say(connection, stream(connection, mine.device, "battery_voltage"), [(DAY, 13.1), (HOUR, 11.4)])

    assert watch(connection, "low-battery") == Watched(1, 0)
    assert active(connection, "low-battery")[0].details["low_voltage_v"] == 11.7
    choose(connection, mine, "low-battery", voltage_v=10.8)
    assert watch(connection, "low-battery") == Watched(0, 1)


def test_a_battery_that_nobody_heard_of_for_a_week_is_of_the_silent(
    connection: sa.Connection, mine: Land
) -> None:
    say(connection, stream(connection, mine.device, "battery_level"), [(8 * DAY, 5.0)])

    assert watch(connection, "low-battery") == Watched(0, 0)


# --- what a farm chooses -------------------------------------------------------------------------


def test_a_farm_switches_a_rule_off_and_its_alerts_end(
    connection: sa.Connection, mine: Land
) -> None:
    other = put_land(connection, "theirs", "KZ-43")
    for land in (mine, other):
        say(connection, stream(connection, land.device, "battery_level"), [(HOUR, 15.0)])
    assert watch(connection, "low-battery") == Watched(2, 0)

    choose(connection, mine, "low-battery", enabled=False)

    assert watch(connection, "low-battery") == Watched(0, 1)
    assert [one.farm_id for one in active(connection, "low-battery")] == [other.farm]


def test_silence_is_by_the_numbers_of_the_farm(connection: sa.Connection, mine: Land) -> None:
    alerts.clear_others(connection, "silent", [], now=NOW - DAY)
    connection.execute(sa.update(tables.datastreams).values(expected_interval_s=600))
    say(connection, mine.stream, [(2 * HOUR, 0.3)])
    choose(connection, mine, "silent", at_least_min=180)
    assert silence.watch(connection, NOW) == (0, 0)
    choose(connection, mine, "silent", at_least_min=60, missed_intervals=13)  # 130 minutes
    assert silence.watch(connection, NOW) == (0, 0)
    choose(connection, mine, "silent")
    assert silence.watch(connection, NOW) == (1, 0)
    choose(connection, mine, "silent", enabled=False)
    assert silence.watch(connection, NOW) == (0, 1)


# --- water ---------------------------------------------------------------------------------------


def put_balance(connection: sa.Connection, land: Land, day: dt.date, depletion: float) -> None:
    numbers = dict.fromkeys(tables.BALANCE_NUMBERS, 0.0)
    numbers |= {"depletion_mm": depletion, "raw_mm": 60.0, "taw_mm": 100.0}
    connection.execute(
        sa.update(tables.balance_days)
        .where(tables.balance_days.c.day == day)
        .values(superseded_at=NOW)
    )
    connection.execute(
        sa.insert(tables.balance_days).values(
            crop_zone_id=land.zone,
            day=day,
            weather_source="measured",
            water_source="metered",
            method_version="1",
            input_digest=b"",
            computed_at=NOW,
            **numbers,
        )
    )


def test_an_irrigated_field_below_its_refill_line(connection: sa.Connection, mine: Land) -> None:
    put_balance(connection, mine, NOW.date() - DAY, 61.0)
    assert watch(connection, "refill-line") == Watched(0, 0)  # it is rain-fed
    connection.execute(sa.update(tables.crop_zones).values(irrigation_method="drip"))

    assert watch(connection, "refill-line") == Watched(1, 0)
    (alert,) = active(connection, "refill-line")
    assert alert.details["field"] == "field-1"
    assert (alert.details["depletion_mm"], alert.details["refill_line_mm"]) == (61.0, 60.0)
    put_balance(connection, mine, NOW.date() - DAY, 50.0)  # 83 % of what is readily available
    assert watch(connection, "refill-line") == Watched(0, 0)
    put_balance(connection, mine, NOW.date() - DAY, 48.0)  # 80 %
    assert watch(connection, "refill-line") == Watched(0, 1)


def test_a_balance_of_long_ago_says_nothing(connection: sa.Connection, mine: Land) -> None:
    connection.execute(sa.update(tables.crop_zones).values(irrigation_method="drip"))
    put_balance(connection, mine, NOW.date() - 4 * DAY, 70.0)

    assert watch(connection, "refill-line") == Watched(0, 0)
    choose(connection, mine, "refill-line", stale_days=5)
    assert watch(connection, "refill-line") == Watched(1, 0)


def test_water_behind_a_shut_valve_of_another_device_of_the_field(
    connection: sa.Connection, mine: Land
) -> None:
    flow = stream(connection, put_device(connection, mine, "meter"), "water_flow")
    valve = stream(connection, put_device(connection, mine, "valve", "valve"), "valve_open")
    say(connection, valve, [(20 * DAY, 0.0)])  # it speaks when it moves
    say(connection, flow, [(40 * MINUTE, 0.0), *((n * MINUTE, 8.0) for n in (30, 20, 10))])

    assert watch(connection, "flow-valve-shut") == Watched(1, 0)
    (alert,) = active(connection, "flow-valve-shut")
    assert (alert.details["device"], alert.details["flow_m3_h"]) == ("meter", 8.0)
    assert dt.datetime.fromisoformat(alert.details["since"]) == NOW - 30 * MINUTE
    say(connection, flow, [(2 * MINUTE, 0.0)])
    assert watch(connection, "flow-valve-shut") == Watched(0, 1)


def test_an_open_valve_whose_counter_stands_still(connection: sa.Connection, mine: Land) -> None:
    meter = put_device(connection, mine, "meter")
    total, valve = stream(connection, meter, "water_total"), stream(connection, meter, "valve_open")
    say(connection, valve, [(3 * HOUR, 0.0), (50 * MINUTE, 1.0)])
    say(connection, total, [(n * MINUTE, 1_000.0) for n in (60, 45, 30, 15)])

    assert watch(connection, "no-flow-valve-open") == Watched(1, 0)
    (alert,) = active(connection, "no-flow-valve-open")
    assert dt.datetime.fromisoformat(alert.details["since"]) == NOW - 45 * MINUTE
    assert watch(connection, "flow-valve-shut") == Watched(0, 0)
    say(connection, total, [(5 * MINUTE, 1_002.0)])  # 2 m³ in 10 minutes: 12 m³/h
    assert watch(connection, "no-flow-valve-open") == Watched(0, 1)


def test_channels_of_one_device_are_judged_apart(connection: sa.Connection, mine: Land) -> None:
    box = put_device(connection, mine, "box")
    for channel, state in ((1, 0.0), (2, 1.0)):
        say(connection, stream(connection, box, "valve_open", channel), [(HOUR, state)])
        values = [(n * MINUTE, 8.0) for n in (30, 20, 10)]
        say(connection, stream(connection, box, "water_flow", channel), values)

    assert watch(connection, "flow-valve-shut") == Watched(1, 0)
    assert active(connection, "flow-valve-shut")[0].details["channel"] == 1


def test_of_two_meters_of_a_field_nobody_knows_which_valve_is_whose(
    connection: sa.Connection, mine: Land
) -> None:
    say(
        connection,
        stream(connection, put_device(connection, mine, "valve", "valve"), "valve_open"),
        [(HOUR, 0.0)],
    )
    for name in ("meter-1", "meter-2"):
        values = [(n * MINUTE, 8.0) for n in (30, 20, 10)]
        say(
            connection, stream(connection, put_device(connection, mine, name), "water_flow"), values
        )

    assert watch(connection, "flow-valve-shut") == Watched(0, 0)


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


# --- sensors -------------------------------------------------------------------------------------


def test_a_sensor_many_of_whose_readings_cannot_be(connection: sa.Connection, mine: Land) -> None:
    air = stream(connection, mine.device, "air_temperature")
    say(connection, air, [(n * HOUR, 20.0) for n in range(1, 7)])
    say(connection, air, [(8 * HOUR, 99.0)], quality=int(Quality.OUT_OF_RANGE))
    assert watch(connection, "implausible") == Watched(0, 0)  # one of seven: 14 %
    say(connection, air, [(9 * HOUR, 45.0)], quality=int(Quality.SPIKE))

    assert watch(connection, "implausible") == Watched(1, 0)  # two of eight: 25 %
    (alert,) = active(connection, "implausible")
    assert (alert.details["readings"], alert.details["share_pct"]) == (8, 25.0)
    assert watch(connection, "implausible", NOW + DAY) == Watched(0, 1)


def test_few_readings_raise_no_alarm(connection: sa.Connection, mine: Land) -> None:
    air = stream(connection, mine.device, "air_temperature")
    say(connection, air, [(n * HOUR, 99.0) for n in range(5)], quality=int(Quality.OUT_OF_RANGE))

    assert watch(connection, "implausible") == Watched(0, 0)


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
