"""Yield maps."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Season, Transaction
from api.errors import RequestProblem
from api.formats import PLACES, Content, Form, answer
from api.models_work import CellFeature, YieldMapOut, YieldPointOut, YieldPointsOut
from api.routes.fields import FieldId
from api.security.guard import needs
from reports import yield_map

router = APIRouter(tags=["yields"])


@router.get(
    "/fields/{field_id}/yield-map",
    dependencies=[needs("read:farms")],
    response_model=YieldMapOut,
    responses=PLACES.responses,
)
def get_yield_map(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    request: Request,
    cell_m: Annotated[
        float, Query(ge=5, le=100, allow_inf_nan=False, description="side of a cell")
    ] = yield_map.CELL_M,
    form: Form = PLACES.asked,
) -> Response:
    """The yield of a field cell by cell, as its harvesters' monitors saw it.

    Points that cannot be trusted are left out of the map, and counted by reason in the report.
    Weighed loads set its level where there are any. JSON is GeoJSON with further members; a table
    has a line for each cell, with its geometry as GeoJSON.
    """
    try:
        found = yield_map.of_field(connection, field_id, season=season, cell_m=cell_m)
    except yield_map.TooManyCells as error:
        raise RequestProblem(f"{error}; ask for larger cells.") from error
    body = YieldMapOut(**found)
    name = f"field-{field_id}-yield-{season}"
    as_json = form._replace(name="json") if form.name == "geojson" else form
    made = answer(request, as_json, Content(name, CellFeature, body.features, body))
    if form.name == "geojson":
        made.headers["Content-Type"] = form.media_type
    return made


@router.get(
    "/fields/{field_id}/yield-points",
    dependencies=[needs("read:farms")],
    response_model=YieldPointsOut,
    responses=PLACES.responses,
)
def list_yield_points(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    request: Request,
    form: Form = PLACES.asked,
) -> Response:
    """Every point of a field's yield map, those too that the map leaves out, each with its reason.

    As GeoJSON or as a table, a line for each point.
    """
    body = YieldPointsOut(**yield_map.points_of_field(connection, field_id, season=season))
    name = f"field-{field_id}-yield-points-{season}"
    content = Content(name, YieldPointOut, body.points, body, geometry=_point)
    return answer(request, form, content)


def _point(one: YieldPointOut) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [one.longitude_deg, one.latitude_deg]}
