"""How savings add up: by hand, by the laws that must hold, and by drawing baselines at random."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.baselines import linear_baseline, ratio_baseline
from analytics.savings import apparent_saving
from analytics.uncertainty import Part, Stated, add_up, as_json, by_cause, from_json

SIZES = st.floats(-1e6, 1e6, allow_nan=False, allow_infinity=False)
PARTS = st.builds(
    Part,
    cause=st.sampled_from(["baseline", "meter_calibration", "station_et0", "model"]),
    effect=SIZES,
    shared=st.sampled_from(["own", "farm", "all"]),
    degrees_of_freedom=st.sampled_from([1.0, 2.0, 4.0, math.inf]),
)
SAVINGS = st.builds(
    Stated,
    value=SIZES,
    parts=st.lists(PARTS, max_size=5).map(tuple),
    farm=st.sampled_from(["north", "south"]),
)


def saving(value: float, *parts: Part, farm: str = "north") -> Stated:
    return Stated(value, parts, farm)


def test_a_cause_is_shared_by_none_by_a_farm_or_by_all():
    # Two fields on each of two farms. Own 3 each: sqrt(4)·3 = 6. Station 2 each: 4 on either farm,
    # sqrt(2)·4. Calibration 1 each: 4 in all. u² = 36 + 32 + 16 = 84.
    parts = (Part("meter", 3.0), Part("station_et0", 2.0, "farm"), Part("calibration", 1.0, "all"))
    four = [saving(10.0, *parts, farm=farm) for farm in ("north", "north", "south", "south")]

    total = add_up(four)

    assert total.value == 40.0
    assert_allclose(total.uncertainty, math.sqrt(84))
    assert_allclose(
        [by_cause(four)[key] for key in (("meter", "own"), ("station_et0", "farm"))],
        [6.0, math.sqrt(32)],
    )


def test_effective_degrees_of_freedom_by_hand():
    # Two fields of u = 1 with 2 degrees each, a shared part of 1 on both, known:
    # u² = 1 + 1 + 4 = 6; ν = 36 / (1/2 + 1/2 + 0) = 36.
    one = saving(5.0, Part("baseline", 1.0, "own", 2.0), Part("model", 1.0, "all"))

    assert_allclose(add_up([one, one]).degrees_of_freedom, 36.0)


def test_a_field_by_itself_keeps_the_freedom_of_its_baseline():
    # CI = S ± t(n - 2) u(S), with the meter's part in u(S).
    one = saving(5.0, Part("baseline", 3.0, "own", 4.0), Part("meter", 4.0))

    assert one.alone()[:2] == (5.0, 5.0)
    assert one.alone().degrees_of_freedom == pytest.approx(4.0)


def test_an_unknown_part_leaves_the_sum_unknown():
    total = add_up([saving(9.0, Part("baseline", math.nan, "own", 0.0)), saving(9.0)])

    assert (total.value, total.interval(), total.demonstrated) == (18.0, None, False)


@given(st.lists(SAVINGS, min_size=1, max_size=6), st.randoms())
def test_the_order_of_fields_changes_nothing(savings, random):
    shuffled = random.sample(savings, len(savings))

    assert_allclose(add_up(shuffled)[:2], add_up(savings)[:2], rtol=1e-9, atol=1e-6)


@given(st.lists(SAVINGS, min_size=1, max_size=6))
def test_a_loss_is_a_saving_with_its_sign_turned(savings):
    turned = [
        Stated(-s.value, tuple(p._replace(effect=-p.effect) for p in s.parts), s.farm)
        for s in savings
    ]
    one, other = add_up(savings), add_up(turned)

    assert_allclose([-other.value, other.uncertainty], [one.value, one.uncertainty], rtol=1e-9)
    assert not (one.demonstrated and other.demonstrated)


@given(st.integers(1, 50), st.floats(0.1, 1e3), st.floats(0.1, 1e3))
def test_shared_parts_never_average_away(n, own, shared):
    field = saving(100.0, Part("meter", own), Part("calibration", shared, "all"))

    causes = by_cause([field] * n)

    assert_allclose(causes["calibration", "all"], n * shared)
    assert_allclose(causes["meter", "own"], math.sqrt(n) * own)
    assert_allclose(add_up([field] * n).uncertainty, math.hypot(n * shared, math.sqrt(n) * own))


@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=6), st.floats(-1e5, 1e5))
def test_splitting_a_farm_into_fields_changes_no_total_and_no_shared_part(weights, value):
    shares = np.array(weights) / sum(weights)
    whole = saving(value, Part("station_et0", 40.0, "farm"), Part("model", -7.0, "all"))
    fields = [
        Stated(
            value * share,
            tuple(p._replace(effect=p.effect * share) for p in whole.parts),
            whole.farm,
        )
        for share in shares
    ]

    assert_allclose(add_up(fields)[:2], add_up([whole])[:2], rtol=1e-9, atol=1e-9)


@given(st.lists(SAVINGS, min_size=2, max_size=8))
def test_farms_then_country_is_the_country_at_once(savings):
    """Summing causes farm by farm, then over farms, gives the variance of the whole."""
    variance = 0.0
    everywhere: dict[str, float] = {}
    for farm in ("north", "south"):
        of_farm = [one for one in savings if one.farm == farm]
        for (cause, shared), size in by_cause(of_farm).items():
            if shared != "all":
                variance += size**2
            else:
                signed = sum(p.effect for s in of_farm for p in s.parts if p[::2] == (cause, "all"))
                everywhere[cause] = everywhere.get(cause, 0.0) + signed
    variance += sum(size**2 for size in everywhere.values())

    assert_allclose(add_up(savings).uncertainty, math.sqrt(variance), rtol=1e-9, atol=1e-6)


@given(SAVINGS)
def test_what_is_stored_is_read_back(one):
    stored = json.loads(json.dumps(as_json(one), allow_nan=False))

    assert from_json(one.value, stored, one.farm) == one


# --- the intervals hold what they promise ---------------------------------------------------------

DRAWS = 400


def covered(seasons: int, fields: int, *, line: bool, seed: int) -> float:
    """Share of intervals that hold the true saving of a farm, drawn at random."""
    random = np.random.default_rng(seed)
    hits = 0
    for _ in range(DRAWS):
        calibration = random.normal(0, 0.0173)
        stated, truth = [], 0.0
        for _ in range(fields):
            need = random.uniform(350, 600, seasons)
            scatter = random.uniform(10, 30)
            intercept = 40.0 if line else 0.0
            taken = intercept + 1.5 * need + random.normal(0, scatter, seasons)
            now, applied = random.uniform(350, 600), 500.0
            without = intercept + 1.5 * now + random.normal(0, scatter)
            read = applied * (1 + calibration + random.normal(0, 0.01))
            relation = linear_baseline(need, taken) if line else ratio_baseline(need, taken)
            own = apparent_saving(relation.predict(now), read, 10.0, u_meter_rel=0.01)
            parts = (
                Part("baseline", own.uncertainty, "own", own.degrees_of_freedom),
                Part("meter_calibration", 100.0 * read * 0.0173, "all"),
            )
            stated.append(Stated(own.value, parts, "north"))
            truth += 100.0 * (without - applied)
        low, high = add_up(stated).interval(0.95)
        hits += low <= truth <= high
    return hits / DRAWS


@pytest.mark.parametrize(
    ("seasons", "fields", "line"),
    [(6, 1, True), (10, 1, True), (4, 1, False), (8, 1, False), (6, 8, True), (4, 8, False)],
)
def test_nineteen_of_twenty_intervals_hold_the_true_saving(seasons, fields, line):
    assert 0.92 <= covered(seasons, fields, line=line, seed=20251) <= 0.98


def test_the_widest_factor_of_many_fields_would_promise_too_little():
    """Why the freedom is an effective one: eight fields of three seasons know more than one."""
    fields = [saving(10.0, Part("baseline", 1.0, "own", 2.0))] * 8

    assert add_up(fields).quantile(0.95) < 2.2 < fields[0].alone().quantile(0.95)
