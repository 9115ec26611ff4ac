"""What the practice before the change would have taken: by seasons, an offtake, or the balance."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics import counterfactual, old_practice
from analytics.old_practice import Member
from analytics.options import ASSUMPTIONS, Evidence, option_of, volume_parts

from .made_season import THREE_SEASONS, Season, run, water


@pytest.fixture(scope="module")
def two():
    return run([10.0, 30.0], [water(10.0), water(30.0)])


def sizes(parts):
    return {part.cause: part.effect for part in parts}


def test_metered_seasons_of_the_field_tell_the_depth_and_its_error(two):
    old = old_practice.of_field(THREE_SEASONS, two, 0)
    need, etc = two.requirement[0], two.etc[0]

    # Ratio 1.5, s² = 75, u(ratio) = s / sqrt(3) / mean requirement 1000 / 3.
    error = math.hypot(math.sqrt(75), need * math.sqrt(75 / 3) / (1000 / 3))
    assert_allclose(old.depth_mm, 1.5 * need)
    assert_allclose(sizes(old.parts)["baseline"], error)
    # A station that drifted by 2 % moves ETc, and the depth by the ratio times that.
    assert_allclose(sizes(old.parts)["station_et0"], 1.5 * 0.02 * etc)
    assert (old.efficiency, old.wetted) == pytest.approx((0.6, 0.8))
    assert old.computed is False


def test_an_unknown_efficiency_of_the_old_practice_is_that_of_surface_irrigation(two):
    unknown = [one._replace(application_efficiency=None) for one in THREE_SEASONS]

    assert old_practice.of_field(unknown, two, 0).efficiency == 0.60  # FAO manual 4, Table 8


def test_seasons_that_took_less_where_more_was_required_carry_no_line(two):
    # Six seasons carry a line, but not one that falls: 2400 mm by 2100 mm is their ratio.
    falling = [Season(2018 + n, 300 + 100 * (n % 2), 500 - 200 * (n % 2)) for n in range(6)]
    old = old_practice.of_field(falling, two, 0)
    assert "by ratio" in old.method
    assert_allclose(old.depth_mm, 2400 / 2100 * two.requirement[0])


def test_fields_behind_one_offtake_are_judged_as_a_whole(two):
    # Both fields have the same requirement, so the offtake's mean depths weigh by area: 1 to 3.
    other = [
        one._replace(gross_irrigation_mm=one.gross_irrigation_mm + 40) for one in THREE_SEASONS
    ]
    members = [Member(0, 10.0, THREE_SEASONS), Member(1, 30.0, other)]

    shares = old_practice.of_offtake(members, two)

    # Sum of (g + 30) over three seasons by the same requirement: (1500 + 90) / 1000.
    assert_allclose([shares[0].depth_mm, shares[1].depth_mm], 1.59 * two.requirement)
    (error,) = {part.effect for part in shares[0].parts if part.cause == "baseline_of_offtake"}
    assert all(part.shared == "farm" for one in shares.values() for part in one.parts)
    # The one error is split by area, so the volumes add up linearly to that of the whole.
    alone = old_practice.of_offtake([Member(0, 40.0, [
        Season(one.season, one.net_requirement_mm, one.gross_irrigation_mm + 30)
        for one in THREE_SEASONS
    ])], two)  # fmt: skip
    assert_allclose(error, sizes(alone[0].parts)["baseline_of_offtake"])


def test_an_offtake_whose_fields_know_no_common_season_tells_nothing(two):
    members = [Member(0, 10.0, THREE_SEASONS[:1]), Member(1, 30.0, THREE_SEASONS[1:])]

    assert old_practice.of_offtake(members, two) == {}


def test_the_computed_practice_is_labelled_and_wide(two):
    efficiency, wetted = old_practice.surface_irrigation("cotton")
    computed = two.old_irrigator(efficiency, wetted)
    old = old_practice.of_balance(computed, 0, "cotton")
    found = sizes(old.parts)
    gross = computed.gross[0]

    assert (old.computed, old.depth_mm) == (True, gross)
    assert "not metered" in old.method
    # 0.45 … 0.75 evenly about 0.60: 0.15 / sqrt(3) / 0.60 = 14.4 % of the withdrawal.
    assert_allclose(found["efficiency_assumption"], 0.14434 * gross, rtol=1e-4)
    assert_allclose(found["old_practice"], 0.15 * gross)
    assert_allclose(found["last_watering"], gross / computed.applications[0] / math.sqrt(12))
    assert_allclose(found["station_et0"], 0.05 * computed.eta[0] / 0.60)
    assert math.hypot(*found.values()) > 0.2 * gross


def test_row_crops_stood_in_furrows_and_others_between_borders():
    # FAO-56 Table 20: furrows in narrow beds 0.6 … 1.0, borders 1.0.
    assert old_practice.surface_irrigation("cotton") == (0.60, 0.8)
    assert old_practice.surface_irrigation("winter-wheat") == (0.60, 1.0)


def test_nothing_changed_is_nothing_consumed_less():
    """The old practice laid over a season that is the old practice: the same ETa, to the digit."""
    made = run([10.0], [water(10.0, efficiency=0.6)])
    old = old_practice.of_field(THREE_SEASONS, made, 0)
    same = old._replace(depth_mm=float(made.gross_mm.sum()), efficiency=0.6, wetted=0.5)
    nobody = made.old_irrigator(0.6, 1.0, only=np.array([False]))

    found = counterfactual.consumed(made, [same], nobody, ["cotton"])

    assert found.saved(0) == pytest.approx(0.0, abs=1e-9)


def test_an_error_of_et0_reaches_the_difference_by_a_run_of_its_own():
    """Well watered before and short of water now: more demand is met before, not now."""
    made = run([10.0], [water(10.0, mm=15.0)])
    old = old_practice.of_field(THREE_SEASONS, made, 0)._replace(depth_mm=1_500.0)
    nobody = made.old_irrigator(0.6, 1.0, only=np.array([False]))

    found = counterfactual.consumed(made, [old], nobody, ["cotton"])

    assert found.et0[0] > 0.05 * found.saved(0)  # more than scaling the difference would say
    assert found.et0[0] < 0.05 * found.eta_without[0]


@pytest.mark.parametrize(
    ("evidence", "option"),
    [
        (Evidence(seasons=3, metered=True, entered=False, offtake=False), "B"),
        (Evidence(seasons=3, metered=False, entered=True, offtake=False), "A"),
        (Evidence(seasons=3, metered=False, entered=False, offtake=True), "C"),
        (Evidence(seasons=0, metered=True, entered=False, offtake=False), "D"),
        (Evidence(seasons=3, metered=False, entered=False, offtake=False), None),
    ],
)
def test_the_option_follows_from_what_there_is(evidence, option):
    assert option_of(evidence) == option


def test_what_a_volume_errs_by_depends_on_how_it_was_known():
    def of(**how):
        evidence = Evidence(3, **({"metered": False, "entered": False, "offtake": False} | how))
        return {(part.cause, part.shared): part.effect for part in volume_parts(evidence, 1_000.0)}

    metered = of(metered=True)
    # 2 % in all: 1.0 % its own and 1.73 % of calibration.
    assert math.hypot(*metered.values()) == pytest.approx(20.0, rel=1e-3)
    assert of(offtake=True) == {
        ("offtake_meter", "farm"): 10.0,
        ("meter_calibration", "all"): 17.3,
    }
    assert math.hypot(*of(entered=True).values()) > 5 * math.hypot(*metered.values())


def test_every_assumption_says_where_it_comes_from():
    assert all(one.source and one.of for one in ASSUMPTIONS.values())
