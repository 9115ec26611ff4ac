"""A farm whose alerts are told."""

import pytest
import sqlalchemy as sa

from tests.two_farms import put_land


@pytest.fixture
def farm(empty_engine: sa.Engine) -> int:
    with empty_engine.begin() as connection:
        return put_land(connection, "mine", "KZ-61").farm
