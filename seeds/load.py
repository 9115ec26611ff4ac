"""Put the simulated farms into a database, through the functions that people's entries take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from analytics.soils import TEXTURE_SOURCE
from analytics.yields import STANDARD_MOISTURE_PCT
from seeds.farms import (
    BASELINE_SEASONS,
    OLD_EFFICIENCY,
    OLD_WETTED,
    SEASON,
    SimulatedFarm,
    crop_parameters,
    geodesic_area_ha,
)
from seeds.machines import pasture_rings
from seeds.messages import ZONE, Sender
from seeds.places import TIMEZONE
from seeds.season import STATION_WIND_HEIGHT_M, TrueSeason
from storage import devices, farms, fields, harvests, irrigation
from storage.harvests import HarvestLoad
from storage.irrigation import BaselineSeason
from storage.regions import REGIONS

SOURCE = "simulation"
LOAD_KG = 9_000.0
FLOW_M3_H_HA = 20.0  # of an irrigation system: 48 mm in a day
SCALE_ERROR = 0.003  # of a load, one standard deviation


def load(
    connection: sa.Connection, season: Sequence[TrueSeason], senders: Sequence[Sender]
) -> None:
    """Add places, crop zones, baselines, weighed loads and devices; safe to repeat."""
    for region in REGIONS:
        farms.put_region(connection, region)
    farm_ids: dict[str, int] = {}
    field_ids: dict[tuple[str, str], int] = {}
    for one in season:
        slug = one.farm.slug
        if slug not in farm_ids:
            farm_ids[slug] = _put_farm(connection, one.farm)
            _put_pastures(connection, farm_ids[slug], one.farm)
        field_ids[slug, one.field.name] = _put_field(connection, farm_ids[slug], one)
    for sender in senders:
        slug = next(slug for slug in farm_ids if sender.device_id.startswith(f"{slug}-"))
        devices.put(
            connection,
            sender.device_id,
            farm_id=farm_ids[slug],
            field_id=field_ids.get((slug, sender.field)) if sender.field else None,
            kind=sender.device_kind,
            name=sender.name,
            sensor_height_m=(
                STATION_WIND_HEIGHT_M if sender.device_kind == "weather-station" else None
            ),
        )


def _put_farm(connection: sa.Connection, farm: SimulatedFarm) -> int:
    return farms.put(
        connection,
        farm.slug,
        name=farm.name,
        region_code=farm.setting.region,
        timezone=TIMEZONE,
        latitude_deg=farm.latitude_deg,
        longitude_deg=farm.longitude_deg,
        elevation_m=farm.setting.elevation_m,
    )


def _put_pastures(connection: sa.Connection, farm_id: int, farm: SimulatedFarm) -> None:
    for name, ring in pasture_rings(farm).items():
        area = geodesic_area_ha(ring)
        pasture_id = fields.put(
            connection,
            farm_id=farm_id,
            name=name,
            area_ha=area,
            area_source="geodesic",
            soil={},
            soil_source="not surveyed",
            land_use="pasture",
        )
        geometry = {"type": "Polygon", "coordinates": [ring]}
        fields.add_boundary(connection, pasture_id, geometry, geometry_source=SOURCE, area_ha=area)


def _put_field(connection: sa.Connection, farm_id: int, season: TrueSeason) -> int:
    field = season.field
    field_id = fields.put(
        connection,
        farm_id=farm_id,
        name=field.name,
        area_ha=field.area_ha,
        area_source="geodesic",
        soil=field.soil._asdict() | {"theta_0": field.theta_0},
        soil_source=TEXTURE_SOURCE,
    )
    geometry = {"type": "Polygon", "coordinates": [field.polygon]}
    fields.add_boundary(
        connection, field_id, geometry, geometry_source=SOURCE, area_ha=field.area_ha
    )
    zone_id = fields.put_zone(
        connection,
        field_id=field_id,
        season=SEASON,
        crop=field.crop_name,
        planted=field.planted,
        harvested=field.planted + dt.timedelta(days=field.days - 1),
        area_ha=field.area_ha,
        irrigation_method=field.method,
        application_efficiency=field.efficiency,
        wetted_fraction=field.wetted_fraction,
        system_flow_m3_h=round(FLOW_M3_H_HA * field.area_ha) if field.method else None,
        crop_parameters=crop_parameters(field),
        conventions={"event_timing": "start-of-day", "drainage": "after-et"},
    )
    if field.method:
        _put_baselines(connection, field_id, season)
    harvests.add(connection, _loads(zone_id, season))
    return field_id


def _put_baselines(connection: sa.Connection, field_id: int, season: TrueSeason) -> None:
    rows = zip(
        BASELINE_SEASONS, season.baseline_requirement_mm, season.baseline_gross_mm, strict=True
    )
    for year, requirement, gross in rows:
        irrigation.put_baseline(
            connection,
            BaselineSeason(
                field_id,
                year,
                season.field.crop_name,
                round(requirement, 2),
                round(gross, 2),
                OLD_EFFICIENCY,
                OLD_WETTED,
                SOURCE,
            ),
        )


def _loads(zone_id: int, season: TrueSeason) -> list[HarvestLoad]:
    """The harvest over the scales: wet, a little dirty, load by load."""
    field = season.field
    random = np.random.default_rng([season.farm.number, int(field.name[-1]), 17])
    standard = STANDARD_MOISTURE_PCT.get(field.crop_name)
    clean = season.yield_kg_ha * field.area_ha
    moisture = None if standard is None else standard + 2.0
    bunker = clean if moisture is None else clean * (100 - (standard or 0)) / (100 - moisture)
    count = max(round(bunker / LOAD_KG), 1)
    day = field.planted + dt.timedelta(days=field.days - 1)
    start = dt.datetime.combine(day, dt.time(10), ZONE)
    return [
        HarvestLoad(
            zone_id,
            f"{field.name}-{number + 1:04d}",
            start + dt.timedelta(minutes=3 * number),
            round(float(bunker / count * (1 + random.normal(0, SCALE_ERROR))), 1),
            moisture,
            None,
            None,
            SOURCE,
        )
        for number in range(count)
    ]
