"""Soil moisture of a field by depth, for charts: arrays and not objects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.answers import as_json
from api.dependencies import Now, Season, Transaction
from api.models_soil import SoilMoistureOut
from api.routes.fields import FieldId, zone_of
from api.security.guard import needs
from reports import soil_probes
from reports.soil_probes import Resolution
from storage import fields, stations

router = APIRouter(tags=["fields"])


@router.get(
    "/fields/{field_id}/soil-moisture",
    dependencies=[needs("read:devices")],
    response_model=SoilMoistureOut,
)
def get_soil_moisture(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    now: Now,
    crop_zone: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="which, where the field had several crops"),
    ] = None,
    resolution: Annotated[Resolution, Query(description="of the means")] = "day",
) -> Response:
    """What probes measured in a crop's season, depth by depth; calibrated, as the balance takes it.

    No probe is an empty list.
    """
    field = fields.get(connection, field_id)
    zone = zone_of(connection, field, season, crop_zone)
    farm = stations.farm_of_field(connection, field_id)
    found = soil_probes.of_zone(
        connection, field, zone, timezone=farm.timezone, resolution=resolution, now=now
    )
    constants = soil_probes.constants(field) or (None, None)
    said = {
        "field_id": field.id,
        "crop_zone": zone.id,
        "season": season,
        "resolution": resolution,
        "theta_fc_m3_m3": constants[0],
        "theta_wp_m3_m3": constants[1],
        "depths": [one._asdict() for one in found],
    }
    return as_json(said)
