"""Every operation of the OpenAPI document, and how it is asked in a world of two farms."""

import datetime as dt
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
import pytest
import sqlalchemy as sa

from api.app import make_app
from storage import tables
from tests.api.asking import Api, put_account, put_key
from tests.api.harvested_land import correct, harvest
from tests.two_farms import KEY, Land, put_land

T = TypeVar("T")

# Whoever may call these proves nothing; another one is for its author to name here.
FOR_ANYBODY = {
    ("get", "/v1/healthz"),
    ("get", "/v1/readyz"),
    ("post", "/v1/session"),
    ("post", "/v1/session/password"),
    ("get", "/v1/session/oidc"),
    ("get", "/v1/session/oidc/callback"),
    ("post", "/v1/oauth/token"),
    ("get", "/v1/reports/keys"),
}
QUERY = {
    "season": "2025",
    "start": "2025-06-01T00:00:00Z",
    "end": "2025-06-03T00:00:00Z",
    "day": "2025-06-02",
    "seconds": "0",  # a stream that ends when it has told what there is
}


class Operation(NamedTuple):
    """A method on a path, and what the document says of it."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def scope(self) -> str | None:
        found: str | None = self.said.get("x-scope")
        return found

    @property
    def people_only(self) -> bool:
        return bool(self.said["security"] == [{"session": []}])

    def parameters(self, place: str) -> list[dict[str, Any]]:
        """Those of the query, the headers or the path."""
        return [one for one in self.said.get("parameters", []) if one["in"] == place]

    def asks_for(self, name: str) -> bool:
        """Whether the query may hold it."""
        return any(one["name"] == name for one in self.parameters("query"))

    def body(self) -> dict[str, Any]:
        """What to send: made of the examples of the schema."""
        content = self.said.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            return {"json": example(content["application/json"]["schema"])}
        if "application/x-www-form-urlencoded" in content:
            return {"data": example(content["application/x-www-form-urlencoded"]["schema"])}
        return (
            {"content": b"x", "headers": {"Content-Type": next(iter(content))}} if content else {}
        )

    def query(self) -> dict[str, str]:
        return {
            one["name"]: QUERY.get(one["name"]) or str(example(one | one["schema"]))
            for one in self.parameters("query")
            if one["required"] or one["name"] in {"start", "end", "seconds"}
        }


def example(schema: Any) -> Any:
    """A value that a schema describes: its example, or the least that it takes."""
    if "$ref" in schema:
        return example(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return example(schema[name][0])
    given = [schema[name] for name in ("const", "default") if name in schema]
    given += [schema[name][0] for name in ("examples", "enum") if schema.get(name)]
    return given[0] if given else least(schema)


def least(schema: Any) -> Any:
    """A small value of the type."""
    smallest = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    known, needed = schema.get("properties", {}), schema.get("required", [])
    return {
        "object": {
            name: example(part)
            for name, part in known.items()
            if name in needed or "examples" in part
        },
        "array": [example(schema["items"])] * schema.get("minItems", 0)
        if "items" in schema
        else [],
        "integer": smallest,
        "number": smallest,
        "boolean": False,
        "string": "x" * 12,
    }.get(schema.get("type", ""))


# The database is never connected to.
DOCUMENT = make_app(sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")).openapi()
ALL = [
    Operation(method, path, said)
    for path, item in DOCUMENT["paths"].items()
    for method, said in item.items()
]
GUARDED = [one for one in ALL if (one.method, one.path) not in FOR_ANYBODY]


def some(values: Sequence[T], subject: object, count: int = 4) -> list[T]:
    """A few of many values, others for each subject: together all are tried, in less time."""
    first = zlib.crc32(repr(subject).encode())
    return [values[(first + number) % len(values)] for number in range(min(count, len(values)))]


def named(found: list[Operation]) -> Any:
    return pytest.mark.parametrize(
        "operation", found, ids=[f"{one.method} {one.path}" for one in found]
    )


class World(NamedTuple):
    """Two farms, and who asks."""

    api: Api
    mine: Land
    theirs: Land
    right: str
    foreign: str
    expired: str
    revoked: str
    everything: str


@contextmanager
def opened(engine: sa.Engine) -> Iterator[World]:
    """Two farms, and everybody who asks; nothing of them is left afterwards."""
    with engine.begin() as connection:
        mine, theirs = put_land(connection, "mine", "KZ-61"), put_land(connection, "foe", "KZ-43")
    for land in (mine, theirs):
        with engine.begin() as connection:
            harvest(connection, land)
            correct(connection, land)
    day = dt.timedelta(days=1)
    revoked = put_key(engine, "revoked", everything=True)
    with engine.begin() as connection:
        key, client = tables.api_keys, tables.api_clients
        of = sa.select(client.c.id).where(client.c.name == "revoked").scalar_subquery()
        connection.execute(
            sa.update(key).where(key.c.client_id == of).values(revoked_at=sa.func.now())
        )
    put_account(engine, "boss", "administrator")
    with tempfile.TemporaryDirectory() as folder:
        KEY.write(Path(folder) / "report-key.jwk")
        yield World(
            Api(engine, report_key_file=Path(folder) / "report-key.jwk"),
            mine,
            theirs,
            right=put_key(engine, "right", farm_ids=[mine.farm]),
            foreign=put_key(engine, "foreign", regions=["KZ-43"]),
            expired=put_key(engine, "expired", everything=True, lives=-day),
            revoked=revoked,
            everything=put_key(engine, "everything", everything=True),
        )
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def place(path: str, land: Land) -> str:
    """The path of the land's own things."""
    return path.format(
        farm=land.slug,
        field_id=land.field,
        device_id=land.device,
        datastream_id=land.stream,
        crop_zone_id=land.zone,
        event_id=1,
        load_id=1,
        adjustment_id=1,
        supply_id=1,
        investment_id=1,
        decision_id=1,
        code=land.region,
        login="boss",
        name="right",
        session_id=1,
        key_id=1,
        placement_id=1,
        calibration_id=1,
        alert_id=land.alert,
        number=land.report,
        subscription_id=1,
        size=1,
        report_subscription_id=1,
        schedule_id=1,
    )


def call(world: World, operation: Operation, key: str | None, land: Land) -> httpx.Response:
    return world.api.ask(
        operation.method.upper(),
        place(operation.path, land),
        key=key,
        params=operation.query(),
        **operation.body(),
    )


def is_problem(answer: httpx.Response, status: int, operation: Operation) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(status) in operation.said["responses"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
