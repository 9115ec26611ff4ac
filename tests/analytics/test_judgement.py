"""Figures of crop zones: what scales, meters, people and the balance amount to."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from analytics.judgement import ZoneFacts, judge
from analytics.season_run import Water
from analytics.uncertainty import by_cause, from_json

from .made_season import THREE_SEASONS, Entry, Season, run, water


class Load(NamedTuple):
    net_kg: float
    moisture_pct: float | None
    impurity_pct: float | None = None
    area_ha: float | None = None


DRY = Water(np.zeros(1), np.ones(1), np.ones(1), ["none"], 100.0)


def harvest_of(crop, *loads):
    return judge(None, [ZoneFacts(10.0, crop, None, DRY, loads=loads)])[0].figures


def test_grain_is_stated_at_its_standard_moisture():
    # Maize at 14 %: 10 000 kg of 20 % have 8 000 kg of dry matter, 8000 / 0.86 = 9302.3 kg.
    figures = harvest_of("maize", Load(6_000, 20.0), Load(4_000, 20.0))

    assert figures["bunker_mass_kg"] == 10_000
    assert figures["mass_kg"] == pytest.approx(9_302.33, abs=0.01)
    assert figures["moisture_pct"] == pytest.approx(20.0)
    assert figures["harvested_ha"] == 10.0


def test_a_crop_without_standard_moisture_keeps_its_mass_and_its_probed_moisture():
    figures = harvest_of("cotton", Load(1_000, 9.0), Load(3_000, 7.0))

    assert figures["mass_kg"] == 4_000
    assert figures["moisture_pct"] == pytest.approx(7.5)


def test_loads_without_moisture_count_as_at_standard():
    figures = harvest_of("maize", Load(5_000, None), Load(5_000, 14.0))

    assert figures["mass_kg"] == pytest.approx(10_000)
    assert figures["moisture_pct"] == pytest.approx(14.0)


def test_no_load_is_no_yield():
    assert "mass_kg" not in harvest_of("maize")


# --- savings --------------------------------------------------------------------------------------


def facts(area_ha=10.0, applied=None, *, crop="cotton", method="drip", **change):
    return ZoneFacts(area_ha, crop, method, applied or water(area_ha), **change)


def judged(*zones, **season):
    made = run([zone.area_ha for zone in zones], [zone.water for zone in zones], **season)
    return judge(made, zones)


def test_a_metered_field_with_seasons_before_is_judged_by_option_b():
    (one,) = judged(facts(baselines=THREE_SEASONS))
    figures = one.figures
    need, etc = figures["net_requirement_mm"], figures["etc_mm"]

    assert (one.savings_option, one.baseline_source) == ("B", "metered seasons")
    # 10 ha: 100 m³ a mm; ratio 1.5; 11 waterings of 40 mm.
    assert figures["baseline_m3"] == pytest.approx(150 * need)
    assert figures["apparent_savings_m3"] == pytest.approx(150 * need - 44_000)
    own = math.hypot(
        100 * math.hypot(math.sqrt(75), need * math.sqrt(75 / 3) / (1000 / 3)),
        440.0,  # 1 % of what was metered
        0.005 * figures["apparent_savings_m3"],
    )
    shared = math.hypot(0.0173 * 44_000, 1.5 * 0.02 * etc * 100)
    assert figures["apparent_u_independent_m3"] == pytest.approx(own)
    assert figures["apparent_u_shared_m3"] == pytest.approx(shared)
    # Welch and Satterthwaite: the own part has 3 - 1 degrees of freedom, the shared is known.
    freedom = 2 * ((own**2 + shared**2) / own**2) ** 2
    assert figures["apparent_coverage_factor"] == pytest.approx(stdtrit(freedom, 0.975))


def test_real_saving_and_flow_that_no_longer_returns_make_up_the_apparent_one():
    (one,) = judged(facts(baselines=THREE_SEASONS))
    figures = one.figures

    assert figures["recoverable_change_m3"] == pytest.approx(
        figures["consumptive_savings_m3"] - figures["apparent_savings_m3"]
    )


def test_entered_water_is_option_a_and_less_sure():
    entered = facts(applied=water(10.0, source="entered"), baselines=THREE_SEASONS)
    one, metered = judged(entered, facts(baselines=THREE_SEASONS))

    assert one.savings_option == "A"
    assert one.figures["apparent_savings_m3"] == metered.figures["apparent_savings_m3"]
    assert one.uncertainty["apparent"]["u_m3"] > 2 * metered.uncertainty["apparent"]["u_m3"]


def test_fields_behind_an_offtake_are_marked_and_their_errors_are_one():
    zones = [
        facts(area, water(area, offtake="canal"), baselines=THREE_SEASONS) for area in (10.0, 30.0)
    ]
    small, large = judged(*zones)

    assert {small.savings_option, large.savings_option} == {"C"}
    assert any("offtake" in note for note in small.notes)
    causes = {part["cause"]: part["shared"] for part in small.uncertainty["apparent"]["parts"]}
    assert causes["baseline_of_offtake"] == causes["offtake_meter"] == "farm"
    assert large.figures["baseline_m3"] == pytest.approx(3 * small.figures["baseline_m3"])


def test_without_seasons_before_the_baseline_is_computed_and_called_so():
    (one,) = judged(facts())

    assert (one.savings_option, one.baseline_source) == ("D", "balance counterfactual")
    assert any("not metered" in method for method in one.methods)
    assert one.uncertainty["apparent"]["u_m3"] > 0.2 * one.figures["baseline_m3"]
    assert one.figures["apparent_savings_m3"] is not None


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        (facts(method=None, applied=water(10.0, mm=0.0, source="rain-fed")), "rain-fed"),
        (
            facts(applied=water(10.0, mm=0.0, source="none"), baselines=THREE_SEASONS),
            "no water was",
        ),
        (facts(baselines=[Season(2020, 0.0, 0.0)]), "no baseline season required"),
        (facts(crop="rice"), "flooding of rice"),
    ],
)
def test_what_cannot_be_judged_is_left_open_and_the_notes_say_why(zone, why):
    (one,) = judged(zone)

    assert "apparent_savings_m3" not in one.figures
    assert (one.savings_option, one.uncertainty) == (None, {})
    assert any(why in note for note in one.notes)


def test_a_few_days_carry_no_computed_baseline():
    (one,) = judged(facts(applied=water(10.0, days=20)), lengths=[20])

    assert one.savings_option is None
    assert any("20 days" in note for note in one.notes)


def test_an_option_that_was_asked_for_is_taken_or_the_notes_say_why_not():
    computed, refused = judged(
        facts(baselines=THREE_SEASONS, option="D"), facts(baselines=THREE_SEASONS, option="C")
    )

    assert (computed.savings_option, refused.savings_option) == ("D", "B")
    assert any("option C was asked for" in note for note in refused.notes)


def test_one_season_before_leaves_the_uncertainty_open():
    (one,) = judged(facts(baselines=THREE_SEASONS[:1]))

    assert one.figures["apparent_savings_m3"] is not None
    assert one.figures["apparent_u_independent_m3"] is None
    assert one.uncertainty["apparent"]["u_m3"] is None


def test_an_adjustment_moves_the_baseline_and_widens_the_interval():
    entries = [Entry(3_000.0, 400.0), Entry(-1_000.0, 300.0)]
    plain, adjusted = judged(
        facts(baselines=THREE_SEASONS), facts(baselines=THREE_SEASONS, adjustments=entries)
    )

    moved = adjusted.figures["apparent_savings_m3"] - plain.figures["apparent_savings_m3"]
    assert moved == pytest.approx(2_000.0)
    assert adjusted.figures["baseline_m3"] - plain.figures["baseline_m3"] == pytest.approx(2_000.0)
    assert (adjusted.figures["adjustments_m3"], adjusted.figures["adjustments_u_m3"]) == (
        2_000,
        500,
    )
    parts = {one["cause"]: one["u_m3"] for one in adjusted.uncertainty["apparent"]["parts"]}
    assert parts["adjustments"] == pytest.approx(500.0)


def test_days_without_a_meter_make_the_saving_less_sure():
    seen, half = judged(
        facts(baselines=THREE_SEASONS),
        facts(applied=water(10.0, coverage_pct=50.0), baselines=THREE_SEASONS),
    )
    parts = {one["cause"]: one["u_m3"] for one in half.uncertainty["apparent"]["parts"]}

    # Anything up to half of the baseline may have flowed: evenly spread, by sqrt 3.
    assert parts["unmetered_days"] == pytest.approx(seen.figures["baseline_m3"] / 2 / 3**0.5)
    assert half.uncertainty["apparent"]["u_m3"] > seen.uncertainty["apparent"]["u_m3"]


def test_a_season_as_before_saves_nothing_and_demonstrates_nothing():
    made = run([10.0], [water(10.0)])
    as_before = float(made.requirement[0]) * 1.5 / 11
    zone = facts(applied=water(10.0, mm=as_before), baselines=THREE_SEASONS)
    for _ in range(30):  # the requirement moves a little with the water: find where both agree
        figures = judged(zone)[0].figures
        mm = zone.water.volume_m3.max() / 100 + figures["apparent_savings_m3"] / 1_100
        zone = facts(applied=water(10.0, mm=mm), baselines=THREE_SEASONS)
    (one,) = judged(zone)
    saving = from_json(one.figures["apparent_savings_m3"], one.uncertainty["apparent"], "farm")

    assert saving.value == pytest.approx(0.0, abs=1.0)
    assert saving.alone().demonstrated is False


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 200.0), min_size=2, max_size=3, unique=True))
def test_more_water_in_the_baseline_never_lowers_the_apparent_saving(more):
    zones = [
        facts(
            baselines=[
                one._replace(gross_irrigation_mm=one.gross_irrigation_mm + mm)
                for one in THREE_SEASONS
            ]
        )
        for mm in sorted(more)
    ]
    saved = [one.figures["apparent_savings_m3"] for one in judged(*zones)]

    assert saved == sorted(saved)


def test_the_order_of_zones_changes_no_figure():
    zones = [
        facts(10.0, baselines=THREE_SEASONS),
        facts(20.0, water(20.0, mm=25.0), crop="winter-wheat"),
        facts(30.0, water(30.0, mm=0.0, source="rain-fed"), method=None),
        facts(15.0, water(15.0, offtake="canal"), baselines=THREE_SEASONS),
    ]
    forth, back = judged(*zones), judged(*zones[::-1])[::-1]

    for one, other in zip(forth, back, strict=True):
        assert one.figures == pytest.approx(other.figures, nan_ok=False)
        assert (one.savings_option, one.notes) == (other.savings_option, other.notes)


def test_splitting_a_field_changes_no_total():
    (whole,) = judged(facts(30.0, baselines=THREE_SEASONS))
    parts = judged(facts(10.0, baselines=THREE_SEASONS), facts(20.0, baselines=THREE_SEASONS))

    for name in ("apparent_savings_m3", "consumptive_savings_m3", "recoverable_change_m3"):
        assert sum(one.figures[name] for one in parts) == pytest.approx(whole.figures[name])
    for kind in ("apparent", "consumptive"):
        split, entire = (
            by_cause(
                from_json(one.figures[f"{kind}_savings_m3"], one.uncertainty[kind], "farm")
                for one in of
            )
            for of in (parts, [whole])
        )
        for cause in entire:
            if cause[1] != "own":  # what the parts share adds up to that of the whole
                assert split[cause] == pytest.approx(entire[cause])


def test_indicators_of_a_zone_by_their_definitions():
    loads = [Load(30_000.0, None)]
    (one,) = judged(facts(baselines=THREE_SEASONS, loads=loads, ky=0.85), rain_mm=12.0)
    f = one.figures

    # 440 mm were applied and 72 mm of rain fell, on 10 ha.
    assert f["relative_water_supply"] == pytest.approx(512 / f["etc_mm"])
    assert f["relative_irrigation_supply"] == pytest.approx(
        440 / (f["etc_mm"] - f["effective_rain_mm"])
    )
    assert f["depleted_fraction"] == pytest.approx(f["eta_mm"] / (512 - f["storage_change_mm"]))
    assert f["beneficial_fraction"] == pytest.approx(f["transpiration_mm"] / f["eta_mm"])
    assert f["crop_water_productivity_kg_m3"] == pytest.approx(3_000 / (10 * f["eta_mm"]))
    assert f["irrigation_water_productivity_kg_m3"] == pytest.approx(3_000 / 4_400)
    assert f["relative_yield_estimate"] == pytest.approx(1 - 0.85 * (1 - f["eta_mm"] / f["etc_mm"]))


def test_a_requirement_beyond_all_baseline_seasons_is_told():
    # A cloudless season of some 500 mm beside seasons of 300 to 400 mm, or of 300 to 900 mm.
    wide = [*THREE_SEASONS, Season(2023, 900, 1350)]
    narrow, within = judged(facts(baselines=THREE_SEASONS), facts(baselines=wide))

    assert 400 < narrow.figures["net_requirement_mm"] < 900
    assert any("300 to 400 mm: the baseline is extrapolated" in note for note in narrow.notes)
    assert not any("extrapolated" in note for note in within.notes)


def test_thirty_days_carry_a_computed_baseline_and_a_day_less_does_not():
    for days, option in ((29, None), (30, "D")):
        (one,) = judged(facts(applied=water(10.0, days=days)), lengths=[days])
        assert one.savings_option == option


def test_what_a_probe_corrected_is_no_part_of_a_saving():
    # On day 45 a probe finds the field full, which waters it by a correction. Both runs of a
    # consumptive saving against the old irrigator are the model's alone: no probe moves it.
    blind, probed = (judged(facts(), probed_day=day)[0].figures for day in (None, 45))
    assert probed["eta_mm"] > blind["eta_mm"] + 1
    assert probed["consumptive_savings_m3"] == pytest.approx(blind["consumptive_savings_m3"])


def test_a_station_that_reads_too_high_moves_both_runs_of_a_computed_baseline():
    # Old irrigator's ETa follows ET0 in full; what was consumed follows it less where the crop
    # was short of water. The rest of 5 % of one and of the other is the saving's error.
    short = water(10.0, mm=20.0)
    made = run([10.0], [short])
    (one,) = judge(made, [facts(applied=short)])
    old_eta = one.figures["consumptive_savings_m3"] / 100 + made.as_applied().eta[0]
    now = (made.as_applied(et0_factor=1.05).eta[0] - made.as_applied(et0_factor=0.95).eta[0]) / 2
    (part,) = [
        part for part in one.uncertainty["consumptive"]["parts"] if part["cause"] == "station_et0"
    ]
    assert part["u_m3"] == pytest.approx(100 * (0.05 * old_eta - now))
