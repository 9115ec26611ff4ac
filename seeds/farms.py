"""The simulated farms: where they lie, what they grow, what they measure with."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import chain, cycle, islice
from typing import Any, NamedTuple

import numpy as np
from pyproj import Geod

from analytics.crop_catalogue import CROPS
from analytics.crops import Crop
from analytics.soils import TEXTURES, Soil
from seeds.places import FIRST_SETTINGS, SETTINGS, Setting

SEASON = 2025
BASELINE_SEASONS = (2020, 2021, 2022, 2023, 2024)
GEOD = Geod(ellps="WGS84")

# Typical field application efficiencies (FAO Training Manual 4, Table 8) and wetted fractions
# (FAO-56 Table 20).
SYSTEMS = {"drip": (0.90, 0.35), "sprinkler": (0.75, 1.0)}
OLD_EFFICIENCY, OLD_WETTED = 0.60, 0.80  # furrows, before the change


class SimulatedField(NamedTuple):
    """A field with one crop in the season, and the truth that measurements hide."""

    name: str
    crop_name: str
    crop: Crop
    soil: Soil
    texture: str
    theta_0: float
    polygon: list[list[float]]  # closed ring, lon and lat
    area_ha: float
    planted: dt.date
    days: int
    method: str | None
    efficiency: float
    wetted_fraction: float
    old_ratio: float  # gross irrigation per net requirement under the old practice
    yield_kg_ha: float  # without water stress


class SimulatedFarm(NamedTuple):
    """A farm of the seeds; ``number`` makes its random numbers its own."""

    number: int
    slug: str
    name: str
    setting: Setting
    latitude_deg: float
    longitude_deg: float
    fields: tuple[SimulatedField, ...]


# Good farm yields without water stress [kg/ha]; for simulation only.
_YIELDS = {
    "cotton": 3_400, "maize": 9_500, "safflower": 1_400, "watermelon": 32_000,
    "sugar-beet": 52_000, "onion": 45_000, "soybean": 2_900, "potato": 28_000,
    "spring-wheat": 1_900, "barley": 2_100, "oats": 1_900, "sunflower": 1_500,
    "rapeseed": 1_300, "flax": 900, "tomato": 48_000, "apple": 22_000,
}  # fmt: skip


SMALL_COUNTRY = 24  # farms that lie in a few regions, several in each


def catalogue(count: int = SMALL_COUNTRY) -> list[SimulatedFarm]:
    """The first ``count`` farms; a longer list begins with the shorter.

    Up to 24 lie in six regions, further ones in all of them in turn.
    """
    settings = islice(chain(islice(cycle(FIRST_SETTINGS), SMALL_COUNTRY), cycle(SETTINGS)), count)
    ordinals: Counter[str] = Counter()
    farms = []
    for number, setting in enumerate(settings):
        ordinals[setting.slug] += 1
        farms.append(_farm(number, setting, ordinals[setting.slug]))
    return farms


def _farm(number: int, setting: Setting, ordinal: int) -> SimulatedFarm:
    random = np.random.default_rng([20_250_401, number])
    latitude = setting.latitude_deg + random.uniform(-0.4, 0.4)
    longitude = setting.longitude_deg + random.uniform(-0.6, 0.6)
    fields = [
        _field(setting, index, latitude, longitude, random) for index in range(len(setting.crops))
    ]
    return SimulatedFarm(
        number,
        f"{setting.slug}-{ordinal:02d}",
        f"{setting.slug.replace('-', ' ').title()} {ordinal}",
        setting,
        round(latitude, 5),
        round(longitude, 5),
        tuple(fields),
    )


def _field(
    setting: Setting,
    index: int,
    latitude: float,
    longitude: float,
    random: np.random.Generator,
) -> SimulatedField:
    crop_name = setting.crops[index]
    crop = CROPS[crop_name]
    texture = str(random.choice(["sandy-loam", "loam", "silt-loam", "silty-clay-loam"]))
    soil = TEXTURES[texture]
    method = str(random.choice(["drip", "drip", "sprinkler"])) if setting.irrigated else None
    efficiency, wetted = SYSTEMS[method] if method else (1.0, 1.0)
    west, south = longitude + 0.03 * index, latitude
    ring = rectangle(west, south, random.uniform(500, 1_100), random.uniform(500, 900))
    return SimulatedField(
        name=f"field-{index + 1}",
        crop_name=crop_name,
        crop=crop,
        soil=soil,
        texture=texture,
        theta_0=round(soil.theta_wp + 0.8 * (soil.theta_fc - soil.theta_wp), 4),
        polygon=ring,
        area_ha=geodesic_area_ha(ring),
        planted=dt.date(SEASON, *setting.planted),
        days=int(crop.l_ini + crop.l_dev + crop.l_mid + crop.l_end),
        method=method,
        efficiency=efficiency,
        wetted_fraction=wetted,
        old_ratio=float(random.uniform(1.45, 1.75)),
        yield_kg_ha=float(_YIELDS[crop_name] * random.uniform(0.9, 1.1)),
    )


def rectangle(west: float, south: float, width_m: float, height_m: float) -> list[list[float]]:
    """A closed ring of lon, lat: ``width_m`` to the east and ``height_m`` to the north."""
    east, _, _ = GEOD.fwd(west, south, 90.0, width_m)
    _, north, _ = GEOD.fwd(west, south, 0.0, height_m)
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [[round(lon, 7), round(lat, 7)] for lon, lat in ring]


def geodesic_area_ha(ring: list[list[float]]) -> float:
    """Area of a closed ring on the WGS 84 ellipsoid. [ha]"""
    lons, lats = zip(*ring, strict=True)
    area, _ = GEOD.polygon_area_perimeter(lons, lats)
    return float(round(abs(area) / 10_000.0, 4))


def crop_parameters(field: SimulatedField) -> dict[str, Any]:
    """The keys of a scenario's [crop]."""
    return {
        "name": field.crop_name,
        **field.crop._asdict(),
        "adjust_p": True,
        "adjust_kcb": True,
    }
