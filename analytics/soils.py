"""What a soil is to the water balance, and FAO-56's soils by texture."""

from typing import NamedTuple

Range = tuple[float, float]  # least and greatest printed value


class Soil(NamedTuple):
    """Soil water constants of one field."""

    theta_fc: float  # at field capacity [m³ m⁻³]
    theta_wp: float  # at the wilting point [m³ m⁻³]
    ze_m: float  # depth that dries by evaporation [m]
    rew_mm: float  # water that evaporates as fast as the sun allows [mm]
    curve_number: float | None = None  # of the SCS, average moisture; None: no runoff
    theta_sat: float | None = None  # at saturation [m³ m⁻³]; only a basin needs it
    percolation_mm_d: float | None = None  # the most that drains below the roots in a day [mm]
    bund_mm: float | None = None  # height of the bund round a basin [mm]; None: water runs off
    capillary_rise_mm_d: float | None = None  # that groundwater brings to the roots; None: none


class TextureRow(NamedTuple):
    """FAO-56 Table 19: ranges typical of a texture; REW and TEW for a Ze of 0.10 m."""

    theta_fc: Range  # [m³ m⁻³]
    theta_wp: Range  # [m³ m⁻³]
    available: Range  # theta_fc - theta_wp [m³ m⁻³]
    rew_mm: Range
    tew_mm: Range


TABLE_19_SOURCE = "FAO-56 Table 19, p. 144"
TABLE_19_ZE_M = 0.10  # p. 144 allows 0.10 to 0.15 m

TABLE_19: dict[str, TextureRow] = {
    "sand": TextureRow((0.07, 0.17), (0.02, 0.07), (0.05, 0.11), (2, 7), (6, 12)),
    "loamy-sand": TextureRow((0.11, 0.19), (0.03, 0.10), (0.06, 0.12), (4, 8), (9, 14)),
    "sandy-loam": TextureRow((0.18, 0.28), (0.06, 0.16), (0.11, 0.15), (6, 10), (15, 20)),
    "loam": TextureRow((0.20, 0.30), (0.07, 0.17), (0.13, 0.18), (8, 10), (16, 22)),
    "silt-loam": TextureRow((0.22, 0.36), (0.09, 0.21), (0.13, 0.19), (8, 11), (18, 25)),
    "silt": TextureRow((0.28, 0.36), (0.12, 0.22), (0.16, 0.20), (8, 11), (22, 26)),
    "silty-clay-loam": TextureRow((0.30, 0.37), (0.17, 0.24), (0.13, 0.18), (8, 11), (22, 27)),
    "silty-clay": TextureRow((0.30, 0.42), (0.17, 0.29), (0.13, 0.19), (8, 12), (22, 28)),
    "clay": TextureRow((0.32, 0.40), (0.20, 0.24), (0.12, 0.20), (8, 12), (22, 29)),
}


def _middle(row: TextureRow) -> Soil:
    fc, wp, rew = (round(sum(ends) / 2.0, 4) for ends in (row.theta_fc, row.theta_wp, row.rew_mm))
    return Soil(fc, wp, TABLE_19_ZE_M, rew)


# Estimates for a field whose soil was not measured.
TEXTURES: dict[str, Soil] = {name: _middle(row) for name, row in TABLE_19.items()}
TEXTURE_SOURCE = "FAO-56 Table 19, middle of the printed range for the texture; not measured"

# Percolation and seepage of a flooded rice field [mm day⁻¹]: FAO Irrigation Water Management,
# Training Manual 3 (Brouwer and Heibloem, 1986), section 4.4, which gives these where none was
# measured.
PADDY_PERCOLATION_MM_D = {"heavy-clay": 4.0, "average": 6.0, "sand": 8.0}
PADDY_PERCOLATION_SOURCE = "FAO Training Manual 3, section 4.4; not measured"


def total_evaporable_water(theta_fc: float, theta_wp: float, ze_m: float) -> float:
    """Water that evaporation can take from the surface layer. [mm] (FAO-56 Eq. 73)"""
    return 1000.0 * (theta_fc - 0.5 * theta_wp) * ze_m
