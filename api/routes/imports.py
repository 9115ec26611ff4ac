"""Many crop zones, irrigation events, weighed loads, adjustments or devices at once, from CSV.

A line is what the single write takes, checked by the same model and entered by the same function
(:mod:`entry.lines`); the file may be as a spreadsheet saves it.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response

from api import installer
from api.dependencies import Deeds, FarmSlug, Now, Transaction, WhoAsks
from api.entering import WholeBody, a_file, said, secret
from api.errors import problem
from api.idempotency import Once
from api.models_entered import LineRead, LinesRead
from api.models_onboarding import DevicesRead
from api.security.guard import needs
from entry import lines
from entry.lines import Entering, Lines
from storage import farms
from storage.sealing import Seal

router = APIRouter(tags=["records"])

Kind = Literal["irrigation-events", "harvest-loads", "adjustments"]


def _file(example: str) -> dict[str, Any]:
    """A body of CSV, for the API's document."""
    return a_file("text/csv", example=example)


DryRun = Annotated[bool, Query(description="report line by line, and keep nothing")]


@router.post(
    "/farms/{farm}/crop-zones",
    dependencies=[needs("write:farms")],
    response_model=LinesRead,
    openapi_extra=_file(
        "field,season,crop,planted,harvested\nfield-1,2025,cotton,2025-04-20,2025-09-30\n"
    ),
)
def import_crop_zones(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: DryRun = False,
) -> Response:
    """Enter the crops of many fields: CSV of field, season, crop, planted, harvested …

    All lines are stored or none; a dry run reports what is wrong with each.
    """
    return once.answer(
        lambda: _import(connection, farm, "crop-zones", content, now, who.actor, deeds, dry_run)
    )


@router.post(
    "/farms/{farm}/records",
    dependencies=[needs("write:records")],
    response_model=LinesRead,
    openapi_extra=_file(
        "field,started_at,ended_at,volume_m3\n"
        "field-1,2025-06-12T06:00:00+05:00,2025-06-12T18:00:00+05:00,3200\n"
    ),
)
def import_records(
    farm: FarmSlug,
    kind: Annotated[Kind, Query(description="what the lines are")],
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: DryRun = False,
) -> Response:
    """Enter many irrigation events, weighed loads or adjustments from CSV.

    All lines are stored or none; a dry run reports what is wrong with each.
    """
    return once.answer(
        lambda: _import(connection, farm, kind, content, now, who.actor, deeds, dry_run)
    )


@router.post(
    "/farms/{farm}/devices",
    tags=["devices"],
    dependencies=[needs("write:devices")],
    response_model=DevicesRead,
    openapi_extra=_file("id,kind,field,name\nprobe-1,soil-probe,field-1,By the pump\n"),
)
def import_devices(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: DryRun = False,
) -> Response:
    """Register many devices from CSV: id or wire_id, kind, field …; tokens are shown this once.

    All lines are stored or none; a dry run reports what is wrong with each. Sent again without an
    Idempotency-Key it is refused, line by line: those devices are registered.
    """

    def make() -> Response:
        of = farms.get(connection, farm)
        entering = Entering(connection, of, who.actor, now, Seal.from_environment())
        found = lines.store(entering, "devices", content, dry=dry_run)
        for one in found.handed:
            deeds.note("device.register", f"device:{one.device_id}", farm_id=of.id)
        if refused := _refused(found, dry_run):
            return refused
        told = [installer.told(one.device_id, one.issued) for one in found.handed if one.issued]
        return secret(DevicesRead(**_read(found, dry_run).model_dump(), secrets=told), status=200)

    return once.answer(make, told_once="secrets")


def _import(
    connection: sa.Connection,
    farm: str,
    kind: lines.Kind,
    content: bytes,
    now: dt.datetime,
    by: str,
    deeds: Deeds,
    dry_run: bool,
) -> Response:
    of = farms.get(connection, farm)
    found = lines.store(Entering(connection, of, by, now), kind, content, dry=dry_run)
    details = {"kind": kind, "lines": len(found.lines), "stored": found.stored, "dry_run": dry_run}
    deeds.note("records.import", f"farm:{farm}", farm_id=of.id, details=details)
    return _refused(found, dry_run) or said(_read(found, dry_run))


def _read(found: Lines, dry_run: bool) -> LinesRead:
    return LinesRead(
        kind=found.kind,
        dry_run=dry_run,
        lines=len(found.lines),
        stored=found.stored,
        refused=len(found.wrong),
        problems=[LineRead(line=one.line, errors=list(one.errors)) for one in found.wrong],
    )


def _refused(found: Lines, dry_run: bool) -> Response | None:
    if dry_run or not found.wrong:
        return None
    words = f"{len(found.wrong)} of {len(found.lines)} lines are wrong; nothing was stored."
    more = _read(found, dry_run).model_dump(include={"problems"})
    return problem(422, words, kind="lines-refused", **more)
