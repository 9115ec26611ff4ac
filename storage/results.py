"""What analytics computed: superseded by a newer result, never overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.tables import BALANCE_NUMBERS

Row = Mapping[str, Any]

DAY_COLUMNS = (
    "day",
    *BALANCE_NUMBERS,
    "weather_source",
    "water_source",
    "method_version",
    "input_digest",
)


def put_season(connection: sa.Connection, crop_zone_id: int, values: Row) -> bool:
    """Store a season's result and return whether it is news.

    A result of the same inputs by the same method is the one that already stands.
    """
    table = tables.season_results
    current = (table.c.crop_zone_id == crop_zone_id) & table.c.superseded_at.is_(None)
    known = connection.execute(
        sa.select(table.c.input_digest, table.c.method_version).where(current).with_for_update()
    ).one_or_none()
    if known == (values["input_digest"], values["method_version"]):
        return False
    now = sa.func.now()
    connection.execute(table.update().where(current).values(superseded_at=now))
    connection.execute(table.insert().values(crop_zone_id=crop_zone_id, computed_at=now, **values))
    return True


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


def put_days(connection: sa.Connection, crop_zone_id: int, days: Sequence[Row]) -> int:
    """Store the days of a balance and return how many changed; the others stand as they are.

    Each row has :data:`DAY_COLUMNS`. Days that are no longer part of the season are superseded.
    """
    known = {row["day"]: row for row in balance(connection, crop_zone_id)}
    changed = [row for row in days if not _same(known.get(row["day"]), row)]
    gone = known.keys() - {row["day"] for row in days}
    table = tables.balance_days
    out_of_date = [row["day"] for row in changed if row["day"] in known] + sorted(gone)
    if out_of_date:
        connection.execute(
            table.update()
            .where(
                table.c.crop_zone_id == crop_zone_id,
                table.c.superseded_at.is_(None),
                table.c.day.in_(out_of_date),
            )
            .values(superseded_at=sa.func.now())
        )
    if changed:
        insert = table.insert().values(crop_zone_id=crop_zone_id, computed_at=sa.func.now())
        connection.execute(insert, [{name: row[name] for name in DAY_COLUMNS} for row in changed])
    return len(changed) + len(gone)


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


def _stands(table: sa.Table, as_of: dt.datetime | None) -> sa.ColumnElement[bool]:
    if as_of is None:
        return table.c.superseded_at.is_(None)
    later = table.c.superseded_at.is_(None) | (table.c.superseded_at > as_of)
    return (table.c.computed_at <= as_of) & later


def _same(known: Row | None, row: Row) -> bool:
    return known is not None and all(known[name] == row[name] for name in DAY_COLUMNS)
