"""The daily balance against FAO-56's examples and cases by hand; test_balance_laws has the laws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.balance import (
    PYFAO56,
    Conventions,
    Days,
    Fields,
    State,
    initial_state,
    season_totals,
    water_balance,
)

FAO = Conventions("start-of-day", "after-et", adjust_p=False, adjust_kcb=False)


def bare(et0: list[float], *, kcb: float = 0.15, rain: float | list[float] = 0.0) -> Days:
    """Days of a field that is little more than soil, in the standard climate."""
    return Days(
        et0=et0,
        rain=rain,
        irrigation_net=0.0,
        wetted_fraction=1.0,
        wind_2m=2.0,
        rh_min=45.0,
        kcb=kcb,
        height=0.05,
        root_depth=1.0,
    )


def state(depletion: float, surface: float, wetted: float = 1.0) -> State:
    return State(np.array([depletion]), np.array([surface]), np.array([wetted]))


def test_bare_loam_dries_after_heavy_rain():
    # FAO-56 Example 31, p. 146: TEW 20, REW 9, few 1, Kc max 1.2, ETo 4.5 for ten days
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    days = bare([4.5] * 10)

    result = water_balance(days, loam, state(0.0, 0.0), FAO)

    kr = [1, 1, 0.96, 0.55, 0.31, 0.18, 0.10, 0.06, 0.03, 0.02]
    evaporation = [4.73, 4.73, 4.53, 2.59, 1.47, 0.84, 0.48, 0.27, 0.16, 0.09]
    surface = [4.73, 9.45, 13.98, 16.57, 18.04, 18.88, 19.36, 19.64, 19.79, 19.88]
    etc = [5.4, 5.4, 5.2, 3.3, 2.1, 1.5, 1.2, 0.9, 0.8, 0.8]
    assert_allclose(result.kr[:, 0], kr, atol=0.011)
    assert_allclose(result.evaporation[:, 0], evaporation, atol=0.011)
    assert_allclose(result.surface_depletion[:, 0], surface, atol=0.011)
    assert_allclose(result.etc[:, 0], etc, atol=0.051)


# FAO-56 Examples 35 (pp. 154-155) and 38 (pp. 172-173): ten days on sandy loam, 40 mm of
# irrigation over 0.8 of the surface on the first morning, 6 mm of rain on the sixth.
SANDY_LOAM = Fields(theta_fc=0.23, theta_wp=0.10, ze_m=0.10, rew_mm=8.0, p=0.6)
TEN_DAYS = Days(
    et0=[4.5, 5.0, 3.9, 4.2, 4.8, 2.7, 5.8, 5.1, 4.7, 5.2],
    rain=[0, 0, 0, 0, 0, 6, 0, 0, 0, 0],
    irrigation_net=[40, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    wetted_fraction=0.8,
    wind_2m=1.6,
    rh_min=35.0,
    kcb=[0.30, 0.31, 0.32, 0.33, 0.34, 0.36, 0.37, 0.38, 0.39, 0.40],
    height=0.3,
    root_depth=[0.30, 0.31, 0.31, 0.32, 0.32, 0.33, 0.33, 0.34, 0.34, 0.35],
    cover=1 - np.array([0.92, 0.91, 0.91, 0.90, 0.89, 0.89, 0.88, 0.87, 0.87, 0.86]),
)


def test_ten_days_of_evaporation_and_transpiration():
    # Example 35. Its third row contradicts itself (Ke 0.62, E/few 3.0, yet ETc 4.0): left out.
    result = water_balance(TEN_DAYS, SANDY_LOAM, state(0.0, 18.0), FAO)

    few = [0.8, 0.8, 0.8, 0.8, 0.8, 0.89, 0.88, 0.87, 0.87, 0.86]
    kr = [1, 1, 0.7, 0.4, 0.2, 0.75, 0.53, 0.2, 0.09, 0.05]
    ke = [0.91, 0.90, 0.62, 0.35, 0.18, 0.64, 0.45, 0.17, 0.08, 0.04]
    surface = [5, 11, 14, 16, 17, 13, 16, 17, 18, 18]
    etc = [5.5, 6.1, 4.0, 2.9, 2.5, 2.7, 4.7, 2.8, 2.2, 2.3]
    clear = np.arange(10) != 2
    assert_allclose(result.few[:, 0], few, atol=0.006)
    assert_allclose(result.kr[:, 0], kr, atol=0.06)
    assert_allclose(result.ke[:, 0], ke, atol=0.045)
    # Whole millimetres worked on by hand: the ninth evening prints 18 for 17 and 0.4.
    assert_allclose(result.surface_depletion[:, 0], surface, atol=0.7)
    assert_allclose(result.etc[clear, 0], np.array(etc)[clear], atol=0.15)


def test_ten_days_of_a_root_zone_that_drains_before_its_evapotranspiration():
    # Example 38, which irrigates 27 mm on the last morning; 17 mm drain on the first day because
    # the surplus drains before ET.
    watered = TEN_DAYS._replace(
        irrigation_net=[40, 0, 0, 0, 0, 0, 0, 0, 0, 27],
    )
    drained_first = FAO._replace(drainage="before-et")

    result = water_balance(watered, SANDY_LOAM, state(23.4, 18.0), drained_first)

    raw = [23, 24, 24, 25, 25, 26, 26, 26, 27, 27]
    depletion = [5, 12, 16, 18, 21, 18, 22, 25, 27, 6]
    etc = [5.5, 6.1, 4.0, 2.9, 2.5, 2.7, 4.7, 2.8, 2.2, 6.3]
    clear = np.arange(10) != 2
    assert_allclose(result.raw[:, 0], raw, atol=1.0)
    assert_allclose(result.deep_percolation[:, 0], [17] + [0] * 9, atol=1.0)
    assert_allclose(result.depletion[:, 0], depletion, atol=1.0)
    assert_allclose(result.etc[clear, 0], np.array(etc)[clear], atol=0.15)


def test_evapotranspiration_comes_before_drainage_by_equation_88():
    # The first day of Example 38 in the order of Eq. 88: 40 - 23.4 - 5.45 = 11.15 mm.
    result = water_balance(TEN_DAYS, SANDY_LOAM, state(23.4, 18.0), FAO)
    assert_allclose(result.deep_percolation[0, 0], 11.15, atol=0.05)
    assert result.depletion[0, 0] == 0


def test_available_water_by_crop_and_soil():
    # Example 36, p. 166: onion, tomato and maize on loamy sand, silt and silty clay
    roots, p = np.repeat([0.4, 0.8, 1.2], 3), np.repeat([0.30, 0.40, 0.55], 3)
    soil = {"theta_fc": np.tile([0.15, 0.32, 0.35], 3), "theta_wp": np.tile([0.06, 0.15, 0.23], 3)}
    fields = Fields(**soil, ze_m=0.1, rew_mm=4.0, p=p)
    day = bare([5.0])._replace(root_depth=roots[None, :])

    result = water_balance(day, fields, initial_state(fields, soil["theta_fc"], roots), FAO)

    assert_allclose(result.taw[0], [36, 68, 48, 72, 136, 96, 108, 204, 144], atol=0.51)
    assert_allclose(result.raw[0], [11, 20, 14, 29, 54, 38, 59, 112, 79], atol=0.51)


def test_p_falls_when_the_crop_asks_for_more():
    # p = 0.65 + 0.04 (5 - ETc), by hand for 7 mm: 0.57
    dry_surface = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.65)
    days = bare([7.0], kcb=1.0)
    result = water_balance(days, dry_surface, state(0.0, 20.0), PYFAO56)
    assert_allclose(result.etc[0, 0], 7.0)
    assert_allclose(result.p[0, 0], 0.57)


def test_coefficients_of_alfalfa_know_no_climate():
    # Kc max is 1.0 where ET is that of alfalfa: a wet field adds 0.85 to Kcb 0.15, in any wind.
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    days = bare([6.0])._replace(wind_2m=9.0, rh_min=10.0)
    tall = water_balance(days, loam, state(0.0, 0.0), FAO._replace(reference="tall"))
    short = water_balance(days, loam, state(0.0, 0.0), FAO)
    assert_allclose(tall.ke, 0.85)
    assert short.ke[0, 0] > 1.05


def test_a_season_of_no_days_ends_as_it_began():
    loam = Fields(0.25, 0.10, 0.10, 9.0, 0.55, available_water_max=150.0)
    start = initial_state(loam, [0.2, 0.15], 0.5)
    for chosen in (FAO, FAO._replace(new_root_zone="subsoil")):
        result = water_balance(bare([])._replace(root_depth=np.ones((0, 2))), loam, start, chosen)
        assert result.eta.shape == (0, 2)
        assert_allclose(result.end.depletion, start.depletion)
        assert_allclose(season_totals(result).closure, 0.0)


def test_the_beginning_is_as_dry_below_as_above_and_as_uncertain_as_told():
    # θ 0.20 in loam: 50 mm a metre are missing, 25 in the roots and 25 of the half metre below;
    # 0.03 m³/m³ of 0.5 m are 15 mm.
    loam = Fields(0.25, 0.10, 0.10, 9.0, 0.55, available_water_max=150.0)
    start = initial_state(loam, 0.20, 0.5)
    assert_allclose([start.depletion, start.subsoil_depletion], 25.0)
    assert_allclose(start.depletion_variance, 15.0**2)
    assert_allclose(initial_state(loam, 0.20, 0.5, theta_sd=0.01).depletion_variance, 25.0)
    assert_allclose(initial_state(loam, 0.20, 0.5, subsoil_depletion=7.0).subsoil_depletion, 7.0)
    no_deeper = loam._replace(available_water_max=np.nan)
    assert_allclose(initial_state(no_deeper, 0.20, 0.5).subsoil_depletion, 0.0)


def test_events_at_the_end_of_the_day_wait_for_tomorrow():
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    days = bare([5.0, 5.0], rain=[20.0, 0.0])
    late = water_balance(days, loam, state(50.0, 20.0), PYFAO56)
    early = water_balance(days, loam, state(50.0, 20.0), FAO)
    assert late.ke[0, 0] == 0
    assert_allclose(early.ke[0, 0], 1.05)
    assert_allclose(late.ke[1, 0], 1.05)


def test_runoff_of_a_storm_on_wet_ground():
    # By hand: CN 70 becomes 70 / (0.427 + 0.00573 x 70) = 84.53 on wet ground, S = 45.77 mm,
    # RO = (50 - 9.154)² / (50 + 36.62) = 19.26 mm. Dry ground: CN 50.6, S 244.3, RO 0.006 mm.
    loam = Fields(0.25, 0.10, 0.10, 9.0, 0.55, curve_number=[70.0, np.nan])
    storm = bare([0.0], rain=50.0)
    wet = State(np.full(2, 100.0), np.zeros(2), np.ones(2))
    dry = wet._replace(surface_depletion=np.full(2, 20.0))
    assert_allclose(water_balance(storm, loam, wet, FAO).runoff[0], [19.26, 0.0], atol=0.02)
    assert_allclose(water_balance(storm, loam, dry, FAO).runoff[0], [0.006, 0.0], atol=0.005)


def test_a_bone_dry_field_gives_no_more_water_than_it_has():
    # 1.5 mm above the wilting point, a wet surface, and a day that asks for 9 mm.
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    result = water_balance(bare([9.0] * 3), loam, state(148.5, 0.0), FAO)
    assert_allclose(result.eta.sum(), 1.5)
    assert_allclose(result.depletion[-1], 150.0)
    assert_allclose(season_totals(result).closure, 0.0, atol=1e-9)


def test_a_field_below_the_wilting_point_waits_for_rain():
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    days = bare([5.0, 5.0], rain=[0.0, 20.0])
    result = water_balance(days, loam, initial_state(loam, 0.08, 1.0), FAO)
    assert_allclose(result.start.depletion, 170.0)
    assert_allclose(result.depletion[:, 0], [170.0, 150.0])
    assert_allclose(result.eta, 0.0, atol=1e-9)


def test_capillary_rise_is_water_in():
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    days = bare([0.0])._replace(capillary_rise=2.0)
    result = water_balance(days, loam, state(10.0, 20.0), FAO)
    assert_allclose(result.depletion, 8.0)
    assert_allclose(season_totals(result).capillary_rise, 2.0)


def test_a_missing_day_makes_its_field_unknown_from_then_on():
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    et0 = np.full((4, 2), 5.0)
    et0[1, 0] = np.nan
    result = water_balance(bare([5.0] * 4)._replace(et0=et0), loam, state(10.0, 0.0), FAO)
    assert np.isnan(result.depletion[:, 0]).tolist() == [False, True, True, True]
    assert np.isfinite(result.depletion[:, 1]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rain": -1.0}, "rain is negative"),
        ({"irrigation_net": 5.0, "wetted_fraction": 0.0}, "wetted_fraction"),
        ({"irrigation_net": 5.0, "wetted_fraction": np.nan}, "wetted_fraction"),
        ({"kcb": np.zeros((3, 7))}, "shapes do not fit"),
        ({"root_depth": 0.0}, "root_depth"),
        ({"available_water": 0.0}, "available_water is not positive"),
        ({"measured_depletion": 5.0}, "measured_sd"),
        ({"measured_depletion": 5.0, "measured_sd": 0.0}, "measured_sd"),
    ],
)
def test_impossible_days_are_refused(change, message):
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    with pytest.raises(ValueError, match=message):
        water_balance(bare([5.0, 5.0])._replace(**change), loam, state(10.0, 0.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"theta_wp": 0.25}, "theta_fc"),
        ({"rew_mm": 20.0}, "rew_mm"),
        ({"p": 1.0}, "p is not"),
        ({"curve_number": 0.0}, "curve_number"),
        ({"percolation_limit": -1.0, "theta_sat": 0.4}, "percolation_limit"),
        ({"percolation_limit": 5.0}, "theta_sat is missing"),
        ({"p_of_saturation": True}, "theta_sat is missing"),
        ({"theta_sat": 0.25}, "theta_sat is not above theta_fc"),
        ({"bund_mm": -1.0}, "bund_mm"),
        ({"model_sd_mm": np.nan}, "model_sd_mm"),
    ],
)
def test_impossible_fields_are_refused(change, message):
    loam = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55)
    with pytest.raises(ValueError, match=message):
        water_balance(bare([5.0]), loam._replace(**change), state(10.0, 0.0))
