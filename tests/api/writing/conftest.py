"""The two farms of what is written."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.api.asking import Api
from tests.api.writing.world import World
from tests.conftest import empty


@pytest.fixture(scope="module")
def api(engine: sa.Engine) -> Iterator[Api]:
    yield Api(engine)
    empty(engine)


@pytest.fixture
def world(engine: sa.Engine, api: Api) -> World:
    return World(engine, api)
