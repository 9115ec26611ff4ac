"""Water above field capacity: basin rice by hand, and that ordinary soil knows nothing of it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.balance import (
    Conventions,
    Days,
    Fields,
    State,
    initial_state,
    season_totals,
    water_balance,
)

FAO = Conventions("start-of-day", "after-et", adjust_p=False)

# 0.4 m of puddled clay: 60 mm between field capacity and saturation, banks of 100 mm, and 5 mm a
# day through the pan.
PADDY = Fields(
    theta_fc=0.30,
    theta_wp=0.15,
    ze_m=0.10,
    rew_mm=9.0,
    p=0.20,
    percolation_limit=5.0,
    theta_sat=0.45,
    bund_mm=100.0,
)
PORES = 1000 * (0.45 - 0.30) * 0.4


def still(count: int, **change: object) -> Days:
    """Days without demand in the standard climate: Kc max 1.2, and 1.05 of it for evaporation."""
    quiet = Days(
        et0=[0.0] * count,
        rain=0.0,
        irrigation_net=0.0,
        wetted_fraction=0.5,
        wind_2m=2.0,
        rh_min=45.0,
        kcb=0.15,
        height=0.05,
        root_depth=0.4,
    )
    return quiet._replace(**change)


def state(depletion: float, surface: float = 0.0) -> State:
    return State(np.array([depletion]), np.array([surface]), np.ones(1))


def test_a_basin_fills_its_pores_then_stands_then_runs_over_its_banks():
    # 120 mm: 5 drain, 60 fill the pores, 55 stand. A day without: 50. 200 mm of rain more: 5 drain,
    # 100 stand, and 50 + 200 - 5 - 100 = 145 run over.
    days = still(3, irrigation_net=[120, 0, 0], rain=[0, 0, 200])
    result = water_balance(days, PADDY, state(0.0), FAO)

    assert_allclose(result.deep_percolation[:, 0], [5, 5, 5])
    assert_allclose(result.standing_water[:, 0], [55, 50, 100])
    assert_allclose(result.depletion[:, 0], [-115, -110, -160])
    assert_allclose(result.overflow[:, 0], [0, 0, 145])
    assert_allclose(result.runoff[:, 0], [0, 0, 145])
    assert_allclose(season_totals(result).closure, 0.0, atol=1e-9)


def test_without_banks_what_the_pores_do_not_take_runs_off():
    # 5 of 120 mm drain and 60 stay.
    flat = PADDY._replace(bund_mm=0.0)
    result = water_balance(still(1, rain=120.0), flat, state(0.0), FAO)
    assert_allclose(result.overflow, 55.0)
    assert_allclose(result.standing_water, 0.0)


def test_a_pan_that_lets_nothing_through_loses_nothing_to_percolation():
    sealed = PADDY._replace(percolation_limit=0.0)
    result = water_balance(still(5, rain=[50, 0, 0, 0, 0]), sealed, state(0.0), FAO)
    assert_allclose(result.deep_percolation, 0.0)
    assert_allclose(result.depletion, -50.0)


def test_no_more_drains_in_a_day_where_drainage_comes_first():
    # 3 mm drain before ET as far as there is surplus, and no more than 5 in all after it.
    days = still(2, irrigation_net=[3.0, 20.0])
    result = water_balance(days, PADDY, state(0.0), FAO._replace(drainage="before-et"))
    assert_allclose(result.deep_percolation[:, 0], [3, 5])
    assert_allclose(result.depletion[:, 0], [0, -15])


@pytest.mark.parametrize("drainage", ["after-et", "before-et"])
@pytest.mark.parametrize("timing", ["start-of-day", "end-of-day"])
def test_standing_water_evaporates_as_the_energy_of_the_day_allows(timing, drainage):
    # Ke = Kc max - Kcb = 1.05 of 6 mm on each of five days, 31.5 mm, long after the 9 mm that an
    # ordinary surface gives readily; the half that irrigation once wetted does not matter.
    days = still(5, et0=[6.0] * 5)
    pond = State(np.array([-PORES - 80]), np.array([20.0]), np.array([0.5]))
    result = water_balance(days, PADDY, pond, FAO._replace(event_timing=timing, drainage=drainage))
    assert_allclose(result.ke, 1.05)
    assert_allclose(result.evaporation, 6.3)
    assert_allclose(result.few, 1.0)
    assert_allclose(result.surface_depletion, 0.0)
    # 80 mm, less 5 that drain and 7.2 of ET (0.9 mm of it the crop's) each day
    assert_allclose(result.standing_water[:, 0], 80 - 12.2 * np.arange(1, 6))


def test_a_canopy_keeps_the_sun_from_the_pond():
    # Cover 0.5: the exposed half evaporates at most few Kc max = 0.6, though the drip line that
    # once wetted a tenth of it is long under water.
    wet = PADDY._replace(drip_under_canopy=True)
    days = still(1, et0=[6.0], cover=0.5, wetted_fraction=0.1, irrigation_net=1.0)
    result = water_balance(days, wet, state(-PORES - 80), FAO)
    assert_allclose(result.few, 0.5)
    assert_allclose(result.ke, 0.6)


def test_the_surface_dries_from_wet_once_the_pond_is_gone():
    # 3 mm stand; 7.2 mm of ET and 5 of percolation leave saturation, and De begins at 6.3 mm.
    pond = State(np.array([-PORES - 3.0]), np.array([20.0]), np.array([0.5]))
    result = water_balance(still(2, et0=[6.0] * 2), PADDY, pond, FAO)
    assert_allclose(result.standing_water[:, 0], [0, 0])
    assert_allclose(result.surface_depletion[0, 0], 6.3)
    assert result.end.wetted_fraction[0] == 1.0


def test_rice_counts_its_depletion_from_saturation():
    # Table 22, footnote: p 0.20 of saturation. 120 mm lie between saturation and the wilting point
    # of 0.4 m: stress begins 24 mm below saturation, 36 above field capacity (RAW -36). At field
    # capacity 60 of the 96 mm below that are left: Ks 0.625. By TAW alone there is none.
    rice = PADDY._replace(p_of_saturation=True)
    days = still(1, et0=[1e-9], kcb=1.0)
    of_saturation = water_balance(days, rice, state(0.0), FAO)
    of_capacity = water_balance(days, PADDY, state(0.0), FAO)
    assert_allclose(of_saturation.raw, -36.0)
    assert_allclose(of_saturation.ks, 0.625)
    assert_allclose(of_capacity.ks, 1.0)
    assert_allclose(water_balance(days, rice, state(-36.0), FAO).ks, 1.0)
    assert_allclose(water_balance(days, rice, state(60.0), FAO).ks, 0.0)


def test_banks_hold_the_rain_back_from_running_off():
    # Curve number 90 on wet ground makes most of 50 mm run off; banks keep it.
    ordinary = Fields(0.30, 0.15, 0.10, 9.0, 0.20, curve_number=90.0)
    banked = PADDY._replace(curve_number=90.0)
    storm = still(1, rain=50.0)
    assert water_balance(storm, ordinary, state(0.0), FAO).runoff[0, 0] > 20
    assert water_balance(storm, banked, state(0.0), FAO).runoff[0, 0] == 0


def test_a_basin_may_begin_saturated_and_ordinary_soil_at_most_at_field_capacity():
    assert_allclose(initial_state(PADDY, 0.45, 0.4).depletion, -PORES)
    assert_allclose(initial_state(PADDY, 0.60, 0.4).depletion, -PORES)
    ordinary = PADDY._replace(percolation_limit=np.inf)
    assert_allclose(initial_state(ordinary, 0.45, 0.4).depletion, 0.0)


def test_pores_that_nothing_limits_hold_nothing():
    # θsat alone changes nothing: soil without a limit drains to field capacity within the day.
    plain = Fields(0.30, 0.15, 0.10, 9.0, 0.20)
    known = plain._replace(theta_sat=0.45)
    days = still(3, rain=[80, 0, 0], et0=[5.0] * 3)
    one, other = (water_balance(days, soil, state(10.0), FAO) for soil in (plain, known))
    for name in ("depletion", "deep_percolation", "ke", "ks", "standing_water", "closure"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
