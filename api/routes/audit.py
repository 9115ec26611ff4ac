"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Limit, Transaction
from api.models_access import DeedOut
from api.security.guard import needs
from storage import audit

router = APIRouter(tags=["audit"])

Exactly = Annotated[str | None, Query(max_length=200)]


@router.get("/audit", dependencies=[needs("admin:access")])
def list_deeds(
    connection: Transaction,
    request: Request,
    response: Response,
    actor: Exactly = None,
    action: Exactly = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 100,
) -> list[DeedOut]:
    """Who did what, newest first."""
    page = audit.page(connection, actor=actor, action=action, before=before, limit=limit)
    if len(page) == limit:
        following = request.url.include_query_params(before=page[-1].id)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return [DeedOut(**deed._asdict()) for deed in page]
