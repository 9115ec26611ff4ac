"""Alerts, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import Deeds, Moment, Now, Transaction, WhoAsks
from api.entering import said
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.languages import ChosenLanguage
from api.models_alerts import AcknowledgementIn, AlertOut, KindName
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from reports.alert_words import as_document
from reports.messages import Language
from storage import alerts, farms
from storage.alerts import Alert

router = APIRouter(tags=["alerts"])

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[17])]


@router.get(
    "/alerts",
    dependencies=[needs("read:alerts")],
    response_model=list[AlertOut],
    responses=TABLES.responses_with(LINK),
)
def list_alerts(
    connection: Transaction,
    request: Request,
    language: ChosenLanguage,
    farm: Annotated[str | None, Query(max_length=200, examples=["turkistan-01"])] = None,
    state: Annotated[
        Literal["active", "cleared"] | None, Query(description="both by default")
    ] = None,
    acknowledged: Annotated[bool | None, Query(description="or not; both by default")] = None,
    kind: Annotated[KindName | None, Query()] = None,
    since: Annotated[
        Moment | None, Query(description="opened then or later", examples=["2025-06-01T00:00:00Z"])
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Alerts, the newest first, in words and with what to do."""
    (before,) = begin(request, cursor, [int]) or [None]
    page = alerts.page(
        connection,
        farm_id=None if farm is None else farms.get(connection, farm).id,
        active=None if state is None else state == "active",
        acknowledged=acknowledged,
        kind=kind,
        since=since,
        before=before,
        limit=limit + 1,
    )
    key = (page[limit - 1].id,) if len(page) > limit else None
    rows = alerts_out(connection, page[:limit], language)
    headers = {"Content-Language": language, **following(request, key)}
    made = answer(request, form, Content("alerts", AlertOut, rows), headers=headers)
    made.headers["Vary"] += ", Accept-Language"
    return made


@router.get(
    "/alerts/{alert_id}",
    dependencies=[needs("read:alerts")],
    response_model=AlertOut,
    responses=JSON_ALONE.responses,
)
def get_alert(
    alert_id: AlertId,
    connection: Transaction,
    request: Request,
    language: ChosenLanguage,
    form: Form = JSON_ALONE.asked,
) -> Response:
    """An alert."""
    (body,) = alerts_out(connection, [alerts.get(connection, alert_id)], language)
    made = answer(
        request,
        form,
        Content("alert", AlertOut, [body], body),
        headers={"Content-Language": language},
    )
    made.headers["Vary"] += ", Accept-Language"
    return made


@router.post(
    "/alerts/{alert_id}/acknowledgement",
    dependencies=[needs("write:alerts")],
    response_model=AlertOut,
)
def acknowledge_alert(
    alert_id: AlertId,
    asked: AcknowledgementIn,
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    language: ChosenLanguage,
) -> Response:
    """Say that one knows of an alert; who was first stays. What is lost for good ends with that."""

    def make() -> Response:
        known = alerts.acknowledge(connection, alert_id, by=who.actor, now=now, note=asked.note)
        details = {"kind": known.kind, "subject": known.subject, "note": asked.note}
        deeds.note("alert.acknowledge", f"alert:{alert_id}", farm_id=known.farm_id, details=details)
        (body,) = alerts_out(connection, [known], language)
        return said(body, headers={"Content-Language": language})

    return once.answer(make)


def alerts_out(
    connection: sa.Connection, found: Sequence[Alert], language: Language
) -> list[AlertOut]:
    """Alerts as the API says them."""
    zones = alerts.timezones(connection, found)
    of = farms.slugs(connection, [one.farm_id for one in found if one.farm_id is not None])
    return [
        alert_out(one, of.get(one.farm_id or 0), zones.get(one.farm_id, "UTC"), language)
        for one in found
    ]


def alert_out(one: Alert, farm: str | None, timezone: str, language: Language) -> AlertOut:
    """An alert of a farm as the API says it."""
    told = as_document(one, language, timezone)
    return AlertOut(
        id=one.id,
        kind=one.kind,
        severity=told["severity"],
        state="active" if one.cleared_at is None else "cleared",
        acknowledged=one.acknowledged_at is not None,
        farm=farm,
        device=told["device"],
        field_id=cast("int | None", one.details.get("field_id")),
        subject=one.subject,
        text=told["text"],
        action=told["action_text"],
        opened_at=one.opened_at,
        cleared_at=one.cleared_at,
        acknowledged_at=one.acknowledged_at,
        acknowledged_by=one.acknowledged_by,
        note=one.note,
        language=language,
        timezone=timezone,
        details=one.details,
    )
