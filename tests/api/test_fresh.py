"""A summary that was answered a moment ago is answered from memory, to the same key alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import put_land

PATH = "/v1/farms/mine/summary"


class World:
    """A farm and two keys."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            land = put_land(connection, "mine", "KZ-61")
            put_land(connection, "foe", "KZ-43")
        self.key = put_key(engine, "right", farm_ids=[land.farm])
        self.other = put_key(engine, "foreign", regions=["KZ-43"])

    @contextmanager
    def asked(self) -> Iterator[list[str]]:
        """Statements that reach the database."""
        said: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            said.append(statement)

        sa.event.listen(self.engine, "before_cursor_execute", note)
        try:
            yield said
        finally:
            sa.event.remove(self.engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    yield World(engine)
    empty(engine)


def test_the_same_key_is_answered_the_same_without_the_database(world: World) -> None:
    api = Api(world.engine, api_fresh_s=60)
    first = api.ask("GET", PATH, key=world.key)
    with world.asked() as said:
        again = api.ask("GET", PATH, key=world.key)

    assert said == []
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    known = {"If-None-Match": first.headers["etag"]}
    assert [api.ask("GET", PATH, key=world.key, headers=known).status_code for _ in "ab"] == [
        304
    ] * 2


def test_another_key_form_or_wish_is_looked_at(world: World) -> None:
    api = Api(world.engine, api_fresh_s=60)
    api.ask("GET", PATH, key=world.key)

    assert api.ask("GET", PATH, key=world.other).status_code == 404
    assert api.ask("GET", PATH, key="wrong").status_code == 401
    assert api.ask("GET", PATH).status_code == 401
    as_csv = api.ask("GET", PATH, key=world.key, headers={"Accept": "text/csv"})
    assert as_csv.headers["content-type"].startswith("text/csv")
    with world.asked() as said:
        api.ask("GET", PATH, key=world.key, headers={"Cache-Control": "no-cache"})
    assert said


def test_a_write_forgets_what_was_answered(world: World) -> None:
    api = Api(world.engine, api_fresh_s=60)
    before = api.ask("GET", PATH, key=world.key).json()
    api.ask("PATCH", "/v1/farms/mine", key=world.key, json={"name": f"{before['name']}, new"})

    assert api.ask("GET", PATH, key=world.key).json()["name"] == f"{before['name']}, new"


def test_it_may_be_switched_off(world: World) -> None:
    api = Api(world.engine, api_fresh_s=0)
    api.ask("GET", PATH, key=world.key)
    with world.asked() as said:
        api.ask("GET", PATH, key=world.key)
    assert said


def test_answers_from_memory_are_counted_too(world: World) -> None:
    api = Api(world.engine, api_fresh_s=60, api_rate_per_minute=3)
    found = [api.ask("GET", PATH, key=world.key) for _ in range(4)]

    assert [one.status_code for one in found] == [200, 200, 200, 429]
    assert found[1].headers["ratelimit"] != found[0].headers["ratelimit"]
