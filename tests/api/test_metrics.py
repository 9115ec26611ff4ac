"""What the API counts: routes, statuses and times, without a word of who asked for what."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import put_land


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[tuple[Api, str]]:
    with engine.begin() as connection:
        put_land(connection, "mine", "KZ-61")
    yield Api(engine), put_key(engine, "right", everything=True)
    empty(engine)


def counted(api: Api, key: str) -> dict[tuple[str, ...], float]:
    answer = api.ask("GET", "/v1/metrics", key=key)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert "mine" not in answer.text
    return {
        (one.name, *(one.labels[name] for name in sorted(one.labels))): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_requests_are_counted_by_the_pattern_of_their_route(world: tuple[Api, str]) -> None:
    api, key = world
    for path, status in (
        ("/v1/farms/mine", 200),
        ("/v1/farms/mine", 200),
        ("/v1/farms/none", 404),
        ("/v1/nowhere/mine", 404),
    ):
        assert api.ask("GET", path, key=key).status_code == status
    assert api.ask("GET", "/v1/farms/mine").status_code == 401
    assert api.ask("MINE", "/v1/farms/mine").status_code == 405

    found = counted(api, key)

    name = "dala_api_requests_total"
    assert found[name, "GET", "/v1/farms/{farm}", "200"] == 2
    assert found[name, "GET", "/v1/farms/{farm}", "404"] == 1
    assert found[name, "GET", "/v1/farms/{farm}", "401"] == 1
    assert found[name, "GET", "none", "404"] == 1
    assert sum(value for key_, value in found.items() if key_[:2] == (name, "other")) == 1
    assert found["dala_api_answer_seconds_count", "GET", "/v1/farms/{farm}"] == 4
    assert found["dala_api_answer_seconds_sum", "GET", "/v1/farms/{farm}"] > 0


def test_connections_in_use_are_those_of_requests(world: tuple[Api, str]) -> None:
    api, key = world
    alone = counted(api, key)[("dala_api_connections_in_use",)]
    with api.engine.connect():
        assert counted(api, key)[("dala_api_connections_in_use",)] == alone + 1


def test_they_are_for_who_has_the_scope(world: tuple[Api, str]) -> None:
    api, _ = world
    other = put_key(api.engine, "other", scopes=("read:farms",), everything=True)

    assert api.ask("GET", "/v1/metrics", key=other).status_code == 403
    assert api.ask("GET", "/v1/metrics").status_code == 401
