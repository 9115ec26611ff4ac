"""The examples of docs/figures/water-and-savings.md by the real functions."""

import datetime as dt
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from analytics import indicators, judgement, old_practice, requirement, scenario
from analytics.counterfactual import Consumed, consumptive_parts
from analytics.daily import applied
from analytics.irrigation import counter_differences, depth_mm
from analytics.judgement import ZoneFacts
from analytics.old_practice import Old
from analytics.savings import Saving
from analytics.savings_report import savings_report
from analytics.season_run import Water, WhatIf
from analytics.tables import DailyTable
from analytics.uncertainty import Part, Stated, add_up, as_json, by_cause
from analytics.weather import local_days
from reports.sums import ZoneResult
from reports.water import water
from tests.docs.worked import Computed, Given, example
from tests.docs.zones import crop_zone, row, season


class _Season(SimpleNamespace):
    """A metered season before the change."""

    application_efficiency = wetted_fraction = None


def _seasons(given: Given) -> list[Any]:
    pairs = zip(given.baseline_nir, given.baseline_gross, strict=True)
    return [
        _Season(season=2015 + n, net_requirement_mm=need, gross_irrigation_mm=gross)
        for n, (need, gross) in enumerate(pairs)
    ]


def _run(given: Given) -> Any:
    return SimpleNamespace(requirement=np.array([given.nir]), etc=np.array([given.etc]))


def _part(parts: Sequence[Part], cause: str) -> Part:
    (found,) = (part for part in parts if part.cause == cause)
    return found


@example("applied-water")
def applied_water(given: Given) -> Computed:
    times = np.arange(given.counter.size)
    found = counter_differences(times, given.counter, modulus=given.modulus)
    assert (found.wrapped.sum(), found.reset.sum()) == (1, 1)
    return {"volume": found.total, "depth": depth_mm(found.total, given.area)}


@example("offtake-share")
def offtake_share(given: Given) -> Computed:
    day = dt.date(2025, 6, 1)
    zones = [crop_zone(area) for area in given.areas]
    share = applied._share(zones[0], zones, local_days(day, day, "Asia/Almaty"))
    return {"volume": share[0] * given.offtake}


@example("net-irrigation")
def net_irrigation(given: Given) -> Computed:
    gross = depth_mm(given.volume, given.area)
    table = DailyTable(
        "irrigation.csv",
        [dt.date(2025, 6, 1)],
        [2],
        {
            "depth_mm": np.array([gross]),
            "wetted_fraction": np.array([0.8]),
            "efficiency": np.array([given.efficiency]),
        },
    )
    day = SimpleNamespace(start=dt.date(2025, 6, 1), days=1)
    net, _ = scenario._applications(day, table, [])  # type: ignore[arg-type]
    return {"gross": gross, "net": net[0]}


@example("net-requirement")
def net_requirement(given: Given) -> Computed:
    sums = {name: value for name, value in given.items() if name != "nir"}
    balance = season(**sums)
    return {
        "effective_rain": requirement.effective_rain(balance)[0],
        "storage_change": requirement.storage_change(balance)[0],
        "requirement": requirement.net_requirement(balance)[0],
    }


def _case(given: Given) -> dict[str, Any]:
    """The file of ``dala savings`` that the example is."""
    return savings_report(
        {
            "baseline_NIR_mm": given.baseline_nir.tolist(),
            "baseline_gross_metered_mm": given.baseline_gross.tolist(),
            "reporting_NIR_mm": given.nir,
            "reporting_gross_metered_mm": given.gross,
            "area_ha": given.area,
            "u_meter_reporting_rel": given.u_meter,
            "u_area_rel": given.u_area,
        }
    )


@example("baseline-ratio")
def baseline_ratio(given: Given) -> Computed:
    report = _case(given)
    found = report["ratio"]
    old = old_practice.of_field(_seasons(given), _run(Given(given | {"etc": 850.0})), 0)
    assert old.depth_mm == found["adjusted_baseline_mm"]
    assert "by ratio" in old.method
    return {
        "RIS_baseline": found["RIS_baseline"],
        "u_RIS": found["u_RIS"],
        "adjusted_baseline_mm": found["adjusted_baseline_mm"],
        "u_prediction_mm": found["u_prediction_mm"],
        "unadjusted_savings_m3": report["unadjusted_savings_m3"],
        "savings_m3": found["savings_m3"],
        "u_savings_m3": found["u_savings_m3"],
        "low": found["ci95_m3"][0] / 1000,
        "high": found["ci95_m3"][1] / 1000,
        "savings_pct": found["savings_pct"],
        "demonstrated": found["savings_over_2SE"],
    }


@example("baseline-line")
def baseline_line(given: Given) -> Computed:
    found = _case(given)["ols"]
    old = old_practice.of_field(_seasons(given), _run(Given(given | {"etc": 850.0})), 0)
    assert old.depth_mm == found["adjusted_baseline_mm"]
    assert "by regression" in old.method
    names = ("b0_mm", "b1", "s_mm", "R2", "CV_RMSE_pct", "se_prediction_mm", "adjusted_baseline_mm")
    return {name: found[name] for name in names}


def _apparent(given: Given) -> Stated:
    """The apparent saving of a metered crop zone, as the nightly analysis states it."""
    old = old_practice.of_field(_seasons(given), _run(given), 0)
    sources = Water(np.array([given.applied]), np.ones(1), np.ones(1), ["metered"], given.metered)
    zone = ZoneFacts(given.area, "cotton", "furrow", sources, _seasons(given))
    parts = judgement._apparent_parts(zone, old, given.applied)
    return Stated(10.0 * given.area * old.depth_mm - given.applied, parts, farm=1)


@example("apparent-saving")
def apparent_saving(given: Given) -> Computed:
    stated = _apparent(given)
    saving, parts = stated.alone(), stated.parts
    low, high = saving.interval() or (math.nan, math.nan)
    known = row(
        apparent_savings_m3=stated.value,
        baseline_m3=stated.value + given.applied,
        applied_m3=given.applied,
        uncertainty={"apparent": as_json(stated)},
    )
    found = water([ZoneResult(1, crop_zone(given.area), known)], given.area)
    assert found["apparent_savings_m3"]["value"] == stated.value
    assert found["apparent_savings_m3"]["ci95"] == [low, high]
    return {
        "baseline_m3": found["baseline_m3"],
        "baseline": _part(parts, "baseline").effect,
        "station_et0": _part(parts, "station_et0").effect,
        "meter": _part(parts, "meter").effect,
        "meter_calibration": _part(parts, "meter_calibration").effect,
        "area_of_field": _part(parts, "area").effect,
        "u": saving.uncertainty,
        "freedom": saving.degrees_of_freedom,
        "low": low / 1000,
        "high": high / 1000,
        "demonstrated": found["apparent_savings_m3"]["demonstrated"],
        "saving": found["apparent_savings_m3"]["value"],
    }


@example("unmetered-days")
def unmetered_days(given: Given) -> Computed:
    (part,) = (one for one in _unmetered(given) if one.cause == "unmetered_days")
    return {"u": part.effect}


def _unmetered(given: Given) -> Sequence[Part]:
    sources = Water(np.array([1.0]), np.ones(1), np.ones(1), ["metered"], given.metered)
    zone = ZoneFacts(1.0, "cotton", "furrow", sources, [object()])  # type: ignore[list-item]
    old = Old(given.baseline_m3 / 10.0, 0.6, 1.0, (), "")
    return judgement._apparent_parts(zone, old, 1.0)


@example("not-demonstrated")
def not_demonstrated(given: Given) -> Computed:
    saving = Saving(given.value, given.u, given.freedom)
    low, high = saving.interval() or (math.nan, math.nan)
    return {"low": low / 1000, "high": high / 1000, "demonstrated": saving.demonstrated}


@example("real-saving")
def real_saving(given: Given) -> Computed:
    mm, nothing = 10.0 * given.area, np.zeros(1)
    found = Consumed(
        eta=np.array([given.eta]),
        eta_without=np.array([given.eta_without]),
        baseline=np.array([given.by_baseline]),
        et0=np.array([given.by_et0]),
        efficiency=np.array([given.by_efficiency]),
        wetted=nothing,
    )
    metered = Old(0.0, 0.6, 1.0, (Part("baseline", 1.0, "own", given.freedom),), "")
    parts = judgement._in_volume(consumptive_parts(found, 0, metered), mm)
    real = Stated(mm * found.saved(0), parts, farm=1)
    low, high = real.alone().interval() or (math.nan, math.nan)
    known = row(
        consumptive_savings_m3=real.value,
        recoverable_change_m3=real.value - given.apparent,
        uncertainty={"consumptive": as_json(real)},
    )
    stated = water([ZoneResult(1, crop_zone(given.area), known)], given.area)
    return {
        "soil_and_crop": _part(parts, "soil_and_crop").effect,
        "model": _part(parts, "model").effect,
        "u": real.alone().uncertainty,
        "freedom_of_u": real.alone().degrees_of_freedom,
        "low": low / 1000,
        "high": high / 1000,
        "real": stated["consumptive_savings_m3"]["value"],
        "recoverable": stated["recoverable_change_m3"],
    }


@example("two-fields")
def two_fields(given: Given) -> Computed:
    fields = [
        Stated(
            value,
            (
                Part("baseline", own, "own", given.freedom),
                Part("station_et0", station, "farm"),
                Part("meter_calibration", shared, "all"),
            ),
            farm=1,
        )
        for value, own, station, shared in zip(
            given.saving, given.baseline, given.station_et0, given.meter_calibration, strict=True
        )
    ]
    total = add_up(fields)
    causes = by_cause(fields)
    low, high = total.interval() or (math.nan, math.nan)
    return {
        "own": causes["baseline", "own"],
        "station": causes["station_et0", "farm"],
        "calibration": causes["meter_calibration", "all"],
        "u": total.uncertainty,
        "freedom_of_u": total.degrees_of_freedom,
        "low": low / 1000,
        "high": high / 1000,
        "total": total.value,
    }


@example("computed-baseline")
def computed_baseline(given: Given) -> Computed:
    run = WhatIf(
        eta=np.array([given.eta]),
        gross=np.array([given.gross]),
        deep_percolation=np.zeros(1),
        runoff=np.zeros(1),
        applications=np.array([given.applications]),
    )
    old = old_practice.of_balance(run, 0, "cotton")
    assert (old.efficiency, old.computed) == (given.efficiency, True)
    return {
        "practice_of_the_field": _part(old.parts, "old_practice_of_the_field").effect,
        "last_watering": _part(old.parts, "last_watering").effect,
        "practice": _part(old.parts, "old_practice").effect,
        "efficiency_assumption": _part(old.parts, "efficiency_assumption").effect,
        "station_et0": _part(old.parts, "station_et0").effect,
        "u": Stated(0.0, old.parts).alone().uncertainty,
    }


@example("adjusted-baseline")
def adjusted_baseline(given: Given) -> Computed:
    entry = SimpleNamespace(volume_m3=given.adjustment, u_volume_m3=given.u_adjustment)
    sources = Water(np.zeros(1), np.ones(1), np.ones(1), ["metered"], 100.0)
    zone = ZoneFacts(given.area, "cotton", "furrow", sources, (), (entry,))
    before = Old(given.baseline_m3 / (10.0 * given.area), 0.6, 1.0, (), "")
    after = judgement._adjusted(zone, before)
    per_mm = 10.0 * given.area
    return {
        "u_mm": _part(after.parts, "adjustments").effect,
        "baseline": per_mm * after.depth_mm,
    }


@example("indicators")
def indicators_of_two_fields(given: Given) -> Computed:
    zones = [
        (
            given.area[n],
            {
                "applied_m3": given.applied[n],
                "rain_mm": given.rain[n],
                "effective_rain_mm": given.effective_rain[n],
                "etc_mm": given.etc[n],
                "eta_mm": given.eta[n],
                "transpiration_mm": given.transpiration[n],
                "capillary_rise_mm": 0.0,
                "storage_change_mm": given.storage_change[n],
                "mass_kg": given.mass[n],
            },
        )
        for n in range(2)
    ]
    found = indicators.of_zones(zones)
    return {name: found[name] for name in indicators.NAMES}


@example("indicators-of-a-file")
def indicators_of_a_file(given: Given) -> Computed:
    names = {
        "area": "area_ha", "irrigation": "irrigation_mm", "rain": "rain_mm", "runoff": "runoff_mm",
        "etc": "ETc_mm", "eta": "ETa_mm", "transpiration": "T_mm", "percolation": "DP_mm",
        "depletion_start": "Dr_start_before_day1_mm", "depletion_end": "Dr_end_mm", "ky": "Ky",
        "yield_max": "yield_max_kg_ha",
    }  # fmt: skip
    found = savings_report({names[name]: value for name, value in given.items()})
    return {name: value for name, value in found.items() if name != "yield_centner_ha"}


@example("area-mean")
def area_mean(given: Given) -> Computed:
    zones = [
        ZoneResult(
            1,
            crop_zone(area),
            row(eta_mm=eta, applied_m3=applied_m3, apparent_savings_m3=None),
        )
        for area, eta, applied_m3 in zip(given.area, given.eta, given.applied, strict=True)
    ]
    found = water(zones, float(given.area.sum()))
    return {name: found[name] for name in ("applied_m3", "applied_mm", "irrigated_ha", "eta_mm")}
