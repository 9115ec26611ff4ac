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
    WARNING = "warning"  # something is, or will be, missing from the figures


class Kind(NamedTuple):
    """What an alert is about."""

    severity: Severity
    # What is lost never comes back: then knowing of it is all there is to do, and ends the alert.
    ends_when_acknowledged: bool


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "silent": Kind(Severity.WARNING, ends_when_acknowledged=False),
        "gap": Kind(Severity.INFO, ends_when_acknowledged=True),
        "sequence-gap": Kind(Severity.WARNING, ends_when_acknowledged=True),
        "messages-lost": Kind(Severity.WARNING, ends_when_acknowledged=True),
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


def open(connection: sa.Connection, openings: Sequence[Opening], *, now: dt.datetime) -> int:
    """Open alerts and return how many are new; one that is open gets the new details."""
    if not openings:
        return 0
    unknown = {one.kind for one in openings} - KINDS.keys()
    if unknown:
        raise ValueError(f"no kind of alert: {', '.join(sorted(unknown))}")
    latest = {(one.kind, one.subject): one._asdict() for one in openings}
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


def acknowledge(connection: sa.Connection, number: int, *, by: str, now: dt.datetime) -> Alert:
    """Note who knows of an alert; that of something lost for good is over with that.

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
    known = connection.execute(sa.select(*_COLUMNS).where(table.c.id == number)).one_or_none()
    if known is None:
        raise NotFound(f"alert {number}")
    alert = Alert(*known)
    if alert.acknowledged_at is not None:
        return alert
    changes: dict[str, Any] = {"acknowledged_at": now, "acknowledged_by": by}
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
    before: int | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Alerts, the newest first, from the one before number ``before`` on.

    ``active`` and ``acknowledged`` choose those that are, or are not; None takes both.
    """
    table = tables.alerts
    query = sa.select(*_COLUMNS).order_by(table.c.id.desc()).limit(limit)
    if farm_id is not None:
        query = query.where(table.c.farm_id == farm_id)
    if active is not None:
        query = query.where(table.c.cleared_at.is_(None) == active)
    if acknowledged is not None:
        query = query.where(table.c.acknowledged_at.is_not(None) == acknowledged)
    if before is not None:
        query = query.where(table.c.id < before)
    return [Alert(*row) for row in connection.execute(query)]


def timezones(connection: sa.Connection, alerts: Sequence[Alert]) -> dict[int | None, str]:
    """The time zone of each farm that the alerts are of."""
    farms = tables.farms
    known = {one.farm_id for one in alerts if one.farm_id is not None}
    rows = connection.execute(sa.select(farms.c.id, farms.c.timezone).where(farms.c.id.in_(known)))
    return {row.id: row.timezone for row in rows}
