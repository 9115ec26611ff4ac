"""Weighed loads as people enter them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfWanted, OfZone, ThisPage, made, of_row
from api.formats import TABLES
from api.idempotency import Once
from api.models_entered import LoadOut
from api.paging import LINK
from api.security.guard import needs
from entry import records
from entry.models import LoadIn
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
        load_id, farm_id = records.enter_load(connection, asked, who.actor, now)
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
