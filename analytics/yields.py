"""Harvested mass from weighed loads: as delivered, and clean at the standard moisture.

Masses in kg, areas in ha, moisture and impurities in % of the wet mass (wet basis).
1 centner (ц) per hectare is 100 kg/ha.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

KG_PER_CENTNER = 100.0

# Base moistures of grain trade in Kazakhstan and its neighbours [%]; a contract may say otherwise.
STANDARD_MOISTURE_PCT: dict[str, float] = {
    "spring-wheat": 14.0,
    "winter-wheat": 14.0,
    "barley": 14.0,
    "oats": 14.0,
    "maize": 14.0,
    "rice": 14.0,
    "sunflower": 7.0,
    "soybean": 12.0,
    "rapeseed": 7.0,
    "safflower": 7.0,
    "flax": 8.0,
}


def at_standard_moisture(mass: ArrayLike, moisture: ArrayLike, standard: ArrayLike) -> Array:
    """Mass that the same dry matter has at the standard moisture; may be more. [kg]"""
    dry = np.asarray(mass, float) * (100.0 - np.asarray(moisture, float))
    return np.asarray(dry / (100.0 - np.asarray(standard, float)))


def moisture_loss_pct(before: ArrayLike, after: ArrayLike) -> Array:
    """Loss of mass on drying from one moisture to a lower one. [% of the mass] (Duval)"""
    a, b = np.asarray(before, float), np.asarray(after, float)
    return np.asarray(100.0 * (a - b) / (100.0 - b))


def impurity_loss_pct(moisture_loss: ArrayLike, before: ArrayLike, after: ArrayLike) -> Array:
    """Loss of mass on cleaning after drying, of the mass delivered. [%]

    ``moisture_loss`` is that of ``moisture_loss_pct``; impurities before and after in %.
    """
    a, b = np.asarray(before, float), np.asarray(after, float)
    return np.asarray((100.0 - np.asarray(moisture_loss, float)) * (a - b) / (100.0 - b))


def scale_to_loads(monitor_kg: ArrayLike, loads_kg: ArrayLike) -> float:
    """Factor that brings a monitor's masses, and the yields of its map, to the weighed loads.

    Both wet; ``monitor_kg`` of shape (points,), of all records, ``loads_kg`` of shape (loads,).

    Raises
    ------
    ValueError
        If the monitor saw no mass, or a load has a negative or unknown one.
    """
    monitor, loads = float(np.sum(monitor_kg)), np.asarray(loads_kg, float)
    if not monitor > 0:
        raise ValueError("the monitor has no mass that loads could scale")
    if not np.all(loads >= 0):
        raise ValueError("a load has a negative or unknown mass")
    return float(loads.sum()) / monitor


class FieldYield(NamedTuple):
    """Harvest of one field."""

    bunker_kg: float  # as delivered
    clean_kg: float  # free of impurities beyond the base, at the standard moisture
    harvested_ha: float
    yield_kg_ha: float  # clean mass over the area
    u_yield_kg_ha: float  # standard uncertainty
    moisture_pct: float  # mean of the loads by mass
    sown_ha: float | None = None  # as declared; what was not harvested was sown, too

    @property
    def yield_of_sown_kg_ha(self) -> float | None:
        """Clean mass over the sown area, where that is known."""
        return None if self.sown_ha is None else self.clean_kg / self.sown_ha

    @property
    def yield_centner_ha(self) -> float:
        """Yield in centners per hectare."""
        return self.yield_kg_ha / KG_PER_CENTNER


def field_yield(
    mass: ArrayLike,
    moisture: ArrayLike,
    harvested_ha: float,
    *,
    standard_moisture: float,
    impurity: ArrayLike = 0.0,
    base_impurity: float = 0.0,
    u_load_kg: float = 0.0,
    u_scale_rel: float = 0.0,
    u_area_rel: float = 0.0,
    sown_ha: float | None = None,
) -> FieldYield:
    """Yield of a field from its weighed loads: total mass over area, never a mean of means.

    Parameters
    ----------
    mass, moisture, impurity : array, shape (loads,)
        Weighed mass [kg], moisture and impurity [%] of each load.
    harvested_ha : float
    sown_ha : float, optional
        Reported beside the harvested area, never in its place.
    standard_moisture, base_impurity : float
        To which the mass is reduced. [%]
    u_load_kg : float
        Standard uncertainty of one weighing by itself; partly cancels over the loads.
    u_scale_rel, u_area_rel : float
        Relative standard uncertainty of the scale's calibration, shared by all loads, and of the
        area.

    Raises
    ------
    ValueError
        If a mass is negative, a percentage is not within 0 and 100, or the area is not positive.
        A load whose moisture is unknown (NaN) cannot be reduced: decide before what it had.
    """
    loads, wet = np.broadcast_arrays(
        np.atleast_1d(np.asarray(mass, float)), np.asarray(moisture, float)
    )
    _check(loads, wet, np.asarray(impurity, float), harvested_ha)
    if sown_ha is not None and not sown_ha > 0:
        raise ValueError(f"sown area must be above 0 ha, got {sown_ha}")
    drying = moisture_loss_pct(wet, standard_moisture)
    cleaning = impurity_loss_pct(drying, np.maximum(impurity, base_impurity), base_impurity)
    kept = 1.0 - (drying + cleaning) / 100.0
    clean, bunker = float((loads * kept).sum()), float(loads.sum())
    weighing = u_load_kg * float(np.sqrt((kept**2).sum()))
    u_clean = float(np.hypot(weighing, clean * np.hypot(u_scale_rel, u_area_rel)))
    return FieldYield(
        bunker_kg=bunker,
        clean_kg=clean,
        harvested_ha=harvested_ha,
        yield_kg_ha=clean / harvested_ha,
        u_yield_kg_ha=u_clean / harvested_ha,
        moisture_pct=float((loads * wet).sum() / bunker) if bunker > 0 else float("nan"),
        sown_ha=sown_ha,
    )


def _check(loads: Array, moisture: Array, impurity: Array, harvested_ha: float) -> None:
    if not np.all(loads >= 0):
        raise ValueError("a load has a negative or unknown mass")
    for name, share in (("moisture", moisture), ("impurity", impurity)):
        if not np.all((share >= 0) & (share < 100)):
            raise ValueError(f"the {name} of a load is unknown or not within 0 and 100 %")
    if not harvested_ha > 0:
        raise ValueError(f"harvested area must be above 0 ha, got {harvested_ha}")
