"""The stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from api.dependencies import Transaction, WhoAsks
from api.languages import ChosenLanguage
from api.live import Client, Events, Live
from api.live_events import View
from api.security import caller
from api.security.caller import Caller
from api.security.guard import Door, needs
from storage import live_news, tenancy
from storage.live_news import Position

router = APIRouter(tags=["live"])

DESCRIBED = """Server-sent events: `readings` (a list of the newest reading of each datastream that
has new ones), `devices` (a list of devices that changed, moved, fell silent or spoke again),
`alert` (one that was opened, changed, acknowledged or cleared; with the scope read:alerts), `ready`
(everything before is sent), `reset` (read everything anew: nobody knows what was missed), `end`.
A client that comes again with the id of the last event misses nothing, and may be told something
twice. Each event says how things stand, so that the last one is right."""

EVENT = {
    "type": "object",
    "description": "one of the events that come",
    "required": ["event", "data"],
    "properties": {
        "event": {
            "type": "string",
            "enum": ["readings", "devices", "alert", "ready", "reset", "end"],
        },
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "description": "the position, for Last-Event-ID"},
    },
}


class Admitted:
    """A client that was let in."""

    def __init__(self, live: Live, client: Client, here: Position) -> None:
        self.live, self.client, self.here = live, client, here


async def _admit(
    request: Request, connection: Transaction, who: WhoAsks, language: ChosenLanguage
) -> AsyncIterator[Admitted]:
    live: Live = request.app.state.live
    view, here = await run_in_threadpool(_enter, connection, who)
    client = Client(who.credential, view, language, live.settings.queue)
    live.join(client, here)
    try:
        yield Admitted(live, client, here)
    finally:
        live.leave(client)


def _enter(connection: sa.Connection, who: Caller) -> tuple[View, Position]:
    return _view(connection, who), live_news.here(connection)


def _view(connection: sa.Connection, who: Caller) -> View:
    everything = who.reach.everything
    farms = frozenset() if everything else live_news.visible_farms(connection)
    return View(farms, everything, "read:alerts" in who.scopes)


@router.get(
    "/events",
    status_code=200,
    dependencies=[needs("read:devices")],
    response_class=Events,
    description=DESCRIBED,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}},
)
async def list_events(
    request: Request,
    admitted: Annotated[Admitted, Depends(_admit, scope="request")],
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="id of the last event that came")
    ] = None,
    seconds: Annotated[
        float, Query(ge=0, le=86_400, description="after which the stream ends")
    ] = 3_600,
) -> Events:
    """What changes, as it changes."""
    live, client = admitted.live, admitted.client
    stream = live.stream(
        client,
        asked=last_event_id,
        here=admitted.here,
        check=lambda: _still(request),
        seconds=seconds,
    )
    return Events(stream, write_s=live.settings.write_s)


def _still(request: Request) -> View | None:
    """What who asked may see now; None where they may no longer.

    Rolled back: that a stream is open is no use of a session, which else would never be idle.
    """
    door: Door = request.app.state.door
    shown = caller.credential(request, door.settings)
    with door.engine.connect() as connection:
        if shown is None:
            found: Caller | None = caller.anybody() if door.is_open else None
        else:
            tenancy.enter_entrance(connection)
            found = caller.of_request(connection, request, door.settings, shown)
        if found is None or "read:devices" not in found.scopes:
            return None
        tenancy.enter(connection, found.reach)
        return _view(connection, found)
