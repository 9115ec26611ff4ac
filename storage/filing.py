"""Reports as filed: added to, never changed; what was filed once is told as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import countersignatures, locks, tables
from storage.database import NotFound


class Filed(NamedTuple):
    """A report of a kind on a subject in a season, whatever its revisions."""

    id: int
    kind: str
    year: int
    serial: int
    subject: str
    farm_id: int | None
    area_code: str | None
    season: int
    period_start: dt.date | None
    period_end: dt.date | None

    @property
    def number(self) -> str:
        """As people say it: ``water-2026-0003``."""
        return number_of(self.kind, self.year, self.serial)


class Revision(NamedTuple):
    """What was signed, at one time."""

    id: int
    report_id: int
    revision: int
    manifest: str
    protected: str
    signature: str
    kid: str
    content_digest: str
    as_of: dt.datetime
    filed_at: dt.datetime
    filed_by: str
    reason: str | None


class Line(NamedTuple):
    """A report in a list, by its newest revision."""

    report: Filed
    farm: str | None  # slug
    revision_id: int
    revision: int
    as_of: dt.datetime
    filed_at: dt.datetime
    filed_by: str
    reason: str | None
    content_digest: str
    countersignatures: int


class Key(NamedTuple):
    """A public key that reports are signed or countersigned with."""

    kid: str
    jwk: Mapping[str, Any]
    role: str  # files or countersigns
    owner: str
    created_at: dt.datetime


_REPORT, _REVISION = tables.filed_reports, tables.report_revisions
_KEY = tables.report_keys
_FILED = [_REPORT.c[name] for name in Filed._fields]
_REVISED = [_REVISION.c[name] for name in Revision._fields]


def subject_of(farm_id: int | None, area_code: str | None) -> str:
    """What something is of, in one text: ``farm:12``, ``area:KZ-61``."""
    return f"area:{area_code}" if farm_id is None else f"farm:{farm_id}"


def number_of(kind: str, year: int, serial: int) -> str:
    """A report's number."""
    return f"{kind}-{year}-{serial:04d}"


def parts_of(number: str) -> tuple[str, int, int]:
    """Kind, year and serial of a number; NotFound for what is none."""
    kind, _, rest = number.partition("-")
    year, _, serial = rest.partition("-")
    # Twice over: neither 0003 for 3 nor digits of another script are another name of a report.
    known = year.isdecimal() and serial.isdecimal() and len(year) == 4 and len(serial) <= 9
    if not known or number_of(kind, int(year), int(serial)) != number:
        raise NotFound(f"report {number!r}")
    return kind, int(year), int(serial)


def begin(connection: sa.Connection) -> dt.datetime:
    """Let no other filing in until the transaction ends, and say what time it is.

    Revisions then get their ids, and their times, in the order in which they are seen: whoever asks
    for what changed since misses none.
    """
    locks.wait(connection, "dala filing")
    now: dt.datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return now


def find(
    connection: sa.Connection,
    *,
    kind: str,
    subject: str,
    season: int,
    period: tuple[dt.date, dt.date] | None,
) -> Filed | None:
    """The report of a kind on a subject in a season or a part of it, if one was filed."""
    start, end = period or (None, None)
    row = connection.execute(
        sa.select(*_FILED).where(
            _REPORT.c.kind == kind,
            _REPORT.c.subject == subject,
            _REPORT.c.season == season,
            _REPORT.c.period_start.is_not_distinct_from(start),
            _REPORT.c.period_end.is_not_distinct_from(end),
        )
    ).one_or_none()
    return None if row is None else Filed(*row)


def add(connection: sa.Connection, **values: Any) -> Filed:
    """Open the file of a report; the database gives it the next number of its kind and year."""
    statement = _REPORT.insert().values(serial=0, **values).returning(*_FILED)
    return Filed(*connection.execute(statement).one())


def add_revision(connection: sa.Connection, **values: Any) -> Revision:
    """Add what was signed to a report's file."""
    return Revision(
        *connection.execute(_REVISION.insert().values(**values).returning(*_REVISED)).one()
    )


def get(connection: sa.Connection, number: str) -> Filed:
    """The report of a number; NotFound if there is none."""
    kind, year, serial = parts_of(number)
    row = connection.execute(
        sa.select(*_FILED).where(
            _REPORT.c.kind == kind, _REPORT.c.year == year, _REPORT.c.serial == serial
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"report {number!r}")
    return Filed(*row)


def revision(connection: sa.Connection, report: Filed, which: int | None = None) -> Revision:
    """A revision of a report, by default the newest; NotFound if there is none."""
    query = sa.select(*_REVISED).where(_REVISION.c.report_id == report.id)
    if which is not None:
        query = query.where(_REVISION.c.revision == which)
    row = connection.execute(query.order_by(_REVISION.c.revision.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound(f"revision {which} of report {report.number}")
    return Revision(*row)


def revisions(connection: sa.Connection, report: Filed) -> list[Revision]:
    """All revisions of a report, the first one first."""
    query = sa.select(*_REVISED).where(_REVISION.c.report_id == report.id)
    return [Revision(*row) for row in connection.execute(query.order_by(_REVISION.c.revision))]


def page(
    connection: sa.Connection,
    *,
    kind: str | None = None,
    area: str | None = None,
    farm_id: int | None = None,
    season: int | None = None,
    changed_since: dt.datetime | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Line]:
    """Reports by when they were filed or revised last, from the revision after ``after`` on.

    One that is revised while a caller reads page after page comes again at the end, and is never
    left out.
    """
    later = _REVISION.alias("later")
    newest = ~sa.exists().where(
        later.c.report_id == _REVISION.c.report_id, later.c.revision > _REVISION.c.revision
    )
    said = (
        _REVISION.c.id,
        _REVISION.c.revision,
        _REVISION.c.as_of,
        _REVISION.c.filed_at,
        _REVISION.c.filed_by,
        _REVISION.c.reason,
        _REVISION.c.content_digest,
        countersignatures.count(countersignatures.REVISIONS, _REVISION.c.id),
    )
    query = (
        sa.select(*_FILED, tables.farms.c.slug, *said)
        .join(_REVISION, _REVISION.c.report_id == _REPORT.c.id)
        .outerjoin(tables.farms, tables.farms.c.id == _REPORT.c.farm_id)
        .where(newest, _REVISION.c.id > after)
        .order_by(_REVISION.c.id)
        .limit(limit)
    )
    equal = {"kind": kind, "area_code": area, "farm_id": farm_id, "season": season}
    for name, value in equal.items():
        if value is not None:
            query = query.where(_REPORT.c[name] == value)
    if changed_since is not None:
        query = query.where(_REVISION.c.filed_at > changed_since)
    split = len(_FILED)
    return [Line(Filed(*row[:split]), *row[split:]) for row in connection.execute(query)]


# --- keys -----------------------------------------------------------------------------------------


def put_key(
    connection: sa.Connection,
    kid: str,
    jwk: Mapping[str, Any],
    *,
    role: str,
    owner: str,
    created_by: str,
) -> bool:
    """Make a public key known, and tell whether it was not; its role stays what it was."""
    if any(key.kid == kid for key in keys(connection)):
        return False
    connection.execute(
        _KEY.insert().values(kid=kid, jwk=jwk, role=role, owner=owner, created_by=created_by)
    )
    return True


def keys(connection: sa.Connection) -> Sequence[Key]:
    """All keys that there ever were, in the order in which they came."""
    query = sa.select(*(_KEY.c[name] for name in Key._fields))
    rows = connection.execute(query.order_by(_KEY.c.created_at, _KEY.c.kid))
    return [Key(*row) for row in rows]
