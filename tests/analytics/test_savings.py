"""Savings and indicators by hand and against the reference cases."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics import indicators
from analytics.baselines import BaselineError, Prediction, linear_baseline, ratio_baseline
from analytics.savings import (
    Saving,
    apparent_saving,
    combine,
    consumptive_savings,
    recoverable_change,
)
from analytics.savings_report import SavingsError, savings_report

# Three seasons on a line by hand: x 400 500 600, y 700 780 980. Slope 28 000 / 20 000 = 1.4,
# intercept 820 - 700 = 120, residuals 20 -40 20, s = sqrt(2400 / 1) = 48.99.
NEED, GROSS = [400.0, 500.0, 600.0], [700.0, 780.0, 980.0]


def case(**change: Any) -> dict[str, Any]:
    return {
        "baseline_NIR_mm": NEED,
        "baseline_gross_metered_mm": GROSS,
        "reporting_NIR_mm": 550,
        "reporting_gross_metered_mm": 500,
        "area_ha": 10,
        "u_meter_reporting_rel": 0.02,
        "u_area_rel": 0.01,
        **change,
    }


def test_a_line_through_three_seasons():
    line = linear_baseline(NEED, GROSS)
    assert_allclose([line.slope, line.intercept, line.residual], [1.4, 120.0, math.sqrt(2400)])
    prediction = line.predict(550.0)
    # 48.99 sqrt(1 + 1/3 + 50² / 20 000)
    assert_allclose(prediction.depth, 890.0)
    assert_allclose(prediction.standard_error, math.sqrt(2400 * (1 + 1 / 3 + 0.125)))
    assert prediction.degrees_of_freedom == 1


def test_a_ratio_of_three_seasons():
    # 2460 / 1500 = 1.64; residuals 44 -40 -4, s² = 3552 / 2, u = s / sqrt(3) / 500
    ratio = ratio_baseline(NEED, GROSS)
    assert_allclose(ratio.ratio, 1.64)
    assert_allclose(ratio.residual**2, 1776)
    assert_allclose(ratio.u_ratio, math.sqrt(1776 / 3) / 500)


def test_a_saving_carries_baseline_meter_and_area():
    # 10 ha: 100 m³ a mm. Depth 890 - 500 = 390 mm; u² = (100)²(30² + 10²) + (100 x 390 x 0.01)²
    saving = apparent_saving(
        Prediction(890.0, 30.0, 4), 500.0, 10.0, u_meter_rel=0.02, u_area_rel=0.01
    )
    assert_allclose(saving.value, 39_000)
    assert_allclose(saving.uncertainty, math.sqrt(3162.2777**2 + 390**2), rtol=1e-6)
    assert_allclose(saving.quantile(0.95), 2.776445, rtol=1e-6)  # t table, 4 degrees of freedom
    assert saving.demonstrated


@pytest.mark.parametrize(("value", "shown"), [(19.9, False), (20.1, True), (-50.0, False)])
def test_two_standard_errors_demonstrate(value, shown):
    assert Saving(value, 10.0).demonstrated is shown


def test_an_unknown_uncertainty_demonstrates_nothing():
    saving = Saving(1000.0, math.nan, 0)
    assert not saving.demonstrated
    assert saving.interval() is None


def test_more_water_than_before_is_a_negative_saving():
    report = savings_report(case(reporting_gross_metered_mm=1000))
    assert report["ols"]["savings_m3"] < 0
    assert report["demonstrated"] is False


def test_shared_errors_add_up_and_others_partly_cancel():
    # Four farms of 10 ± 3 alone: 40 ± 6; with a meter calibration of 2 on each: 40 ± 10.
    four = np.full(4, 10.0)
    assert_allclose(combine(four, np.full(4, 3.0))[:2], [40, 6])
    both = combine(four, np.full(4, 3.0), {"calibration": np.full(4, 2.0)})
    assert_allclose(both.uncertainty, math.hypot(6, 8))
    # A shared cause that helps one and harms another cancels.
    assert combine([1, 1], [0, 0], {"et0": [5, -5]}).uncertainty == 0


def test_real_saving_and_what_no_longer_flows_back():
    # Two fields of 10 and 20 ha consume 50 and 30 mm less: 5000 + 6000 m³.
    fields = consumptive_savings([550, 600], [600, 630], [10, 20], u_eta=3.0, u_without=4.0)
    total = fields.total()
    assert_allclose(fields.value, [5000, 6000])
    assert_allclose(total.value, 11_000)
    assert_allclose(total.uncertainty, math.hypot(5 * 100, 5 * 200))
    assert recoverable_change(30_000, total.value, non_recoverable=1_000) == 18_000
    assert recoverable_change(8_000, total.value) == -3_000


def test_a_shared_error_of_et0_scales_the_difference():
    fields = consumptive_savings([550, 600], [600, 630], [10, 20], u_shared_rel=0.05)
    assert_allclose(fields.total().uncertainty, 0.05 * 11_000)


def test_report_falls_back_to_the_ratio_when_seasons_are_few():
    two = savings_report(case(baseline_NIR_mm=NEED[:2], baseline_gross_metered_mm=GROSS[:2]))
    assert two["ols"] is None
    assert two["method"] == "ratio"
    one = savings_report(case(baseline_NIR_mm=NEED[:1], baseline_gross_metered_mm=GROSS[:1]))
    assert one["ratio"]["ci95_m3"] is None
    assert one["ratio"]["u_RIS"] is None
    assert one["demonstrated"] is False
    json.dumps([one, two], allow_nan=False)


def test_a_line_needs_seasons_that_differ():
    with pytest.raises(BaselineError, match="same in all"):
        linear_baseline([400, 400, 400], [700, 710, 690])
    assert savings_report(case(baseline_NIR_mm=[400, 400, 400]))["method"] == "ratio"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area_ha": 0}, "area_ha"),
        ({"area_ha": "10"}, "area_ha"),
        ({"reporting_NIR_mm": None}, "reporting_NIR_mm"),
        ({"reporting_NIR_mm": True}, "reporting_NIR_mm"),
        ({"reporting_gross_metered_mm": -1}, "reporting_gross_metered_mm"),
        ({"reporting_gross_metered_mm": math.nan}, "reporting_gross_metered_mm"),
        ({"baseline_NIR_mm": []}, "baseline_NIR_mm"),
        ({"baseline_NIR_mm": [1, 2]}, "baseline_gross_metered_mm: 3 seasons"),
        ({"baseline_NIR_mm": [1, "x", 2]}, r"baseline_NIR_mm\[1\]"),
        ({"baseline_NIR_mm": [0, 0, 0]}, "no baseline season required irrigation"),
        ({"u_meter_reporting_rel": -0.1}, "u_meter_reporting_rel"),
    ],
)
def test_a_bad_input_is_named(change, message):
    with pytest.raises(SavingsError, match=message):
        savings_report(case(**change))


def test_a_missing_input_is_named():
    inputs = case()
    del inputs["area_ha"]
    with pytest.raises(SavingsError, match="area_ha: is missing"):
        savings_report(inputs)
    with pytest.raises(SavingsError, match="expected an object"):
        savings_report([1, 2])  # type: ignore[arg-type]


def test_indicators_by_hand():
    # 600 mm irrigation, 100 mm rain, ETc 800, ETa 640, 40 of 640 gained from the soil
    assert_allclose(indicators.relative_water_supply(600, 100, 800), 0.875)
    assert_allclose(indicators.relative_irrigation_supply(600, 800, 100), 600 / 700)
    assert_allclose(indicators.depleted_fraction(640, 700, -40), 640 / 740)
    assert_allclose(indicators.relative_yield(640, 800, 0.85), 0.83)  # 1 - 0.85 x 0.2
    assert_allclose(indicators.water_productivity(3200, 640), 0.5)
    assert_allclose(indicators.net_irrigation_requirement(800, [100, 900], 40), [660, 0])
    assert np.isnan(indicators.relative_irrigation_supply(10, 100, 100))


def _agree(expected: dict[str, Any], found: dict[str, Any]) -> None:
    for key, value in expected.items():
        if isinstance(value, dict):
            _agree(value, found[key])
        else:
            assert_allclose(found[key], value, rtol=1e-3, atol=1e-9, err_msg=key)


def test_the_reference_cases(shared: Path):
    reference = json.loads((shared / "agronomy/mv_reference_cases.json").read_text())
    report = savings_report(reference)
    for given, found in zip(reference["cases"], report["cases"], strict=True):
        _agree(given["expected"], found)
        assert savings_report(given["inputs"]) == found
    _agree(reference["indicator_case"]["expected"], report["indicator_case"])


# --- options, adjustments, shared causes, consumption ---------------------------------------------


def test_a_case_without_the_optional_inputs_says_nothing_of_them():
    assert savings_report(case()).keys() == {
        "volume_reporting_m3", "unadjusted_savings_m3", "ratio", "ols", "method", "demonstrated",
        "notes",
    }  # fmt: skip


def test_an_adjustment_is_added_with_its_author_and_its_error():
    entry = {"volume_m3": -1500, "u_volume_m3": 400, "reason": "new canal", "author": "A. Auditor"}
    plain, adjusted = savings_report(case()), savings_report(case(adjustments=[entry]))

    assert adjusted["adjustments"] == [entry]
    moved = adjusted["ols"]["savings_m3"] - plain["ols"]["savings_m3"]
    assert moved == pytest.approx(-1500)
    u = math.hypot(plain["ols"]["u_savings_m3"], 400)
    assert adjusted["ols"]["u_savings_m3"] == pytest.approx(u)


def test_shared_causes_widen_one_case_and_add_up_over_two():
    shared = {"meter_calibration": 800, "station_et0": {"u_m3": 600, "shared": "farm"}}
    north, south = case(shared=shared, farm="north"), case(shared=shared, farm="south")
    alone = savings_report(case())["ols"]["u_savings_m3"]

    report = savings_report({"cases": [north, south]})

    assert report["cases"][0]["shared_m3"] == {"meter_calibration": 800, "station_et0": 600}
    one = report["cases"][0]["ols"]["u_savings_m3"]
    assert one == pytest.approx(math.sqrt(alone**2 + 800**2 + 600**2))
    # Own in quadrature, the calibration of both linearly, the stations of two farms in quadrature.
    both = math.sqrt(2 * alone**2 + 1600**2 + 2 * 600**2)
    assert report["total"]["u_savings_m3"] == pytest.approx(both)
    together = savings_report({"cases": [north, north]})["total"]["u_savings_m3"]
    assert together == pytest.approx(math.sqrt(2 * alone**2 + 1600**2 + 1200**2))


def test_a_named_option_brings_its_assumed_errors():
    given = case()
    del given["u_meter_reporting_rel"]
    metered, entered, offtake = (savings_report(given | {"option": o}) for o in "BAC")

    # 50 000 m³ applied: a meter's calibration 1.73 %, a stipulated flow 10 % of it.
    assert metered["shared_m3"] == {"meter_calibration": pytest.approx(865)}
    assert entered["shared_m3"] == {"stipulated_flow": pytest.approx(5_000)}
    assert offtake["shared_m3"].keys() == {"offtake_meter", "meter_calibration"}
    assert entered["ols"]["u_savings_m3"] > metered["ols"]["u_savings_m3"]


def test_without_seasons_a_computed_baseline_is_called_so():
    given = case(counterfactual_gross_mm=900)
    for key in ("baseline_NIR_mm", "baseline_gross_metered_mm", "reporting_NIR_mm"):
        del given[key]
    report = savings_report(given)

    assert (report["option"], report["method"]) == ("D", "counterfactual")
    assert report["counterfactual"]["savings_m3"] == pytest.approx(40_000)  # 100 (900 - 500)
    # 10 %, 15 % and 14.4 % of 90 000 m³, 2 % of 50 000 and 1 % of the saving.
    parts = (9_000, 13_500, 90_000 * 0.15 / math.sqrt(3) / 0.6, 1_000, 400)
    assert report["counterfactual"]["u_savings_m3"] == pytest.approx(math.hypot(*parts))
    assert any("not metered" in note for note in report["notes"])
    stated = savings_report(given | {"u_counterfactual_rel": 0.3})["counterfactual"]
    assert stated["u_savings_m3"] == pytest.approx(math.hypot(27_000, 1_000, 400))


def test_consumption_stands_beside_withdrawal():
    report = savings_report(case(reporting_ETa_mm=600, counterfactual_ETa_mm=660, u_ETa_mm=12))
    consumed = report["consumptive"]

    assert consumed["savings_m3"] == pytest.approx(6_000)
    # 12 mm by itself, 15 % of the difference by the model: 1200 and 900 m³.
    assert consumed["u_savings_m3"] == pytest.approx(1_500)
    assert report["recoverable_change_m3"] == pytest.approx(6_000 - report["ols"]["savings_m3"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"option": "E"}, "option: expected one of A, B, C, D"),
        ({"option": "D"}, "counterfactual_gross_mm: is missing"),
        ({"adjustments": "none"}, "adjustments: expected a list"),
        ({"adjustments": [5]}, r"adjustments\[0\]: expected an object"),
        (
            {"adjustments": [{"volume_m3": 5, "author": "A"}]},
            r"adjustments\[0\].reason: is missing",
        ),
        (
            {"adjustments": [{"volume_m3": 5, "reason": "salts", "author": " "}]},
            r"adjustments\[0\].author: expected words",
        ),
        ({"shared": [1]}, "shared: expected an object"),
        ({"shared": {"model": "large"}}, "shared.model: expected a number"),
        ({"shared": {"model": {"u_m3": 5, "shared": "region"}}}, "shared.model.shared: expected"),
        ({"reporting_ETa_mm": 600}, "counterfactual_ETa_mm: is missing"),
        ({"u_counterfactual_rel": -1}, "u_counterfactual_rel"),
    ],
)
def test_a_bad_optional_input_is_named(change, message):
    with pytest.raises(SavingsError, match=message):
        savings_report(case(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"u_metr_reporting_rel": 0.5}, "u_metr_reporting_rel: is no key; is u_meter_reporting"),
        ({"ajustments": []}, "ajustments: is no key; is adjustments meant"),
        ({"u_meter_reporting_rel": 2}, r"u_meter_reporting_rel: must be from 0 to 1 .*divided"),
        ({"u_area_rel": 1.5}, "u_area_rel: must be from 0 to 1"),
        ({"area_ha": 1e300}, r"area_ha: must not be beyond 1e\+12"),
        ({"reporting_NIR_mm": 1e308}, "reporting_NIR_mm: must not be beyond"),
    ],
)
def test_what_would_silently_narrow_or_burst_an_interval_is_refused(change, message):
    with pytest.raises(SavingsError, match=message):
        savings_report(case(**change))


def test_keys_of_the_author_are_left_alone():
    assert savings_report(case(field="south", surveyed_by="A. B.")) == savings_report(case())


def test_a_requirement_beyond_all_baseline_seasons_is_told():
    need = case()["baseline_NIR_mm"]
    inside = savings_report(case(reporting_NIR_mm=max(need)))
    outside = savings_report(case(reporting_NIR_mm=max(need) + 1))
    assert not any("extrapolated" in note for note in inside["notes"])
    assert any("extrapolated" in note for note in outside["notes"])


def test_a_regression_that_falls_judges_nothing():
    falling = case()["baseline_gross_metered_mm"][::-1]
    report = savings_report(case(baseline_gross_metered_mm=falling))
    assert report["ols"]["b1"] < 0
    assert report["method"] == "ratio"
    assert report["demonstrated"] is report["ratio"]["savings_over_2SE"]
    assert any("regression falls" in note for note in report["notes"])


def test_a_bad_indicator_is_named_with_its_place():
    sums = {"ETc_mm": 800, "ETa_mm": 700}
    with pytest.raises(SavingsError, match=r"indicator_case.DP_mm: is missing"):
        savings_report({"cases": [], "indicator_case": {"inputs": sums}})
    with pytest.raises(SavingsError, match=r"indicator_case.ETa_mm: is missing"):
        savings_report({"cases": [], "indicator_case": {"inputs": {"ETc_mm": 800}}})
    with pytest.raises(SavingsError, match=r"runof_mm: is no key; is runoff_mm meant"):
        savings_report(sums | {"runof_mm": 5})


def test_a_bad_input_of_one_of_many_cases_is_named_with_its_place():
    with pytest.raises(SavingsError, match=r"cases\[1\].area_ha: must be above 0"):
        savings_report({"cases": [case(), {"inputs": case(area_ha=0)}]})


def test_indicators_of_zones_together_speak_of_those_that_have_all_they_need():
    watered = {"applied_m3": 6_000.0, "rain_mm": 100.0, "etc_mm": 800.0, "effective_rain_mm": 90.0}
    rainfed = {"applied_m3": 0.0, "rain_mm": 100.0, "etc_mm": 400.0, "effective_rain_mm": 100.0}
    weighed = {"applied_m3": 2_000.0, "eta_mm": 500.0, "mass_kg": 3_000.0}  # 1 ha
    found = indicators.of_zones([(1.0, watered), (3.0, rainfed), (1.0, weighed)])

    # (6000 + 1000 + 3000) m³ by (8000 + 12 000)
    assert found["relative_water_supply"] == pytest.approx(0.5)
    assert found["relative_irrigation_supply"] == pytest.approx(6_000 / 7_100)  # where irrigated
    assert found["crop_water_productivity_kg_m3"] == pytest.approx(3_000 / 5_000)
    assert found["irrigation_water_productivity_kg_m3"] == pytest.approx(1.5)
    assert found["beneficial_fraction"] is None
