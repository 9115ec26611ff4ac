"""Every route of the OpenAPI document, under every kind of credential: a new one is walked too."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from storage import tables
from storage.permissions import SCOPES
from tests.api.asking import put_key
from tests.api.operations import (
    ALL,
    FOR_ANYBODY,
    GUARDED,
    Operation,
    World,
    call,
    is_problem,
    named,
    opened,
    place,
)

OF_A_FARM = {
    "farm", "field_id", "crop_zone_id", "device_id", "datastream_id", "alert_id", "number",
}  # fmt: skip
# Below one of those in every path, or entered in a test of its own, or of no farm.
BELOW = {"placement_id", "calibration_id", "subscription_id"}
ENTERED = {"event_id", "load_id", "adjustment_id", "supply_id", "investment_id", "decision_id"}
# For reports, which are of farms and areas: test_report_subscriptions.py, test_report_schedules.py.
ENTERED |= {"report_subscription_id", "schedule_id"}
OF_NO_FARM = {"code", "login", "name", "session_id", "key_id", "size"}


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    with opened(engine) as made:
        yield made


def test_what_is_for_anybody_is_named_here() -> None:
    assert {(one.method, one.path) for one in ALL if one.said["security"] == [{}]} == FOR_ANYBODY


@named(GUARDED)
def test_without_a_good_credential_nobody_is_answered(world: World, operation: Operation) -> None:
    for key in (None, "", "wrong", "dala_key_wrong", "dala_at_wrong", world.expired, world.revoked):
        answer = call(world, operation, key, world.mine)
        is_problem(answer, 401, operation)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "mine" not in answer.text


@named([one for one in GUARDED if one.scope is not None])
def test_without_its_scope_a_route_is_refused(
    world: World, operation: Operation, engine: sa.Engine
) -> None:
    others = tuple(scope for scope in SCOPES if scope != operation.scope)
    name = f"lacks-{operation.method}-{abs(hash(operation.path))}"
    key = put_key(engine, name, scopes=others, everything=True)

    is_problem(call(world, operation, key, world.mine), 403, operation)


@named([one for one in GUARDED if one.people_only])
def test_what_is_for_people_is_refused_to_programs(world: World, operation: Operation) -> None:
    is_problem(call(world, operation, world.everything, world.mine), 403, operation)


@named([one for one in GUARDED if any(f"{{{name}}}" in one.path for name in OF_A_FARM)])
def test_anothers_object_is_not_there(world: World, operation: Operation) -> None:
    answer = call(world, operation, world.foreign, world.mine)

    if operation.method == "get":
        is_problem(answer, 404, operation)
    else:
        assert answer.status_code in {404, 422}, answer.text


def test_every_name_in_a_path_is_known_to_be_a_farms_or_nobodys() -> None:
    for one in GUARDED:
        names = set(re.findall(r"{(\w+)}", one.path))
        assert names <= OF_A_FARM | BELOW | ENTERED | OF_NO_FARM, one.path
        assert names & OF_A_FARM or not names & BELOW, one.path


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (
            "irrigation-events",
            {
                "started_at": "2025-06-12T06:00:00+05:00",
                "ended_at": "2025-06-12T18:00:00+05:00",
                "volume_m3": 100,
            },
        ),
        (
            "harvest-loads",
            {"ticket": "A-1", "weighed_at": "2025-09-21T14:30:00+05:00", "net_kg": 8_400},
        ),
        ("adjustments", {"volume_m3": -12.0, "u_volume_m3": 1.5, "reason": "salts"}),
        (
            "water-supplies",
            {"valid_from": "2025-04-01", "source": "canal", "reference": "contract 17"},
        ),
        (
            "investments",
            {
                "made_on": "2024-03-15",
                "purpose": "telemetry",
                "amount_kzt": 1.0,
                "service_life_years": 5,
                "reference": "act 5",
            },
        ),
    ],
)
def test_what_another_entered_is_not_there(world: World, path: str, asked: dict[str, Any]) -> None:
    of = {
        "irrigation-events": {"field_id": world.mine.field},
        "water-supplies": {"field_id": world.mine.field},
        "investments": {"farm": world.mine.slug},
    }.get(path, {"crop_zone_id": world.mine.zone})
    refused = world.api.ask("POST", f"/v1/{path}", key=world.foreign, json=asked | of)
    assert refused.status_code == 404, refused.text
    made = world.api.ask("POST", f"/v1/{path}", key=world.right, json=asked | of)
    assert made.status_code == 201, made.text
    one = f"/v1/{path}/{made.json()['id']}"

    assert world.api.ask("DELETE", one, key=world.foreign).status_code == 404
    assert world.api.ask("DELETE", one, key=world.right).status_code < 300


@named([one for one in GUARDED if one.asks_for("farm") and one.method == "get"])
def test_a_list_of_anothers_farm_is_not_there(world: World, operation: Operation) -> None:
    query = operation.query() | {"farm": world.mine.slug}
    for key, status in ((world.foreign, 404), (world.right, 200)):
        answer = world.api.ask("GET", operation.path, key=key, params=query)
        assert answer.status_code == status, answer.text


@named([one for one in GUARDED if one.method == "get" and one.scope is not None])
def test_nothing_of_anothers_farm_is_in_an_answer(world: World, operation: Operation) -> None:
    if operation.scope == "admin:access":
        is_problem(call(world, operation, world.foreign, world.theirs), 403, operation)
        return
    answer = call(world, operation, world.foreign, world.theirs)

    assert answer.status_code == 200, answer.text
    assert '"mine' not in answer.text


@named([one for one in GUARDED if one.method == "get" and one.scope is not None])
def test_with_the_right_credential_a_question_is_answered(
    world: World, operation: Operation
) -> None:
    key = world.everything if operation.scope == "admin:access" else world.right
    answer = call(world, operation, key, world.mine)

    assert answer.status_code == 200, answer.text


@named([one for one in GUARDED if one.method != "get" and one.scope is not None])
def test_with_the_right_credential_a_write_is_looked_at(world: World, operation: Operation) -> None:
    key = world.everything if operation.scope == "admin:access" else world.right
    answer = call(world, operation, key, world.mine)

    assert answer.status_code not in {401, 403}, answer.text
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in operation.said["responses"], answer.text
    if answer.is_success:
        with world.api.engine.connect() as connection:
            deed = tables.audit_log.c
            asked = sa.select(deed.actor).where(deed.request_id == answer.headers["x-request-id"])
            assert connection.scalars(asked).all(), "a write that nobody wrote down"


HOSTILE = (
    *("-1", "0", str(2**31), str(2**63), "9" * 5_000, "NaN"),
    *("%00", "a%00b", "%FF%FE", "%ED%A0%80", "..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f"),
    *("' OR 1=1 --", "1;DROP TABLE farms", "%25s", "ы" * 300),
)


@named([one for one in GUARDED if "{" in one.path and one.scope is not None])
def test_a_hostile_id_is_the_callers_fault(world: World, operation: Operation) -> None:
    names = [part.partition("}")[0] for part in operation.path.split("{")[1:]]
    good = dict.fromkeys(names)
    for name, value in itertools.product(names, HOSTILE):
        path = operation.path
        for one in good:
            path = path.replace(
                f"{{{one}}}", value if one == name else place(f"{{{one}}}", world.mine)
            )
        answer = world.api.ask(
            operation.method.upper(), path, key=world.everything, params=operation.query()
        )
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
