"""Every key once: rows whose keys may be stored already, by COPY all the same.

COPY is the fastest way into a table, and it knows no ON CONFLICT. So what is stored already is
left out of it: nothing is looked up while nothing was sent again, and the unique index has the
last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol

import numpy as np
import psycopg
import sqlalchemy as sa

from storage import arrays

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Up to so many times the usual distance, reading a range of the index is cheaper than finding each
# row of it; beyond, a message of last week that comes with one of today would read all between.
_TOGETHER, _TOGETHER_AT_MOST_US = 4, 3_600_000_000

_REPEATS = "dala: where the last batch of each table held stored rows"


class Keys(NamedTuple):
    """Rows in the order of their keys."""

    order: Array  # places in the batch; of equal keys, in the order they came
    first: Mask  # whether a row is the first of its key, in that order


class Ranges(NamedTuple):
    """Stretches of rows in the order of their keys, of one series each."""

    starts: Array  # places of the first rows
    lasts: Array  # places of the last rows


def in_order(series: Array, times_us: Array) -> Keys:
    """Sort a batch by series and time.

    All writers insert in this order, so that two of them with the same rows wait for each other in
    turn, and never in a ring.
    """
    order = np.lexsort((times_us, series))  # stable: first come, first stay
    series, times_us = series[order], times_us[order]
    first = np.ones(len(order), bool)
    first[1:] = (times_us[1:] != times_us[:-1]) | (series[1:] != series[:-1])
    return Keys(order, first)


def ranges(series: Array, times_us: Array) -> Ranges:
    """Stretches without a wide gap, of rows that stand in order."""
    gaps_us, another = np.diff(times_us), series[1:] != series[:-1]
    together_us = _TOGETHER_AT_MOST_US
    if not another.all():
        together_us = min(together_us, _TOGETHER * int(np.median(gaps_us[~another])))
    starts = np.flatnonzero(
        np.append(np.ones(min(len(series), 1), bool), another | (gaps_us > together_us))
    )
    return Ranges(starts, np.append(starts[1:], len(series))[: len(starts)] - 1)


def bounds(times_us: Array, stretches: Ranges) -> dict[str, Any]:
    """Where stretches begin and end, as parameters: each for itself, and all together.

    The outer bounds, in whole seconds, let the server leave out chunks before it begins.
    """
    return {
        "starts": arrays.times(times_us[stretches.starts]),
        "ends": arrays.times(times_us[stretches.lasts]),
        "earliest_s": int(times_us.min() // 1_000_000),
        "latest_s": int(times_us.max() // 1_000_000 + 1),
    }


def matched(asked: tuple[Array, Array], found: tuple[Array, Array]) -> tuple[Array, Array]:
    """Places of asked keys (series, time) among the found, and of the found that they equal.

    Both hold each key once.
    """
    series, times_us = (np.concatenate(pair) for pair in zip(asked, found, strict=True))
    order = np.lexsort((times_us, series))  # stable: of equals, the asked one comes first
    series, times_us = series[order], times_us[order]
    twice = np.flatnonzero((series[1:] == series[:-1]) & (times_us[1:] == times_us[:-1]))
    return order[twice], order[twice + 1] - len(asked[0])


def differ(values: Array, others: Array) -> Mask:
    """Where two arrays hold different numbers; NaN, an unknown one, is like itself."""
    return np.asarray((values != others) & ~(np.isnan(values) & np.isnan(others)))


# Chunks beyond a batch are left out before the look-up begins. To think about each chunk again for
# each range takes TimescaleDB longer than to look into it. Elsewhere nobody reads the setting.
_FEW_CHUNKS = "SELECT set_config('timescaledb.enable_runtime_exclusion', 'off', true)"


def of_ranges(
    connection: sa.Connection, statement: str, parameters: Mapping[str, Any]
) -> list[Array]:
    """Ask for ranges, as :func:`storage.arrays.fetch` does."""
    _driver(connection).execute(_FEW_CHUNKS)
    return arrays.fetch(connection, statement, parameters)


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Beside SQLAlchemy, which takes as long to say a savepoint as the server to set it."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - a checked-out connection has one
    return driver


class Repeats(Enum):
    """Where the last batch on a connection held rows that were stored already."""

    NOWHERE = 0
    AS_SUSPECTED = 1
    ANYWHERE = 2


class Suspect(Protocol):
    """Says which rows of a batch may be stored already."""

    def __call__(self, *, anew: bool) -> Mask:
        """By what is remembered, which may be out of date; ``anew``: none is left out."""


def copy_missing(
    connection: sa.Connection,
    table: str,
    suspect: Suspect,
    found_dtype: np.dtype[Any],
    look_up: Callable[[Mask], Array],
    copy: Callable[[Mask], None],
) -> Array:
    """COPY those rows that are not stored, and return what was found of the others.

    Parameters
    ----------
    table : str
        What they go into: repeats are remembered of each table for itself.
    suspect : callable
        Tells which of the rows may be stored already.
    look_up : callable
        Finds those of the rows of a mask that are stored: an array of ``found_dtype``, of whose
        fields ``place`` is the row of each.
    copy : callable
        Copies the rows of a mask.

    Raises
    ------
    psycopg.errors.UniqueViolation
        If a row can be neither copied nor seen, as under an isolation above READ COMMITTED when
        another transaction has just stored it.

    Notes
    -----
    Repeats come in runs: after a connection was lost, or when a device sends its memory again. So
    a batch is looked up before it is copied where the last one held any, or where it is the first
    on this connection, and else not at all. A violation in spite of that means that another worker
    has stored some of the rows since; it has committed, or we would still wait for it, so that they
    are seen now.
    """
    repeats = connection.info.setdefault(_REPEATS, {})
    last = repeats.get(table, Repeats.ANYWHERE)
    likely = suspect(anew=False)

    def seek(rows: Mask) -> Array:
        return look_up(rows) if rows.any() else np.empty(0, found_dtype)

    if last is Repeats.ANYWHERE:
        found = seek(suspect(anew=True))
    else:
        found = seek(likely & (last is Repeats.AS_SUSPECTED))
    while (objection := _copied(connection, copy, _without(found, len(likely)))) is not None:
        seen_before = len(found)
        found = seek(suspect(anew=True))
        if len(found) <= seen_before:
            raise objection
    repeats[table] = _where(likely, found)
    return found


def _copied(
    connection: sa.Connection, copy: Callable[[Mask], None], rows: Mask
) -> psycopg.errors.UniqueViolation | None:
    """Copy rows, or nothing if the index objects to one: that is returned.

    The savepoint stays until the transaction ends: to release it is a round trip for nothing.
    """
    driver = _driver(connection)
    driver.execute("SAVEPOINT before_copy")
    try:
        copy(rows)
    except psycopg.Error as error:
        if driver.closed:
            raise
        driver.execute("ROLLBACK TO SAVEPOINT before_copy")
        if isinstance(error, psycopg.errors.UniqueViolation):
            return error
        raise
    return None


def _without(found: Array, count: int) -> Mask:
    missing = np.ones(count, bool)
    missing[found["place"]] = False
    return missing


def _where(likely: Mask, found: Array) -> Repeats:
    if len(found) == 0:
        return Repeats.NOWHERE
    return Repeats.AS_SUSPECTED if likely[found["place"]].all() else Repeats.ANYWHERE
