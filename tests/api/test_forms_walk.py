"""Every answer of the OpenAPI document: who has it is told so, and a list is a table as well."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet
import pytest
import sqlalchemy as sa

from tests.api.operations import (
    GUARDED,
    Operation,
    World,
    named,
    opened,
    place,
)

JSON = "application/json"
# Of one thing, which is no table; another one is for its author to name here.
ONE_THING = {
    "/v1/accounts/{login}",
    "/v1/alerts/{alert_id}",
    "/v1/clients/{name}",
    "/v1/crop-zones/{crop_zone_id}",
    "/v1/devices/{device_id}",
    "/v1/devices/{device_id}/configuration",
    "/v1/evidence/consistency",
    "/v1/evidence/heads/newest",
    "/v1/evidence/heads/{size}",
    "/v1/farms/{farm}",
    "/v1/farms/{farm}/alert-rules",
    "/v1/fields/{field_id}",
    "/v1/reports/{number}/difference",
}
ANSWERS = [
    one
    for one in GUARDED
    if one.method == "get"
    and one.scope is not None
    and JSON in one.said["responses"]["200"].get("content", {})
]
TABLES: dict[str, tuple[str, Callable[[bytes], int] | None]] = {
    "csv": ("text/csv", lambda body: len(list(csv.reader(io.StringIO(body.decode())))) - 1),
    "arrow": (
        "application/vnd.apache.arrow.stream",
        lambda body: pa.ipc.open_stream(body).read_all().num_rows,
    ),
    "parquet": (
        "application/vnd.apache.parquet",
        lambda body: pyarrow.parquet.read_table(io.BytesIO(body)).num_rows,
    ),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", None),
}


def said(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = operation.said["responses"]["200"]["content"]
    return found


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    with opened(engine) as made:
        yield made


def ask(world: World, operation: Operation, form: str = "json", **headers: str) -> httpx.Response:
    key = world.everything if operation.scope == "admin:access" else world.right
    # Of a day that is over: what is asked of today is another answer a moment later.
    over = {"day": "2025-06-02"} if operation.asks_for("day") else {}
    return world.api.ask(
        "GET",
        place(operation.path, world.mine),
        key=key,
        params=operation.query() | over | {"format": form},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@named(ANSWERS)
def test_who_has_an_answer_is_told_so(world: World, operation: Operation) -> None:
    answer = ask(world, operation)
    tag = answer.headers["etag"]
    assert re.fullmatch(r'"[!#-~]+"', tag), "strong (RFC 9110, 8.8.3)"
    assert answer.headers["cache-control"] == "private, no-cache"

    again = ask(world, operation, If_None_Match=f'"other", W/{tag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask(world, operation, If_None_Match='"other"').status_code == 200
    assert "304" in operation.said["responses"]


def test_what_is_no_table_is_named_here() -> None:
    alone = {one.path for one in ANSWERS if "text/csv" not in said(one)}
    assert alone <= ONE_THING


@named([one for one in ANSWERS if "text/csv" in said(one)])
def test_what_has_rows_is_a_table_of_as_many(world: World, operation: Operation) -> None:
    plain = ask(world, operation).json()
    counts = set()
    for form, (kind, count) in TABLES.items():
        if kind not in said(operation):  # a report's figures have no sheet
            assert (operation.path, form) == ("/v1/reports/{number}", "xlsx")
            continue
        answer = ask(world, operation, form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert answer.headers["content-disposition"].startswith("attachment")
        if count is None:
            assert answer.content.startswith(b"PK")
        else:
            counts.add(count(answer.content))
    assert len(counts) == 1
    if isinstance(plain, list):
        assert counts == {len(plain)}


@named([one for one in ANSWERS if "application/geo+json" in said(one)])
def test_what_has_places_is_geojson(world: World, operation: Operation) -> None:
    answer = ask(world, operation, "geojson")

    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["type"] in {"FeatureCollection", "Feature"}


CHANGES = [
    one
    for one in GUARDED
    if one.method in {"patch", "put"} and any(one.path == read.path for read in ANSWERS)
]


@named(CHANGES)
def test_what_was_changed_meanwhile_is_not_changed_over(world: World, operation: Operation) -> None:
    (read,) = [one for one in ANSWERS if one.path == operation.path]
    tag = ask(world, read).headers["etag"]

    def change(known: str) -> httpx.Response:
        return world.api.ask(
            operation.method.upper(),
            place(operation.path, world.mine),
            key=world.everything,
            headers={"If-Match": known},
            **({"json": {}} if operation.method == "patch" else operation.body()),
        )

    refused = change('"another"')
    assert (refused.status_code, refused.json()["type"]) == (
        412,
        "urn:dala:problem:changed-meanwhile",
    )
    assert change(tag).status_code != 412
