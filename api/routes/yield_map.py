"""Yield maps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Season, Transaction
from api.errors import RequestProblem
from api.models_work import YieldMapOut
from api.routes.farms import FieldId
from api.security.guard import needs
from reports import yield_map

router = APIRouter(tags=["yields"])


@router.get("/fields/{field_id}/yield-map", dependencies=[needs("read:farms")])
def get_yield_map(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    cell_m: Annotated[
        float, Query(ge=5, le=100, allow_inf_nan=False, description="side of a cell")
    ] = yield_map.CELL_M,
) -> YieldMapOut:
    """The yield of a field cell by cell, as its harvesters' monitors saw it.

    Points that cannot be trusted are left out of the map, and counted by reason in the report.
    Weighed loads set its level where there are any.
    """
    try:
        found = yield_map.of_field(connection, field_id, season=season, cell_m=cell_m)
    except yield_map.TooManyCells as error:
        raise RequestProblem(f"{error}; ask for larger cells.") from error
    return YieldMapOut(**found)
