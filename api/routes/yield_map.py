"""Yield maps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Season, Transaction
from api.errors import RequestProblem
from api.formats import PLACES, Content, Form, Table, answer, streamed, tables
from api.models_work import CellFeature, YieldMapOut, YieldPointOut, YieldPointsOut
from api.routes.fields import FieldId
from api.security.guard import needs
from reports import yield_map
from reports.yield_map import SeenPoints

router = APIRouter(tags=["yields"])

MOST_POINTS = 100_000  # as JSON; a table has more
MOST_EXPORTED, MOST_OF_SHEET = 2_000_000, 100_000
TOGETHER = 50_000  # in a batch
POINTS = pa.schema(
    [
        ("longitude_deg", pa.float64()),
        ("latitude_deg", pa.float64()),
        ("yield_kg_ha", pa.float64()),
        ("moisture_pct", pa.float64()),
        ("reason", pa.string()),
    ]
)


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

    As GeoJSON or as a table, a line for each point, of which a table may have very many.
    """
    found = yield_map.points_of_field(connection, field_id, season=season)
    count = len(found.longitude_deg)
    name = f"field-{field_id}-yield-points-{season}"
    if form.name not in {"json", "geojson"}:
        most = MOST_OF_SHEET if form.name == "xlsx" else MOST_EXPORTED
        if count > most:
            raise RequestProblem(f"more than {most} points; ask for format=parquet.")
        return streamed(form, Table(name, POINTS, tables.batches(POINTS, _parts(found))))
    if count > MOST_POINTS:
        raise RequestProblem(
            f"more than {MOST_POINTS} points; ask for a table: format=csv, parquet or arrow."
        )
    columns = [_plain(column) for column in found[1:]]
    rows = [
        YieldPointOut(**dict(zip(POINTS.names, values, strict=True)))
        for values in zip(*columns, strict=True)
    ]
    body = YieldPointsOut(**found.about, points=rows)
    content = Content(name, YieldPointOut, rows, body, geometry=_point)
    return answer(request, form, content)


def _parts(found: SeenPoints) -> Iterator[Sequence[Any]]:
    for start in range(0, len(found.reason), TOGETHER):
        yield [column[start : start + TOGETHER] for column in found[1:]]


def _plain(column: Any) -> list[Any]:
    """Values of JSON: what is not known is null."""
    return [
        None if isinstance(value, float) and math.isnan(value) else value
        for value in column.tolist()
    ]


def _point(one: YieldPointOut) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [one.longitude_deg, one.latitude_deg]}
