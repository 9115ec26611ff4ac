"""Rules look at what is stored, open one alert for each cause, and end it when it is over."""

import sqlalchemy as sa

from analytics.watching.rules import RULES
from storage import alerts, silence, tables
from storage.alerts import KINDS
from storage.readings import Quality
from storage.watching import Watched
from tests.analytics.watching.farm import DAY, HOUR, MINUTE, NOW, active, choose, say, stream, watch
from tests.two_farms import Land, put_land

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
