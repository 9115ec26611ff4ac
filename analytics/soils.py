"""What a soil is to the water balance, and FAO-56's soils by texture."""

from typing import NamedTuple


class Soil(NamedTuple):
    """Soil water constants of one field."""

    theta_fc: float  # at field capacity [m³ m⁻³]
    theta_wp: float  # at the wilting point [m³ m⁻³]
    ze_m: float  # depth that dries by evaporation [m]
    rew_mm: float  # water that evaporates as fast as the sun allows [mm]
    curve_number: float | None = None  # of the SCS, average moisture; None: no runoff


# FAO-56 Table 19 (p. 144), which prints ranges: these are their middles, estimates for a field
# whose soil was not measured. Ze is 0.10 m, at which the table gives REW; p. 144 allows 0.10-0.15.
TEXTURES: dict[str, Soil] = {
    "sand": Soil(0.12, 0.045, 0.10, 4.5),
    "loamy-sand": Soil(0.15, 0.065, 0.10, 6.0),
    "sandy-loam": Soil(0.23, 0.11, 0.10, 8.0),
    "loam": Soil(0.25, 0.12, 0.10, 9.0),
    "silt-loam": Soil(0.29, 0.15, 0.10, 9.5),
    "silt": Soil(0.32, 0.17, 0.10, 9.5),
    "silty-clay-loam": Soil(0.335, 0.205, 0.10, 9.5),
    "silty-clay": Soil(0.36, 0.23, 0.10, 10.0),
    "clay": Soil(0.36, 0.22, 0.10, 10.0),
}
TEXTURE_SOURCE = "FAO-56 Table 19, middle of the printed range for the texture; not measured"


def total_evaporable_water(theta_fc: float, theta_wp: float, ze_m: float) -> float:
    """Water that evaporation can take from the surface layer. [mm] (FAO-56 Eq. 73)"""
    return 1000.0 * (theta_fc - 0.5 * theta_wp) * ze_m
