"""pyfao56 as an oracle: random seasons, day by day, in its conventions.

Its depletion is cut at TAW (Eq. 86), which makes water; ours cuts evapotranspiration instead. The
two are the same until that first happens, and are compared until then.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.balance import PYFAO56, WaterBalance, water_balance
from analytics.soils import total_evaporable_water
from bench.pyfao56_runs import (
    FieldSeason,
    days_that_close,
    for_balance,
    random_fields,
    run_pyfao56,
)

COLUMNS = {
    "Kcb": "kcb",
    "few": "few",
    "Kr": "kr",
    "Ke": "ke",
    "E": "evaporation",
    "De": "surface_depletion",
    "ETc": "etc",
    "TAW": "taw",
    "p": "p",
    "RAW": "raw",
    "Ks": "ks",
    "T": "transpiration",
    "ETa": "eta",
    "DP": "deep_percolation",
    "Runoff": "runoff",
    "Dr": "depletion",
}


def _agree(ours: WaterBalance, theirs: dict[str, np.ndarray], days: int) -> None:
    for name, column in COLUMNS.items():
        values = getattr(ours, column)[:days, 0]
        assert_allclose(values, theirs[name][:days], atol=1e-8, rtol=0, err_msg=name)


def _field(seed: int, days: int) -> FieldSeason:
    """A field whose surface layer holds more than its readily evaporable water."""
    field = random_fields(seed, days, 1)[0]
    evaporable = total_evaporable_water(field.soil.theta_fc, field.soil.theta_wp, field.soil.ze_m)
    return field._replace(soil=field.soil._replace(rew_mm=min(field.soil.rew_mm, evaporable / 2)))


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=20)
def test_every_day_is_that_of_pyfao56(seed, runoff, constant_p):
    field = _field(seed, 60)
    days, fields, start = for_balance([field], runoff=runoff)
    conventions = PYFAO56._replace(adjust_p=not constant_p)

    ours = water_balance(days, fields, start, conventions)
    theirs = run_pyfao56(field, runoff=runoff, constant_p=constant_p)

    _agree(ours, theirs, days_that_close(theirs, start.depletion[0]))
    assert np.abs(ours.closure).max() < 1e-6


@given(st.integers(0, 2**32), st.booleans())
@settings(deadline=None, max_examples=8)
def test_the_subsoil_is_that_of_pyfao56_in_layers(seed, constant_p):
    # pyfao56 counts soil by whole millimetres: available water is given as such.
    field = _field(seed, 50)
    days, fields, start = for_balance([field])
    per_mm = field.soil.theta_fc - field.soil.theta_wp
    missing_per_mm = field.soil.theta_fc - field.theta_0
    roots_mm = np.floor(1000.0 * np.asarray(days.root_depth))
    first_mm, deepest_mm = (np.floor(1000 * z) for z in (field.crop.zr_ini_m, field.crop.zr_max_m))
    days = days._replace(available_water=per_mm * roots_mm)
    fields = fields._replace(available_water_max=per_mm * deepest_mm)
    start = start._replace(
        depletion=np.array([missing_per_mm * first_mm]),
        subsoil_depletion=np.array([missing_per_mm * (deepest_mm - first_mm)]),
        rooted_water=np.array([per_mm * first_mm]),
    )
    conventions = PYFAO56._replace(adjust_p=not constant_p, new_root_zone="subsoil")

    ours = water_balance(days, fields, start, conventions)
    theirs = run_pyfao56(field, constant_p=constant_p, layers=True)

    short = np.abs(ours.ks * ours.kcb * ours.et0 - _wanted(ours))[:, 0] > 1e-12
    until = int(np.argmax(short)) if short.any() else len(short)
    _agree(ours, theirs, until)
    assert_allclose(ours.subsoil_depletion[:until, 0], theirs["Db"][:until], atol=1e-8)
    assert np.abs(ours.closure).max() < 1e-6


def _wanted(ours: WaterBalance) -> np.ndarray:
    """Transpiration that Eq. 84 asks for: with less, the root zone ran out of water."""
    before = np.concatenate([ours.start.depletion[None], ours.depletion[:-1]])
    ks = np.clip((ours.taw - before) / (ours.taw - ours.raw), 0.0, 1.0)
    return ks * ours.kcb * ours.et0


def test_where_pyfao56_makes_water_ours_closes():
    # Shallow roots in coarse soil, wet once: evaporation asks for what the root zone has not.
    field = _field(3, 60)
    crop = field.crop._replace(zr_ini_m=0.10, zr_max_m=0.12)
    soil = field.soil._replace(theta_fc=0.12, theta_wp=0.07, rew_mm=4.0)
    field = field._replace(
        crop=crop, soil=soil, theta_0=0.08, rain=np.zeros(60), irrigation=np.zeros(60)
    )
    field.rain[::20] = 4.0
    days, fields, start = for_balance([field])

    ours = water_balance(days, fields, start, PYFAO56)
    theirs = run_pyfao56(field)

    came = field.rain.sum()
    went = (theirs["ETa"] + theirs["DP"]).sum()
    held = start.depletion[0] - theirs["Dr"][-1]
    assert went - (came - held) > 1.0  # mm that nobody brought
    assert np.abs(ours.closure).max() < 1e-6
    assert (ours.depletion <= ours.taw + 1e-9).all()


def test_fields_side_by_side_are_fields_one_by_one():
    fields = [_field(seed, 30) for seed in range(3)]
    together = water_balance(*for_balance(fields), PYFAO56)
    for column, field in enumerate(fields):
        theirs = run_pyfao56(field)
        until = days_that_close(theirs, together.start.depletion[column])
        assert_allclose(together.depletion[:until, column], theirs["Dr"][:until], atol=1e-8)
