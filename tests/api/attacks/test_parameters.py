"""Every parameter and header of every operation, with what nobody in good faith would send."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from api.paging import _digest as digest_of
from storage import tables
from tests.api.operations import GUARDED, Operation, World, named, place, some

SCOPED = [one for one in GUARDED if one.scope is not None]
# Percent-encoded where a client would have to: they are sent as they stand.
TEXTS = (
    *("", "%00", "a%00b", "%ED%A0%80", "%FF", "..%2F..%2Fetc%2Fpasswd", "%0d%0aX:%20y"),
    *("'%20OR%201=1%20--", "1;DROP%20TABLE%20farms", "%25s%25n", "%F0%9F%8C%BE", "x" * 5_000),
)
NUMBERS = ("-1", str(2**63), "9" * 5_000, "1e400", "NaN", "0x10", "١٢")
HEADERS = {
    "If-Match": ('"', "*", '"x", W/"y"', "x" * 20_000, "\xff\xfe"),
    "If-None-Match": ('"', "*", ",,,", "x" * 20_000, "\xff"),
    "Idempotency-Key": ("", "' OR 1=1 --", "\xff\xfe", "x" * 201, "x" * 20_000),
    "Last-Event-ID": ("", "1-1", "9" * 90 + "-1", "-1--1", "\xff", "x" * 20_000),
    "Accept": ("", ";;;", "text/html", "*/*;q=nan", "x/y," * 2_000, "\xff"),
    "Accept-Language": ("", ";;q=", "kk;q=nan", "x," * 5_000, "\xff"),
    "Cookie": ("dala_session", "dala_session=" + "%00" * 20, "=;;=", "a=" + "b" * 20_000),
    "X-Forwarded-For": ("127.0.0.1", "' OR 1=1", "\xff"),
    "Content-Length": ("-1", "x"),
    "Range": ("bytes=0-0", "bytes=-1"),
}


def ask(world: World, operation: Operation, query: str, **headers: str) -> httpx.Response:
    key = world.everything if operation.scope == "admin:access" else world.right
    path = place(operation.path, world.mine)
    more: dict[str, Any] = operation.body()
    given = more.pop("headers", {}) | headers
    raw = {name: value.encode("latin-1") for name, value in given.items()}
    return world.api.ask(
        operation.method.upper(),
        f"{path}?{query}" if query else path,
        key=key,
        headers=raw,
        **more,
    )


def is_told(answer: httpx.Response, operation: Operation, *what: object) -> None:
    assert answer.status_code < 500, (*what, answer.text)
    assert str(answer.status_code) in operation.said["responses"], (*what, answer.text)
    if answer.status_code >= 400:
        kind = answer.headers["content-type"]
        assert kind == "application/problem+json", what


def joined(query: dict[str, str]) -> str:
    return str(httpx.QueryParams(query))


def is_text(said: dict[str, Any]) -> bool:
    schemas = [said["schema"], *said["schema"].get("anyOf", [])]
    return any(one.get("type") == "string" and "enum" not in one for one in schemas)


@named([one for one in SCOPED if one.parameters("query")])
def test_a_hostile_parameter_is_never_our_fault(world: World, operation: Operation) -> None:
    usual = operation.query()
    for said in operation.parameters("query"):
        name = said["name"]
        if name == "seconds":
            continue  # of a stream: how long it lasts
        rest = joined({key: value for key, value in usual.items() if key != name})
        for value in some(TEXTS if is_text(said) else NUMBERS, (operation.path, name)):
            is_told(ask(world, operation, f"{rest}&{name}={value}"), operation, name, value)


@named([one for one in SCOPED if one.parameters("query")])
def test_a_parameter_that_stands_twice_is_never_our_fault(
    world: World, operation: Operation
) -> None:
    usual = joined(operation.query())
    for said in operation.parameters("query"):
        if (name := said["name"]) != "seconds":
            query = f"{usual}&{name}=1&{name}={'x' * 20}&{name}="
            is_told(ask(world, operation, query), operation, name)


@named(SCOPED)
def test_a_hostile_header_is_never_our_fault(world: World, operation: Operation) -> None:
    own = {said["name"] for said in operation.parameters("header")}
    query = joined(operation.query())
    for name in own | {"Accept", "Content-Length"}:
        header = next(one for one in HEADERS if one.lower() == name.replace("_", "-").lower())
        for value in some(HEADERS[header], (operation.path, name), 2):
            answer = ask(world, operation, query, **{header: value})
            is_told(answer, operation, header, value[:50])


def test_headers_that_any_request_may_have_are_never_our_fault(world: World) -> None:
    for operation in (one for one in SCOPED if one.path in {"/v1/farms", "/v1/crop-zones"}):
        for name, values in HEADERS.items():
            for value in values:
                answer = ask(world, operation, "", **{name: value})
                is_told(answer, operation, name, value[:50])


def test_every_header_of_the_document_is_tried() -> None:
    tried = {name.lower() for name in HEADERS}

    said = {one["name"] for operation in SCOPED for one in operation.parameters("header")}
    assert {name.replace("_", "-").lower() for name in said} <= tried


@named([one for one in SCOPED if one.asks_for("cursor")])
def test_a_forged_cursor_reads_nothing_that_is_not_ones_own(
    world: World, operation: Operation
) -> None:
    """Its digest is no secret: whoever reads the source can make one for any row."""
    import base64
    import json

    from starlette.requests import Request

    key = world.everything if operation.scope == "admin:access" else world.right
    usual = operation.query()
    forged: list[Any] = ["", "\ud800", "a\x00b", "foe", -1, 0, 2**63, 2**200, 1e400, None, True]
    kinds = [*([one] for one in forged), [1, 2], [], [[]], {"a": 1}]
    for values in some(kinds, operation.path, 8):
        text = json.dumps(values).encode()
        scope = {
            "type": "http",
            "path": operation.path.format(farm=world.mine.slug),
            "query_string": joined(usual).encode(),
            "headers": [(b"host", b"test")],
            "scheme": "http",
            "server": ("test", 80),
            "root_path": "",
        }
        cursor = base64.urlsafe_b64encode(digest_of(Request(scope), text) + text).decode()
        answer = world.api.ask(
            "GET",
            place(operation.path, world.mine),
            key=key,
            params=usual | {"cursor": cursor.rstrip("=")},
        )
        is_told(answer, operation, values)
        if any(type(one) is int and abs(one) >= 2**63 for one in values):
            assert (
                answer.json()["type"] == "urn:dala:problem:cursor"
            )  # and no log of the database's
        if operation.scope != "admin:access":
            assert "foe" not in answer.text


def test_a_long_query_is_no_fault_and_is_kept_short_in_the_book(world: World) -> None:
    many = "&".join(f"x{number}=y" for number in range(5_000))
    answer = world.api.ask("GET", f"/v1/farms?{many}", key=world.right)

    assert answer.status_code == 200


def test_whatever_was_sent_the_farms_are_there(world: World) -> None:
    with world.api.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.farms)) == 2


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
