"""What is new is computed, from the day it reaches on, and comes out as if from the beginning."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa

from analytics import daily
from analytics.daily import plans
from storage import harvests, news, results
from storage.harvests import HarvestLoad
from storage.tables import BALANCE_NUMBERS
from tests.analytics.daily.conftest import CROP, World, at, day_of, meter, midnight, probe, station

Found = Callable[..., World]


def numbers(world: World) -> np.ndarray:
    return np.array(
        [
            [np.nan if row[name] is None else row[name] for name in BALANCE_NUMBERS]
            for row in world.rows()
        ]
    )


def whole_season(world: World, days: range = range(60)) -> None:
    world.says("station", station(days))
    world.says("meter", meter(days))
    world.says("probe", probe(days))


def test_a_season_analysed_every_night_is_the_season_analysed_at_once(found_farm: Found) -> None:
    nightly, once = found_farm("nightly"), found_farm("once")
    for number in range(40):
        whole_season(nightly, range(number, number + 1))
        done = nightly.analyse(day_of(number + 1))
        assert (done.computed, done.days) == (1, 1)
    whole_season(once, range(40))
    once.analyse(day_of(40))

    np.testing.assert_array_equal(numbers(nightly), numbers(once))
    a, b = nightly.result(), once.result()
    for name in ("applied_m3", "eta_mm", "net_requirement_mm", "soil_rmse_mm", "correction_mm"):
        assert a[name] == pytest.approx(b[name], rel=1e-12), name
    assert a["closure_mm"] < 1e-9


def test_the_end_of_the_season_fits_kcb_to_its_stages_once(found_farm: Found) -> None:
    nightly, once = found_farm("nightly"), found_farm("once")
    for number in (20, 40, 59, 60):
        whole_season(nightly, range(number))
        nightly.analyse(day_of(number))
    whole_season(nightly)
    nightly.analyse(day_of(75))
    whole_season(once)
    once.analyse(day_of(75))

    np.testing.assert_array_equal(numbers(nightly), numbers(once))
    assert nightly.result()["conventions"]["kcb_fitted_to"] == "mean of each stage"


def test_nothing_new_computes_nothing(found_farm: Found) -> None:
    world = found_farm("quiet")
    whole_season(world)
    assert world.analyse(day_of(70)).computed == 1
    again = world.analyse(day_of(71))

    assert (again.computed, again.results, again.days) == (0, 0, 0)


def test_a_late_reading_touches_its_own_day_and_those_after(found_farm: Found) -> None:
    world = found_farm("late")
    world.says("station", station(range(60)))
    world.says("meter", [row for row in meter(range(60)) if row[0] < at(day_of(30), 0)])
    world.analyse(day_of(70))
    before = {row["day"]: row["id"] for row in world.rows()}
    applied = world.result()["applied_m3"]

    world.says("meter", [row for row in meter(range(60)) if row[0] >= at(day_of(30), 0)])
    done = world.analyse(day_of(71))

    after = {row["day"]: row["id"] for row in world.rows()}
    stood = [day for day in before if before[day] == after[day]]
    assert max(stood) == day_of(29)
    assert len(stood) == 30
    assert done.days == 30
    # Six applications of 300 m³ until day 30, six more after it.
    assert (applied, world.result()["applied_m3"]) == (1800.0, 3600.0)


def test_what_was_superseded_is_still_what_stood_then(found_farm: Found) -> None:
    world = found_farm("as-of")
    world.says("station", station(range(60)))
    world.says("meter", meter(range(50)))
    world.analyse(day_of(70))
    with world.engine.connect() as connection:
        then = connection.scalar(sa.text("SELECT clock_timestamp()"))
    old = numbers(world)
    world.says("meter", meter(range(50, 60)))
    world.analyse(day_of(70))

    with world.engine.connect() as connection:
        stood = results.balance(connection, world.zone_id, as_of=then)
        season = results.seasons(connection, [world.zone_id], as_of=then)[world.zone_id]
    assert [row["eta_mm"] for row in stood] == old[:, BALANCE_NUMBERS.index("eta_mm")].tolist()
    assert (season["applied_m3"], world.result()["applied_m3"]) == (3000.0, 3600.0)


def test_a_weighed_load_makes_a_new_result_and_no_new_days(found_farm: Found) -> None:
    world = found_farm("load")
    whole_season(world)
    world.analyse(day_of(70))
    with world.engine.begin() as connection:
        load = HarvestLoad(world.zone_id, "1", at(day_of(60), 9), 9000.0, None, None, None, "test")
        harvests.add(connection, [load])
    done = world.analyse(day_of(70))

    assert (done.results, done.days) == (1, 0)
    assert world.result()["bunker_mass_kg"] == 9000.0


def test_another_crop_parameter_computes_every_day_anew(found_farm: Found) -> None:
    world = found_farm("crop")
    whole_season(world)
    world.analyse(day_of(70))
    world.change(crop_parameters=CROP | {"p": 0.5})
    assert world.analyse(day_of(70)).days == 60


def test_an_earlier_harvest_takes_its_days_away(found_farm: Found) -> None:
    world = found_farm("short")
    whole_season(world)
    world.analyse(day_of(70))
    world.change(harvested=day_of(49))
    world.analyse(day_of(70))

    assert [row["day"] for row in world.rows()] == [day_of(number) for number in range(50)]
    assert world.result()["computed_to"] == day_of(49)


def test_an_analysis_that_stops_halfway_finds_its_news_again(
    found_farm: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = found_farm("stopped")
    whole_season(world, range(30))
    world.analyse(day_of(30))
    world.says("meter", [(at(day_of(10), 15), "water_total", None, 1750.0)])

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(daily, "judge_all", stop)
        with pytest.raises(KeyboardInterrupt):
            world.analyse(day_of(30))
    with world.engine.connect() as connection:
        assert news.claimed_readings(connection, [world.farm.id])
    assert world.analyse(day_of(30)).days == 20


def test_days_after_a_gap_are_filled_from_both_sides_when_the_station_is_back(
    found_farm: Found,
) -> None:
    gappy, once = found_farm("gappy"), found_farm("once")
    gappy.says("station", station(range(20)))
    gappy.analyse(day_of(25))  # five days of silence, held at the last value
    gappy.says("station", station(range(24, 30)))
    gappy.analyse(day_of(30))
    once.says("station", station([*range(20), *range(24, 30)]))
    once.analyse(day_of(30))

    np.testing.assert_array_equal(numbers(gappy), numbers(once))
    rows = gappy.rows()
    assert "temperature interpolated" in rows[21]["weather_source"]
    assert rows[24]["weather_source"] == "measured"
    assert gappy.result()["weather_coverage_pct"] == pytest.approx(100 * 26 / 30)


def test_a_season_that_has_not_begun_has_no_result(found_farm: Found) -> None:
    world = found_farm("future")
    world.says("station", station([0]))

    assert world.analyse(at(day_of(0), 12)).computed == 0
    assert world.analyse(day_of(1)).days == 1  # planted yesterday: one day is over


def test_another_version_of_the_method_computes_everything_anew(
    found_farm: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = found_farm("version")
    whole_season(world)
    world.analyse(day_of(70))
    for module in ("plans", "seasons", "storing"):
        monkeypatch.setattr(f"analytics.daily.{module}.METHOD_VERSION", "another")
    monkeypatch.setattr("analytics.daily.METHOD_VERSION", "another")

    assert plans.METHOD_VERSION == "another"
    assert world.analyse(day_of(70)).days == 60
    assert world.result()["method_version"] == "another"


def test_days_are_the_farms_own(found_farm: Found) -> None:
    world = found_farm("zone")
    world.says("station", station(range(3)))
    almost = at(day_of(3), 0) - dt.timedelta(minutes=1)

    assert world.analyse(almost).days == 2
    assert world.analyse(almost + dt.timedelta(minutes=1)).days == 1


def test_a_late_day_of_a_finished_season_moves_the_kcb_of_its_stage_from_the_start(
    found_farm: Found,
) -> None:
    late, known = found_farm("late"), found_farm("known")
    for world in (late, known):
        world.says("meter", meter(range(60)))
    known.says("station", station(range(60)))
    late.says("station", station([number for number in range(60) if number != 40]))
    late.analyse(day_of(61))
    late.says("station", station([40]))  # mid-season, whose Kcb days 10 to 29 grow towards
    late.analyse(day_of(200))
    known.analyse(day_of(61))

    for name in ("kcb", "eta_mm", "depletion_mm"):
        assert [row[name] for row in late.rows()] == [row[name] for row in known.rows()]
    assert late.result()["eta_mm"] == known.result()["eta_mm"]


def test_a_late_reading_at_midnight_sharp_belongs_to_the_day_that_ends(found_farm: Found) -> None:
    world = found_farm("sharp")
    world.says("station", station(range(6)))
    counts = [(at(day_of(0), 12), 100.0), (at(day_of(5), 12), 400.0)]
    world.says("meter", [(time, "water_total", None, value) for time, value in counts])
    world.analyse(day_of(6))
    world.says("meter", [(midnight(day_of(3)), "water_total", None, 250.0)])
    world.analyse(day_of(6))

    # 150 m³ by the end of day 2, and the rest by day 5, on 10 ha.
    gross = [row["irrigation_gross_mm"] for row in world.rows()]
    assert gross == pytest.approx([0.0, 0.0, 1.5, 0.0, 0.0, 1.5])


def test_roots_that_grow_into_a_dry_subsoil_resume_where_they_were(found_farm: Found) -> None:
    subsoil = {"new_root_zone": "subsoil"}
    nightly, once = (found_farm(slug, conventions=subsoil) for slug in ("steps", "whole"))
    for world in (nightly, once):
        whole_season(world)
    for night in (9, 14, 22, 40, 61):
        nightly.analyse(day_of(night))
    once.analyse(day_of(61))

    assert once.rows()[20]["subsoil_depletion_mm"] > 0
    np.testing.assert_array_equal(numbers(nightly), numbers(once))
