"""Laws that the balance keeps in any season: water, bounds, order of fields, cuts in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from analytics import balance
from analytics.balance import (
    Conventions,
    Days,
    Fields,
    State,
    WaterBalance,
    season_totals,
    water_balance,
)
from tests.analytics.random_seasons import (
    DAYS,
    WIDTH,
    conventions,
    cut,
    season_of,
    seasons,
    unmeasured_seasons,
)

ARRAYS = WaterBalance._fields[:-2]


def _same(one: WaterBalance, other: WaterBalance) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def _same_state(one: State, other: State) -> None:
    for name, ours, theirs in zip(State._fields, one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


@given(seasons, conventions)
@settings(deadline=None, max_examples=300)
def test_no_water_is_made_or_lost(season, chosen):
    days, fields, start = season
    result = water_balance(days, fields, start, chosen)

    assert np.abs(result.closure).max() < 1e-6
    assert np.abs(season_totals(result).closure).max() < 1e-6


@given(seasons, conventions)
@settings(deadline=None)
def test_the_sums_close_by_the_numbers_that_are_given_out(season, chosen):
    # The law again from results alone, without the closure that the balance states of itself.
    days, fields, start = season
    result = water_balance(days, fields, start, chosen)

    came = result.rain + result.irrigation_net + result.capillary_rise + result.correction
    went = result.eta + result.runoff + result.deep_percolation
    held = result.depletion[-1] - start.depletion
    if chosen.new_root_zone == "subsoil":
        held = held + result.subsoil_depletion[-1] - start.subsoil_depletion
    assert_allclose((came - went).sum(axis=0), -held, atol=1e-6)


@given(unmeasured_seasons, conventions)
@settings(deadline=None)
def test_no_more_leaves_than_came_and_was_there(season, chosen):
    days, fields, start = season
    totals = season_totals(result := water_balance(days, fields, start, chosen))

    held = np.maximum(result.taw.max(axis=0) - start.depletion, 0.0)
    came = totals.rain + totals.irrigation_net + totals.capillary_rise
    assert (totals.eta + totals.deep_percolation + totals.runoff <= came + held + 1e-6).all()


@given(seasons, conventions)
@settings(deadline=None)
def test_coefficients_and_flows_keep_their_bounds(season, chosen):
    days, fields, start = season
    result = water_balance(days._replace(et0=np.abs(days.et0)), fields, start, chosen)

    for name in (
        "kr", "few", "ks", "ke", "evaporation", "transpiration", "deep_percolation", "runoff",
        "overflow", "standing_water", "subsoil_depletion", "surface_depletion",
    ):  # fmt: skip
        assert (getattr(result, name) >= 0).all(), name
    assert (result.kr <= 1).all()
    assert (result.ks <= 1).all()
    assert (result.few <= 1).all()
    assert (result.gain >= 0).all()
    assert (result.gain <= 1).all()
    assert (result.runoff - result.overflow <= result.rain + 1e-9).all()
    pores = 1000 * (fields.theta_sat - fields.theta_fc) * days.root_depth
    keeps = np.isfinite(fields.percolation_limit)
    fullest = np.where(keeps, pores + fields.bund_mm, 0.0)
    assert (result.depletion >= -fullest - 1e-9).all()
    assert (result.standing_water <= fields.bund_mm + 1e-9).all()
    assert (result.standing_water[:, ~keeps] == 0).all()
    assert (result.deep_percolation[:, keeps] <= fields.percolation_limit[keeps] + 1e-9).all()
    assert_allclose(result.eta, result.evaporation + result.transpiration)
    assert_allclose(result.eta, (result.ks * result.kcb + result.ke) * result.et0, atol=1e-9)
    assert_allclose(result.etc, (result.kcb + result.ke) * result.et0, atol=1e-9)


@given(seasons, conventions, st.integers(1, DAYS - 1))
@settings(deadline=None)
def test_a_season_in_two_calls_is_the_season(season, chosen, day):
    days, fields, start = season
    whole = water_balance(days, fields, start, chosen)

    first = water_balance(cut(days, slice(None, day)), fields, start, chosen)
    second = water_balance(cut(days, slice(day, None)), fields, first.end, chosen)

    joined = [np.concatenate([a, b]) for a, b in zip(first[:-2], second[:-2], strict=True)]
    # The variance is told where something was measured; a half without measurements is silent.
    of_silent = WaterBalance(*joined, first.start, second.end)
    silent = np.isnan(of_silent.depletion_sd) & ~np.isnan(whole.depletion_sd)
    told = np.where(silent, whole.depletion_sd, of_silent.depletion_sd)
    _same(whole, of_silent._replace(depletion_sd=told))
    _same_state(whole.end, second.end)


@given(seasons, conventions, st.permutations(range(WIDTH)))
@settings(deadline=None)
def test_neighbours_do_not_matter(season, chosen, order):
    days, fields, start = season
    whole = water_balance(days, fields, start, chosen)
    shuffled = water_balance(
        cut(days, slice(None), order),
        Fields(*(np.broadcast_to(value, WIDTH)[order] for value in fields)),
        State(*(value[order] for value in start)),
        chosen,
    )
    _same(WaterBalance(*(value[:, order] for value in whole[:-2]), start, whole.end), shuffled)


@given(seasons, conventions)
@settings(deadline=None)
def test_a_field_alone_is_the_field_among_others(season, chosen):
    # What no field of a call has is not computed: that must not change those that never had it.
    days, fields, start = season
    whole = water_balance(days, fields, start, chosen)
    for column in range(WIDTH):
        alone = water_balance(
            cut(days, slice(None), [column]),
            Fields(*(np.broadcast_to(value, WIDTH)[[column]] for value in fields)),
            State(*(value[[column]] for value in start)),
            chosen,
        )
        for name in set(ARRAYS) - {"depletion_sd"}:
            ours, theirs = getattr(alone, name)[:, 0], getattr(whole, name)[:, column]
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 8, 11])
def test_how_fields_are_cut_into_blocks_changes_nothing(block, monkeypatch):
    days, fields, start = season_of(5, days=30, width=11)
    chosen = Conventions(new_root_zone="subsoil")
    whole = water_balance(days, fields, start, chosen)

    monkeypatch.setattr(balance, "BLOCK", block)
    cut_up = water_balance(days, fields, start, chosen)

    _same(whole, cut_up)
    _same_state(whole.end, cut_up.end)


@given(seasons, conventions)
@settings(deadline=None)
def test_equal_inputs_of_another_shape_are_equal(season, chosen):
    # One number for all, one column for all fields, one row for all days: each as the full array.
    days, fields, start = season
    shared = days._replace(
        et0=days.et0[:, :1],
        wind_2m=2.5,
        rh_min=np.full((1, WIDTH), 40.0),
        height=days.height[:, :1],
        rain=days.rain[:, 0].reshape(-1, 1),
    )
    full = Days(*(np.array(np.broadcast_to(value, (DAYS, WIDTH))) for value in shared))
    one, other = (water_balance(given, fields, start, chosen) for given in (shared, full))
    _same(one, other)
    _same_state(one.end, other.end)


@given(seasons, conventions)
@settings(deadline=None)
def test_available_water_in_millimetres_is_that_of_the_roots_in_metres(season, chosen):
    days, fields, start = season
    taw = 1000.0 * (fields.theta_fc - fields.theta_wp) * days.root_depth
    by_depth = water_balance(days, fields, start, chosen)
    by_water = water_balance(days._replace(available_water=taw), fields, start, chosen)
    _same(by_depth, by_water)


LOAM = Fields(
    theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55, available_water_max=225.0
)
# Puddled, so that 4 mm a day pass the pan; 80 mm between field capacity and saturation of 0.5 m.
PADDY = Fields(
    theta_fc=0.30, theta_wp=0.14, ze_m=0.10, rew_mm=9.0, p=0.20, percolation_limit=4.0,
    theta_sat=0.46, bund_mm=60.0, p_of_saturation=True, available_water_max=240.0,
)  # fmt: skip


@given(
    ground=st.sampled_from([LOAM, PADDY]),
    depth=st.floats(0.0, 60.0),
    more=st.floats(0.0, 60.0),
    every=st.integers(3, 15),
    et0=arrays(float, DAYS, elements=st.floats(0.0, 9.0)),
    grows=st.booleans(),
    timing=st.sampled_from(["start-of-day", "end-of-day"]),
    drainage=st.sampled_from(["after-et", "before-et"]),
    new_root_zone=st.sampled_from(["field-capacity", "subsoil"]),
    depletion=st.floats(0.0, 150.0),
)
@settings(deadline=None)
def test_more_irrigation_never_means_less_transpiration(
    ground, depth, more, every, et0, grows, timing, drainage, new_root_zone, depletion
):
    # A law while p is fixed: if p follows ETc, a wetter surface makes p smaller and stress sooner.
    # And of transpiration where either depth fills the surface layer (TEW is 20 and 23 mm): a
    # sprinkle that percolates leaves a wet surface behind, which then takes water from the roots.
    irrigated = (np.arange(DAYS) % every == 0).astype(float)
    days = Days(
        et0=et0,
        rain=0.0,
        irrigation_net=0.0,
        wetted_fraction=1.0,
        wind_2m=2.0,
        rh_min=45.0,
        kcb=0.8,
        height=0.05,
        root_depth=np.linspace(0.5, 1.2, DAYS) if grows else 1.0,
    )
    start = State(np.array([depletion]), np.array([20.0]), np.ones(1), np.array([30.0]))
    chosen = Conventions(timing, drainage, adjust_p=False, new_root_zone=new_root_zone)
    little, plenty = (
        water_balance(days._replace(irrigation_net=irrigated * applied), ground, start, chosen)
        for applied in (depth, depth + more)
    )
    assert plenty.eta.sum() >= little.eta.sum() - 1e-9
    if depth >= 24.0:
        assert plenty.transpiration.sum() >= little.transpiration.sum() - 1e-9


def test_a_sprinkle_on_full_soil_may_cost_transpiration_but_no_evapotranspiration():
    # At field capacity 1 mm percolates and leaves the surface wet. Rice is short of water from
    # saturation on, so what then evaporates is missing the day after.
    et0 = np.zeros(10)
    et0[[7, 8]] = 1.0
    days = Days(et0, 0.0, np.zeros(10), 1.0, 2.0, 45.0, 0.8, 0.05, 1.0)
    start = State(np.zeros(1), np.array([20.0]), np.ones(1), np.zeros(1))
    sprinkled = days._replace(irrigation_net=(np.arange(10) == 6).astype(float))
    dry, wet = (
        water_balance(one, PADDY, start, Conventions(adjust_p=False)) for one in (days, sprinkled)
    )
    assert wet.deep_percolation.sum() == 1.0 > dry.deep_percolation.sum()
    assert wet.evaporation.sum() > dry.evaporation.sum()
    assert wet.transpiration.sum() < dry.transpiration.sum()
    assert wet.eta.sum() > dry.eta.sum()


@given(seasons, conventions, st.integers(0, DAYS - 1), st.integers(0, WIDTH - 1))
@settings(deadline=None)
def test_a_gap_makes_its_field_unknown_from_its_day_on_and_no_other(season, chosen, day, column):
    days, fields, start = season
    torn = np.array(days.et0)
    torn[day, column] = np.nan
    whole = water_balance(days, fields, start, chosen)
    gap = water_balance(days._replace(et0=torn), fields, start, chosen)
    others = np.arange(WIDTH) != column
    assert np.isnan(gap.depletion[day:, column]).all()
    np.testing.assert_array_equal(gap.depletion[:day], whole.depletion[:day])
    np.testing.assert_array_equal(gap.depletion[:, others], whole.depletion[:, others])
