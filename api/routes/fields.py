"""Fields, their boundaries, and their water day by day."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import FarmSlug, Season, Transaction
from api.errors import RequestProblem
from api.formats import JSON_ALONE, PLACES, TABLES, Content, Form, answer
from api.models_fields import BalanceDay, BoundaryOut, FieldOut, WaterBalanceOut
from api.paging import LINK, MOST_ROWS, Cursor, Limit, begin, following
from api.routes.farms import AsOf
from api.security.guard import needs
from storage import farms, fields, results
from storage.database import NotFound
from storage.fields import CropZone, Field

router = APIRouter(tags=["fields"])

MOST_FIELDS = 10_000  # of a farm at once: a map has them all
FieldId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]


@router.get(
    "/farms/{farm}/fields",
    dependencies=[needs("read:farms")],
    response_model=list[FieldOut],
    responses=PLACES.responses_with(LINK),
)
def list_fields(
    farm: FarmSlug,
    connection: Transaction,
    request: Request,
    cursor: Cursor = None,
    limit: Annotated[
        Limit | None, Query(description="rows of one page; without it all of them at once")
    ] = None,
    form: Form = PLACES.asked,
) -> Response:
    """Fields of a farm with their newest boundaries, by name."""
    (after,) = begin(request, cursor, [str]) or [""]
    most = limit or MOST_FIELDS
    farm_id = farms.get(connection, farm).id
    page = fields.of_farm(connection, farm_id, after=after, limit=most + 1)
    if limit is None and len(page) > most:
        raise RequestProblem(f"more than {most} fields; ask for pages: limit={MOST_ROWS}.")
    key = (page[most - 1].name,) if len(page) > most else None
    rows = fields_out(connection, page[:most])
    content = Content(f"{farm}-fields", FieldOut, rows, geometry=lambda row: row.geometry)
    return answer(request, form, content, headers=following(request, key))


@router.get(
    "/fields/{field_id}",
    dependencies=[needs("read:farms")],
    response_model=FieldOut,
    responses=JSON_ALONE.responses,
)
def get_field(
    field_id: FieldId, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """A field; its ETag is what a change of it asks for."""
    (body,) = fields_out(connection, [fields.get(connection, field_id)])
    return answer(request, form, Content("field", FieldOut, [body], body))


@router.get(
    "/fields/{field_id}/boundaries",
    dependencies=[needs("read:farms")],
    response_model=list[BoundaryOut],
    responses=PLACES.responses,
)
def list_boundaries(
    field_id: FieldId, connection: Transaction, request: Request, form: Form = PLACES.asked
) -> Response:
    """Every version of a field's boundary, the newest first; none is ever changed."""
    fields.get(connection, field_id)
    rows = [BoundaryOut(**one._asdict()) for one in fields.versions(connection, field_id)]
    content = Content(
        f"field-{field_id}-boundaries", BoundaryOut, rows, geometry=lambda row: row.geometry
    )
    return answer(request, form, content)


@router.get(
    "/fields/{field_id}/water-balance",
    dependencies=[needs("read:farms")],
    response_model=WaterBalanceOut,
    responses=TABLES.responses,
)
def get_water_balance(
    field_id: FieldId,
    season: Season,
    connection: Transaction,
    request: Request,
    crop_zone: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="which, where the field had several crops"),
    ] = None,
    as_of: AsOf = None,
    form: Form = TABLES.asked,
) -> Response:
    """The soil water balance of a field, day by day [mm]."""
    zone = zone_of(connection, fields.get(connection, field_id), season, crop_zone)
    days = [BalanceDay(**day) for day in results.balance(connection, zone.id, as_of=as_of)]
    body = WaterBalanceOut(
        field_id=field_id, crop_zone=zone.id, crop=zone.crop, season=season, days=days
    )
    beside: dict[str, Any] = {"field_id": field_id, "crop_zone": zone.id, "crop": zone.crop}
    name = f"field-{field_id}-water-balance-{season}"
    return answer(request, form, Content(name, BalanceDay, days, body, beside=beside))


def zone_of(
    connection: sa.Connection, field: Field, season: int, crop_zone: int | None
) -> CropZone:
    """The crop that is asked for: the one of the season, unless there were several."""
    found = [
        zone
        for of, zone in fields.zones(connection, farm_id=field.farm_id, season=season)
        if of.id == field.id
    ]
    if crop_zone is not None:
        found = [zone for zone in found if zone.id == crop_zone]
    if not found:
        raise NotFound(
            f"crop on field {field.id} in {season}"
            if crop_zone is None
            else f"crop zone {crop_zone} on field {field.id} in {season}"
        )
    if len(found) > 1:
        crops = ", ".join(f"{zone.crop} (crop_zone={zone.id})" for zone in found)
        raise RequestProblem(
            f"field {field.id} had several crops in {season}: {crops}; ask for one by crop_zone."
        )
    return found[0]


def fields_out(connection: sa.Connection, found: list[Field]) -> list[FieldOut]:
    """Fields as the API says them."""
    shapes = fields.boundaries(connection, [field.id for field in found])
    return [
        FieldOut(
            geometry=shapes.get(field.id),
            **{k: v for k, v in field._asdict().items() if k != "farm_id"},
        )
        for field in found
    ]
