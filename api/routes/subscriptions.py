"""Who is told, of a farm's alerts and of filed reports, and what became of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from api.dependencies import Deeds, FarmSlug, Transaction, WhoAsks
from api.entering import CREATED, made, of_row, placed, wrong
from api.errors import Refused
from api.formats import TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_alerts import DeliveryOut, NewSubscriptionOut, SubscriptionIn, SubscriptionOut
from api.models_report_orders import (
    NewReportSubscriptionOut,
    ReportDeliveryOut,
    ReportSubscriptionIn,
    ReportSubscriptionOut,
)
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.caller import Caller
from api.security.guard import needs
from reports.notices import NoticeSettings, check_mail_address, check_url, make_secret
from storage import deliveries, farms, subscriptions
from storage.database import NotFound
from storage.deliveries import Delivery
from storage.subscriptions import Subscription

router = APIRouter()

SubscriptionId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[3])]
Status = Annotated[Literal["pending", "sent", "given-up"] | None, Query()]
MOST_SUBSCRIPTIONS = 50  # of a farm's alerts, and to reports of one who subscribes


class _Deliveries:
    """A page of deliveries, as it is asked for and as it is answered."""

    def __init__(
        self,
        request: Request,
        status: Status = None,
        cursor: Cursor = None,
        limit: Limit = 100,
        form: Form = TABLES.asked,
    ) -> None:
        (before,) = begin(request, cursor, [int]) or [None]
        self._request, self._limit, self._form = request, limit, form
        # One more than are shown: whether there is another page.
        self.chosen = {"status": status, "before": before, "limit": limit + 1}

    def answer(self, name: str, model: type[BaseModel], found: Sequence[Delivery]) -> Response:
        """Those that were found by what is chosen."""
        limit = self._limit
        key = (found[limit - 1].id,) if len(found) > limit else None
        rows = []
        for one in found[:limit]:
            waits = one.status == "pending"
            row = one._asdict() | {"next_attempt_at": one.next_attempt_at if waits else None}
            rows.append(of_row(model, row))
        headers = following(self._request, key)
        return answer(self._request, self._form, Content(name, model, rows), headers=headers)


AskedDeliveries = Annotated[_Deliveries, Depends()]


@router.get(
    "/farms/{farm}/alert-subscriptions",
    tags=["alerts"],
    dependencies=[needs("read:alerts")],
    response_model=list[SubscriptionOut],
    responses=TABLES.responses,
)
def list_alert_subscriptions(
    farm: FarmSlug, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """Where alerts of a farm are sent."""
    found = subscriptions.of_farm(connection, farms.get(connection, farm).id)
    rows = [of_row(SubscriptionOut, _shown(one)) for one in found]
    return answer(request, form, Content("alert-subscriptions", SubscriptionOut, rows))


@router.post(
    "/farms/{farm}/alert-subscriptions",
    tags=["alerts"],
    status_code=201,
    dependencies=[needs("write:alerts")],
    response_model=NewSubscriptionOut,
    responses=CREATED,
)
def add_alert_subscription(
    farm: FarmSlug,
    asked: SubscriptionIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """Send a farm's alerts somewhere, from those opened now on; a webhook's secret is told once.

    The same sent again with its Idempotency-Key is answered without the secret: whoever lost it
    ends the subscription and makes another.
    """

    def make() -> Response:
        of = farms.get(connection, farm)
        secret = _secret(asked.channel, asked.address)
        _check_number(subscriptions.of_farm(connection, of.id), "A farm")
        added = subscriptions.add(
            connection, of.id, **asked.model_dump(), secret=secret, by=who.actor
        )
        _note(deeds, "alert-subscription", added, asked)
        body = of_row(NewSubscriptionOut, _shown(added) | {"secret": secret})
        return made(body, f"/v1/farms/{farm}/alert-subscriptions/{added.id}")

    return once.answer(make, told_once="secret")


@router.delete(
    "/farms/{farm}/alert-subscriptions/{subscription_id}",
    tags=["alerts"],
    status_code=204,
    dependencies=[needs("write:alerts")],
)
def end_alert_subscription(
    farm: FarmSlug,
    subscription_id: SubscriptionId,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
) -> None:
    """Send nothing there any more; what waited is given up."""
    of = farms.get(connection, farm)
    subscriptions.end(connection, of.id, subscription_id, by=who.actor)
    deeds.note("alert-subscription.end", f"alert-subscription:{subscription_id}", farm_id=of.id)


@router.get(
    "/farms/{farm}/alert-deliveries",
    tags=["alerts"],
    dependencies=[needs("read:alerts")],
    response_model=list[DeliveryOut],
    responses=TABLES.responses_with(LINK),
)
def list_alert_deliveries(
    farm: FarmSlug, connection: Transaction, asked: AskedDeliveries
) -> Response:
    """What became of messages about a farm's alerts, the newest first."""
    of = farms.get(connection, farm)
    found = deliveries.of_farm(connection, of.id, **asked.chosen)
    return asked.answer(f"{farm}-alert-deliveries", DeliveryOut, found)


# --- reports --------------------------------------------------------------------------------------


@router.get(
    "/report-subscriptions",
    tags=["reports"],
    dependencies=[needs("subscribe:reports")],
    response_model=list[ReportSubscriptionOut],
    responses=TABLES.responses,
)
def list_report_subscriptions(
    connection: Transaction, request: Request, who: WhoAsks, form: Form = TABLES.asked
) -> Response:
    """Where one has reports told; who sees every farm sees everybody's."""
    found = subscriptions.of_reports(connection, created_by=_own(who))
    rows = [of_row(ReportSubscriptionOut, _shown(one)) for one in found]
    return answer(request, form, Content("report-subscriptions", ReportSubscriptionOut, rows))


@router.post(
    "/report-subscriptions",
    tags=["reports"],
    status_code=201,
    dependencies=[needs("subscribe:reports")],
    response_model=NewReportSubscriptionOut,
    responses=CREATED,
)
def add_report_subscription(
    asked: ReportSubscriptionIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """Have reports told to a webhook, filed or revised from now on; its secret is told once.

    Told is what whoever subscribed may read at that moment. The same sent again with its
    Idempotency-Key is answered without the secret.
    """

    def make() -> Response:
        farm_id = _place(connection, asked, who)
        secret = _secret("webhook", asked.address)
        _check_number(subscriptions.of_reports(connection, created_by=who.actor), "One")
        added = subscriptions.add(
            connection,
            farm_id,
            topic="reports",
            area_code=asked.area,
            channel="webhook",
            address=asked.address,
            kinds=asked.kinds,
            secret=secret,
            behalf=who.behalf,
            by=who.actor,
        )
        _note(deeds, "report-subscription", added, asked)
        body = of_row(NewReportSubscriptionOut, _shown(added) | {"secret": secret})
        return made(body, f"/v1/report-subscriptions/{added.id}")

    return once.answer(make, told_once="secret")


@router.delete(
    "/report-subscriptions/{report_subscription_id}",
    tags=["reports"],
    status_code=204,
    dependencies=[needs("subscribe:reports")],
)
def end_report_subscription(
    report_subscription_id: SubscriptionId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Tell nothing there any more; what waited is given up."""
    number = report_subscription_id
    farm_id = subscriptions.end_of_reports(connection, number, by=who.actor, created_by=_own(who))
    deeds.note("report-subscription.end", f"report-subscription:{number}", farm_id=farm_id)


@router.get(
    "/report-deliveries",
    tags=["reports"],
    dependencies=[needs("subscribe:reports")],
    response_model=list[ReportDeliveryOut],
    responses=TABLES.responses_with(LINK),
)
def list_report_deliveries(
    connection: Transaction, who: WhoAsks, asked: AskedDeliveries
) -> Response:
    """What became of messages about reports, the newest first; of one's own subscriptions."""
    found = deliveries.of_reports(connection, created_by=_own(who), **asked.chosen)
    return asked.answer("report-deliveries", ReportDeliveryOut, found)


def _own(who: Caller) -> str | None:
    """Whose subscriptions one sees: one's own, or everybody's."""
    return None if who.reach.everything else who.actor


def _place(connection: sa.Connection, asked: ReportSubscriptionIn, who: Caller) -> int | None:
    """The farm that is asked for, if it is one; NotFound where one does not see it or the area."""
    if "read:reports" not in who.scopes:
        raise Refused(403, "This needs the scope read:reports too.", kind="scope-missing")
    farm_id = placed(connection, asked.farm, asked.area)
    if asked.area is not None and not who.reach.has_region(asked.area):
        raise NotFound(f"area {asked.area!r}")
    return farm_id


# --- what both share ------------------------------------------------------------------------------


def _secret(channel: str, address: str) -> str | None:
    """What the messages of a new webhook are signed with, once its address is seen to be one."""
    try:
        if channel == "webhook":
            check_url(address, private=NoticeSettings().webhook_private)
            return make_secret()
        check_mail_address(address)
    except ValueError as error:
        raise wrong("address", str(error)) from error
    return None


def _check_number(standing: Sequence[Subscription], whose: str) -> None:
    if len(standing) >= MOST_SUBSCRIPTIONS:
        raise Refused(409, f"{whose} has at most {MOST_SUBSCRIPTIONS} subscriptions.")


def _note(deeds: Deeds, name: str, added: Subscription, asked: BaseModel) -> None:
    object_ = f"{name}:{added.id}"
    deeds.note(f"{name}.create", object_, farm_id=added.farm_id, details=asked.model_dump())


def _shown(one: Subscription) -> dict[str, Any]:
    return one._asdict() | {"area": one.area_code}
