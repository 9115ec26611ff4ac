"""What surrounds every request: ids, headers, bounds of bodies, limits, and routes for nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog
from fastapi import APIRouter
from structlog.testing import capture_logs

from api import app as application
from api.app import make_app
from api.security.guard import Door, needs
from storage.database import make_engine
from tests.api.asking import Api, put_key

NOBODY = "postgresql://nobody@127.0.0.1:1/none"  # never connected to


@pytest.fixture
def api() -> Api:
    return Api(make_engine(NOBODY), body_bytes=1_000, body_s=0.2)


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:dala:problem:{kind}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def test_a_request_keeps_the_id_that_it_brings(api: Api) -> None:
    given = api.ask("GET", "/v1/healthz", headers={"X-Request-ID": "trace-7.b_1"})
    made = api.ask("GET", "/v1/healthz")

    assert given.headers["x-request-id"] == "trace-7.b_1"
    assert len(made.headers["x-request-id"]) == 32


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, '"><script>', "line\tbreak"])
def test_an_id_that_would_harm_a_log_is_replaced(api: Api, given: str) -> None:
    answer = api.ask("GET", "/v1/healthz", headers={"X-Request-ID": given})

    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/v1/healthz", "/v1/farms", "/nowhere", "/v1/openapi.json"])
def test_every_answer_tells_browsers_to_be_careful(api: Api, path: str) -> None:
    headers = api.ask("GET", path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers  # nothing here is reached over TLS
    assert "access-control-allow-origin" not in headers


def test_a_fault_of_ours_is_told_with_its_request_and_without_its_reason(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Door, _request: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(Door, "ask", broken)
    with capture_logs([structlog.contextvars.merge_contextvars]) as said:
        answer = api.ask("GET", "/v1/farms", headers={"X-Request-ID": "seven"})

    assert [(one["event"], one["request_id"]) for one in said] == [("unexpected error", "seven")]
    assert "secret" not in answer.text
    assert is_problem(answer, 500, "our-fault")["request_id"] == "seven"


# --- bodies ---------------------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_large_is_not_read(api: Api) -> None:
    body = json.dumps({"login": "x" * 2_000, "password": "y"})
    answer = api.ask("POST", "/v1/session", content=body)

    is_problem(answer, 413, "too-large")
    assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(api: Api) -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            taken.append(100)
            yield b" " * 100

    answer = api.ask("POST", "/v1/session", content=endless())

    is_problem(answer, 413, "too-large")
    assert sum(taken) <= 1_200


def test_a_body_that_does_not_come_is_not_waited_for(api: Api) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    is_problem(api.ask("POST", "/v1/session", content=slow()), 408, "too-slow")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b'{"login": 1}', b"\xff\xfe", b"[" * 900]
)
def test_a_body_that_is_not_what_is_asked_for_is_said_to_be(api: Api, body: bytes) -> None:
    answer = api.ask(
        "POST", "/v1/session", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


# --- limits ---------------------------------------------------------------------------------------


def test_each_credential_has_its_own_quota_and_hears_what_is_left(
    empty_engine: sa.Engine,
) -> None:
    api = Api(empty_engine, api_rate_per_minute=2)
    one, other = put_key(empty_engine, "one"), put_key(empty_engine, "other")

    answers = [api.ask("GET", "/v1/farms", key=one) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        "r=1",
        "r=0",
        "r=0",
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=2;w=60'}
    is_problem(answers[2], 429, "too-many-requests")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert api.ask("GET", "/v1/farms", key=other).status_code == 200


def test_wrong_credentials_are_few_a_minute(empty_engine: sa.Engine) -> None:
    api = Api(empty_engine, sign_in_rate_per_minute=2)

    answers = [api.ask("GET", "/v1/farms", key=f"dala_key_{n}") for n in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


# --- pages elsewhere ------------------------------------------------------------------------------


def test_a_page_elsewhere_may_ask_only_where_it_is_named() -> None:
    api = Api(make_engine(NOBODY), cors_origins=["https://page.example"])

    def allowed(origin: str) -> str | None:
        answer = api.ask("GET", "/v1/healthz", headers={"Origin": origin})
        return answer.headers.get("access-control-allow-origin")

    assert allowed("https://page.example") == "https://page.example"
    assert allowed("https://elsewhere.example") is None


# --- routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dependencies", [[], [needs("read:farms"), needs("write:farms")]])
def test_a_route_that_does_not_say_whom_it_is_for_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, dependencies: list[Any]
) -> None:
    forgotten = APIRouter()

    @forgotten.get("/forgotten", dependencies=dependencies)
    def forget() -> None: ...

    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, forgotten))

    with pytest.raises(RuntimeError, match="/v1/forgotten"):
        make_app(make_engine(NOBODY))


def test_a_scope_that_there_is_not_is_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="no scope 'read:everything'"):
        needs("read:everything")


def test_the_service_is_not_ready_where_its_role_reads_tables(empty_engine: sa.Engine) -> None:
    api = Api(empty_engine)
    assert api.ask("GET", "/v1/readyz").status_code == 200
    with empty_engine.begin() as connection:
        connection.execute(sa.text("GRANT SELECT ON farms TO dala_api"))
    try:
        answer = api.ask("GET", "/v1/readyz")
    finally:
        with empty_engine.begin() as connection:
            connection.execute(sa.text("REVOKE SELECT ON farms FROM dala_api"))

    assert "reads farms past the views" in is_problem(answer, 503, "not-ready-to-answer")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("OPTIONS", "/v1/farms", 405, "GET, HEAD, POST"),
        ("DELETE", "/v1/farms/mine", 405, "GET, HEAD, PATCH"),
        ("HEAD", "/v1/events", 405, "GET"),
        ("GET", "/v1/oauth/token", 405, "POST"),
        ("GET", "/v1/nowhere", 404, None),
    ],
)
def test_what_an_address_takes_is_said_of_all_its_routes(
    api: Api, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = api.ask(method, path)

    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    if method != "HEAD":
        words = answer.json()["detail"]
        assert (f"At this address there is {allow}." if allow else "openapi.json") in words


def test_a_head_is_the_answer_without_its_body(api: Api) -> None:
    whole, head = (api.ask(method, "/v1/openapi.json") for method in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert api.ask("HEAD", "/v1/farms").status_code == 401
