"""A small run of the hammer; ``python -m tests.api.hammer`` asks ten thousand requests."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.api import hammer as hammering
from tests.api.hammer import World, hammer, put_world, served
from tests.conftest import empty


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    farm = put_world(engine)
    with served(engine) as url:
        yield World(url, engine, farm)
    empty(engine)


# Its own process of asking is old-fashioned about files and loops.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("role", ["administrator", "operator"])
def test_no_answer_is_our_fault_undocumented_or_of_a_foreign_farm(world: World, role: str) -> None:
    found = hammer(world, role, singly=200, along_links=30)

    assert found.failures == {}
    assert found.requests >= 230
    assert found.along_links >= 30
    assert {200, 404, 422} <= set(found.statuses)


def test_a_wrong_answer_along_a_link_is_told_though_it_comes_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def wrong_once(_context: object, response: object, case: object) -> None:
        if not told:
            told.append(response)
            raise AssertionError("wrong this once")

    monkeypatch.setattr(hammering, "CHECKS", (wrong_once,))
    found = hammer(world, "administrator", singly=0, along_links=4)

    assert [words for words in found.failures.values() if "wrong this once" in words]
