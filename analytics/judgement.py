"""What a season's balance, meters and scales amount to: the figures of one crop zone.

The season is run once as it was and, where earlier seasons say what the old practice took, again
as it would have been: the same weather, soil, crop and days of watering, the old amount, wetting
and losses. What the two differ by in evapotranspiration is the real saving.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from analytics import savings
from analytics.baselines import Prediction, linear_baseline, ratio_baseline
from analytics.season_run import Water, ZoneRun
from analytics.yields import STANDARD_MOISTURE_PCT, field_yield

Array = NDArray[np.float64]

# A class 2 meter may err by 2 % (ISO 4064-1); taken as one standard deviation, most of it the
# calibration that meters of one make share.
U_METER_ALONE, U_METER_SHARED = 0.010, 0.0173
U_AREA = 0.005
# Of a difference of two runs of one model under one weather; a judgement, not a measurement.
U_MODEL_SHARED = 0.15
SEASONS_FOR_A_LINE = 6
LEVEL = 0.95


class Baseline(Protocol):
    """A season before the change."""

    @property
    def net_requirement_mm(self) -> float: ...
    @property
    def gross_irrigation_mm(self) -> float: ...
    @property
    def application_efficiency(self) -> float | None: ...
    @property
    def wetted_fraction(self) -> float | None: ...


class Load(Protocol):
    """A weighed load."""

    @property
    def net_kg(self) -> float: ...
    @property
    def moisture_pct(self) -> float | None: ...
    @property
    def impurity_pct(self) -> float | None: ...
    @property
    def area_ha(self) -> float | None: ...


class Judgement(NamedTuple):
    """Figures of a crop zone's season, named as in the results table."""

    figures: dict[str, float | None]
    yield_source: str | None
    methods: list[str]
    notes: list[str]


SUMS = (
    "et0", "etc", "eta", "transpiration", "evaporation", "deep_percolation", "runoff", "rain",
)  # fmt: skip


def judge(
    area_ha: float,
    water: Water,
    zone: ZoneRun | None,
    baselines: Sequence[Baseline],
    loads: Sequence[Load],
    crop: str,
) -> Judgement:
    """The figures of a crop zone. What cannot be said is None, and the notes say why."""
    figures: dict[str, float | None] = {"applied_m3": float(water.volume_m3.sum())}
    methods: list[str] = []
    notes: list[str] = []
    if zone is not None:
        figures |= {f"{name}_mm": zone.total(name) for name in SUMS}
        figures |= {"closure_mm": zone.closure, "net_requirement_mm": zone.requirement}
        figures |= _savings(area_ha, water, zone, baselines, methods, notes)
    harvest, source = _harvest(loads, area_ha, crop, notes)
    return Judgement(figures | harvest, source, methods, notes)


def _savings(
    area_ha: float,
    water: Water,
    zone: ZoneRun,
    baselines: Sequence[Baseline],
    methods: list[str],
    notes: list[str],
) -> dict[str, float | None]:
    gross = float(water.volume_m3.sum()) / (10.0 * area_ha)
    if not baselines:
        notes.append("no baseline seasons are known: no saving can be stated")
        return {}
    predicted = _predict(baselines, zone.requirement, methods)
    apparent = savings.apparent_saving(
        predicted, gross, area_ha, u_meter_rel=U_METER_ALONE, u_area_rel=U_AREA
    )
    figures: dict[str, float | None] = {
        "baseline_m3": 10.0 * area_ha * predicted.depth,
        "apparent_savings_m3": apparent.value,
        "apparent_u_independent_m3": _known(apparent.uncertainty),
        "apparent_u_shared_m3": 10.0 * area_ha * gross * U_METER_SHARED,
        "apparent_coverage_factor": _known(apparent.quantile(LEVEL)),
    }
    if gross <= 0.0:
        notes.append("nothing was applied, so the old practice cannot be laid over its days")
        return figures
    real = _consumptive(area_ha, zone, predicted, baselines)
    figures["consumptive_savings_m3"] = float(real.value[0])
    figures["consumptive_u_independent_m3"] = _known(float(real.u_independent[0]))
    figures["consumptive_u_shared_m3"] = abs(float(real.u_shared[0]))
    figures["consumptive_coverage_factor"] = figures["apparent_coverage_factor"]
    # The fall in flow back to rivers and wells is a change downwards: negative.
    figures["recoverable_change_m3"] = -savings.recoverable_change(
        apparent.value, float(real.value[0])
    )
    return figures


def _predict(baselines: Sequence[Baseline], requirement: float, methods: list[str]) -> Prediction:
    """Gross irrigation of the old practice; a line needs more seasons than a ratio."""
    need = [one.net_requirement_mm for one in baselines]
    given = [one.gross_irrigation_mm for one in baselines]
    if len(baselines) >= SEASONS_FOR_A_LINE:
        line = linear_baseline(need, given)
        if line.slope > 0:
            methods.append(f"baseline by regression on requirement, {len(baselines)} seasons")
            return line.predict(requirement)
    methods.append(f"baseline by ratio to requirement, {len(baselines)} seasons")
    return ratio_baseline(need, given).predict(requirement)


def _consumptive(
    area_ha: float, zone: ZoneRun, predicted: Prediction, baselines: Sequence[Baseline]
) -> savings.FieldSavings:
    efficiency = _mean([one.application_efficiency for one in baselines])
    wetted = _mean([one.wetted_fraction for one in baselines])

    def eta(gross: float) -> float:
        return zone.eta_with(gross, efficiency, wetted)

    without = eta(predicted.depth)
    spread = abs(eta(predicted.depth + predicted.standard_error) - without)
    return savings.consumptive_savings(
        zone.total("eta"), without, area_ha, u_without=spread, u_shared_rel=U_MODEL_SHARED
    )


def _harvest(
    loads: Sequence[Load], area_ha: float, crop: str, notes: list[str]
) -> tuple[dict[str, float | None], str | None]:
    """Mass over the scales, at the crop's standard moisture where there is one."""
    if not loads:
        return {}, None
    standard = STANDARD_MOISTURE_PCT.get(crop)
    unprobed = sum(load.moisture_pct is None for load in loads)
    if standard is None:
        notes.append(f"{crop} has no standard moisture: its mass is stated as weighed")
    elif unprobed:
        notes.append(f"{unprobed} loads have no moisture: taken as at standard")
    level = standard or 0.0
    moisture = [
        level if standard is None or load.moisture_pct is None else load.moisture_pct
        for load in loads
    ]
    harvest = field_yield(
        [load.net_kg for load in loads],
        moisture,
        sum(load.area_ha for load in loads if load.area_ha is not None) or area_ha,
        standard_moisture=level,
        impurity=[load.impurity_pct or 0.0 for load in loads],
    )
    figures: dict[str, float | None] = {
        "harvested_ha": harvest.harvested_ha,
        "bunker_mass_kg": harvest.bunker_kg,
        "mass_kg": harvest.clean_kg,
        "moisture_pct": _mean_moisture(loads),
    }
    return figures, "weighed loads"


def _mean_moisture(loads: Sequence[Load]) -> float | None:
    """Mean moisture of the probed loads by mass. [%]"""
    probed = [(load.net_kg, load.moisture_pct) for load in loads if load.moisture_pct is not None]
    mass = sum(kg for kg, _ in probed)
    return sum(kg * moisture for kg, moisture in probed) / mass if mass else None


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 1.0


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
