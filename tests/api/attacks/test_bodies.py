"""Bodies of every write: hostile texts and numbers, what is not asked for, too much, too slowly."""

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from api import bodies
from storage import tables
from tests.api.asking import Api
from tests.api.operations import ALL, DOCUMENT, GUARDED, Operation, World, named, place, some

JSON = "application/json"


def content_of(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = operation.said.get("requestBody", {}).get("content", {})
    return found


WRITES = [one for one in ALL if content_of(one)]
OF_JSON = [one for one in GUARDED if one.scope is not None and JSON in content_of(one)]
TEXTS = (
    *(
        "",
        "\x00",
        "\ud800",
        "' OR 1=1 --",
        "'); DROP TABLE farms; --",
        "%s%n{0}",
        "../../etc/passwd",
    ),
    *("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u202e\u0000", "🌾", "x" * 100_000),
)
NUMBERS = ("1e400", "-1e400", "NaN", "-1", str(2**63), "9" * 400, "1e-320", "true", '"1"', "[]")
EXTRA = {
    "id": 1,
    "farm_id": 1,
    "created_by": "somebody",
    "author": "somebody",
    "everything": True,
    "role": "administrator",
    "scopes": ["admin:access"],
    "withdrawn_at": None,
    "area_source": "geodesic",
    "__proto__": {},
}


def key_for(world: World, operation: Operation) -> str:
    return world.everything if operation.scope == "admin:access" else world.right


def send(world: World, operation: Operation, content: bytes, **headers: str) -> httpx.Response:
    return world.api.ask(
        operation.method.upper(),
        place(operation.path, world.mine),
        key=key_for(world, operation),
        params=operation.query(),
        content=content,
        headers={"Content-Type": JSON} | headers,
    )


def is_told(answer: httpx.Response, operation: Operation, *what: object) -> None:
    assert answer.status_code < 500, (*what, answer.text)
    assert str(answer.status_code) in operation.said["responses"], (*what, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", what
        assert len(answer.content) < 50_000, what


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for place_, one in enumerate(value[:1]):
            yield from leaves(one, (*path, place_))
    else:
        yield path, value


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        yield path
        for key, one in value.items():
            yield from objects(one, (*path, key))
    elif isinstance(value, list):
        for place_, one in enumerate(value[:1]):
            yield from objects(one, (*path, place_))


def within(body: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        body = body[key]
    return body


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(body)
    if not path:
        return value
    within(made, path[:-1])[path[-1]] = value
    return made


@named(OF_JSON)
def test_a_hostile_text_is_stored_or_refused_and_nothing_else(
    world: World, operation: Operation
) -> None:
    body = operation.body()["json"]
    for path, value in leaves(body):
        if isinstance(value, str):
            for text in some(TEXTS, (operation.path, path)):
                sent = json.dumps(replaced(body, path, text)).encode()
                is_told(send(world, operation, sent), operation, path, text[:40])


@named(OF_JSON)
def test_a_hostile_number_is_stored_or_refused_and_nothing_else(
    world: World, operation: Operation
) -> None:
    body = operation.body()["json"]
    for path, value in leaves(body):
        if isinstance(value, (int, float)):
            for number in some(NUMBERS, (operation.path, path)):
                sent = json.dumps(replaced(body, path, "@@")).replace('"@@"', number).encode()
                is_told(send(world, operation, sent), operation, path, number)


@named(OF_JSON)
def test_a_name_that_is_no_text_is_refused_and_told(world: World, operation: Operation) -> None:
    body = operation.body()["json"]
    for path in objects(body):
        for name in ("\ud800", "x" * 50_000):
            sent = copy.deepcopy(body)
            within(sent, path)[name] = 1
            is_told(send(world, operation, json.dumps(sent).encode()), operation, path, name[:9])


@named(OF_JSON)
def test_what_is_not_asked_for_is_refused_and_not_passed_over(
    world: World, operation: Operation
) -> None:
    schema = content_of(operation)[JSON]["schema"]
    if "$ref" not in schema:
        return  # GeoJSON, which has members of its own
    known = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    extra = {name: one for name, one in EXTRA.items() if name not in known["properties"]}
    body = operation.body()["json"] | extra

    answer = send(world, operation, json.dumps(body).encode())

    assert answer.status_code == 422, answer.text
    told = {one["where"].removeprefix("body.") for one in answer.json()["errors"]}
    assert set(extra) <= told


@named(OF_JSON)
def test_what_is_nested_too_deeply_is_refused(world: World, operation: Operation) -> None:
    body = operation.body()["json"]
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        for depth in some((100, 500, 900, 990, 100_000), (operation.path, opening), 2):
            nested = opening * depth + ("1" if closing == "}" else "") + closing * depth
            for path in objects(body):
                sent = json.dumps(replaced(body, path, "@@")).replace('"@@"', nested)
                is_told(send(world, operation, sent.encode()), operation, path, depth)


# --- too much, too slowly, something else ---------------------------------------------------------


@named(WRITES)
def test_a_body_of_more_than_ten_megabytes_is_refused(world: World, operation: Operation) -> None:
    kind = next(iter(content_of(operation)))
    answer = send(world, operation, b" " * (10 * 2**20 + 1), **{"Content-Type": kind})

    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:dala:problem:too-large"


def many_names(room: int) -> bytes:
    """As many names that nobody knows as there is room for."""
    made = b",".join(b'"%x":1' % number for number in range(room // 9))
    return b"{" + made[: room - 10].rpartition(b",")[0] + b"}"


NAMES = many_names(bodies.OF_JSON)


@named(OF_JSON)
def test_names_that_nobody_knows_keep_nobody_waiting(world: World, operation: Operation) -> None:
    """Both are answered before each name is looked up, and said: that took seconds of the loop."""
    begun = time.thread_time()
    beyond = send(world, operation, NAMES * 9)
    if operation.said["operationId"] not in bodies.WITH_A_BOUNDARY:
        assert (beyond.status_code, len(NAMES) <= bodies.OF_JSON) == (413, True)
    answer = send(world, operation, NAMES)
    took_s = time.thread_time() - begun

    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:dala:problem:invalid-parameter",
    )
    assert "at most 2000 names" in answer.json()["detail"]
    assert took_s < 0.5


@pytest.mark.parametrize("within", ["rules", "parameters"])
def test_names_within_names_are_counted_too(world: World, within: str) -> None:
    many = json.dumps({f"x{number}": number for number in range(2_100)})
    body = f'{{"rules": {many}}}' if within == "rules" else f'{{"rules": {{"frost": {many}}}}}'
    (operation,) = [one for one in OF_JSON if one.said["operationId"] == "put_alert_rules"]

    answer = send(world, operation, body.encode())

    assert "at most 2000 names" in answer.json()["detail"]


def test_a_boundary_of_fifty_thousand_points_has_room(world: World) -> None:
    ring = [[68.0 + number / 1e5 + 1 / 3e6, 43.0 + 1 / 3e6] for number in range(50_001)]
    body = json.dumps({"type": "Polygon", "coordinates": [ring]}, indent=1).encode()
    (operation,) = [one for one in OF_JSON if one.said["operationId"] == "change_boundary"]
    assert 2 * bodies.OF_JSON < len(body) < bodies.OF_A_BOUNDARY

    answer = send(world, operation, body)

    assert "may have 50,000" in answer.json()["detail"]


@named([one for one in ALL if one.method == "delete"])
def test_what_asks_for_no_body_takes_hardly_any(world: World, operation: Operation) -> None:
    answer = send(world, operation, b" " * (bodies.SMALL + 1))

    assert answer.status_code == 413, answer.text


@named([one for one in WRITES if one.said["security"] == [{}]])
def test_strangers_send_little(world: World, operation: Operation) -> None:
    """What is read before anybody has said who they are costs whoever sends it more than us."""
    kind = next(iter(content_of(operation)))
    answer = send(world, operation, b" " * 70_000, **{"Content-Type": kind})

    assert answer.status_code == 413
    assert answer.json()["detail"] == "A body has at most 65536 bytes here."


@named([one for one in WRITES if JSON in content_of(one)])
def test_a_body_that_is_wrong_in_many_ways_is_answered_in_few_words(
    world: World, operation: Operation
) -> None:
    many = json.dumps({f"x{number}": number for number in range(4_000)}).encode()

    is_told(send(world, operation, many), operation)


@named(WRITES)
def test_a_body_that_does_not_come_is_not_waited_for(world: World, operation: Operation) -> None:
    api = Api(world.api.engine, body_s=0.02)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = api.ask(
        operation.method.upper(),
        place(operation.path, world.mine),
        key=key_for(world, operation),
        params=operation.query(),
        content=slow(),
        headers={"Content-Type": next(iter(content_of(operation)))},
    )

    assert answer.status_code == 408
    assert answer.json()["type"] == "urn:dala:problem:too-slow"


@named(WRITES)
def test_who_sends_slowly_holds_no_connection(world: World, operation: Operation) -> None:
    pool, held = world.api.engine.pool, []
    assert isinstance(pool, sa.pool.QueuePool)
    before = pool.checkedout()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.02)
        held.append(pool.checkedout() - before)
        yield b"}"

    answer = world.api.ask(
        operation.method.upper(),
        place(operation.path, world.mine),
        key=key_for(world, operation),
        params=operation.query(),
        content=slow(),
        headers={"Content-Type": next(iter(content_of(operation)))},
    )

    assert answer.status_code < 500
    assert held == [0]


@named(WRITES)
def test_a_body_of_another_kind_is_the_callers_fault(world: World, operation: Operation) -> None:
    body = json.dumps(operation.body().get("json", {})).encode()
    kinds = ("", "text/xml", "multipart/form-data", "application/json; charset=utf-16", "x/y;;=")
    for kind in some(kinds, operation.path, 2):
        answer = send(world, operation, body, **{"Content-Type": kind})
        is_told(answer, operation, kind)


def test_whatever_was_sent_the_farms_are_there(world: World) -> None:
    with world.api.engine.connect() as connection:
        slugs = connection.scalars(sa.select(tables.farms.c.slug)).all()
    assert {"mine", "foe"} <= set(slugs)
