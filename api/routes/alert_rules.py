"""Rules of alerts: what a farm is looked at for, by which numbers."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from analytics.watching.rules import RULES
from analytics.watching.settings import Rule
from api.dependencies import Deeds, FarmSlug, Transaction, WhoAsks
from api.entering import CHANGED, IfMatch, check, said, wrong
from api.formats import JSON_ALONE, Content, Form, answer
from api.models_alerts import ParameterOut, RuleOut, RulesIn, RulesOut
from api.security.guard import needs
from storage import alert_rules, farms
from storage.alert_rules import Choice
from storage.alerts import KINDS
from storage.farms import Farm

router = APIRouter(tags=["alerts"])


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
            raise wrong(f"rules.{kind}", f"there are rules of {', '.join(RULES)}")
        try:
            parameters = RULES[kind].check(wanted.parameters)
        except ValueError as error:
            raise wrong(f"rules.{kind}.parameters", str(error)) from error
        alert_rules.put(
            connection, of.id, kind, enabled=wanted.enabled, parameters=parameters, by=who.actor
        )
    alert_rules.drop_others(connection, of.id, list(asked.rules))
    deeds.note("alert-rules.change", f"farm:{farm}", farm_id=of.id, details=asked.model_dump())
    return said(_rules_out(connection, of))


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
