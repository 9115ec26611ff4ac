"""Crop zones side by side: sums over each zone's own days, and seasons that did not happen."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics import requirement

from .made_season import DAYS, run, water


@pytest.fixture(scope="module")
def three():
    """A long season, a short one and a rain-fed one, of different areas."""
    waters = [water(10.0), water(20.0, days=80), water(30.0, mm=0.0)]
    return run([10.0, 20.0, 30.0], waters, rain_mm=12.0, lengths=[DAYS, 80, DAYS])


def test_sums_end_with_each_zones_own_season(three):
    # 12 mm on days 5, 25, 45, 65 of 80, and also on 85 and 105 of 120.
    assert_allclose(three.total("rain"), [72.0, 48.0, 72.0])
    # 40 mm on days 10, 20 … 110, the short season until day 70.
    assert_allclose(three.gross_mm.sum(axis=0), [440.0, 280.0, 0.0])


def test_a_short_season_beside_a_long_one_is_what_it_is_alone(three):
    alone = run([20.0], [water(20.0, days=80)], rain_mm=12.0, lengths=[80])

    for name in ("eta", "etc", "deep_percolation"):
        assert_allclose(three.total(name)[1], alone.total(name)[0])
    for name in ("requirement", "effective_rain", "storage_change", "closure"):
        assert_allclose(getattr(three, name)[1], getattr(alone, name)[0])
    assert_allclose(alone.requirement, requirement.net_requirement(alone.balance))


def test_water_of_each_zones_season_closes(three):
    total = three.total
    water_in = total("rain") + total("irrigation_net")
    water_out = total("eta") + total("deep_percolation") + total("runoff")

    assert_allclose(water_in - water_out, three.storage_change, atol=1e-9)


def test_the_requirement_is_what_rain_and_soil_left_to_be_given(three):
    # By its definition: ETc - effective rain - what the soil gave.
    needed = three.etc - three.effective_rain + three.storage_change

    assert_allclose(three.requirement, needed)


def test_the_season_as_it_was_comes_out_again(three):
    again = three.as_applied()

    assert_allclose(again.eta, three.total("eta"))
    assert_allclose(again.deep_percolation, three.total("deep_percolation"))
    assert_allclose(again.applications, [11, 7, 0])


def test_what_if_runs_of_all_zones_at_once_are_those_of_each(three):
    gross, share, wetted = [600.0, 400.0, 500.0], [0.6, 0.7, 0.6], [0.8, 1.0, 1.0]
    together = three.with_gross(gross, share, wetted)
    alone = run([10.0], [water(10.0)], rain_mm=12.0).with_gross(600.0, 0.6, 0.8)

    assert_allclose(together.eta[0], alone.eta[0])
    assert_allclose(together.gross[:2], gross[:2])
    assert np.isnan(together.eta[2])  # never watered: no days to lay water over


def test_more_water_never_means_less_consumption(three):
    etas = [three.with_gross(mm, 0.6, 1.0).eta[:2] for mm in (100.0, 300.0, 500.0, 900.0)]

    assert np.all(np.diff(etas, axis=0) >= -1e-9)


def test_the_old_irrigator_fills_the_root_zone_whenever_its_ready_water_is_gone():
    made = run([10.0], [water(10.0)], theta_0=0.30)
    old = made.old_irrigator(0.6, 1.0, dry_days=0)

    # Nothing rains: what was withdrawn is what ETa took and the soil did not give, by 0.6.
    # Filled to field capacity each time, so ETa is that without stress up to the day's own.
    stress_free = made.with_gross(5_000.0, 1.0, 1.0).eta
    given = old.gross * 0.6
    assert old.deep_percolation == pytest.approx(0.0, abs=1e-9)
    assert given < old.eta
    assert old.eta == pytest.approx(stress_free, rel=0.15)
    assert old.gross / old.applications > 30.0  # deep, seldom waterings, as furrows take


def test_the_old_irrigator_loses_what_his_efficiency_says():
    made = run([10.0], [water(10.0)])
    poor, good = made.old_irrigator(0.5, 1.0), made.old_irrigator(1.0, 1.0)

    assert_allclose(poor.eta, good.eta)  # he fills the soil all the same
    assert_allclose(poor.gross, 2.0 * good.gross)


def test_the_old_irrigator_stops_before_harvest_also_of_a_season_that_has_just_begun():
    days = 60
    harvested = run([10.0], [water(10.0, days=days)], lengths=[days])
    growing = run([10.0], [water(10.0, days=days)], lengths=[days], season_days=[DAYS])

    assert harvested.old_irrigator(0.6, 1.0, dry_days=days).gross == 0.0
    assert growing.old_irrigator(0.6, 1.0, dry_days=days).gross > 0.0


def test_the_old_irrigator_waters_for_the_last_time_on_the_day_before_his_rest():
    # Bone dry from the start he would water every evening that he may: the first watering stands
    # on day 1. With all but one day of rest he never does, with two days left he does once.
    dry = run([10.0], [water(10.0)], theta_0=0.14)
    assert dry.old_irrigator(0.6, 1.0, dry_days=DAYS - 1).applications == 0
    assert dry.old_irrigator(0.6, 1.0, dry_days=DAYS - 2).applications == 1


def test_only_the_zones_asked_for_are_run(three):
    old = three.old_irrigator(0.6, 1.0, only=np.array([False, True, False]))

    assert np.isfinite(old.eta).tolist() == [False, True, False]
    assert_allclose(old.eta[1], three.old_irrigator(0.6, 1.0).eta[1])


def test_a_season_that_did_not_happen_was_not_probed():
    """A probe that finds field capacity on day 40 corrects the season as it was, and it alone."""
    probed, unprobed = (run([10.0], [water(10.0)], probed_day=day) for day in (40, None))

    assert probed.total("correction")[0] > 1.0
    assert probed.total("eta")[0] > unprobed.total("eta")[0]
    assert_allclose(probed.as_applied().eta, unprobed.total("eta"))
    assert_allclose(
        probed.with_gross(500.0, 0.6, 1.0).eta, unprobed.with_gross(500.0, 0.6, 1.0).eta
    )
    # What the probe found in the soil need not be given.
    assert probed.requirement[0] < unprobed.requirement[0]
