"""Soil water constants estimated from texture, for a field whose soil was not measured.

References
----------
.. [1] K. E. Saxton and W. J. Rawls, "Soil water characteristic estimates by texture and organic
   matter for hydrologic solutions", Soil Sci. Soc. Am. J. 70:1569-1578, 2006, Eqs. 1-3, 5, 15, 16
   and 18, Table 3.
.. [2] R. G. Allen, W. O. Pruitt, D. Raes, M. Smith and L. S. Pereira, "Estimating evaporation from
   bare soil and the crop coefficient for the initial period using common soils information",
   J. Irrig. Drain. Eng. 131:14-23, 2005 (REW, after J. T. Ritchie et al., 1989).
.. [3] USDA, "Soil Survey Manual", Handbook 18, 2017, chapter 3: texture classes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.soils import Soil, total_evaporable_water

Array = NDArray[np.float64]

SOURCE = (
    "estimated from texture by Saxton and Rawls (2006), REW by Allen et al. (2005); not measured"
)

MOST_CLAY_PCT, MOST_ORGANIC_MATTER_PCT = 60.0, 8.0  # richer samples were left out of the regression
USUAL_ORGANIC_MATTER_PCT = 2.5  # that of Table 3
# In coarse sand the two estimates meet: REW, fitted by itself, would reach or pass TEW. This much
# of TEW is ours, so that every soil keeps a stage in which evaporation falls.
HIGHEST_REW_SHARE = 0.9

# Table 3: sand and clay typical of a texture class. [% by mass]
CLASS_MIDDLES: dict[str, tuple[float, float]] = {
    "sand": (88, 5),
    "loamy-sand": (80, 5),
    "sandy-loam": (65, 10),
    "loam": (40, 20),
    "silt-loam": (20, 15),
    "silt": (10, 5),
    "sandy-clay-loam": (60, 25),
    "clay-loam": (30, 35),
    "silty-clay-loam": (10, 35),
    "silty-clay": (10, 45),
    "sandy-clay": (50, 40),
    "clay": (25, 50),
}


class WaterContents(NamedTuple):
    """Soil water characteristics, arrays of the shape of the texture."""

    theta_wp: Array  # at 1500 kPa [m³ m⁻³]
    theta_fc: Array  # at 33 kPa [m³ m⁻³]
    theta_sat: Array  # at saturation [m³ m⁻³]
    conductivity_mm_h: Array  # saturated, of the undisturbed soil [mm h⁻¹]


def saxton_rawls(
    sand_pct: ArrayLike,
    clay_pct: ArrayLike,
    organic_matter_pct: ArrayLike = USUAL_ORGANIC_MATTER_PCT,
) -> WaterContents:
    """Water contents and conductivity from texture; no gravel, salt or compaction.

    Parameters
    ----------
    sand_pct, clay_pct, organic_matter_pct : array
        Shares by mass, the first two of the mineral soil. [%]

    Raises
    ------
    ValueError
        If a share is negative or unknown, sand and clay exceed 100 %, or clay or organic matter is
        beyond what the equations were fitted to: 60 % and 8 %.
    """
    sand, clay = (share / 100.0 for share in _shares(sand_pct, clay_pct))
    om = np.asarray(organic_matter_pct, float)
    if np.any(100.0 * clay > MOST_CLAY_PCT):
        raise ValueError(f"clay is more than {MOST_CLAY_PCT:g} %, beyond the estimate by texture")
    if not np.all((om >= 0) & (om <= MOST_ORGANIC_MATTER_PCT)):
        raise ValueError(f"organic matter is not from 0 to {MOST_ORGANIC_MATTER_PCT:g} %")
    # Each moisture is a first estimate and a correction of it.
    dry = -0.024 * sand + 0.487 * clay + 0.006 * om + 0.005 * sand * om - 0.013 * clay * om
    dry = dry + 0.068 * sand * clay + 0.031
    theta_1500 = dry + (0.14 * dry - 0.02)  # Eq. 1
    moist = -0.251 * sand + 0.195 * clay + 0.011 * om + 0.006 * sand * om - 0.027 * clay * om
    moist = moist + 0.452 * sand * clay + 0.299
    theta_33 = moist + (1.283 * moist**2 - 0.374 * moist - 0.015)  # Eq. 2
    wet = 0.278 * sand + 0.034 * clay + 0.022 * om - 0.018 * sand * om - 0.027 * clay * om
    wet = wet - 0.584 * sand * clay + 0.078
    above_33 = wet + (0.636 * wet - 0.107)  # Eq. 3
    theta_sat = theta_33 + above_33 - 0.097 * sand + 0.043  # Eq. 5
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.log(theta_33 / theta_1500) / np.log(1500.0 / 33.0)  # Eqs. 15, 18: 1/B
        conductivity = 1930.0 * (theta_sat - theta_33) ** (3.0 - slope)  # Eq. 16
    return WaterContents(theta_1500, theta_33, theta_sat, conductivity)


def readily_evaporable_water(sand_pct: ArrayLike, clay_pct: ArrayLike) -> Array:
    """Water that bare soil loses as fast as the sun allows, of a layer of 0.10 to 0.15 m. [mm]

    From the texture [%] of that layer. [2]_
    """
    sand, clay = np.asarray(sand_pct, float), np.asarray(clay_pct, float)
    fine = np.where(clay > 50.0, 11.0 - 0.06 * clay, 8.0 + 0.08 * clay)
    return np.asarray(np.where(sand > 80.0, 20.0 - 0.15 * sand, fine))


def usda_texture(sand_pct: ArrayLike, clay_pct: ArrayLike) -> NDArray[np.str_]:
    """USDA texture class [3]_, written as in ``analytics.soils.TEXTURES``.

    FAO-56 Table 19 has nine of the twelve: not clay loam, sandy clay loam and sandy clay.

    Raises
    ------
    ValueError
        If a share [% by mass] is negative or unknown, or both exceed 100 %.
    """
    sand, clay = _shares(sand_pct, clay_pct)
    silt = 100.0 - sand - clay
    rules = (  # the first that holds names the class
        ("sand", silt + 1.5 * clay < 15),
        ("loamy-sand", silt + 2.0 * clay < 30),
        ("sandy-loam", ((clay < 20) & (sand > 52)) | ((clay < 7) & (silt < 50))),
        ("sandy-clay-loam", (clay >= 20) & (clay < 35) & (silt < 28) & (sand > 45)),
        ("sandy-clay", (clay >= 35) & (sand > 45)),
        ("silty-clay", (clay >= 40) & (silt >= 40)),
        ("clay", clay >= 40),
        ("silty-clay-loam", (clay >= 27) & (sand <= 20)),
        ("clay-loam", clay >= 27),
        ("silt", (silt >= 80) & (clay < 12)),
        ("silt-loam", silt >= 50),
    )
    return np.asarray(np.select([holds for _, holds in rules], [name for name, _ in rules], "loam"))


def soil_from_texture(
    sand_pct: float,
    clay_pct: float,
    *,
    organic_matter_pct: float = USUAL_ORGANIC_MATTER_PCT,
    ze_m: float = 0.10,
) -> Soil:
    """Soil constants estimated from texture [% by mass]; ``SOURCE`` is their label.

    Field capacity is the water content at 33 kPa, the wilting point that at 1500 kPa; REW is at
    most nine tenths of TEW. Saturation, which only a basin needs, is in ``saxton_rawls``.

    Raises
    ------
    ValueError
        As ``saxton_rawls``, and where the texture would hold no water for a crop.
    """
    water = saxton_rawls(sand_pct, clay_pct, organic_matter_pct)
    fc, wp = round(float(water.theta_fc), 4), round(float(water.theta_wp), 4)
    if not 0.0 < wp < fc:
        raise ValueError(
            f"{sand_pct:g} % sand and {clay_pct:g} % clay with {organic_matter_pct:g} % organic "
            "matter are beyond what texture can estimate: give the soil's own constants"
        )
    most = HIGHEST_REW_SHARE * total_evaporable_water(fc, wp, ze_m)
    rew = min(float(readily_evaporable_water(sand_pct, clay_pct)), most)
    return Soil(fc, wp, ze_m, round(rew, 2))


def _shares(sand_pct: ArrayLike, clay_pct: ArrayLike) -> tuple[Array, Array]:
    sand, clay = np.broadcast_arrays(np.asarray(sand_pct, float), np.asarray(clay_pct, float))
    for name, share in (("sand", sand), ("clay", clay)):
        if not np.all((share >= 0) & (share <= 100)):
            raise ValueError(f"{name} is not from 0 to 100 %")
    if np.any(sand + clay > 100.0):
        raise ValueError("sand and clay are more than 100 %")
    return sand, clay
