"""What analytics computed: superseded by a newer result, never overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from storage import copying, tables
from storage.tables import BALANCE_NUMBERS

Row = Mapping[str, Any]
Array = np.ndarray[Any, Any]

DIGEST_BYTES = 32
DAY_COLUMNS = ("day", *BALANCE_NUMBERS, "weather_source", "water_source", "method_version")
_EPOCH = dt.date(1970, 1, 1)
_POSTGRES_EPOCH_DAYS = 10_957  # 2000-01-01


def put_season(connection: sa.Connection, crop_zone_id: int, values: Row) -> bool:
    """Store a season's result and return whether it is news."""
    return put_seasons(connection, {crop_zone_id: values}) == 1


def put_seasons(connection: sa.Connection, found: Mapping[int, Row]) -> int:
    """Store the results of crop zones and return how many are news.

    A result of the same inputs by the same method is the one that already stands.
    """
    table = tables.season_results
    current = table.c.crop_zone_id.in_(found) & table.c.superseded_at.is_(None)
    rows = connection.execute(
        sa.select(table.c.crop_zone_id, table.c.input_digest, table.c.method_version)
        .where(current)
        .with_for_update()
    )
    known = {row.crop_zone_id: (row.input_digest, row.method_version) for row in rows}
    fresh = {
        zone: values
        for zone, values in found.items()
        if known.get(zone) != (values["input_digest"], values["method_version"])
    }
    if not fresh:
        return 0
    connection.execute(
        table.update()
        .where(table.c.crop_zone_id.in_(fresh), table.c.superseded_at.is_(None))
        .values(superseded_at=sa.func.now())
    )
    statement = table.insert().values(computed_at=sa.func.now())
    columns = sorted(set().union(*fresh.values()))
    connection.execute(
        statement,
        [
            {"crop_zone_id": zone} | {name: values.get(name) for name in columns}
            for zone, values in fresh.items()
        ],
    )
    return len(fresh)


def seasons(
    connection: sa.Connection,
    crop_zone_ids: Sequence[int],
    *,
    as_of: dt.datetime | None = None,
) -> dict[int, Mapping[str, Any]]:
    """The result of each crop zone that stood at ``as_of``, by default the one that stands."""
    table = tables.season_results
    query = sa.select(table).where(table.c.crop_zone_id.in_(crop_zone_ids), _stands(table, as_of))
    return {row.crop_zone_id: row._asdict() for row in connection.execute(query)}


class Standing(NamedTuple):
    """What is known of a result without its figures."""

    method_version: str
    input_digest: str
    entered_digest: str | None
    computed_to: dt.date | None
    notes: Sequence[str]


def standing(connection: sa.Connection, crop_zone_ids: Sequence[int]) -> dict[int, Standing]:
    """Of each crop zone that has a result, how the one that stands came about."""
    table = tables.season_results
    columns = [table.c[name] for name in Standing._fields]
    query = sa.select(table.c.crop_zone_id, *columns).where(
        table.c.crop_zone_id.in_(crop_zone_ids), table.c.superseded_at.is_(None)
    )
    return {row[0]: Standing(*row[1:]) for row in connection.execute(query)}


class BalanceDays(NamedTuple):
    """Days of crop zones, zone by zone and in order, arrays of shape (rows,)."""

    crop_zone_id: Array
    day: Array  # days since 1970-01-01
    numbers: Mapping[str, Array]  # of BALANCE_NUMBERS; NaN where a day has none
    weather_source: Array  # of str
    water_source: Array  # of str
    input_digest: Array  # of DIGEST_BYTES bytes: of the season up to the day
    method_version: str


def put_days(connection: sa.Connection, days: BalanceDays) -> int:
    """Store days that changed and return how many; earlier days of the zones stand as they are.

    Of each zone all days from the first one given on are superseded, also those that are no longer
    part of its season.
    """
    if len(days.day) == 0:
        return 0
    starts = np.flatnonzero(np.diff(days.crop_zone_id, prepend=-1))
    supersede_days(
        connection,
        {int(days.crop_zone_id[row]): date_of(days.day[row]) for row in starts},
    )
    now_us = int(connection.scalar(_NOW_US) or 0)
    count = len(days.day)
    columns: list[copying.Column] = [
        days.crop_zone_id.astype(np.int64),
        (days.day - _POSTGRES_EPOCH_DAYS).astype(np.int32),
        *(np.asarray(days.numbers[name], np.float64) for name in BALANCE_NUMBERS),
        days.weather_source,
        days.water_source,
        days.method_version.encode(),
        days.input_digest,
        copying.times(np.full(count, now_us, np.int64)),
    ]
    names = ("crop_zone_id", *DAY_COLUMNS, "input_digest", "computed_at")
    copying.copy_in(connection, "balance_days", names, copying.grouped(columns, count))
    return count


_NOW_US = sa.text("SELECT (extract(epoch FROM now()) * 1000000)::bigint")

_SUPERSEDE = sa.text("""
    UPDATE balance_days AS known
       SET superseded_at = now()
      FROM unnest(CAST(:zones AS bigint[]), CAST(:days AS date[])) AS changed (zone, day)
     WHERE known.crop_zone_id = changed.zone AND known.day >= changed.day
       AND known.superseded_at IS NULL
""")


def supersede_days(connection: sa.Connection, since: Mapping[int, dt.date]) -> None:
    """Supersede the days of each crop zone from a day on."""
    parameters = {"zones": list(since), "days": list(since.values())}
    connection.execute(_SUPERSEDE, parameters)


STORED_DTYPE = np.dtype(
    [
        ("crop_zone_id", np.int64),
        ("day", np.int32),  # days since 1970-01-01
        *((name, np.float64) for name in BALANCE_NUMBERS),
        ("weather_measured", np.int16),
        ("weather_interpolated", np.int16),
        ("water_known", np.int16),
        ("input_digest", f"V{DIGEST_BYTES}"),
    ]
)
_NUMBERS = ", ".join(f"coalesce({name}, 'NaN')" for name in BALANCE_NUMBERS)
_STORED = f"""
    SELECT crop_zone_id, day, {_NUMBERS},
           (weather_source = 'measured')::integer::smallint,
           (weather_source LIKE '%%interpolated%%')::integer::smallint,
           (water_source <> 'none')::integer::smallint,
           CASE WHEN length(input_digest) = {DIGEST_BYTES} THEN input_digest
                ELSE decode(repeat('00', {DIGEST_BYTES}), 'hex') END
      FROM balance_days
     WHERE crop_zone_id = ANY(%(ids)s) AND superseded_at IS NULL AND method_version = %(version)s
  ORDER BY crop_zone_id, day
"""  # noqa: S608 - names of this package's own columns


def stored_days(
    connection: sa.Connection, crop_zone_ids: Sequence[int], *, method_version: str
) -> dict[int, Array]:
    """Days that stand, by a version of the method, of each crop zone as a structured array."""
    parameters = {"ids": list(crop_zone_ids), "version": method_version}
    table = copying.copy_out(connection, _STORED, parameters, STORED_DTYPE)
    table["day"] += _POSTGRES_EPOCH_DAYS
    ids = np.array(crop_zone_ids, np.int64)
    edges = np.searchsorted(table["crop_zone_id"], [ids, ids + 1])
    return {int(one): table[a:b] for one, (a, b) in zip(ids, edges.T, strict=True)}


def day_number(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(number: int | np.integer[Any]) -> dt.date:
    """The date of a day number."""
    return _EPOCH + dt.timedelta(days=int(number))


def balance(
    connection: sa.Connection, crop_zone_id: int, *, as_of: dt.datetime | None = None
) -> list[Mapping[str, Any]]:
    """Days of a crop zone's balance, in order, as they stood at ``as_of`` or stand now."""
    table = tables.balance_days
    columns = [table.c[name] for name in DAY_COLUMNS]
    query = (
        sa.select(*columns)
        .where(table.c.crop_zone_id == crop_zone_id, _stands(table, as_of))
        .order_by(table.c.day)
    )
    return [row._asdict() for row in connection.execute(query)]


def evenings(
    connection: sa.Connection, crop_zone_ids: Sequence[int], until: dt.date
) -> dict[int, Mapping[str, Any]]:
    """The newest day up to ``until`` of each crop zone's balance, where there is one."""
    columns = ", ".join(DAY_COLUMNS)
    query = sa.text(f"""
        SELECT zone.id, evening.*
          FROM unnest(CAST(:ids AS bigint[])) AS zone (id)
    CROSS JOIN LATERAL (SELECT {columns} FROM balance_days
                         WHERE crop_zone_id = zone.id AND superseded_at IS NULL AND day <= :until
                      ORDER BY day DESC LIMIT 1) AS evening
    """)  # noqa: S608 - names of this package's own columns
    rows = connection.execute(query, {"ids": list(crop_zone_ids), "until": until})
    return {row.id: {name: getattr(row, name) for name in DAY_COLUMNS} for row in rows}


_DRY_SINCE = sa.text("""
    SELECT crop_zone_id,
           coalesce(max(day) FILTER (WHERE depletion_mm < :share * raw_mm) + 1, min(day))
      FROM balance_days
     WHERE crop_zone_id = ANY(CAST(:ids AS bigint[])) AND superseded_at IS NULL AND day <= :until
  GROUP BY crop_zone_id
""")


def dry_since(
    connection: sa.Connection, crop_zone_ids: Sequence[int], until: dt.date, *, line_share: float
) -> dict[int, dt.date]:
    """Since which day each crop zone has lacked ``line_share`` of its RAW or more, up to a day.

    The day after the last on which it lacked less; the first of its balance where it always did.
    """
    asked = {"ids": list(crop_zone_ids), "until": until, "share": line_share}
    return {row[0]: row[1] for row in connection.execute(_DRY_SINCE, asked)}


def _stands(table: sa.Table, as_of: dt.datetime | None) -> sa.ColumnElement[bool]:
    if as_of is None:
        return table.c.superseded_at.is_(None)
    later = table.c.superseded_at.is_(None) | (table.c.superseded_at > as_of)
    return (table.c.computed_at <= as_of) & later
