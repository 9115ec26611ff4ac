"""Weighed loads as people enter them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfWanted, OfZone, ThisPage, made, of_row
from api.errors import RequestProblem
from api.formats import TABLES
from api.idempotency import Once
from api.models_entered import LoadIn, LoadOut
from api.paging import LINK
from api.security.guard import needs
from storage import entries

router = APIRouter(tags=["records"])

LoadId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[31])]


@router.get(
    "/harvest-loads",
    dependencies=[needs("read:farms")],
    response_model=list[LoadOut],
    responses=TABLES.responses_with(LINK),
)
def list_harvest_loads(wanted: OfWanted, crop_zone_id: OfZone, page: ThisPage) -> Response:
    """Weighed loads in the order they were entered."""
    return page.of(
        entries.harvest_loads, LoadOut, "harvest-loads", wanted, crop_zone_id=crop_zone_id
    )


@router.post(
    "/harvest-loads",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=LoadOut,
    responses=CREATED,
)
def add_harvest_load(
    asked: LoadIn, connection: Transaction, now: Now, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter a load that was weighed; a ticket counts once for a crop zone."""

    def make() -> Response:
        load_id, farm_id = enter(connection, asked, who.actor, now)
        body = of_row(LoadOut, entries.harvest_loads.get(connection, load_id))
        details = asked.model_dump(mode="json")
        deeds.note("load.create", f"harvest-load:{load_id}", farm_id=farm_id, details=details)
        return made(body, f"/v1/harvest-loads?crop_zone_id={asked.crop_zone_id}")

    return once.answer(make)


@router.delete(
    "/harvest-loads/{load_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_harvest_load(
    load_id: LoadId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Let a load stand no longer."""
    row = entries.harvest_loads.get(connection, load_id, lock=True)
    entries.harvest_loads.withdraw(connection, load_id, by=who.actor)
    deeds.note("load.withdraw", f"harvest-load:{load_id}", farm_id=row["farm_id"])


def enter(connection: sa.Connection, asked: LoadIn, by: str, now: dt.datetime) -> tuple[int, int]:
    """Enter a load; return its id and its farm's."""
    zone = entries.crop_zones.get(connection, asked.crop_zone_id)
    if asked.weighed_at > now:
        raise RequestProblem("weighed_at is still to come.")
    if asked.weighed_at.date() < zone["planted"]:
        raise RequestProblem(f"weighed_at is before {zone['crop']} was planted, {zone['planted']}.")
    load_id = entries.harvest_loads.add(connection, created_by=by, **asked.model_dump())
    return load_id, zone["farm_id"]
