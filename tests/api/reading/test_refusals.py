"""Bad requests are the caller's fault, strangers are turned away, a service says if it is ready."""

import itertools
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa

from storage.database import make_engine
from tests.api.reading.farms import answers_json, is_problem, operations, serving

# --- bad requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("farms/nowhere/summary", "farm 'nowhere'"),
        ("farms/nowhere/fields", "farm 'nowhere'"),
        ("devices?farm=nowhere", "farm 'nowhere'"),
        ("regions/KZ-00/summary?season=2025", "region 'KZ-00'"),
        ("fields/999999/water-balance?season=2025", "field 999999"),
        ("fields/999999/yield-map?season=2025", "field 999999"),
        ("farms/nowhere/work", "farm 'nowhere'"),
        (
            "devices/nowhere/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
            "device 'nowhere'",
        ),
        (
            "datastreams/999999/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
            "datastream 999999",
        ),
    ],
)
def test_what_does_not_exist_is_named(client: httpx.Client, path: str, subject: str) -> None:
    assert is_problem(client.get(f"/v1/{path}"), 404)["detail"] == f"There is no {subject}."


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("farms/hand/summary?season=1066", "query.season"),
        ("farms/hand/summary?season=wheat", "query.season"),
        ("farms/hand/summary?as_of=2025-06-01T00:00:00", "query.as_of"),  # whose noon?
        ("farms/hand/summary?as_of=0001-01-01T00:00:00%2B14:00", "query.as_of"),
        ("farms/hand/summary?as_of=9999-12-31T23:59:59-14:00", "query.as_of"),
        ("regions/KZ-62/summary", "query.season"),
        ("farms/hand/work?start=2025-13-01&end=2025-06-01", "query.start"),
        ("farms/hand/work?start=2025-06-01&end=9999-12-31", "query.end"),
        ("farms/hand/work?livestock_units=0", "query.livestock_units"),
        ("devices/heard/track?end=2025-06-02T00:00:00Z", "query.start"),
        ("fields/1/yield-map", "query.season"),
        ("fields/1/yield-map?season=2025&cell_m=4.9", "query.cell_m"),
        ("fields/1/yield-map?season=2025&cell_m=101", "query.cell_m"),
        ("farms?limit=0", "query.limit"),
        ("farms?limit=1001", "query.limit"),
        ("datastreams/1/readings?end=2025-06-02T00:00:00Z", "query.start"),
        ("datastreams/1/readings?start=x&end=2025-06-02T00:00:00Z", "query.start"),
        (
            "datastreams/1/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z"
            "&resolution=week",
            "query.resolution",
        ),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    client: httpx.Client, path: str, where: str
) -> None:
    body = is_problem(client.get(f"/v1/{path}"), 422)

    assert where in [one["where"] for one in body["errors"]]
    assert where in body["detail"]


NUMBERS = ("-1", "0", "1.5", str(2**31), str(2**63), "9" * 5_000, "1e400", "NaN")
HOSTILE = (
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "' OR 1=1 --",
    "1;DROP TABLE farms",
    "%25s",
    "{0}",
    "ы" * 300,
)
NUMBERED = (
    "fields/{}/water-balance?season=2025",
    "fields/{}/yield-map?season=2025",
    "datastreams/{}/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
)
PATHS = (
    "farms/{}/summary",
    "farms/{}/fields",
    "farms/{}/work",
    "regions/{}/summary?season=2025",
    "devices/{}/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
    *NUMBERED,
)


@pytest.mark.parametrize("path", PATHS)
def test_a_hostile_id_is_the_callers_fault(client: httpx.Client, path: str) -> None:
    for value in NUMBERS + HOSTILE:
        answer = client.get(f"/v1/{path.format(value)}")
        assert answer.status_code in {404, 422}, value
        is_problem(answer, answer.status_code)
    assert client.get("/v1/farms/hand/summary").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "farms?cursor={}",
        "farms?region={}",
        "farms?limit={}",
        "devices?cursor={}",
        "devices?farm={}",
        "farms/hand/summary?season={}",
        "farms/hand/summary?as_of={}",
        "farms/hand/work?start={}&end=2025-06-02",
        "farms/hand/work?as_of={}",
        "farms/hand/work?livestock_units={}",
        "devices/heard/track?start={}&end=2025-06-02T00:00:00Z",
        "devices/heard/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z&format={}",
        "fields/1/yield-map?season=2025&cell_m={}",
        "datastreams/1/readings?start={}&end=2025-06-02T00:00:00Z",
    ],
)
def test_a_hostile_parameter_is_never_our_fault(client: httpx.Client, path: str) -> None:
    for value in NUMBERS + HOSTILE:
        answer = client.get(f"/v1/{path.format(value)}")
        assert answer.status_code < 500, value
        if answer.status_code != 200:
            is_problem(answer, answer.status_code)


@pytest.mark.parametrize("path", NUMBERED)
def test_an_id_larger_than_the_databases_does_not_reach_it(
    seeded: sa.Engine, client: httpx.Client, path: str
) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:  # every transaction says for whom it is
            asked.append(statement)

    sa.event.listen(seeded, "before_cursor_execute", note)
    try:
        answers = [client.get(f"/v1/{path.format(value)}") for value in (2**63, -1, 0)]
    finally:
        sa.event.remove(seeded, "before_cursor_execute", note)

    assert [answer.status_code for answer in answers] == [422] * 3
    assert asked == []


def test_other_methods_and_paths_are_problems_too(client: httpx.Client) -> None:
    is_problem(client.get("/v1/nothing-here"), 404)
    is_problem(client.delete("/v1/farms"), 405)


# --- who may ask, and whether we can answer -------------------------------------------------------


def test_with_a_token_set_only_its_holder_is_answered(seeded: sa.Engine) -> None:
    often = {"sign_in_rate_per_minute": 1_000_000}
    with serving(seeded, api_token="open-sesame", api_open=False, **often) as client:
        check_guard(client)


def needed(operation: dict[str, Any]) -> str:
    """The query without which it answers nothing, of the document's own examples."""
    parameters = [
        one for one in operation.get("parameters", []) if one["in"] == "query" and one["required"]
    ]
    asked = {one["name"]: one["schema"]["examples"][0] for one in parameters}
    return f"?{urlencode(asked)}" if asked else ""


def check_guard(client: httpx.Client) -> None:
    document = client.get("/v1/openapi.json").json()
    guarded = [
        path + needed(operation)
        for path, operation in operations(document)
        if "{" not in path and answers_json(operation)  # a stream does not end
    ]
    assert guarded

    for path, sent in itertools.product(
        guarded, ("", "Bearer wrong", "Bearer", "Basic open-sesame", "Bearer open-sesame")
    ):
        answer = client.get(path, headers={"Authorization": sent} if sent else {})
        if sent == "Bearer open-sesame":
            assert answer.status_code == 200
        else:
            is_problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/farms", headers={"Authorization": "bearer open-sesame"}).is_success
    assert client.get("/v1/healthz").json() == {"status": "ok"}
    assert client.get("/v1/readyz").status_code == 200


def test_a_stranger_is_turned_away_before_the_database_is_asked() -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:1/none")

    with serving(away, api_open=False) as client:
        is_problem(client.get("/v1/farms/hand/summary"), 401)


def test_without_a_database_the_service_lives_and_says_that_it_is_not_ready() -> None:
    away = make_engine("postgresql://nobody:secret@127.0.0.1:1/none")

    with serving(away) as client:
        assert client.get("/v1/healthz").status_code == 200
        for path in ("readyz", "farms", "farms/hand/summary"):
            answer = client.get(f"/v1/{path}")
            is_problem(answer, 503)
            assert answer.headers["retry-after"] == "5"
            assert "secret" not in answer.text


def test_a_database_without_tables_is_not_ready(engine: sa.Engine) -> None:
    url = engine.url.set(database="dala_empty_test")
    outside = engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {url.database}"))
    empty = make_engine(url.render_as_string(hide_password=False))
    try:
        with serving(empty) as client:
            assert "dala migrate" in is_problem(client.get("/v1/readyz"), 503)["detail"]
    finally:
        empty.dispose()
        with outside.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {url.database}"))
