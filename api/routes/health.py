"""Whether the service is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Transaction
from api.errors import NotReady
from api.models import Health, Ready
from storage import database

router = APIRouter(tags=["health"])


@router.get("/healthz")
def get_health() -> Health:
    """The process runs."""
    return Health(status="ok")


@router.get("/readyz")
def get_readiness(connection: Transaction) -> Ready:
    """The database answers and is migrated."""
    version, revision = database.ping(connection), database.revision(connection)
    if revision is None:
        raise NotReady("The database has no tables yet: run `dala migrate`.")
    return Ready(status="ready", database=version, revision=revision)
