"""The pipeline for one field's yield points: delay, overlap, filters, totals, report.

Totals come from all records, as the calibrated monitor counted them: grain that arrives after
the header went up was harvested, too. Filters say which points a map can trust.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import shapely

from analytics.flow_delay import DelayFit, fit_flow_delay, no_fit
from analytics.swath import free_share, swaths
from analytics.yield_filters import Filters, Flags, flag_points, is_spatial, map_points
from analytics.yield_plausibility import notes
from analytics.yield_tables import M2_PER_HA, Array, YieldPoints, work_runs
from analytics.yields import KG_PER_CENTNER, at_standard_moisture, scale_to_loads


class Cleaned(NamedTuple):
    """Points as a map shows them, and what became of each."""

    points: YieldPoints  # flow at its place, over the width that was free
    kept: Flags
    flags: dict[str, Flags]
    free: Array  # share of each swath that no other pass covered before
    filters: Filters  # with the delay that was used
    delay: DelayFit


class Harvest(NamedTuple):
    """What is known of a harvest beside the file; None where it is not."""

    standard_moisture_pct: float | None = None  # to which the mass is reduced
    weighed_kg: float | None = None  # wet, of all loads
    sown_ha: float | None = None
    impurity_pct: float | None = None
    base_impurity_pct: float = 0.0
    crop: str | None = None


def clean_points(
    points: YieldPoints,
    filters: Filters | None = None,
    *,
    flow_delay_s: float | None = None,
    boundary: shapely.Geometry | None = None,
) -> Cleaned:
    """Shift the flow, find overlap, and flag; no point is taken away.

    Without ``flow_delay_s``, nor one in ``filters``, the delay is fitted. ``boundary`` is the
    field's, on the plane of the points.
    """
    limits = filters or Filters()
    if flow_delay_s is None and limits.flow_delay_s == 0:
        fit = fit_flow_delay(points)
    else:
        given = limits.flow_delay_s if flow_delay_s is None else flow_delay_s
        fit = no_fit("given")._replace(delay_s=given)
    limits = limits._replace(flow_delay_s=fit.delay_s)
    free = overlap_free(points)
    flags = flag_points(points, limits, free, boundary)
    kept = ~np.any(list(flags.values()), axis=0)
    return Cleaned(map_points(points, limits, free), kept, flags, free, limits, fit)


def overlap_free(points: YieldPoints) -> Array:
    """Share of each record's swath that no record of another pass had covered before."""
    known = points.passes >= 0
    pace = np.where(points.speed_m_s > 0, points.speed_m_s, np.nan)
    run = work_runs(points)
    places = swaths(
        points.x,
        points.y,
        run,
        points.coverage_m2_s / pace,
        pace * points.interval_s,
        points.working & known,
    )
    return free_share(places, run)


def clean(
    points: YieldPoints,
    *,
    standard_moisture: float | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """Clean with a fitted delay and report; see ``report``."""
    harvest = Harvest(standard_moisture_pct=standard_moisture)
    return report(points, clean_points(points, filters), harvest)


def report(points: YieldPoints, cleaned: Cleaned, harvest: Harvest) -> dict[str, Any]:
    """Totals of all points and counts of the flagged ones, as plain values for JSON.

    ``yield_kg_ha`` is ``mass_kg`` over ``area_ha``. Points with a ready-made yield have neither
    (None): then it is the mean of the points kept, and ``yield_source`` says so. ``mass_kg`` is at
    the standard moisture, or as harvested without one; a record of unknown moisture takes the
    mean of the others. ``area_ha`` is the machine's, ``area_effective_ha`` the ground that it
    covered with the header down, each place once. Weighed loads take the place of the monitor's
    mass.
    """
    kept, moisture = cleaned.kept, _filled_moisture(points)
    reduction = np.ones(moisture.shape)
    if harvest.standard_moisture_pct is not None:
        _check_standard(harvest.standard_moisture_pct, moisture)
        reduction = at_standard_moisture(1.0, moisture, harvest.standard_moisture_pct)
    monitor, area = float(points.mass_kg.sum()), float(points.area_m2.sum()) / M2_PER_HA
    has_mass = math.isfinite(monitor)
    scale = 1.0
    if harvest.weighed_kg is not None:
        scale = scale_to_loads(points.mass_kg, [harvest.weighed_kg])
    mass = scale * float((points.mass_kg * reduction).sum())
    if has_mass:
        grain = mass / area if area > 0 else None
    else:
        grain = float((points.yield_kg_ha * reduction)[kept].mean()) if kept.any() else None
    way_m2 = points.coverage_m2_s * points.interval_s * cleaned.free
    free_m2 = np.where(points.working, np.nan_to_num(way_m2), 0.0)
    header_up = float(points.mass_kg[~points.working].sum())
    totals = {
        "area_ha": area,
        "area_effective_ha": float(free_m2.sum()) / M2_PER_HA,
        "wet_mass_kg": scale * monitor,
        "wet_mass_header_up_kg": scale * header_up,
        "mass_kg": mass,
    }
    return {
        "rows": int(kept.size),
        "kept": int(kept.sum()),
        "flagged": {reason: int(found.sum()) for reason, found in cleaned.flags.items()},
        "method": "spatial" if is_spatial(points, cleaned.filters) else "local",
        "flow_delay": _delay(cleaned),
        **(totals if has_mass else dict.fromkeys(totals)),
        "mass_source": points.mass_source if harvest.weighed_kg is None else "loads",
        "mass_by_source_kg": _masses(points, harvest),
        "scale_factor": None if harvest.weighed_kg is None else scale,
        "standard_moisture_pct": harvest.standard_moisture_pct,
        "yield_kg_ha": grain,
        "yield_centner_ha": None if grain is None else grain / KG_PER_CENTNER,
        "yield_source": "mass-over-area" if has_mass else "mean-of-kept-points",
        **_apart(harvest, scale * monitor, mass, area),
        "notes": notes(points, harvest.crop),
    }


def map_yield(points: YieldPoints, cleaned: Cleaned, harvest: Harvest) -> YieldPoints:
    """Points as the map states them: scaled to the loads and at the standard moisture, if known."""
    seen, factor = cleaned.points, np.ones(cleaned.points.x.shape)
    if harvest.standard_moisture_pct is not None:
        moisture = _filled_moisture(seen._replace(mass_kg=points.mass_kg))
        _check_standard(harvest.standard_moisture_pct, moisture)
        factor = at_standard_moisture(1.0, moisture, harvest.standard_moisture_pct)
    if harvest.weighed_kg is not None:
        factor = factor * scale_to_loads(points.mass_kg, [harvest.weighed_kg])
    return seen._replace(yield_kg_ha=seen.yield_kg_ha * factor)


def _delay(cleaned: Cleaned) -> dict[str, Any]:
    """How the delay came about; the fit's curve as pairs of shift and relative mismatch."""
    fit, wet = cleaned.delay, cleaned.filters.moisture_delay_s
    numbers = {
        "best_s": fit.best_s,
        "step_s": fit.step_s,
        "sharpness": fit.sharpness,
        "z": fit.z,
    }
    return {
        "delay_s": fit.delay_s,
        "moisture_delay_s": fit.delay_s if wet is None else wet,
        "source": fit.note,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        "points": fit.points,
        "curve": [
            [float(shift), round(float(value), 6)]
            for shift, value in zip(fit.shifts_s, fit.mismatch, strict=True)
        ],
    }


def _masses(points: YieldPoints, harvest: Harvest) -> dict[str, float | None]:
    """Wet mass by each way of counting that the records allow: they check one another."""
    counted = float(points.mass_kg.sum())
    flow = points.flow_kg_s * points.interval_s
    balance = float(np.nansum(flow)) if np.isfinite(flow).any() else None
    return {
        "loads": harvest.weighed_kg,
        "counter": counted if points.mass_source == "counter" else None,
        "mass_balance": balance,
    }


def _apart(harvest: Harvest, wet: float, mass: float, area: float) -> dict[str, float | None]:
    """Bunker and clean weight, harvested and sown area: each known figure by itself."""
    known = math.isfinite(wet)
    clean_kg = None
    if known and harvest.impurity_pct is not None:
        base = harvest.base_impurity_pct
        for share in (base, harvest.impurity_pct):
            if not 0 <= share < 100:
                raise ValueError(f"impurity must be within 0 and 100 %, got {share:g}")
        clean_kg = mass * (100.0 - max(harvest.impurity_pct, base)) / (100.0 - base)
    sown = harvest.sown_ha
    if sown is not None and not sown > 0:
        raise ValueError(f"sown area must be above 0 ha, got {sown:g}")
    return {
        "bunker_kg": wet if known else None,
        "clean_kg": clean_kg,
        "harvested_ha": area if known else None,
        "sown_ha": sown,
        "yield_of_sown_kg_ha": mass / sown if known and sown is not None else None,
    }


def _filled_moisture(points: YieldPoints) -> Array:
    """Moisture with the mean in place of the unknown; no crop has 0 %, so that is a dead sensor."""
    known = points.moisture_pct > 0
    if known.all() or not known.any():
        return points.moisture_pct
    weights = points.mass_kg[known]
    usable = np.isfinite(weights).all() and weights.sum() > 0
    mean = np.average(points.moisture_pct[known], weights=weights if usable else None)
    return np.where(known, points.moisture_pct, mean)


def _check_standard(standard: float, moisture: Array) -> None:
    if not 0 <= standard < 100:
        raise ValueError(f"standard moisture must be within 0 and 100 %, got {standard:g}")
    if 0 < standard < 1:
        raise ValueError(f"standard moisture is in %: {100 * standard:g} for {standard:g}?")
    if not (moisture > 0).any():
        raise ValueError("the file has no moisture, so no mass at a standard moisture")
