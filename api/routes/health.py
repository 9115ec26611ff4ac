"""Whether the service is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.errors import NotReady
from api.models import Health, Ready
from api.security.guard import Door, anybody
from storage import database, tenancy

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[anybody()])
def get_health() -> Health:
    """The process runs."""
    return Health(status="ok")


@router.get("/readyz", dependencies=[anybody()])
def get_readiness(request: Request) -> Ready:
    """The database answers, is migrated, and shows nobody's rows to a request that is nobody's."""
    door: Door = request.app.state.door
    with door.engine.begin() as connection:
        version = database.ping(connection)
        if not tenancy.is_ready(connection):
            raise NotReady("The database has no tables yet: run `dala migrate`.")
        tenancy.enter_entrance(connection)
        if seen := tenancy.readable_tables(connection):
            raise NotReady(
                f"The role {tenancy.ROLE} reads {', '.join(seen[:3])} past the views: revoke that."
            )
        return Ready(status="ready", database=version, revision=database.revision(connection))
