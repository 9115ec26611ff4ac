"""Rules of alerts, who hears of alerts, and what became of messages."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from analytics.watching.rules import RULES
from analytics.watching.settings import Rule
from api.dependencies import Deeds, FarmSlug, Transaction, WhoAsks
from api.entering import CHANGED, CREATED, IfMatch, check, made, said
from api.errors import Refused
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_alerts import (
    DeliveryOut,
    NewSubscriptionOut,
    ParameterOut,
    RuleOut,
    RulesIn,
    RulesOut,
    SubscriptionIn,
    SubscriptionOut,
)
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from reports.notices import NoticeSettings, check_mail_address, check_url, make_secret
from storage import alert_rules, deliveries, farms, subscriptions
from storage.alert_rules import Choice
from storage.alerts import KINDS
from storage.farms import Farm
from storage.subscriptions import Subscription

router = APIRouter(tags=["alerts"])

SubscriptionId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[3])]
MOST_SUBSCRIPTIONS = 50  # of a farm


@router.get(
    "/farms/{farm}/alert-rules",
    dependencies=[needs("read:alerts")],
    response_model=RulesOut,
    responses=JSON_ALONE.responses,
)
def get_alert_rules(
    farm: FarmSlug, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """What a farm is looked at for, with its numbers, their defaults and bounds."""
    body = _rules_out(connection, farms.get(connection, farm))
    return answer(request, form, Content("alert-rules", RulesOut, [body], body))


@router.put(
    "/farms/{farm}/alert-rules",
    dependencies=[needs("write:alerts")],
    response_model=RulesOut,
    responses=CHANGED,
)
def put_alert_rules(
    farm: FarmSlug,
    asked: RulesIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change a farm's rules, all at once; what is left out is the default again."""
    of = farms.get(connection, farm)
    check(if_match, _rules_out(connection, of))
    for kind, wanted in asked.rules.items():
        if kind not in RULES:
            raise _wrong(f"rules.{kind}", f"there are rules of {', '.join(RULES)}")
        try:
            parameters = RULES[kind].check(wanted.parameters)
        except ValueError as error:
            raise _wrong(f"rules.{kind}.parameters", str(error)) from error
        alert_rules.put(
            connection, of.id, kind, enabled=wanted.enabled, parameters=parameters, by=who.actor
        )
    alert_rules.drop_others(connection, of.id, list(asked.rules))
    deeds.note("alert-rules.change", f"farm:{farm}", farm_id=of.id, details=asked.model_dump())
    return said(_rules_out(connection, of))


def _wrong(where: str, words: str) -> Refused:
    return Refused(422, f"body.{where}: {words}", kind="invalid-parameter")


def _rules_out(connection: sa.Connection, farm: Farm) -> RulesOut:
    chosen = alert_rules.of_farm(connection, farm.id)
    rules = [_rule_out(rule, chosen.get(kind)) for kind, rule in RULES.items()]
    return RulesOut(farm=farm.slug, rules=rules)


def _rule_out(rule: Rule, choice: Choice | None) -> RuleOut:
    numbers = rule.numbers({} if choice is None else choice.parameters)
    return RuleOut(
        kind=rule.kind,
        severity=KINDS[rule.kind].severity.value,
        meaning=rule.meaning,
        enabled=choice is None or choice.enabled,
        is_default=choice is None,
        parameters=[
            ParameterOut(value=numbers[one.name], **one._asdict()) for one in rule.parameters
        ],
        changed_by=None if choice is None else choice.changed_by,
        changed_at=None if choice is None else choice.changed_at,
    )


@router.get(
    "/farms/{farm}/alert-subscriptions",
    dependencies=[needs("read:alerts")],
    response_model=list[SubscriptionOut],
    responses=TABLES.responses,
)
def list_alert_subscriptions(
    farm: FarmSlug, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """Where alerts of a farm are sent."""
    found = subscriptions.of_farm(connection, farms.get(connection, farm).id)
    rows = [SubscriptionOut(**_shown(one)) for one in found]
    return answer(request, form, Content("alert-subscriptions", SubscriptionOut, rows))


@router.post(
    "/farms/{farm}/alert-subscriptions",
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
        is_hook = asked.channel == "webhook"
        try:
            if is_hook:
                check_url(asked.address, private=NoticeSettings().webhook_private)
            else:
                check_mail_address(asked.address)
        except ValueError as error:
            raise _wrong("address", str(error)) from error
        if len(subscriptions.of_farm(connection, of.id)) >= MOST_SUBSCRIPTIONS:
            raise Refused(409, f"A farm has at most {MOST_SUBSCRIPTIONS} subscriptions.")
        secret = make_secret() if is_hook else None
        added = subscriptions.add(
            connection, of.id, **asked.model_dump(), secret=secret, by=who.actor
        )
        details = asked.model_dump()
        deeds.note(
            "alert-subscription.create",
            f"alert-subscription:{added.id}",
            farm_id=of.id,
            details=details,
        )
        body = NewSubscriptionOut(secret=secret, **_shown(added))
        return made(body, f"/v1/farms/{farm}/alert-subscriptions/{added.id}")

    return once.answer(make, told_once="secret")


@router.delete(
    "/farms/{farm}/alert-subscriptions/{subscription_id}",
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


def _shown(one: Subscription) -> dict[str, object]:
    hidden = {"farm_id", "ended_at", "ended_by"}
    return {name: value for name, value in one._asdict().items() if name not in hidden}


@router.get(
    "/farms/{farm}/alert-deliveries",
    dependencies=[needs("read:alerts")],
    response_model=list[DeliveryOut],
    responses=TABLES.responses_with(LINK),
)
def list_alert_deliveries(
    farm: FarmSlug,
    connection: Transaction,
    request: Request,
    status: Annotated[Literal["pending", "sent", "given-up"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """What became of messages about a farm's alerts, the newest first."""
    (before,) = begin(request, cursor, [int]) or [None]
    of = farms.get(connection, farm)
    page = deliveries.of_farm(connection, of.id, status=status, before=before, limit=limit + 1)
    key = (page[limit - 1].id,) if len(page) > limit else None
    rows = []
    for one in page[:limit]:
        waits = one.status == "pending"
        shown = one._asdict() | {"next_attempt_at": one.next_attempt_at if waits else None}
        rows.append(DeliveryOut(**shown))
    content = Content(f"{farm}-alert-deliveries", DeliveryOut, rows)
    return answer(request, form, content, headers=following(request, key))
