"""Alerts of water: fields below their refill line, valves and meters that contradict each other."""

import datetime as dt

import sqlalchemy as sa

from storage import tables
from storage.watching import Watched
from tests.analytics.watching.farm import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    active,
    choose,
    put_device,
    say,
    stream,
    watch,
)
from tests.two_farms import Land


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
