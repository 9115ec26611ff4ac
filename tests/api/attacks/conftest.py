"""Two farms, and whoever means them no good."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.api.operations import World, opened


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    with opened(engine) as made:
        yield made
