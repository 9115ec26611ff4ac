"""Crop zones: one crop on one field in one season."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Season, Transaction, WhoAsks
from api.entering import (
    CHANGED,
    CREATED,
    WITHDRAWN,
    IfMatch,
    OfFarm,
    OfField,
    changes,
    check,
    listed,
    made,
    of_row,
    said,
)
from api.errors import Refused, RequestProblem
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_entered import CropZoneOut
from api.paging import LINK, Cursor, Limit
from api.security.guard import needs
from entry import records
from entry.models import CropZoneChange, CropZoneIn
from storage import entries

router = APIRouter(tags=["crop zones"])

CropZoneId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[7])]
_UNKNOWN = frozenset(
    {"irrigation_method", "application_efficiency", "wetted_fraction", "system_flow_m3_h"}
)


@router.get(
    "/crop-zones",
    dependencies=[needs("read:farms")],
    response_model=list[CropZoneOut],
    responses=TABLES.responses_with(LINK),
)
def list_crop_zones(
    connection: Transaction,
    request: Request,
    farm: OfFarm = None,
    field_id: OfField = None,
    season: Season | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Crop zones in the order they were entered."""
    return listed(
        request,
        connection,
        form,
        entries.crop_zones,
        CropZoneOut,
        "crop-zones",
        farm=farm,
        cursor=cursor,
        limit=limit,
        field_id=field_id,
        season=season,
    )


@router.get(
    "/crop-zones/{crop_zone_id}",
    dependencies=[needs("read:farms")],
    response_model=CropZoneOut,
    responses=JSON_ALONE.responses,
)
def get_crop_zone(
    crop_zone_id: CropZoneId,
    connection: Transaction,
    request: Request,
    form: Form = JSON_ALONE.asked,
) -> Response:
    """A crop zone; its ETag is what a change of it asks for."""
    body = of_row(CropZoneOut, entries.crop_zones.get(connection, crop_zone_id))
    return answer(request, form, Content("crop-zone", CropZoneOut, [body], body))


@router.post(
    "/crop-zones",
    status_code=201,
    dependencies=[needs("write:farms")],
    response_model=CropZoneOut,
    responses=CREATED,
)
def add_crop_zone(
    asked: CropZoneIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter what grows on a field in a season."""

    def make() -> Response:
        zone_id, farm_id = records.enter_crop_zone(connection, asked, who.actor)
        body = of_row(CropZoneOut, entries.crop_zones.get(connection, zone_id))
        details = asked.model_dump(mode="json")
        deeds.note("crop-zone.create", f"crop-zone:{zone_id}", farm_id=farm_id, details=details)
        return made(body, f"/v1/crop-zones/{zone_id}")

    return once.answer(make)


@router.patch(
    "/crop-zones/{crop_zone_id}",
    dependencies=[needs("write:farms")],
    response_model=CropZoneOut,
    responses=CHANGED,
)
def change_crop_zone(
    crop_zone_id: CropZoneId,
    asked: CropZoneChange,
    connection: Transaction,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change a crop zone; its season is computed anew by the next analysis."""
    row = entries.crop_zones.get(connection, crop_zone_id, lock=True)
    before = of_row(CropZoneOut, row)
    check(if_match, before)
    given = changes(asked, nullable=_UNKNOWN)
    merged = {name: row[name] for name in CropZoneIn.model_fields} | given
    try:
        whole = CropZoneIn(**merged)
    except ValueError as error:
        raise RequestProblem(f"Together with what stands: {_first(error)}.") from error
    records.check_crop_zone(whole, crop_zone_id, whole.area_ha or row["area_ha"])
    if given:
        entries.crop_zones.change(connection, crop_zone_id, **given)
    body = of_row(CropZoneOut, entries.crop_zones.get(connection, crop_zone_id))
    told = before.model_dump(mode="json", include=set(given))
    details = {"before": told, "after": asked.model_dump(mode="json", exclude_unset=True)}
    object_ = f"crop-zone:{crop_zone_id}"
    deeds.note("crop-zone.change", object_, farm_id=row["farm_id"], details=details)
    return said(body)


@router.delete(
    "/crop-zones/{crop_zone_id}",
    status_code=204,
    dependencies=[needs("write:farms")],
    responses=WITHDRAWN,
)
def withdraw_crop_zone(
    crop_zone_id: CropZoneId,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> None:
    """Let a crop zone stand no longer: only one without loads and adjustments that stand."""
    row = entries.crop_zones.get(connection, crop_zone_id, lock=True)
    check(if_match, of_row(CropZoneOut, row))
    if entries.entries_below(connection, crop_zone_id):
        raise Refused(
            409, "It has weighed loads or adjustments; withdraw them first.", kind="in-use"
        )
    entries.crop_zones.withdraw(connection, crop_zone_id, by=who.actor)
    deeds.note("crop-zone.withdraw", f"crop-zone:{crop_zone_id}", farm_id=row["farm_id"])


def _first(error: ValueError) -> str:
    errors = getattr(error, "errors", lambda: [{"msg": str(error)}])()
    return str(errors[0]["msg"])
