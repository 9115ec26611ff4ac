"""Who wants to be told: of a farm's alerts, or of reports that are filed of a farm or an area."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.behalf import Behalf
from storage.database import NotFound
from storage.filing import subject_of

Topic = Literal["alerts", "reports"]


class Subscription(NamedTuple):
    """Where something is told; never with its secret."""

    id: int
    topic: Topic
    farm_id: int | None
    area_code: str | None
    farm: str | None  # slug
    channel: str  # webhook or email
    address: str
    kinds: Sequence[str]  # none: every kind
    min_severity: str | None  # of alerts
    language: str
    created_by: str
    created_at: dt.datetime
    ended_at: dt.datetime | None
    ended_by: str | None


_TABLE = tables.subscriptions
_FARM = sa.select(tables.farms.c.slug).where(tables.farms.c.id == _TABLE.c.farm_id)
_SUBSCRIPTION = [
    _FARM.scalar_subquery().label(name) if name == "farm" else _TABLE.c[name]
    for name in Subscription._fields
]


def of_farm(connection: sa.Connection, farm_id: int) -> list[Subscription]:
    """Those to a farm's alerts that stand, the oldest first."""
    return _standing(connection, _TABLE.c.topic == "alerts", _TABLE.c.farm_id == farm_id)


def of_reports(connection: sa.Connection, *, created_by: str | None = None) -> list[Subscription]:
    """Those to reports that stand, of whoever made them or of one, the oldest first."""
    return _standing(connection, *to_reports(created_by))


def _standing(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Subscription]:
    query = sa.select(*_SUBSCRIPTION).where(_TABLE.c.ended_at.is_(None), *where)
    return [Subscription(*row) for row in connection.execute(query.order_by(_TABLE.c.id))]


def to_reports(created_by: str | None) -> list[sa.ColumnElement[bool]]:
    """Of subscriptions those to reports, of whoever made them or of one."""
    own = [] if created_by is None else [_TABLE.c.created_by == created_by]
    return [_TABLE.c.topic == "reports", *own]


def add(
    connection: sa.Connection,
    farm_id: int | None,
    *,
    by: str,
    topic: Topic = "alerts",
    area_code: str | None = None,
    behalf: Behalf | None = None,
    **values: Any,
) -> Subscription:
    """Tell somebody of a farm or an area, from what is opened or filed now on.

    Parameters
    ----------
    behalf : Behalf, optional
        Of reports: who must be allowed to read what is told, each time.
    values
        ``channel``, ``address``, ``kinds``, ``language``, ``secret``; of alerts ``min_severity``.
    """
    subject = subject_of(farm_id, area_code)
    whose = (behalf or Behalf())._asdict()
    values = {"topic": topic, "subject": subject, "farm_id": farm_id, **values, **whose}
    # Of reports what was filed before is not told: whoever subscribes sees all that it is of.
    newest = sa.select(sa.func.coalesce(sa.func.max(tables.report_revisions.c.id), 0))
    values |= {"area_code": area_code, "created_by": by, "told_until": newest.scalar_subquery()}
    statement = _TABLE.insert().values(values)
    number = connection.execute(statement.returning(_TABLE.c.id)).scalar_one()
    (added,) = _standing(connection, _TABLE.c.id == number)
    return added


def end(connection: sa.Connection, farm_id: int, number: int, *, by: str) -> None:
    """Tell nobody there of alerts any more; NotFound if the farm has none such that stands."""
    of_it = (_TABLE.c.topic == "alerts", _TABLE.c.farm_id == farm_id)
    _end(connection, f"alert subscription {number}", number, by, *of_it)


def end_of_reports(
    connection: sa.Connection, number: int, *, by: str, created_by: str | None = None
) -> int | None:
    """Tell nobody there of reports any more; return the farm that it was of, if it was of one.

    NotFound if none such stands, or it is another's.
    """
    name = f"report subscription {number}"
    return _end(connection, name, number, by, *to_reports(created_by))


def _end(
    connection: sa.Connection, name: str, number: int, by: str, *where: sa.ColumnElement[bool]
) -> int | None:
    statement = (
        _TABLE.update()
        .where(_TABLE.c.id == number, _TABLE.c.ended_at.is_(None), *where)
        .values(ended_at=sa.func.now(), ended_by=by)
        .returning(_TABLE.c.farm_id)
    )
    ended = connection.execute(statement).one_or_none()
    if ended is None:
        raise NotFound(name)
    farm_id: int | None = ended.farm_id
    return farm_id
