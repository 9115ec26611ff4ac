"""The two farms of what is told again, and a key that sees one of them."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.asking import put_key
from tests.api.recall.world import World
from tests.conftest import empty


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield World(engine, asked)
    sa.event.remove(engine, "before_cursor_execute", note)
    empty(engine)


@pytest.fixture
def key(world: World) -> str:
    return put_key(world.engine, "right", farm_ids=[world.mine.farm])
