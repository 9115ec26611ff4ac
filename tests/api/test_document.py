"""The OpenAPI document is complete: of every operation, every answer and every quantity."""

from typing import Any

import pytest
import sqlalchemy as sa

from api.app import make_app

DOCUMENT = make_app(
    sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")  # never connected to
).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
named = pytest.mark.parametrize("name", OPERATIONS)

# A number has its unit at the end of its name, unless it is one of these.
UNITS = tuple(
    f"_{unit}"
    for unit in (
        *("mm", "mm2", "m", "m2", "m3", "km", "cm", "ha", "kg", "t", "l", "pct", "deg", "c"),
        *("s", "h", "d", "days", "hours", "m_s", "kpa", "kg_ha", "kg_m3", "kg_s", "m3_h"),
        *("l_h", "l_ha", "ha_h", "centner_ha", "mj_m2", "hours_per_day", "v", "dbm"),
        *("kzt", "kzt_m3", "years"),
    )
)
RATIOS = ("_fraction", "_share", "_coverage", "_factor", "_efficiency", "_supply", "_kcb", "_ks")
WITHOUT = {
    # of a quantity that the answer names with its unit
    *("value", "mean", "low", "high", "total", "last_value", "default", "slope", "intercept"),
    # ratios and counts
    "readings_a_day",
    *("efficiency", "kcb", "ke", "ks", "relative_yield", "sharpness", "z", "hours"),
    *("map_by_mass_over_area", "ks_without_irrigation", "line_share_of_raw"),
    *("room_share_of_forecast_rain", "animals", "animals_seen", "most_animals", "hours_per_day"),
    *("animal_days_ha", "lsu_days_ha"),
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def has_example(schema: dict[str, Any], depth: int = 0) -> bool:
    schema = resolved(schema)
    if depth > 6 or "examples" in schema or "example" in schema:
        return depth <= 6
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    if isinstance(schema.get("items"), dict):
        parts.append(schema["items"])
    return any(has_example(one, depth + 1) for one in parts)


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                assert reference.rpartition("/")[2] in SCHEMAS
            for one in part.values():
                walk(one)
        elif isinstance(part, list):
            for one in part:
                walk(one)

    walk(DOCUMENT)
    assert not [name for name in SCHEMAS if "__" in name]  # two models of one name


@named
def test_an_operation_says_what_it_does_and_what_may_go_wrong(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for code, answer in operation["responses"].items():
        if code.startswith(("4", "5")):
            assert "application/problem+json" in answer["content"], code
            assert answer["description"]
    assert {"404", "422", "503"} <= set(operation["responses"])
    if operation["security"] != [{}]:
        assert {"401", "403", "429"} <= set(operation["responses"])


@named
def test_an_operation_has_examples(name: str) -> None:
    operation = OPERATIONS[name]
    body = operation.get("requestBody", {}).get("content", {})
    said = [answer for code, answer in operation["responses"].items() if code.startswith("2")]
    forms = [("request", body), *(("answer", one.get("content", {})) for one in said)]

    for what, content in forms:
        if "application/json" in content:
            form = content["application/json"]
            assert "example" in form or has_example(form["schema"]), what


@named
def test_a_write_may_be_sent_again(name: str) -> None:
    operation = OPERATIONS[name]
    scope = operation.get("x-scope", "")
    if not name.startswith("post ") or scope not in {"write:farms", "write:records"}:
        return
    headers = {one["name"].lower() for one in operation["parameters"] if one["in"] == "header"}
    assert "idempotency-key" in headers


@pytest.mark.parametrize("schema", sorted(SCHEMAS))
def test_a_quantity_has_its_unit_in_its_name(schema: str) -> None:
    bare = []
    for name, said in SCHEMAS[schema].get("properties", {}).items():
        kinds = {said.get("type"), *(one.get("type") for one in said.get("anyOf", []))}
        if "number" in kinds and name not in WITHOUT and not name.endswith((*UNITS, *RATIOS)):
            bare.append(name)
    assert bare == []
