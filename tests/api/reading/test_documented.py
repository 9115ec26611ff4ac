"""Every documented route answers as its document says."""

import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from storage import farms, fields
from tests.api.asking import Api, put_key
from tests.api.reading.farms import SEASON, answers_json, operations


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/openapi.json").json()
    return found


def test_every_documented_route_answers_a_good_request(
    client: httpx.Client, seeded: sa.Engine, stream: int, document: dict[str, Any]
) -> None:
    with seeded.connect() as connection:
        farm_id = farms.get(connection, "turkistan-01").id
        field, zone = (one.id for one in fields.zones(connection, farm_id=farm_id)[0])
    good = {
        "crop_zone_id": zone,
        "farm": "turkistan-01",
        "code": "KZ-61",
        "field_id": field,
        "datastream_id": stream,
        "device_id": "turkistan-01-harvester",
    }
    query = {
        "season": SEASON,
        "start": "2025-06-01T00:00:00+05:00",
        "end": "2025-06-20T00:00:00+05:00",
        "first": "1",
        "second": "1",
    }
    for path, operation in operations(document):
        if not set(re.findall(r"{(\w+)}", path)) <= set(good) or not answers_json(operation):
            continue  # of what these farms have none
        needed = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        asked = {name: value for name, value in query.items() if name in needed}
        answer = client.get(path.format(**good), params=asked)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json() is not None


def test_the_document_is_openapi_31_with_examples_of_answers_and_parameters(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1.")
    schemas = document["components"]["schemas"]
    for path, operation in operations(document):
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert "examples" in parameter or "examples" in parameter["schema"], (
                    path,
                    parameter["name"],
                )
        if answers_json(operation):
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert has_example(answer, schemas), path


def has_example(schema: Any, schemas: dict[str, Any]) -> bool:
    if isinstance(schema, list):
        return any(has_example(one, schemas) for one in schema)
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return has_example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    return "examples" in schema or any(has_example(one, schemas) for one in schema.values())


def test_problems_are_documented_as_what_they_are_sent_as(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for code in ("404", "422", "503"):
            content = operation["responses"][code]["content"]
            assert list(content) == ["application/problem+json"], path
            reference = content["application/problem+json"]["schema"]["$ref"]
            assert reference == "#/components/schemas/Problem"
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        "type",
        "title",
        "status",
        "detail",
        "request_id",
    }


def test_a_region_says_whether_its_sums_are_of_farms_of_ones_own(seeded: sa.Engine) -> None:
    with seeded.connect() as connection:
        hand = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'hand'"))
    api = Api(seeded)
    reaches = {
        "country": {"everything": True},
        "its-region": {"regions": ["KZ-62"]},
        "all-regions": {"regions": ["KZ"]},
        "another": {"regions": ["KZ-61"], "farm_ids": [hand]},
        "one-farm": {"farm_ids": [hand]},
    }
    found = {}
    for name, reach in reaches.items():
        key = put_key(seeded, f"covers-{name}", **reach)
        answer = api.ask("GET", "/v1/regions/KZ-62/summary?season=2025", key=key)
        body = answer.json()
        found[name] = body["covers"], body["farms_registered"], len(body["farms"])

    assert found == {
        "country": ("region", 2, 2),
        "its-region": ("region", 2, 2),
        "all-regions": ("region", 2, 2),
        "another": ("own-farms", 1, 1),
        "one-farm": ("own-farms", 1, 1),
    }
