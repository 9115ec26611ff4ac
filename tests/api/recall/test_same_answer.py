"""What is told again is the answer of the long way: its bytes and headers, counted and limited."""

import pytest

from tests.api.asking import Api, put_key
from tests.api.recall.world import COUNTRY, FARM, REGION, World, applied


@pytest.mark.parametrize(
    "path",
    [
        FARM,
        REGION,
        COUNTRY,
        COUNTRY + "&format=csv",
        "/v1/seasons?farm=mine",
        FARM + "?format=csv",
        "/v1/farms/mine",
        "/v1/farms?limit=1",
        "/v1/regions",
        "/v1/regions?format=csv",
    ],
)
def test_what_stands_is_told_again_after_one_look(world: World, key: str, path: str) -> None:
    first = world.ask(path, key)
    assert not world.was_recalled()

    again = world.ask(path, key)

    assert world.was_recalled()
    changing = {"x-request-id", "ratelimit", "date"}
    heads = [[one for one in each.headers.items() if one[0] not in changing] for each in
             (first, again)]  # fmt: skip
    assert sorted(heads[0]) == sorted(heads[1])
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_who_has_it_is_told_so_after_one_look(world: World, key: str) -> None:
    tag = world.ask(FARM, key).headers["etag"]
    long_way = Api(world.engine).ask("GET", FARM, key=key, headers={"If-None-Match": tag})

    answer = world.ask(FARM, key, If_None_Match=f'"other", W/{tag}')

    assert world.was_recalled()
    assert (answer.status_code, answer.content) == (304, b"")
    assert set(answer.headers) == set(long_way.headers)


def test_a_304_is_enough_to_know_what_stands(world: World, key: str) -> None:
    tag = world.ask(FARM, key).headers["etag"]
    other = World.__new__(World)
    other.engine, other.asked, other.api = world.engine, world.asked, Api(world.engine)
    assert other.ask(FARM, key, If_None_Match=tag).status_code == 304

    assert other.ask(FARM, key, If_None_Match=tag).status_code == 304
    assert other.was_recalled()
    assert applied(other.ask(FARM, key)) == 100.0  # whose bytes nobody has made: the long way
    assert not other.was_recalled()


def test_a_link_leads_to_where_the_request_came_to(world: World) -> None:
    key, path = put_key(world.engine, "all", everything=True), "/v1/farms?limit=1"
    assert world.told_again(key, path).headers["link"].startswith("<http://test/")

    elsewhere = world.ask(path, key, Host="dala.example.kz")

    assert elsewhere.headers["link"].startswith("<http://dala.example.kz/")


def test_what_is_told_again_is_counted_and_limited(world: World, key: str) -> None:
    world.api = Api(world.engine, api_rate_per_minute=4)
    world.told_again(key)
    last = world.ask(FARM, key)
    assert world.was_recalled()
    assert "r=1" in last.headers["ratelimit"]
    world.ask(FARM, key)

    beyond = world.ask(FARM, key)

    assert beyond.status_code == 429
    assert beyond.headers["content-type"] == "application/problem+json"
    metrics = world.api.app.state.metrics.text().decode()
    route = 'method="GET",route="/v1/farms/{farm}/summary"'
    assert f'dala_api_requests_total{{{route},status="200"}} 4.0' in metrics
    assert f'dala_api_requests_total{{{route},status="429"}} 1.0' in metrics


def test_a_page_of_another_origin_is_told_when_to_come_again(world: World, key: str) -> None:
    page = "https://page.example"
    world.api = Api(world.engine, api_rate_per_minute=2, cors_origins=[page])
    for _ in range(2):
        assert world.ask(FARM, key, Origin=page).status_code == 200

    beyond = world.ask(FARM, key, Origin=page)

    assert world.was_recalled()
    assert (beyond.status_code, beyond.headers["access-control-allow-origin"]) == (429, page)
    assert int(beyond.headers["retry-after"]) >= 1
