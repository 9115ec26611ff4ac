"""Where a farm's rules of alerts differ from the defaults (which are analytics.watching.rules)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables


class Choice(NamedTuple):
    """What a farm chose of a rule; parameters that it leaves out are the defaults."""

    farm_id: int
    kind: str
    enabled: bool
    parameters: Mapping[str, Any]
    changed_by: str
    changed_at: dt.datetime


_CHOICE = [tables.alert_rules.c[name] for name in Choice._fields]


def of_farm(connection: sa.Connection, farm_id: int) -> dict[str, Choice]:
    """What a farm chose, by kind."""
    query = sa.select(*_CHOICE).where(tables.alert_rules.c.farm_id == farm_id)
    return {row.kind: Choice(*row) for row in connection.execute(query)}


def of_kind(connection: sa.Connection, kind: str) -> dict[int, Choice]:
    """What farms chose of a kind, by farm."""
    query = sa.select(*_CHOICE).where(tables.alert_rules.c.kind == kind)
    return {row.farm_id: Choice(*row) for row in connection.execute(query)}


def put(
    connection: sa.Connection,
    farm_id: int,
    kind: str,
    *,
    enabled: bool,
    parameters: Mapping[str, Any],
    by: str,
) -> None:
    """Let a farm's rule be so from now on."""
    values = {
        "enabled": enabled,
        "parameters": dict(parameters),
        "changed_by": by,
        "changed_at": sa.func.now(),
    }
    statement = insert(tables.alert_rules).values(farm_id=farm_id, kind=kind, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["farm_id", "kind"], set_=values)
    )


def drop_others(connection: sa.Connection, farm_id: int, kinds: Sequence[str]) -> None:
    """Let the farm's rules of other kinds be the defaults again."""
    table = tables.alert_rules
    connection.execute(
        sa.delete(table).where(table.c.farm_id == farm_id, table.c.kind.not_in(kinds))
    )
