"""When an alert is opened, held, and ended: cases by hand."""

import numpy as np
import pytest
import shapely

from analytics.alert_conditions import (
    BATTERIES,
    FIRES,
    HOLDS,
    RESTS,
    Flow,
    above,
    below,
    flow_of_counter,
    flow_of_readings,
    flow_with_valve_shut,
    low_voltage,
    no_flow_with_valve_open,
    valve_states,
    work_outside,
)

MINUTE = 60.0


def minutes(*values: float) -> np.ndarray:
    return MINUTE * np.array(values)


def test_what_wavers_between_the_limits_holds() -> None:
    answers = below([19.0, 20.0, 25.0, 30.0, 31.0, np.nan], 20.0, 30.0)

    assert answers.tolist() == [FIRES, FIRES, HOLDS, RESTS, RESTS, HOLDS]
    assert above([0.1, 0.5, 0.6], 0.5, 0.2).tolist() == [RESTS, FIRES, FIRES]


def test_a_way_back_below_its_limit_is_a_fault() -> None:
    with pytest.raises(ValueError, match="way back"):
        below(1.0, 20.0, 10.0)


@pytest.mark.parametrize(
    ("shows", "best", "is_low"),
    [
        (12.6, 13.8, False),  # lead, 12 V, full
        (11.6, 13.8, True),
        (24.9, 27.0, False),  # lead, 24 V
        (23.2, 27.0, True),
        (6.2, 6.6, False),  # lead, 6 V
        (3.61, 3.66, False),  # a cell of lithium thionyl chloride, new
        (3.2, 3.6, True),
        (3.8, 4.2, False),  # lithium-ion
        (3.0, 3.1, False),  # two alkaline cells
        (2.2, 3.1, True),
    ],
)
def test_a_battery_is_judged_by_what_it_shows_at_its_best(
    shows: float, best: float, is_low: bool
) -> None:
    (low,), (well,) = low_voltage(shows, best)

    assert (below(shows, low, well) == FIRES) == is_low


def test_every_type_of_battery_is_well_above_low() -> None:
    assert all(one.low_v < one.well_v for one in BATTERIES)
    assert [one.from_v for one in BATTERIES] == sorted(
        (one.from_v for one in BATTERIES), reverse=True
    )
    assert BATTERIES[-1].from_v == 0.0  # every battery is of some type


def test_a_state_of_a_valve_lasts_until_the_next() -> None:
    valve = minutes(10, 20, 30), [0.0, 1.0, 0.0]
    flow = flow_of_readings(minutes(5, 10, 15, 20, 25, 30, 99), np.ones(7))

    shut, opened = valve_states([valve], flow)

    assert shut.tolist() == [False, True, True, False, False, True, True]  # unknown before 10
    assert opened.tolist() == [False, False, False, True, True, False, False]


def test_while_a_valve_changes_a_counter_tells_neither() -> None:
    # Read at 0, 10, 20 and 30 minutes; opened at 12, so that 10 to 20 is of both.
    flow = flow_of_counter(minutes(0, 10, 20, 30), [0.0, 1.0, 2.0, 4.0], modulus=None)
    shut, opened = valve_states([(minutes(0, 12), [0.0, 1.0])], flow)

    assert flow.rate.tolist() == [6.0, 6.0, 12.0]  # 1 m³ in 10 minutes is 6 m³/h
    assert shut.tolist() == [True, False, False]
    assert opened.tolist() == [False, False, True]


def test_of_several_valves_all_are_shut_or_one_is_open() -> None:
    flow = flow_of_readings(minutes(1, 2), [1.0, 1.0])
    one, two = (minutes(0), [0.0]), (minutes(0, 2), [0.0, 1.0])

    shut, opened = valve_states([one, two], flow)

    assert shut.tolist() == [True, False]
    assert opened.tolist() == [False, True]


def test_a_counter_that_was_reset_tells_no_flow_and_one_that_wrapped_does() -> None:
    reset = flow_of_counter(minutes(0, 60), [500.0, 3.0], modulus=None)
    wrapped = flow_of_counter(minutes(0, 60), [99.0, 2.0], modulus=100.0)

    assert np.isnan(reset.rate).all()
    assert wrapped.rate.tolist() == [3.0]


SHUT = minutes(0), [0.0]
OPEN = minutes(0), [1.0]


@pytest.mark.parametrize(
    ("rates", "expected", "seconds"),
    [
        ([0.0, 2.0, 2.0, 2.0], FIRES, 600.0),  # at 5, 10 and 15 min: for ten minutes
        ([0.0, 0.0, 2.0, 2.0], HOLDS, 300.0),  # five minutes are too few
        ([2.0, 2.0, 2.0, 0.4], HOLDS, 0.0),  # under the tolerance, and not under half of it
        ([2.0, 2.0, 2.0, 0.25], RESTS, 0.0),
        ([2.0, 0.0, 2.0, 2.0], HOLDS, 300.0),  # it was interrupted
    ],
)
def test_water_that_runs_for_long_with_the_valve_shut_is_a_leak(
    rates: list[float], expected: int, seconds: float
) -> None:
    flow = flow_of_readings(minutes(0, 5, 10, 15), rates)
    shut, _ = valve_states([SHUT], flow)

    answer, steady = flow_with_valve_shut(flow, shut, tolerance_m3_h=0.5, minimum_s=600.0)

    assert (answer, steady.seconds) == (expected, seconds)


def test_a_leak_ends_when_the_valve_opens() -> None:
    flow = flow_of_readings(minutes(0, 10, 20), [2.0, 2.0, 2.0])
    shut, _ = valve_states([(minutes(0, 15), [0.0, 1.0])], flow)

    answer, _ = flow_with_valve_shut(flow, shut, tolerance_m3_h=0.5, minimum_s=600.0)

    assert answer == RESTS


@pytest.mark.parametrize(
    ("valve", "rates", "expected"),
    [
        (OPEN, [0.1, 0.1, 0.1], FIRES),
        (OPEN, [5.0, 0.1, 0.1], HOLDS),  # ten minutes, not twenty
        (OPEN, [0.1, 0.1, 0.7], HOLDS),
        (OPEN, [0.1, 0.1, 1.0], RESTS),
        (SHUT, [0.1, 0.1, 0.1], RESTS),
    ],
)
def test_an_open_valve_without_water_is_blocked(
    valve: tuple[np.ndarray, list[float]], rates: list[float], expected: int
) -> None:
    flow = flow_of_readings(minutes(0, 10, 20), rates)
    _, opened = valve_states([valve], flow)

    answer, _ = no_flow_with_valve_open(flow, opened, minimum_m3_h=0.5, minimum_s=1_200.0)

    assert answer == expected


def test_without_a_sample_everything_holds() -> None:
    nothing = Flow(np.empty(0), np.empty(0), np.empty(0))
    shut, opened = valve_states([SHUT], nothing)

    assert flow_with_valve_shut(nothing, shut, tolerance_m3_h=1, minimum_s=0)[0] == HOLDS
    assert no_flow_with_valve_open(nothing, opened, minimum_m3_h=1, minimum_s=0)[0] == HOLDS


# A field of 0.01° by 0.01° whose east border is at 68.26° E; at 43.3° N a thousandth of a degree of
# longitude is 111.320 km · cos 43.3° / 1000 = 81.0 m (sphere of the equator's radius).
FIELD = shapely.box(68.25, 43.3, 68.26, 43.31)
WEST, EAST = 68.255, 68.261


def judged(longitudes: list[float], working: list[bool], buffer_m: float = 30.0) -> tuple[int, int]:
    found = work_outside(
        minutes(*range(0, 2 * len(longitudes), 2)),
        longitudes,
        [43.305] * len(longitudes),
        np.array(working),
        FIELD,
        buffer_m=buffer_m,
        minimum_s=240.0,
    )
    return found.answer, round(found.distance_m)


def test_work_beyond_the_field_is_told_after_some_minutes() -> None:
    answer, distance = judged([WEST, EAST, EAST, EAST], [True] * 4)

    assert answer == FIRES
    assert distance == pytest.approx(81, abs=1)


@pytest.mark.parametrize(
    ("longitudes", "working", "expected"),
    [
        ([WEST, WEST, EAST, EAST], [True] * 4, HOLDS),  # for two minutes
        ([EAST, EAST, EAST, WEST], [True] * 4, RESTS),  # it is back
        ([EAST, EAST, EAST, EAST], [True, True, True, False], RESTS),  # it drives, and works not
        ([EAST, EAST, EAST, EAST], [True, False, True, True], HOLDS),
    ],
)
def test_work_inside_and_driving_outside_are_no_matter(
    longitudes: list[float], working: list[bool], expected: int
) -> None:
    assert judged(longitudes, working)[0] == expected


def test_a_wider_border_still_counts_as_the_field() -> None:
    assert judged([EAST] * 4, [True] * 4, buffer_m=90.0)[0] == RESTS
