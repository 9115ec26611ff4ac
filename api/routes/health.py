"""Whether the service is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.errors import NotReady
from api.metrics import Metrics
from api.models import Health, Ready
from api.security.guard import Door, anybody, needs
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


@router.get(
    "/metrics",
    dependencies=[needs("read:metrics")],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request) -> Response:
    """What this process counts, as Prometheus reads it."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
