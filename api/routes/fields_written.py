"""Fields as people enter, change and withdraw them, and files of boundaries."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Body, Query, Response

from api.dependencies import Deeds, FarmSlug, Transaction, WhoAsks
from api.entering import (
    CHANGED,
    CREATED,
    WITHDRAWN,
    IfMatch,
    WholeBody,
    a_file,
    changes,
    check,
    made,
    said,
    tag_of,
)
from api.errors import Refused, problem
from api.idempotency import Once
from api.models_fields import BoundariesRead, FieldOut, FieldWritten, PlaceRead
from api.routes.fields import FieldId, fields_out
from api.security.guard import needs
from entry import land, places
from entry.models import FieldChange, FieldIn
from storage import boundaries, entries, farms, fields

router = APIRouter(tags=["fields"])


@router.post(
    "/farms/{farm}/fields",
    status_code=201,
    dependencies=[needs("write:farms")],
    response_model=FieldWritten,
    responses=CREATED,
)
def add_field(
    farm: FarmSlug, asked: FieldIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter a field: its boundary is checked, and its area taken from it."""

    def make() -> Response:
        of = farms.get(connection, farm)
        field_id, warnings = land.enter_field(connection, of.id, asked, by=who.actor)
        body = _written(connection, field_id, warnings)
        details = asked.model_dump(exclude={"geometry"}) | {"area_ha": body.field.area_ha}
        deeds.note("field.create", f"field:{field_id}", farm_id=of.id, details=details)
        return made(body, f"/v1/fields/{field_id}")

    return once.answer(make)


@router.patch(
    "/fields/{field_id}",
    dependencies=[needs("write:farms")],
    response_model=FieldOut,
    responses=CHANGED,
)
def change_field(
    field_id: FieldId,
    asked: FieldChange,
    connection: Transaction,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change what is said of a field; balances and savings follow by the next analysis."""
    field = fields.get(connection, field_id, lock=True)
    (before,) = fields_out(connection, [field])
    check(if_match, before)
    given = changes(asked, nullable=frozenset({"official_field_id"}))
    land.check_soil(given.get("soil") or {})
    if given:
        fields.change(connection, field_id, **given)
    (body,) = fields_out(connection, [fields.get(connection, field_id)])
    if "land_use" in given and body.land_use != before.land_use:
        boundaries.touch(connection, field_id)
    told = {name: getattr(before, name) for name in given}
    details = {"before": told, "after": given}
    deeds.note("field.change", f"field:{field_id}", farm_id=field.farm_id, details=details)
    return said(body)


@router.put(
    "/fields/{field_id}/boundary",
    dependencies=[needs("write:farms")],
    response_model=FieldWritten,
    responses=CHANGED,
)
def change_boundary(
    field_id: FieldId,
    asked: Annotated[
        dict[str, Any],
        Body(
            description="GeoJSON Polygon or MultiPolygon, WGS 84",
            examples=[
                {
                    "type": "Polygon",
                    "coordinates": [[[68.25, 43.3], [68.26, 43.3], [68.26, 43.31], [68.25, 43.3]]],
                }
            ],
        ),
    ],
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Give a field another boundary; the one before stays on record as an earlier version."""
    field = fields.get(connection, field_id, lock=True)
    (before,) = fields_out(connection, [field])
    check(if_match, before)
    checked = land.check_geometry(asked)
    beside = land.neighbours(connection, field.farm_id)
    beside.pop(field.name, None)
    version = land.change_boundary(connection, field, checked, source="entered", by=who.actor)
    details = {"version": version, "before_ha": field.area_ha, "area_ha": checked.area_ha}
    deeds.note("field.boundary", f"field:{field_id}", farm_id=field.farm_id, details=details)
    body = _written(connection, field_id, land.warnings_of(checked.geometry, beside))
    return said(body, headers={"ETag": tag_of(body.field)})


@router.delete(
    "/fields/{field_id}",
    status_code=204,
    dependencies=[needs("write:farms")],
    responses=WITHDRAWN,
)
def withdraw_field(
    field_id: FieldId,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> None:
    """Let a field stand no longer: only one without crops that stand."""
    field = fields.get(connection, field_id, lock=True)
    check(if_match, fields_out(connection, [field])[0])
    if entries.crop_zones.page(connection, field_id=field_id, limit=1):
        raise Refused(409, "The field has crop zones; withdraw them first.", kind="in-use")
    fields.withdraw(connection, field_id, by=who.actor)
    deeds.note("field.withdraw", f"field:{field_id}", farm_id=field.farm_id)


def _written(connection: sa.Connection, field_id: int, warnings: list[str]) -> FieldWritten:
    (body,) = fields_out(connection, [fields.get(connection, field_id)])
    versions = fields.versions(connection, field_id)
    newest = versions[0].version if versions else None
    return FieldWritten(field=body, boundary_version=newest, warnings=warnings)


# --- files ----------------------------------------------------------------------------------------


_FILE = a_file(
    "application/geo+json",
    "application/zip",
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/xml",
)


@router.post(
    "/farms/{farm}/boundaries",
    dependencies=[needs("write:farms")],
    response_model=BoundariesRead,
    openapi_extra=_FILE,
)
def import_boundaries(
    farm: FarmSlug,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: Annotated[bool, Query(description="report, and keep nothing")] = False,
    name_property: Annotated[
        str | None, Query(max_length=100, description="attribute that names a place")
    ] = None,
) -> Response:
    """Boundaries of a file: GeoJSON, a shapefile in a zip archive, KML, KMZ or ISOXML.

    A place whose name is a field's is its next boundary, any other a new field. All of them are
    stored or none; a dry run reports place by place what would become of each.
    """

    def make() -> Response:
        of = farms.get(connection, farm)
        found = places.store(
            connection,
            of.id,
            content,
            by=who.actor,
            dry=dry_run,
            name_property=name_property,
        )
        read = [PlaceRead(**one._asdict()) for one in found.places]
        wrong = [one.model_dump() for one in read if one.errors]
        body = BoundariesRead(
            kind=found.kind, dry_run=dry_run, stored=found.stored, refused=len(wrong), places=read
        )
        details = {"kind": found.kind, "places": len(read), "stored": found.stored}
        details["dry_run"] = dry_run
        deeds.note("field.import", f"farm:{farm}", farm_id=of.id, details=details)
        if wrong and not dry_run:
            words = f"{len(wrong)} of {len(read)} boundaries are refused; nothing was stored."
            return problem(422, words, kind="boundaries-refused", problems=wrong)
        return said(body)

    return once.answer(make)
