"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Transaction
from api.models_access import DeedOut
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from storage import audit

router = APIRouter(tags=["audit"])

Exactly = Annotated[str | None, Query(max_length=200)]


@router.get("/audit", dependencies=[needs("admin:access")], responses={200: {"headers": LINK}})
def list_deeds(
    connection: Transaction,
    request: Request,
    response: Response,
    actor: Exactly = None,
    action: Exactly = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[DeedOut]:
    """Who did what, newest first."""
    (before,) = begin(request, cursor, [int]) or [None]
    page = audit.page(connection, actor=actor, action=action, before=before, limit=limit + 1)
    response.headers.update(
        following(request, (page[limit - 1].id,) if len(page) > limit else None)
    )
    return [DeedOut(**deed._asdict()) for deed in page[:limit]]
