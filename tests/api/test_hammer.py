"""A small run of the hammer; ``python -m tests.api.hammer`` asks ten thousand requests."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.api.hammer import World, hammer, put_world, served
from tests.conftest import empty


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    keys = put_world(engine)
    with served(engine) as url:
        yield World(url, keys)
    empty(engine)


# Its own process of asking is old-fashioned about files and loops.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("role", ["administrator", "operator"])
def test_no_answer_is_our_fault_undocumented_or_of_a_foreign_farm(world: World, role: str) -> None:
    found = hammer(world, role, examples=2, steps=4)

    assert found.failures == {}
    assert found.requests > 100
    assert {200, 404, 422} <= set(found.statuses)
