"""Soil moisture of a field by depth, for charts: arrays and not objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from api.answers import as_json
from api.dependencies import Now, Season, Transaction
from api.formats import TABLES, Form, Table, representation, streamed, tables
from api.models_soil import SoilMoistureOut
from api.routes.fields import FieldId, zone_of
from api.security.guard import needs
from reports import soil_probes
from reports.soil_probes import Depth, Resolution
from storage import fields, stations

router = APIRouter(tags=["fields"])


@router.get(
    "/fields/{field_id}/soil-moisture",
    dependencies=[needs("read:devices")],
    response_model=SoilMoistureOut,
    responses=TABLES.responses,
)
def get_soil_moisture(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    now: Now,
    request: Request,
    crop_zone: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="which, where the field had several crops"),
    ] = None,
    resolution: Annotated[Resolution, Query(description="of the means")] = "day",
    form: Form = TABLES.asked,
) -> Response:
    """What probes measured in a crop's season, depth by depth; calibrated, as the balance takes it.

    No probe is an empty list. As a table: a line for each mean.
    """
    field = fields.get(connection, field_id)
    zone = zone_of(connection, field, season, crop_zone)
    farm = stations.farm_of_field(connection, field_id)
    found = soil_probes.of_zone(
        connection, field, zone, timezone=farm.timezone, resolution=resolution, now=now
    )
    name = f"field-{field_id}-soil-moisture-{season}"
    if form.name != "json":
        return streamed(form, _table(name, found))
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
    return as_json(request, said, headers=representation(form, name))


def _table(name: str, found: Sequence[Depth]) -> Table:
    schema = pa.schema(
        [
            ("device_id", pa.string()),
            ("datastream_id", pa.int64()),
            ("depth_cm", pa.float64()),
            ("start", tables.TIME),
            ("mean_m3_m3", pa.float64()),
        ]
    )
    batches = []
    for one in found:
        whose = [one.device_id, one.datastream_id, one.depth_cm]
        shared = [pa.array([value] * len(one.start_s)) for value in whose]
        starts = pa.array(one.start_s, pa.timestamp("s", tz="UTC")).cast(tables.TIME)
        columns = [*shared, starts, pa.array(one.mean_m3_m3)]
        batches.append(pa.record_batch(columns, schema=schema))
    return Table(name, schema, batches)
