"""The farm whose alerts are looked at."""

import pytest
import sqlalchemy as sa

from tests.two_farms import Land, put_land


@pytest.fixture
def mine(connection: sa.Connection) -> Land:
    return put_land(connection, "mine", "KZ-61")
