"""Arrays go to the server and come back as they were, without a Python object for each number."""

import numpy as np
import pytest
import sqlalchemy as sa

from storage import arrays

NOON_US = 1_750_000_000_123_456

ECHO = """
    SELECT array_agg(small), array_agg(number), array_agg(big), array_agg(real), array_agg(moment)
      FROM unnest(%(small)s, %(number)s, %(big)s, %(real)s, %(moment)s)
        AS sent (small, number, big, real, moment)"""


@pytest.mark.parametrize("count", [0, 1, 3_000])
def test_every_type_comes_back_as_it_went(connection: sa.Connection, count: int) -> None:
    random = np.random.default_rng(1)
    real = random.normal(size=count)
    real[:1] = np.nan
    sent = {
        "small": random.integers(-(2**15), 2**15, count).astype(np.int16),
        "number": random.integers(-(2**31), 2**31, count).astype(np.int32),
        "big": random.integers(-(2**63), 2**63 - 1, count),
        "real": real,
    }
    moments = NOON_US + np.arange(count)
    found = arrays.fetch(connection, ECHO, sent | {"moment": arrays.times(moments)})

    for column, expected in zip(found, [*sent.values(), moments], strict=True):
        assert column.dtype == expected.dtype
        np.testing.assert_array_equal(column, expected)


def test_a_moment_is_the_servers_own(connection: sa.Connection) -> None:
    (found,) = arrays.fetch(
        connection,
        "SELECT array_agg(at) FROM unnest(%(at)s) AS at WHERE at = '2025-06-15 15:06:40.123456Z'",
        {"at": arrays.times(np.array([NOON_US - 1, NOON_US]))},
    )
    assert found.tolist() == [NOON_US]


def test_null_in_an_array_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(ValueError, match="NULL"):
        arrays.fetch(connection, "SELECT ARRAY[1.5, NULL]::float8[]", {})
