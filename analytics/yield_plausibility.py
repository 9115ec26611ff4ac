"""What looks wrong with a yield file as a whole: units and planes. Notes, never corrections."""

from typing import Any

import numpy as np

from analytics.yield_tables import KG_PER_POUND, Array, YieldPoints

# The mean of a whole field is not above this, wet [kg/ha]: well over what the best fields bring.
MAX_FIELD_YIELD_KG_HA: dict[str, float] = {
    "spring-wheat": 9_000.0,
    "winter-wheat": 13_000.0,
    "barley": 11_000.0,
    "oats": 9_000.0,
    "maize": 20_000.0,
    "rice": 14_000.0,
    "sunflower": 5_500.0,
    "soybean": 6_500.0,
    "rapeseed": 6_500.0,
    "safflower": 3_500.0,
    "flax": 3_500.0,
}
MAX_GRAIN_YIELD_KG_HA = 20_000.0  # of any grain
MAX_FRESH_YIELD_KG_HA = 200_000.0  # of anything that is harvested in a day's work
MIN_FIELD_YIELD_KG_HA = 20.0  # less is not worth the machine's fuel
MOST_TWICE = 0.2  # a machine that stood may say the same again
GRAIN_MOISTURE_PCT = 40.0  # above it, it is no grain but fresh matter
MAX_SPEED_M_S = 5.0
MAX_WIDTH_M = 20.0
MIN_MOISTURE_PCT = 1.5  # a fraction, then


def notes(points: YieldPoints, crop: str | None = None) -> list[dict[str, Any]]:
    """Findings as key, column (by its name in a plain CSV), the median found, what it may mean.

    Raises
    ------
    ValueError
        If the crop is none of ``MAX_FIELD_YIELD_KG_HA``.
    """
    if crop is not None and crop not in MAX_FIELD_YIELD_KG_HA:
        raise ValueError(f"crop {crop!r} is not one of {', '.join(MAX_FIELD_YIELD_KG_HA)}")
    work = points.working
    grain, flow = _median(points.yield_kg_ha[work]), _median(points.flow_kg_s[work])
    pace, moisture = _median(points.speed_m_s[work]), _median(points.moisture_pct[work])
    width = _median(points.coverage_m2_s[work]) / pace if pace > 0 else float("nan")
    found = [_yield_note(grain, flow, moisture, crop)]
    if pace > MAX_SPEED_M_S:
        found.append(_note("speed-unit", "distance_m", pace, "m/s", "km/h divided by 3.6 is m/s"))
    if width > MAX_WIDTH_M:
        found.append(_note("width-unit", "width_m", width, "m", "feet times 0.3048 are m"))
    if 0 < moisture < MIN_MOISTURE_PCT:
        hint = "a fraction times 100 is %"
        found.append(_note("moisture-unit", "moisture_pct", moisture, "%", hint))
    extent = max(_extent(points.x), _extent(points.y))
    if not points.crs and points.x.size > 1 and extent < 1.0:
        hint = "degrees belong into longitude_deg and latitude_deg"
        found.append(_note("plane-unit", "x_m", extent, "m", hint))
    if (twice := _twice(points)) > MOST_TWICE:
        hint = "the same records stand in it again: mass and area count twice"
        found.append(_note("records-twice", "(all)", twice, "share of the records", hint))
    return [note for note in found if note]


def _twice(points: YieldPoints) -> float:
    """Share of the records that moved and are like an earlier one in every number."""
    moved = points.working & ~(points.speed_m_s == 0)
    columns = (points.x, points.y, points.yield_kg_ha, points.moisture_pct)
    rows = np.stack([np.nan_to_num(column[moved], nan=-1.0) for column in columns], axis=1)
    return 1.0 - len(np.unique(rows, axis=0)) / len(rows) if len(rows) else 0.0


def _yield_note(grain: float, flow: float, moisture: float, crop: str | None) -> dict[str, Any]:
    limit = MAX_FIELD_YIELD_KG_HA[crop] if crop else MAX_GRAIN_YIELD_KG_HA
    fresh = not moisture <= GRAIN_MOISTURE_PCT  # or unknown
    if 0 < grain < MIN_FIELD_YIELD_KG_HA:
        return _note("yield-too-low", "yield_kg_ha", grain, "kg/ha", "t/ha times 1000 are kg/ha")
    if grain > MAX_FRESH_YIELD_KG_HA:
        hint = "kg/ha divided by 1000 are t/ha"
        return _note("yield-too-high", "yield_kg_ha", grain, "kg/ha", hint)
    if not grain > limit or (crop is None and fresh):
        return {}
    if flow > 0 and grain * KG_PER_POUND <= limit:
        hint = f"lb/s times {KG_PER_POUND} are kg/s: then it is {grain * KG_PER_POUND:.0f} kg/ha"
        return _note("flow-unit", "mass_flow_kg_s", grain, "kg/ha", hint)
    return _note(
        "yield-too-high", "yield_kg_ha", grain, "kg/ha", f"no field brings over {limit:.0f}"
    )


def _note(key: str, column: str, value: float, unit: str, hint: str) -> dict[str, Any]:
    return {"key": key, "column": column, "median": value, "unit": unit, "hint": hint}


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _extent(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.ptp(known)) if known.size else float("inf")
