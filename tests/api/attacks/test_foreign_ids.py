"""Ids of another's land in a body: what they name is not there, and nothing is written on it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from storage import tables
from tests.api.attacks.test_bodies import OF_JSON, objects, replaced, within
from tests.api.operations import DOCUMENT, Operation, World, named, place

# Names in bodies that lead to a row, and what is theirs of it.
THEIRS = {
    "field_id": lambda world: world.theirs.field,
    "crop_zone_id": lambda world: world.theirs.zone,
    "datastream_id": lambda world: world.theirs.stream,
    "device_id": lambda world: world.theirs.device,
    "farm": lambda world: world.theirs.slug,
    "farms": lambda world: [world.theirs.slug],
}
OWN = {"field_id", "id", "farm_id"}
LEADS_SOMEWHERE = [one for one in OF_JSON if one.scope != "admin:access"]


def schemas(part: Any, seen: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Every schema of a body, its parts' too."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            name = reference.rpartition("/")[2]
            yield from schemas(DOCUMENT["components"]["schemas"][name], seen | {reference})
        yield part
        for one in part.values():
            yield from schemas(one, seen)
    elif isinstance(part, list):
        for one in part:
            yield from schemas(one, seen)


def names_in(operation: Operation) -> set[str]:
    body = operation.said["requestBody"]["content"]["application/json"]["schema"]
    return {
        name
        for one in schemas(body)
        if isinstance(one.get("properties"), dict)
        for name in one["properties"]
    }


def test_every_name_in_a_body_that_leads_to_a_row_is_tried() -> None:
    found = set().union(*(names_in(one) for one in LEADS_SOMEWHERE))
    leading = {name for name in found if name.endswith("_id") or name in {"farm", "farms"}}

    # official_field_id is a text of documents, wire_id what a network calls a device.
    assert leading - {"official_field_id", "wire_id"} <= set(THEIRS)


def rows_of(world: World) -> list[int]:
    """How many rows stand on their land, in every table that hangs on a farm, field or zone."""
    theirs = {
        "farm_id": world.theirs.farm,
        "field_id": world.theirs.field,
        "crop_zone_id": world.theirs.zone,
        "device_id": world.theirs.device,
        "datastream_id": world.theirs.stream,
    }
    with world.api.engine.connect() as connection:
        return [
            int(
                connection.scalar(
                    sa.select(sa.func.count()).select_from(table).where(table.c[name] == value)
                )
                or 0
            )
            for table in tables.metadata.sorted_tables
            for name, value in theirs.items()
            if name in table.c
        ]


@named([one for one in LEADS_SOMEWHERE if names_in(one) & set(THEIRS)])
def test_what_is_anothers_is_not_there_in_a_body(world: World, operation: Operation) -> None:
    body, before = operation.body()["json"], rows_of(world)
    tried = 0
    for path in objects(body):
        known = set(within(body, path)) | (names_in(operation) if not path else set())
        for name in sorted(known & set(THEIRS)):
            foreign = replaced(body, (*path, name), THEIRS[name](world))
            answer = world.api.ask(
                operation.method.upper(),
                place(operation.path, world.mine),
                key=world.right,
                params=operation.query(),
                json=foreign,
            )
            assert answer.status_code in {404, 422}, (name, answer.text)
            if answer.status_code == 422:  # of a name that this body has not
                assert name in json.dumps(answer.json()), answer.text
            tried += 1

    assert tried
    assert rows_of(world) == before


@pytest.mark.parametrize("kind", ["irrigation-events", "harvest-loads", "crop-zones"])
def test_what_is_anothers_is_not_there_in_a_file(world: World, kind: str) -> None:
    lines = {
        "irrigation-events": f"field_id,started_at,ended_at,volume_m3\n{world.theirs.field},"
        "2025-06-12T06:00:00Z,2025-06-12T18:00:00Z,1\n",
        "harvest-loads": "crop_zone_id,ticket,weighed_at,net_kg\n"
        f"{world.theirs.zone},A-1,2025-09-21T14:30:00Z,1\n",
        "crop-zones": "field_id,season,crop,planted,harvested\n"
        f"{world.theirs.field},2025,maize,2025-05-01,2025-09-10\n",
    }
    path = "crop-zones" if kind == "crop-zones" else f"records?kind={kind}"
    before = rows_of(world)

    answer = world.api.ask(
        "POST", f"/v1/farms/mine/{path}", key=world.right, content=lines[kind].encode()
    )

    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["errors"]
    assert rows_of(world) == before
