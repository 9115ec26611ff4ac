"""Irrigation: what people entered, and the metered seasons before a change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables


class IrrigationEvent(NamedTuple):
    """One application of water on a field, as entered."""

    field_id: int
    started_at: dt.datetime
    ended_at: dt.datetime
    volume_m3: float
    wetted_fraction: float | None
    efficiency: float | None
    source: str


class BaselineSeason(NamedTuple):
    """A metered season before the change that is to be judged."""

    field_id: int
    season: int
    crop: str
    net_requirement_mm: float
    gross_irrigation_mm: float
    application_efficiency: float | None
    wetted_fraction: float | None
    source: str


_EVENT = [tables.irrigation_events.c[name] for name in IrrigationEvent._fields]
_BASELINE = [tables.baseline_seasons.c[name] for name in BaselineSeason._fields]


def add_events(
    connection: sa.Connection, events: Sequence[IrrigationEvent], *, note: str = ""
) -> int:
    """Add events and return how many were new: the same start by the same source is the same.

    The note stands beside each of them.
    """
    if not events:
        return 0
    rows: list[dict[str, Any]] = [event._asdict() | {"note": note} for event in events]
    statement = insert(tables.irrigation_events).values(rows).on_conflict_do_nothing()
    return len(connection.execute(statement.returning(tables.irrigation_events.c.id)).all())


def events(
    connection: sa.Connection, field_ids: Sequence[int], *, start: dt.datetime, end: dt.datetime
) -> list[IrrigationEvent]:
    """Events of the fields that end in (start, end], in order."""
    table = tables.irrigation_events
    query = (
        sa.select(*_EVENT)
        .where(
            table.c.field_id.in_(field_ids),
            table.c.ended_at > start,
            table.c.ended_at <= end,
            table.c.withdrawn_at.is_(None),
        )
        .order_by(table.c.started_at, table.c.id)
    )
    return [IrrigationEvent(*row) for row in connection.execute(query)]


def put_baseline(connection: sa.Connection, season: BaselineSeason) -> None:
    """Add a baseline season, or bring it up to date."""
    row = season._asdict()
    statement = insert(tables.baseline_seasons).values(row)
    keys = ["field_id", "season", "crop"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))


def baselines(connection: sa.Connection, field_ids: Sequence[int]) -> list[BaselineSeason]:
    """Baseline seasons of the fields, by field and season."""
    table = tables.baseline_seasons
    query = sa.select(*_BASELINE).where(table.c.field_id.in_(field_ids))
    rows = connection.execute(query.order_by(table.c.field_id, table.c.season))
    return [BaselineSeason(*row) for row in rows]
