"""Readings are judged by their range and by their neighbours; flags inform, and nothing is lost."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ingest.plausibility import rules
from ingest.plausibility.rules import Limits
from ingest.storing import Line, Message
from storage import devices
from storage.quantities import CATALOGUE
from storage.readings import USABLE_BELOW, Quality

TIME_S = 1_750_000_000  # 2025-06-15T15:06:40Z
RECEIVED_US = (TIME_S + 400 * 86_400) * 1_000_000
PROBE, METER = "probe-7", "gauge-1"
RATE, STUCK, SPIKE = Quality.RATE_OF_CHANGE, Quality.STUCK, Quality.SPIKE
RESET, RANGE = Quality.COUNTER_RESET, Quality.OUT_OF_RANGE

Series = Sequence[tuple[float, float]]  # minute, value


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, PROBE, kind="weather-station", name="Station")
        devices.put(
            connection, METER, kind="weather-station", name="Gauge", profile="milesight-wts506"
        )
    return empty_engine


@pytest.fixture
def line(database: sa.Engine) -> Line:
    return Line(database)


def pack(quantity: str, series: Series, device: str = PROBE) -> Message:
    records: list[dict[str, Any]] = [
        {"n": quantity, "t": round(60 * minute), "v": value} for minute, value in series
    ]
    records[0] = {"bt": TIME_S} | records[0]
    return Message(f"dala/v1/{device}/senml", json.dumps(records).encode(), RECEIVED_US)


def flags(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT quality FROM readings ORDER BY time")))


def every(minutes: float, values: Sequence[float], start: float = 0) -> Series:
    return [(start + minutes * place, value) for place, value in enumerate(values)]


# --- rate of change -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "value", "expected"),
    [
        # Air may move by 3 °C and by 8 °C an hour: 4.33 °C in ten minutes, 11 in one hour.
        (10, 24.3, 0),
        (10, 24.4, RATE),
        (10, 15.6, RATE),
        (60, 30.9, 0),
        (60, 31.1, RATE),
        (180, 47.1, RATE),  # 27 in three hours
        (181, 50.0, 0),  # further apart nothing is known
    ],
)
def test_a_reading_that_moved_faster_than_its_quantity_can_is_flagged(
    line: Line, database: sa.Engine, minutes: float, value: float, expected: int
) -> None:
    line.store([pack("air_temperature", [(0, 20.0), (minutes, value)])])

    assert flags(database) == [0, expected]


@pytest.mark.parametrize("batches", [1, 2])
def test_a_new_level_is_flagged_where_it_begins_and_is_no_spike(
    line: Line, database: sa.Engine, batches: int
) -> None:
    # Water reaches the sensor: from 0.15 to 0.40 in ten minutes; 0.1 + 0.1/6 are allowed.
    dry, wet = every(10, [0.15] * 6), every(10, [0.40, 0.39, 0.385], start=60)
    messages = [pack("soil_moisture/20", part) for part in (dry, wet)]
    for batch in [messages] if batches == 1 else [[one] for one in messages]:
        line.store(batch)

    assert flags(database) == [0] * 6 + [RATE, 0, 0]


def test_what_pumps_and_clouds_move_may_jump(line: Line, database: sa.Engine) -> None:
    line.store([pack("water_flow", every(1, [0.0, 250.0, 0.0, 250.0]))])

    assert flags(database) == [0, 0, 0, 0]


def test_a_value_out_of_range_is_no_neighbour(line: Line, database: sa.Engine) -> None:
    line.store([pack("air_temperature", every(10, [20.0, 84.0, 20.5, 20.7]))])

    assert flags(database) == [0, RANGE, 0, 0]


# --- spikes ---------------------------------------------------------------------------------------

QUIET = [20.0, 20.1, 20.2, 20.1, 20.3, 20.2]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_lone_value_far_from_both_neighbours_is_a_spike_once_the_next_is_there(
    line: Line, database: sa.Engine, cut: int
) -> None:
    series = every(10, [*QUIET, 35.0, 20.3, 20.4])
    line.store([pack("air_temperature", series[:cut])])
    if cut == 7:  # the spike itself is the newest: all that is known is that it moved too fast
        assert flags(database) == [0] * 6 + [RATE]
    line.store([pack("air_temperature", series[cut:])])

    assert flags(database) == [0] * 6 + [RATE | SPIKE, 0, 0]


def test_a_spike_is_kept_and_not_used(line: Line, database: sa.Engine) -> None:
    line.store([pack("air_temperature", every(10, [*QUIET, 35.0, 20.3]))])

    assert SPIKE >= USABLE_BELOW
    with database.connect() as connection:
        hours = connection.execute(sa.text("SELECT max(high), sum(samples) FROM readings_hourly"))
        assert tuple(hours.one()) == (20.3, 7)


def test_a_stored_reading_that_turns_out_a_spike_has_its_days_computed_again(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack("air_temperature", every(10, [*QUIET, 35.0]))])
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM reading_news"))

    line.store([pack("air_temperature", [(70, 20.3)])])

    with database.connect() as connection:
        since = connection.scalar(sa.text("SELECT extract(epoch FROM since) FROM reading_news"))
    assert int(since or 0) == TIME_S + 60 * 60  # of the spike, at minute 60


def test_a_noisy_sensor_has_no_spikes(line: Line, database: sa.Engine) -> None:
    # Its values are as far from each other as the one in question is from them.
    line.store([pack("air_temperature", every(10, [20.0, 30.0] * 6))])

    assert not any(flag & SPIKE for flag in flags(database))


def test_of_a_sensor_that_is_hardly_known_nothing_is_called_a_spike(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack("air_temperature", every(10, [20.0, 20.1, 20.0, 35.0, 20.0]))])

    assert flags(database) == [0, 0, 0, RATE, 0]


def test_standing_out_is_more_than_six_scaled_median_deviations() -> None:
    # Median of 1, 2, 3, 4, 5 is 3; of the deviations 2, 1, 0, 1, 2 it is 1: the limit is
    # 3 + 6 x 1.4826 x 1 = 11.8956. With three values the noise is not known.
    earlier = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [np.nan, np.nan, 3, 4, 5]], float)

    found = rules.stands_out(np.array([11.89, 11.90, 1e9]), earlier)

    assert_array_equal(found, [False, True, False])


def test_where_most_values_are_equal_the_mean_deviation_tells_the_noise() -> None:
    # Median 20, median deviation 0, mean deviation 10/8 = 1.25: 6 x 1.2533 x 1.25 = 9.4 away.
    # Of four equal values anything else stands out.
    one_other = [20.0] * 7 + [30.0]
    all_equal = [np.nan] * 4 + [20.0] * 4

    found = rules.stands_out(
        np.array([29.3, 29.5, 20.1]), np.array([one_other, one_other, all_equal])
    )

    assert_array_equal(found, [False, True, True])


# --- stuck ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
def test_the_very_same_temperature_for_a_day_is_a_stuck_sensor(
    database: sa.Engine, restarted: bool
) -> None:
    # 18.0 from hour 1 on: 24 hours later is hour 25.
    series = every(60, [17.0] + [18.0] * 26 + [18.1])
    line = Line(database)
    for place in range(0, len(series), 13):
        line.store([pack("air_temperature", series[place : place + 13])])
        line = Line(database) if restarted else line

    assert flags(database) == [0] * 25 + [STUCK, STUCK, 0]


def test_a_value_at_rest_is_not_stuck(line: Line, database: sa.Engine) -> None:
    line.store([pack("relative_humidity", every(60, [100.0] * 40))])
    line.store([pack("valve_open:1", every(60, [1.0] * 40, start=3000))])
    line.store([pack("rain_total", every(60, [12.5] * 40, start=6000))])

    assert flags(database) == [0] * 120


def test_a_pause_of_a_third_of_the_time_proves_nothing(line: Line, database: sa.Engine) -> None:
    before, after = every(60, [18.0] * 20), every(60, [18.0] * 20, start=60 * 19 + 481)

    line.store([pack("air_temperature", [*before, *after])])

    assert flags(database) == [0] * 40


def test_a_late_reading_of_another_value_ends_what_looked_like_one_run(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack("air_temperature", every(60, [18.0] * 24))])
    line.store([pack("air_temperature", [(60 * 20.5, 17.5)])])
    line.store([pack("air_temperature", every(60, [18.0] * 10, start=60 * 24))])

    assert not any(flag & STUCK for flag in flags(database))


# --- counters -------------------------------------------------------------------------------------


def test_a_counter_that_falls_began_again(line: Line, database: sa.Engine) -> None:
    line.store([pack("water_total", every(60, [990.0, 995.0, 3.0]))])
    line.store([pack("water_total", every(60, [7.0, 7.0], start=180))])

    assert flags(database) == [0, 0, RESET, 0, 0]


def test_a_counter_that_runs_over_its_end_did_not_begin_again(
    line: Line, database: sa.Engine
) -> None:
    # The rain gauge of this model counts hundredths of a millimetre in 16 bits: 655.36 mm.
    line.store([pack("rain_total", every(60, [650.0, 655.0, 1.2]), device=METER)])
    line.store([pack("rain_total", every(60, [300.0, 0.4], start=180), device=METER)])

    assert flags(database) == [0, 0, 0, 0, RESET]  # 300 is not near the end


def test_where_a_counter_ends_is_taken_from_its_model_unless_an_operator_knows(
    line: Line, database: sa.Engine
) -> None:
    with database.begin() as connection:
        key = devices.StreamKey(METER, "rain_total", None, 2)
        devices.open_datastreams(connection, [key])
        connection.execute(sa.text("UPDATE datastreams SET counter_modulus = 100"))
    for name in ("rain_total:2", "rain_total", "air_temperature"):
        line.store([pack(name, [(0, 1.0)], device=METER)])

    with database.connect() as connection:
        query = sa.text("SELECT channel, counter_modulus FROM datastreams ORDER BY id")
        assert [tuple(row) for row in connection.execute(query)] == [
            (2, 100.0),
            (None, 655.36),
            (None, None),
        ]


# --- order ----------------------------------------------------------------------------------------


def test_a_reading_that_comes_late_is_not_judged_and_changes_no_judgement(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack("air_temperature", every(10, [20.0, 20.1, 20.2]))])
    line.store([pack("air_temperature", [(15, 45.0)])])
    line.store([pack("air_temperature", [(30, 20.3)])])

    assert flags(database) == [0, 0, 0, 0, 0]


def test_a_batch_that_comes_again_changes_no_flag(line: Line, database: sa.Engine) -> None:
    message = pack("air_temperature", every(10, [*QUIET, 35.0, 20.3]))
    line.store([message])
    first = flags(database)

    line.store([message, message])
    Line(database).store([message])

    assert flags(database) == first == [0] * 6 + [RATE | SPIKE, 0]


def test_each_datastream_is_judged_by_its_own(line: Line, database: sa.Engine) -> None:
    series = every(10, [20.0, 20.1, 20.2])
    other = every(10, [5.0, 5.1, 5.2], start=5)

    line.store([pack("soil_temperature/10", series), pack("soil_temperature/60", other)])

    assert flags(database) == [0] * 6


_steps = st.sampled_from([0.0, 0.0, 0.0, 0.1, -0.1, 9.0, -9.0, 15.0, -15.0])
_pauses = st.sampled_from([1, 10, 10, 10, 60, 200, 700])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(st.tuples(_pauses, _steps), min_size=2, max_size=60),
    cuts=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    restarts=st.booleans(),
)
def test_how_a_series_is_cut_into_batches_changes_no_flag(
    database: sa.Engine, moves: list[tuple[int, float]], cuts: list[int], restarts: bool
) -> None:
    minutes = np.cumsum([pause for pause, _ in moves])
    values = np.round(20.0 + np.clip(np.cumsum([step for _, step in moves]), -60, 35), 1)
    series = list(zip(minutes.tolist(), values.tolist(), strict=True))
    found = []
    for sizes in ([len(series)], cuts):
        with database.begin() as connection:
            connection.execute(sa.text("TRUNCATE readings"))
        line, place, turn = Line(database), 0, 0
        while place < len(series):
            size = sizes[turn % len(sizes)]
            line.store([pack("air_temperature", series[place : place + size])])
            line = Line(database) if restarts else line
            place, turn = place + size, turn + 1
        found.append(flags(database))

    assert found[0] == found[1]


# --- the catalogue --------------------------------------------------------------------------------


def test_limits_of_the_catalogue_make_sense() -> None:
    for quantity in CATALOGUE.values():
        width = quantity.high - quantity.low
        if quantity.change is not None:
            assert 0 < quantity.change.step < width
            assert 0 < quantity.change.per_hour < width
        if quantity.stuck is not None:
            assert 0 < quantity.stuck.after_h <= 14 * 24
            assert len(quantity.stuck.rest) <= 2
            assert all(quantity.low <= value <= quantity.high for value in quantity.stuck.rest)


def test_what_is_not_known_raises_no_flag() -> None:
    nothing = np.array([np.nan])
    now = np.array([0])

    assert not rules.is_far(np.array([5.0]), now, nothing, now, Limits(nothing, nothing)).any()
    assert not rules.is_far(np.array([5.0]), now, np.array([9.0]), now, Limits(nothing, nothing))
    assert not rules.is_reset(np.array([5.0]), nothing, nothing).any()
