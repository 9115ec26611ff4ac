"""Schedules of reports: what is filed by itself, for whom, and what became of it last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.behalf import Behalf
from storage.database import NotFound
from storage.filing import number_of, subject_of

FIRST_WAIT, LONGEST_WAIT = dt.timedelta(minutes=1), dt.timedelta(hours=1)


class Schedule(NamedTuple):
    """What is to be filed, and when; when it is due next is computed."""

    id: int
    kind: str
    farm_id: int | None
    area_code: str | None
    season: str  # this-year, last-year, or a year
    every: str
    on_day: int | None
    at: dt.time
    timezone: str
    first_day: str | None
    last_day: str | None
    account_id: int | None
    client_id: int | None
    created_by: str
    created_at: dt.datetime
    done_until: dt.datetime
    failures: int
    not_before: dt.datetime | None
    last_error: str | None
    farm: str | None  # slug
    region_code: str | None  # of the farm
    number: str | None  # of the report that was filed last
    revision: int | None

    @property
    def behalf(self) -> Behalf:
        """Whose rights it is filed by."""
        return Behalf(self.account_id, self.client_id)


_TABLE, _REVISION, _REPORT = tables.report_schedules, tables.report_revisions, tables.filed_reports
_OWN = [_TABLE.c[name] for name in Schedule._fields if name in _TABLE.c]
_FILED = (_REPORT.c.kind, _REPORT.c.year, _REPORT.c.serial)
_QUERY = (
    sa.select(*_OWN, tables.farms.c.slug, tables.farms.c.region_code, _REVISION.c.revision, *_FILED)
    .select_from(_TABLE)
    .outerjoin(tables.farms, tables.farms.c.id == _TABLE.c.farm_id)
    .outerjoin(_REVISION, _REVISION.c.id == _TABLE.c.revision_id)
    .outerjoin(_REPORT, _REPORT.c.id == _REVISION.c.report_id)
    .where(_TABLE.c.ended_at.is_(None))
    .order_by(_TABLE.c.id)
)


def _made(row: Sequence[Any]) -> Schedule:
    *own, revision, kind, year, serial = row
    own += [None if kind is None else number_of(kind, year, serial), revision]
    return Schedule(*own)


def standing(connection: sa.Connection) -> list[Schedule]:
    """Those that stand, the oldest first."""
    return [_made(row) for row in connection.execute(_QUERY)]


def get(connection: sa.Connection, number: int) -> Schedule:
    """One that stands; NotFound if there is none."""
    row = connection.execute(_QUERY.where(_TABLE.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"schedule {number}")
    return _made(row)


def hold(connection: sa.Connection, number: int) -> Schedule | None:
    """One as it is now, which no other process carries out until the transaction ends.

    None where another one does so just now, or it was ended.
    """
    query = _QUERY.where(_TABLE.c.id == number).with_for_update(of=_TABLE, skip_locked=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _made(row)


def add(
    connection: sa.Connection,
    *,
    farm_id: int | None,
    area_code: str | None,
    behalf: Behalf | None = None,
    by: str,
    **values: Any,
) -> Schedule:
    """File a report by itself, from what is due now on."""
    whose = (behalf or Behalf())._asdict()
    subject = subject_of(farm_id, area_code)
    values = {"subject": subject, "farm_id": farm_id, "area_code": area_code, **values, **whose}
    statement = _TABLE.insert().values(created_by=by, **values).returning(_TABLE.c.id)
    return get(connection, connection.execute(statement).scalar_one())


def end(connection: sa.Connection, number: int, *, by: str) -> None:
    """File it no more; NotFound if none such stands."""
    values = {"ended_at": sa.func.now(), "ended_by": by}
    if not _change(connection, number, values):
        raise NotFound(f"schedule {number}")


def note_done(connection: sa.Connection, number: int, due: dt.datetime, revision_id: int) -> None:
    """Note that what was due by ``due`` is done, and which revision stood then."""
    values = {"done_until": due, "revision_id": revision_id}
    _change(connection, number, {**values, "failures": 0, "not_before": None, "last_error": None})


def note_failed(connection: sa.Connection, one: Schedule, error: str, now: dt.datetime) -> None:
    """Note why it was not filed; it is tried again, later each time."""
    wait = min(FIRST_WAIT * 2 ** min(one.failures, 10), LONGEST_WAIT)
    values = {"failures": one.failures + 1, "not_before": now + wait, "last_error": error[:500]}
    _change(connection, one.id, values)


def _change(connection: sa.Connection, number: int, values: dict[str, Any]) -> bool:
    stands = (_TABLE.c.id == number, _TABLE.c.ended_at.is_(None))
    return connection.execute(_TABLE.update().where(*stands).values(values)).rowcount > 0
