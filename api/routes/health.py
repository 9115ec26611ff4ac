"""Whether the service is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Transaction
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
    return Ready(
        status="ready",
        database=database.ping(connection),
        revision=database.revision(connection),
    )
