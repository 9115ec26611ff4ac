"""Irrigation as people enter it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfWanted, ThisPage, made, of_row
from api.formats import TABLES
from api.idempotency import Once
from api.models_entered import IrrigationEventOut
from api.paging import LINK
from api.security.guard import needs
from entry import records
from entry.models import IrrigationIn
from storage import entries

router = APIRouter(tags=["records"])

EventId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[12])]


@router.get(
    "/irrigation-events",
    dependencies=[needs("read:farms")],
    response_model=list[IrrigationEventOut],
    responses=TABLES.responses_with(LINK),
)
def list_irrigation_events(wanted: OfWanted, page: ThisPage) -> Response:
    """Applications of water in the order they were entered."""
    return page.of(entries.irrigation_events, IrrigationEventOut, "irrigation-events", wanted)


@router.post(
    "/irrigation-events",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=IrrigationEventOut,
    responses=CREATED,
)
def add_irrigation_event(
    asked: IrrigationIn, connection: Transaction, now: Now, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter an application of water; where a meter counts the field's, the meter goes before it."""

    def make() -> Response:
        event_id, farm_id = records.enter_irrigation(connection, asked, who.actor, now)
        body = of_row(IrrigationEventOut, entries.irrigation_events.get(connection, event_id))
        object_ = f"irrigation-event:{event_id}"
        details = asked.model_dump(mode="json")
        deeds.note("irrigation.create", object_, farm_id=farm_id, details=details)
        return made(body, f"/v1/irrigation-events?field_id={asked.field_id}")

    return once.answer(make)


@router.delete(
    "/irrigation-events/{event_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_irrigation_event(
    event_id: EventId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Let an application stand no longer."""
    row = entries.irrigation_events.get(connection, event_id, lock=True)
    entries.irrigation_events.withdraw(connection, event_id, by=who.actor)
    deeds.note("irrigation.withdraw", f"irrigation-event:{event_id}", farm_id=row["farm_id"])
