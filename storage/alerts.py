"""Alerts: what an operator should look at, from when it was noticed to when it went away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage import tables
from storage.database import NotFound


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"  # figures say how they cope; good to know
    WARNING = "warning"  # something is, or will be, missing from the figures; or wants doing today
    CRITICAL = "critical"  # water runs, or a crop suffers, while nobody looks


class Kind(NamedTuple):
    """What an alert is about."""

    severity: Severity
    # What is lost never comes back: then knowing of it is all there is to do, and ends the alert.
    ends_when_acknowledged: bool = False
    # A cause that comes back this soon after it went away never went: its alert is open again.
    returns_within: dt.timedelta = dt.timedelta(0)


_HOUR = dt.timedelta(hours=1)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "silent": Kind(Severity.WARNING),
        "gap": Kind(Severity.INFO, ends_when_acknowledged=True),
        "sequence-gap": Kind(Severity.WARNING, ends_when_acknowledged=True),
        "messages-lost": Kind(Severity.WARNING, ends_when_acknowledged=True),
        # A panel fills a battery by day that does not last the night.
        "low-battery": Kind(Severity.WARNING, returns_within=30 * _HOUR),
        "refill-line": Kind(Severity.WARNING, returns_within=30 * _HOUR),
        "flow-valve-shut": Kind(Severity.CRITICAL, returns_within=_HOUR),
        "no-flow-valve-open": Kind(Severity.CRITICAL, returns_within=_HOUR),
        "frost": Kind(Severity.CRITICAL, returns_within=3 * _HOUR),
        "implausible": Kind(Severity.WARNING, returns_within=24 * _HOUR),
        "machine-outside": Kind(Severity.WARNING, returns_within=_HOUR),
    }
)


class Opening(NamedTuple):
    """An alert to be."""

    kind: str  # one of KINDS
    subject: str  # such as device:probe-7
    farm_id: int | None
    details: dict[str, Any]


class Alert(NamedTuple):
    """An alert as it stands."""

    id: int
    kind: str
    subject: str
    farm_id: int | None
    details: dict[str, Any]
    opened_at: dt.datetime
    cleared_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: str | None
    note: str | None = None  # of whoever acknowledged it

    @property
    def severity(self) -> Severity:
        """That of its kind."""
        return KINDS[self.kind].severity


_COLUMNS = [tables.alerts.c[name] for name in Alert._fields]

# xmax is 0 in a row that was inserted, and not in one that was there.
_OPEN = sa.text("""
    INSERT INTO alerts AS known (kind, subject, farm_id, details, opened_at)
    SELECT kind, subject, farm_id, details, :now
      FROM jsonb_to_recordset(:openings)
           AS opening (kind text, subject text, farm_id bigint, details jsonb)
  ORDER BY kind, subject
    ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO UPDATE
       SET details = excluded.details, farm_id = excluded.farm_id
     WHERE known.details <> excluded.details OR known.farm_id IS DISTINCT FROM excluded.farm_id
    RETURNING xmax = 0 AS is_new
""").bindparams(sa.bindparam("openings", type_=JSONB))


_RETURN = sa.text("""
    UPDATE alerts AS known
       SET cleared_at = NULL, details = opening.details, farm_id = opening.farm_id
      FROM jsonb_to_recordset(:openings)
           AS opening (kind text, subject text, farm_id bigint, details jsonb, since timestamptz)
     WHERE known.id = (SELECT max(id) FROM alerts
                        WHERE kind = opening.kind AND subject = opening.subject)
       AND known.cleared_at > opening.since
""").bindparams(sa.bindparam("openings", type_=JSONB))


def open(connection: sa.Connection, openings: Sequence[Opening], *, now: dt.datetime) -> int:
    """Open alerts and return how many are new; one that is open gets the new details.

    What was cleared a short while ago, by its kind, is not new: it is open again.
    """
    if not openings:
        return 0
    unknown = {one.kind for one in openings} - KINDS.keys()
    if unknown:
        raise ValueError(f"no kind of alert: {', '.join(sorted(unknown))}")
    latest = {(one.kind, one.subject): one._asdict() for one in openings}
    returning = [
        one | {"since": (now - KINDS[kind].returns_within).isoformat()}
        for (kind, _), one in latest.items()
        if KINDS[kind].returns_within
    ]
    if returning:
        connection.execute(_RETURN, {"openings": returning})
    rows = connection.execute(_OPEN, {"openings": list(latest.values()), "now": now})
    return sum(row.is_new for row in rows)


_CLEAR_OTHERS = sa.text("""
    UPDATE alerts SET cleared_at = :now
     WHERE kind = :kind AND cleared_at IS NULL AND NOT subject = ANY(:subjects)
""")


def clear_others(
    connection: sa.Connection, kind: str, subjects: Sequence[str], *, now: dt.datetime
) -> int:
    """Clear the open alerts of a kind about other subjects; return how many there were."""
    parameters = {"kind": kind, "subjects": list(subjects), "now": now}
    return connection.execute(_CLEAR_OTHERS, parameters).rowcount


# Numbers that are known to be lost are not missed again.
_GIVE_UP = sa.text("""
    UPDATE device_sequences
       SET given_up = int8multirange(int8range(least(1, lower(received)), upper(received)))
                    - received
     WHERE device_id = :device AND boot = :boot
""")


def acknowledge(
    connection: sa.Connection, number: int, *, by: str, now: dt.datetime, note: str | None = None
) -> Alert:
    """Note who knows of an alert, and what they say; who was first stays.

    That of something lost for good is over with that.

    Raises
    ------
    NotFound
        If there is no alert of this number.
    ValueError
        If nobody is named.
    """
    if not by.strip():
        raise ValueError("an alert is acknowledged by somebody")
    table = tables.alerts
    alert = get(connection, number)
    if alert.acknowledged_at is not None:
        return alert
    changes: dict[str, Any] = {"acknowledged_at": now, "acknowledged_by": by, "note": note}
    if KINDS[alert.kind].ends_when_acknowledged and alert.cleared_at is None:
        changes["cleared_at"] = now
        if alert.kind == "sequence-gap":
            connection.execute(_GIVE_UP, alert.details)
    statement = table.update().where(table.c.id == number).values(changes).returning(*_COLUMNS)
    return Alert(*connection.execute(statement).one())


def page(
    connection: sa.Connection,
    *,
    farm_id: int | None = None,
    active: bool | None = True,
    acknowledged: bool | None = None,
    kind: str | None = None,
    since: dt.datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Alerts, the newest first, from the one before number ``before`` on.

    ``active`` and ``acknowledged`` choose those that are, or are not; None takes both. ``since``
    takes those that were opened then or later.
    """
    table = tables.alerts
    query = sa.select(*_COLUMNS).order_by(table.c.id.desc()).limit(limit)
    if farm_id is not None:
        query = query.where(table.c.farm_id == farm_id)
    if active is not None:
        query = query.where(table.c.cleared_at.is_(None) == active)
    if acknowledged is not None:
        query = query.where(table.c.acknowledged_at.is_not(None) == acknowledged)
    if kind is not None:
        query = query.where(table.c.kind == kind)
    if since is not None:
        query = query.where(table.c.opened_at >= since)
    if before is not None:
        query = query.where(table.c.id < before)
    return [Alert(*row) for row in connection.execute(query)]


def get(connection: sa.Connection, number: int) -> Alert:
    """The alert of a number; NotFound if there is none."""
    query = sa.select(*_COLUMNS).where(tables.alerts.c.id == number)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"alert {number}")
    return Alert(*row)


def timezones(connection: sa.Connection, alerts: Sequence[Alert]) -> dict[int | None, str]:
    """The time zone of each farm that the alerts are of."""
    farms = tables.farms
    known = {one.farm_id for one in alerts if one.farm_id is not None}
    rows = connection.execute(sa.select(farms.c.id, farms.c.timezone).where(farms.c.id.in_(known)))
    return {row.id: row.timezone for row in rows}
