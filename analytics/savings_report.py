"""The savings of one case as a report: named inputs in, named figures out.

Keys carry their unit. A case has baseline seasons (``baseline_NIR_mm``,
``baseline_gross_metered_mm``), the reporting season and its uncertainties; an indicator case has
the season sums of a water balance.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analytics import indicators
from analytics.baselines import (
    BaselineError,
    LinearBaseline,
    Prediction,
    RatioBaseline,
    linear_baseline,
    ratio_baseline,
)
from analytics.indicators import M3_PER_HA_PER_MM
from analytics.savings import Saving, apparent_saving

Report = dict[str, Any]


class SavingsError(ValueError):
    """An input of the savings report that is missing or makes no sense, by its key."""


def savings_report(inputs: Mapping[str, Any]) -> Report:
    """Report the savings of one case, or of every case of a file.

    Parameters
    ----------
    inputs : mapping
        The inputs of a case, a mapping with ``inputs``, or one with ``cases`` (a list of these)
        and possibly ``indicator_case``.

    Raises
    ------
    SavingsError
        Naming the key that is missing, is not a number, or is out of range.
    """
    if not isinstance(inputs, Mapping):
        raise SavingsError(f"expected an object of named inputs, got {type(inputs).__name__}")
    if "cases" in inputs:
        cases = inputs["cases"]
        if not isinstance(cases, Sequence) or isinstance(cases, str):
            raise SavingsError("cases: expected a list")
        report: Report = {"cases": [savings_report(case) for case in cases]}
        if "indicator_case" in inputs:
            report["indicator_case"] = savings_report(inputs["indicator_case"])
        return report
    if "inputs" in inputs:
        return savings_report(inputs["inputs"])
    if "ETa_mm" in inputs:
        return _indicator_report(inputs)
    return _case_report(_case(inputs))


class _Case(NamedTuple):
    baseline_nir: list[float]
    baseline_gross: list[float]
    nir: float
    gross: float
    area_ha: float
    u_meter: float
    u_area: float


def _case(inputs: Mapping[str, Any]) -> _Case:
    nir = _numbers(inputs, "baseline_NIR_mm")
    gross = _numbers(inputs, "baseline_gross_metered_mm")
    if len(nir) != len(gross):
        raise SavingsError(
            f"baseline_gross_metered_mm: {len(gross)} seasons, baseline_NIR_mm has {len(nir)}"
        )
    area = _number(inputs, "area_ha")
    if area <= 0:
        raise SavingsError(f"area_ha: must be above 0, got {area:g}")
    return _Case(
        nir,
        gross,
        _number(inputs, "reporting_NIR_mm"),
        _number(inputs, "reporting_gross_metered_mm"),
        area,
        _number(inputs, "u_meter_reporting_rel", default=0.0),
        _number(inputs, "u_area_rel", default=0.0),
    )


def _case_report(case: _Case) -> Report:
    per_mm = M3_PER_HA_PER_MM * case.area_ha
    mean_gross = math.fsum(case.baseline_gross) / len(case.baseline_gross)
    report: Report = {
        "volume_reporting_m3": per_mm * case.gross,
        "unadjusted_savings_m3": per_mm * (mean_gross - case.gross),
    }
    notes: list[str] = []
    try:
        ratio = ratio_baseline(case.baseline_nir, case.baseline_gross)
        report["ratio"] = _ratio_report(ratio, case)
    except BaselineError as error:
        raise SavingsError(f"baseline_NIR_mm: {error}") from error
    try:
        line = linear_baseline(case.baseline_nir, case.baseline_gross)
        report["ols"] = _linear_report(line, case)
    except BaselineError as error:
        report["ols"] = None
        notes.append(f"no regression: {error}; the ratio stands alone")
    if ratio.seasons < 2:
        notes.append("one baseline season: the uncertainty is unknown, nothing is demonstrated")
    report["method"] = "ratio" if report["ols"] is None else "ols"
    report["demonstrated"] = report[report["method"]]["savings_over_2SE"]
    interval = report[report["method"]]["ci95_m3"]
    if report["demonstrated"] and interval[0] <= 0:
        notes.append("the 95 % interval reaches zero: too few baseline seasons to be sure")
    report["notes"] = notes
    return report


def _ratio_report(baseline: RatioBaseline, case: _Case) -> Report:
    prediction = baseline.predict(case.nir)
    return {
        "RIS_baseline": baseline.ratio,
        "u_RIS": _known(baseline.u_ratio),
        **_saving_report(prediction, case),
        "u_prediction_mm": _known(prediction.standard_error),
    }


def _linear_report(baseline: LinearBaseline, case: _Case) -> Report:
    prediction = baseline.predict(case.nir)
    return {
        "b0_mm": baseline.intercept,
        "b1": baseline.slope,
        "s_mm": baseline.residual,
        "R2": _known(baseline.r_squared),
        "CV_RMSE_pct": _known(_percent(baseline.residual, baseline.mean_gross)),
        **_saving_report(prediction, case),
        "se_prediction_mm": prediction.standard_error,
    }


def _saving_report(prediction: Prediction, case: _Case) -> Report:
    saving: Saving = apparent_saving(
        prediction, case.gross, case.area_ha, u_meter_rel=case.u_meter, u_area_rel=case.u_area
    )
    baseline_m3 = M3_PER_HA_PER_MM * case.area_ha * prediction.depth
    return {
        "adjusted_baseline_mm": prediction.depth,
        "adjusted_baseline_m3": baseline_m3,
        "savings_m3": saving.value,
        "savings_pct": _known(_percent(saving.value, baseline_m3)),
        "u_savings_m3": _known(saving.uncertainty),
        "t_90": _known(saving.quantile(0.90)),
        "ci90_m3": _interval(saving, 0.90),
        "t_95": _known(saving.quantile(0.95)),
        "ci95_m3": _interval(saving, 0.95),
        "savings_over_2SE": saving.demonstrated,
    }


def _indicator_report(inputs: Mapping[str, Any]) -> Report:
    etc, eta = _number(inputs, "ETc_mm"), _number(inputs, "ETa_mm")
    percolation = _number(inputs, "DP_mm")
    irrigation, rain = _number(inputs, "irrigation_mm"), _number(inputs, "rain_mm")
    runoff = _number(inputs, "runoff_mm", default=0.0)
    effective_rain = _number(inputs, "effective_rain_mm", default=rain - runoff)
    gained = _signed(inputs, "Dr_start_before_day1_mm") - _signed(inputs, "Dr_end_mm")
    relative = float(indicators.relative_yield(eta, etc, _number(inputs, "Ky")))
    crop_yield = relative * _number(inputs, "yield_max_kg_ha")
    supply = irrigation + rain
    figures: dict[str, Any] = {
        "storage_change_mm": gained,
        "closure_residual_mm": supply - runoff - eta - percolation - gained,
        "ETa_over_ETc": eta / etc if etc > 0 else math.nan,
        "relative_yield": relative,
        "yield_kg_ha": crop_yield,
        "yield_centner_ha": crop_yield / 100,
        "CWP_kg_m3": indicators.water_productivity(crop_yield, eta),
        "IWP_kg_m3": indicators.water_productivity(crop_yield, irrigation),
        "RWS": indicators.relative_water_supply(irrigation, rain, etc),
        "RIS": indicators.relative_irrigation_supply(irrigation, etc, effective_rain),
        "depleted_fraction": indicators.depleted_fraction(eta, supply),
        "depleted_fraction_with_storage": indicators.depleted_fraction(eta, supply, gained),
        "beneficial_fraction_T_over_ETa": indicators.beneficial_fraction(
            _number(inputs, "T_mm"), eta
        ),
        "irrigation_volume_m3": M3_PER_HA_PER_MM * _number(inputs, "area_ha") * irrigation,
    }
    return {name: _known(float(value)) for name, value in figures.items()}


def _interval(saving: Saving, level: float) -> list[float] | None:
    interval = saving.interval(level)
    return None if interval is None else list(interval)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else math.nan


def _known(value: float) -> float | None:
    """JSON has no NaN: what is unknown is null."""
    return None if math.isnan(value) else value


def _number(inputs: Mapping[str, Any], key: str, *, default: float | None = None) -> float:
    value = _signed(inputs, key, default=default)
    if value < 0:
        raise SavingsError(f"{key}: must not be negative, got {value:g}")
    return value


def _signed(inputs: Mapping[str, Any], key: str, *, default: float | None = None) -> float:
    if key not in inputs and default is not None:
        return default
    if key not in inputs:
        raise SavingsError(f"{key}: is missing")
    return _finite(inputs[key], key)


def _numbers(inputs: Mapping[str, Any], key: str) -> list[float]:
    if key not in inputs:
        raise SavingsError(f"{key}: is missing")
    values = inputs[key]
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise SavingsError(f"{key}: expected a list with a number for each season")
    numbers = [_finite(value, f"{key}[{index}]") for index, value in enumerate(values)]
    if min(numbers) < 0:
        raise SavingsError(f"{key}: must not be negative, got {min(numbers):g}")
    return numbers


def _finite(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SavingsError(f"{key}: expected a number, got {value!r}")
    return float(value)
