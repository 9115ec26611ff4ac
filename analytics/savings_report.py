"""The savings of one case as a report: named inputs in, named figures out.

Keys carry their unit. A case has baseline seasons (``baseline_NIR_mm``,
``baseline_gross_metered_mm``), or a computed baseline (``counterfactual_gross_mm``, option D); the
reporting season and its uncertainties; where wished ``option``, ``adjustments``, ``shared`` causes,
``farm``, and the two ETa of a consumptive saving. An indicator case has the season sums of a water
balance. Cases together have a total in which shared causes add linearly.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from analytics import indicators
from analytics.baselines import (
    BaselineError,
    LinearBaseline,
    Prediction,
    RatioBaseline,
    linear_baseline,
    ratio_baseline,
)
from analytics.indicator_report import indicator_report
from analytics.options import assumed
from analytics.savings import Saving, apparent_saving, consumptive_savings, recoverable_change
from analytics.savings_inputs import Case, SavingsError, read_case
from analytics.uncertainty import Part, Stated, add_up

__all__ = ["SavingsError", "savings_report"]

Report = dict[str, Any]
PER_MM = indicators.M3_PER_HA_PER_MM


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
        return _cases_report(inputs)
    if "inputs" in inputs:
        return savings_report(inputs["inputs"])
    if "ETa_mm" in inputs:
        return indicator_report(inputs)
    return _case_report(read_case(inputs))[0]


def _cases_report(inputs: Mapping[str, Any]) -> Report:
    cases = inputs["cases"]
    if not isinstance(cases, Sequence) or isinstance(cases, str):
        raise SavingsError("cases: expected a list")
    reports, stated = [], []
    for index, case in enumerate(cases):
        own = case.get("inputs", case) if isinstance(case, Mapping) else case
        if not isinstance(own, Mapping):
            raise SavingsError(f"cases[{index}]: expected an object of named inputs")
        with _within(f"cases[{index}]"):
            if "ETa_mm" in own:
                reports.append(indicator_report(own))
                continue
            report, saving = _case_report(read_case(own))
            reports.append(report)
            stated.append(saving)
    found: Report = {"cases": reports}
    if len(stated) > 1:
        found["total"] = _total_report(stated)
    if "indicator_case" in inputs:
        with _within("indicator_case"):
            found["indicator_case"] = indicator_report(_named(inputs["indicator_case"]))
    return found


@contextmanager
def _within(place: str) -> Iterator[None]:
    """Put the place of a case before the key that an error names."""
    try:
        yield
    except SavingsError as error:
        raise SavingsError(f"{place}.{error}") from error


def _named(case: object) -> Mapping[str, Any]:
    own = case.get("inputs", case) if isinstance(case, Mapping) else case
    if not isinstance(own, Mapping):
        raise SavingsError("inputs: expected an object of named inputs")
    return own


def _case_report(case: Case) -> tuple[Report, Stated]:
    """The report of a case, and its saving by the method that it was judged by."""
    report: Report = {"volume_reporting_m3": PER_MM * case.area_ha * case.gross}
    notes: list[str] = []
    found = (
        _computed(case, report, notes)
        if case.counterfactual_mm is not None
        else (_metered(case, report, notes))
    )
    method = report["method"]
    report["demonstrated"] = report[method]["savings_over_2SE"]
    interval = report[method]["ci95_m3"]
    if report["demonstrated"] and interval[0] <= 0:
        notes.append("the 95 % interval reaches zero: too few baseline seasons to be sure")
    report |= _extras(case, found)
    report["notes"] = notes
    return report, found


def _metered(case: Case, report: Report, notes: list[str]) -> Stated:
    """Against the seasons before the change."""
    mean_gross = math.fsum(case.baseline_gross) / len(case.baseline_gross)
    report["unadjusted_savings_m3"] = PER_MM * case.area_ha * (mean_gross - case.gross)
    need = 0.0 if case.nir is None else case.nir
    try:
        ratio = ratio_baseline(case.baseline_nir, case.baseline_gross)
    except BaselineError as error:
        raise SavingsError(f"baseline_NIR_mm: {error}") from error
    predicted = ratio.predict(need)
    found = _stated(predicted, case)
    report["ratio"] = _ratio_report(ratio, predicted, found, case)
    report["ols"], falls = None, False
    try:
        line = linear_baseline(case.baseline_nir, case.baseline_gross)
    except BaselineError as error:
        notes.append(f"no regression: {error}; the ratio stands alone")
    else:
        predicted = line.predict(need)
        found_by_line = _stated(predicted, case)
        report["ols"] = _linear_report(line, predicted, found_by_line, case)
        falls = line.slope <= 0
        if falls:
            notes.append(
                "the regression falls, as if less was withdrawn where more was required: "
                "judged by the ratio"
            )
        else:
            found = found_by_line
    low, high = min(case.baseline_nir), max(case.baseline_nir)
    if not low <= need <= high:
        notes.append(
            f"reporting_NIR_mm {need:g} is beyond the baseline seasons' {low:g} to {high:g}: "
            "the baseline is extrapolated"
        )
    if ratio.seasons < 2:
        notes.append("one baseline season: the uncertainty is unknown, nothing is demonstrated")
    report["method"] = "ratio" if report["ols"] is None or falls else "ols"
    return found


def _computed(case: Case, report: Report, notes: list[str]) -> Stated:
    """Against a run of the balance under the old practice."""
    depth = case.counterfactual_mm or 0.0
    spread = assumed("old_efficiency_spread") / math.sqrt(3.0) / assumed("old_efficiency")
    if case.u_counterfactual_rel is None:
        own = assumed("old_practice_of_the_field")
        shared = {"old_practice": assumed("old_practice"), "efficiency_assumption": spread}
    else:
        own, shared = case.u_counterfactual_rel, {}
    volume = PER_MM * case.area_ha * depth
    found = _stated(Prediction(depth, own * depth, math.inf), case)
    parts = [Part(cause, share * volume, "all") for cause, share in shared.items()]
    found = found._replace(parts=(*found.parts, *parts))
    report["counterfactual"] = _saving_report(depth, found, case)
    report["method"] = "counterfactual"
    notes.append("no baseline seasons: the baseline is computed, not metered")
    return found


def _stated(predicted: Prediction, case: Case) -> Stated:
    """The saving against a predicted depth, with what it errs by."""
    saving = apparent_saving(
        predicted, case.gross, case.area_ha, u_meter_rel=case.u_meter, u_area_rel=case.u_area
    )
    own = [Part("baseline", saving.uncertainty, "own", saving.degrees_of_freedom)]
    own += [Part("adjustment", one.u_volume_m3) for one in case.adjustments]
    adjusted = saving.value + sum(one.volume_m3 for one in case.adjustments)
    return Stated(adjusted, (*own, *case.shared), case.farm)


def _ratio_report(
    baseline: RatioBaseline, predicted: Prediction, found: Stated, case: Case
) -> Report:
    return {
        "RIS_baseline": baseline.ratio,
        "u_RIS": _known(baseline.u_ratio),
        **_saving_report(predicted.depth, found, case),
        "u_prediction_mm": _known(predicted.standard_error),
    }


def _linear_report(
    baseline: LinearBaseline, predicted: Prediction, found: Stated, case: Case
) -> Report:
    return {
        "b0_mm": baseline.intercept,
        "b1": baseline.slope,
        "s_mm": baseline.residual,
        "R2": _known(baseline.r_squared),
        "CV_RMSE_pct": _known(_percent(baseline.residual, baseline.mean_gross)),
        **_saving_report(predicted.depth, found, case),
        "se_prediction_mm": predicted.standard_error,
    }


def _saving_report(depth_mm: float, found: Stated, case: Case) -> Report:
    saving = found.alone()
    baseline_m3 = PER_MM * case.area_ha * depth_mm
    return {
        "adjusted_baseline_mm": depth_mm,
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


def _extras(case: Case, apparent: Stated) -> Report:
    """What was asked for beside the saving: option, adjustments, causes, consumption."""
    report: Report = {}
    if case.option is not None:
        report["option"] = case.option
    if case.adjustments:
        report["adjustments_m3"] = sum(one.volume_m3 for one in case.adjustments)
        report["adjustments"] = [one._asdict() for one in case.adjustments]
    if any(part.shared != "own" for part in apparent.parts):
        report["shared_m3"] = {
            part.cause: part.effect for part in apparent.parts if part.shared != "own"
        }
    if case.consumption is not None:
        consumed = consumptive_savings(
            case.consumption.eta,
            case.consumption.eta_without,
            case.area_ha,
            u_eta=case.consumption.u_eta,
            u_shared_rel=assumed("model"),
        ).total()
        report["consumptive"] = _brief(consumed)
        # The fall in flow back to rivers and wells is a change downwards: negative.
        report["recoverable_change_m3"] = -recoverable_change(apparent.value, consumed.value)
    return report


def _total_report(stated: Sequence[Stated]) -> Report:
    return _brief(add_up(stated))


def _brief(saving: Saving) -> Report:
    return {
        "savings_m3": saving.value,
        "u_savings_m3": _known(saving.uncertainty),
        "ci95_m3": _interval(saving, 0.95),
        "savings_over_2SE": saving.demonstrated,
    }


def _interval(saving: Saving, level: float) -> list[float] | None:
    interval = saving.interval(level)
    return None if interval is None else list(interval)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else math.nan


def _known(value: float) -> float | None:
    """JSON has no NaN: what is unknown is null."""
    return None if math.isnan(value) else value
