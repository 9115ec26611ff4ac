"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Transaction
from api.formats import TABLES, Content, Form, answer
from api.models_access import DeedOut
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from storage import audit

router = APIRouter(tags=["audit"])

Exactly = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/audit",
    dependencies=[needs("admin:access")],
    response_model=list[DeedOut],
    responses=TABLES.responses_with(LINK),
)
def list_deeds(
    connection: Transaction,
    request: Request,
    actor: Exactly = None,
    action: Exactly = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Who did what, newest first."""
    (before,) = begin(request, cursor, [int]) or [None]
    page = audit.page(connection, actor=actor, action=action, before=before, limit=limit + 1)
    key = (page[limit - 1].id,) if len(page) > limit else None
    rows = [DeedOut(**deed._asdict()) for deed in page[:limit]]
    return answer(request, form, Content("audit", DeedOut, rows), headers=following(request, key))
