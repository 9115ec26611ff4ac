"""Messages about alerts and about filed reports: one queue, and each until it arrives.

A message is claimed before it is sent: whoever sends it is stopped by nobody, and if that process
dies the claim runs out and the message goes again, under the same number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage import behalf, subscriptions, tables
from storage.alerts import KINDS, Alert, Severity
from storage.behalf import Behalf
from storage.filing import Filed, number_of

GIVEN_UP_AFTER = dt.timedelta(days=3)
LONGEST_WAIT = dt.timedelta(hours=6)
TOLD_OF_REPORTS = ("read:reports", "subscribe:reports")
OLD_NEWS = dt.timedelta(days=7)  # nobody is told for the first time of an alert this old
_SEVERITIES = list(Severity)  # in order

# What was opened goes to who wanted to hear of it by then; what was cleared, to who was told, once
# it cannot come back as the same alert.
_DUE = sa.text("""
    WITH kind AS (
        SELECT * FROM jsonb_to_recordset(:kinds) AS kind (name text, severity int, returns_s float))
    INSERT INTO deliveries (alert_id, subscription_id, event, created_at, next_attempt_at)
    SELECT alert.id, wish.id, 'opened', :now, :now
      FROM alerts AS alert
      JOIN kind ON kind.name = alert.kind
      JOIN subscriptions AS wish ON wish.topic = 'alerts' AND wish.farm_id = alert.farm_id
     WHERE alert.opened_at > :now - :old AND wish.ended_at IS NULL
       AND wish.created_at <= alert.opened_at
       AND (wish.kinds = '{}' OR alert.kind = ANY(wish.kinds))
       AND kind.severity >= array_position(CAST(:severities AS text[]), wish.min_severity)
 UNION ALL
    SELECT told.alert_id, told.subscription_id, 'cleared', :now, :now
      FROM deliveries AS told
      JOIN alerts AS alert ON alert.id = told.alert_id
      JOIN kind ON kind.name = alert.kind
      JOIN subscriptions AS wish ON wish.id = told.subscription_id
     WHERE told.event = 'opened' AND told.status = 'sent' AND wish.ended_at IS NULL
       AND alert.cleared_at > :now - :old - kind.returns_s * interval '1 second'
       AND alert.cleared_at <= :now - kind.returns_s * interval '1 second'
    ON CONFLICT (subscription_id, alert_id, revision_id, event) DO NOTHING
""").bindparams(sa.bindparam("kinds", type_=JSONB))

# Of an area goes all that lies in it: reports of its districts and of farms there. Revisions are
# seen in the order of their ids (storage.filing.begin), so each is looked at once.
_FILED = sa.text("""
    WITH newest AS (SELECT max(id) AS id FROM report_revisions),
    wish AS (
        SELECT * FROM subscriptions
         WHERE topic = 'reports' AND ended_at IS NULL AND told_until < (SELECT id FROM newest)
           FOR UPDATE SKIP LOCKED),
    moved AS (
        UPDATE subscriptions AS moved SET told_until = newest.id
          FROM wish, newest WHERE moved.id = wish.id)
    INSERT INTO deliveries (revision_id, subscription_id, event, created_at, next_attempt_at)
    SELECT revision.id, wish.id,
           CASE WHEN revision.revision = 0 THEN 'filed' ELSE 'revised' END, :now, :now
      FROM wish
      JOIN report_revisions AS revision ON revision.id > wish.told_until
      JOIN filed_reports AS report ON report.id = revision.report_id
 LEFT JOIN farms AS farm ON farm.id = report.farm_id
     WHERE (wish.farm_id = report.farm_id
            OR starts_with(coalesce(report.area_code, farm.region_code), wish.area_code))
       AND (wish.kinds = '{}' OR report.kind = ANY(wish.kinds))
""")

_NOT_WANTED = sa.text("""
    UPDATE deliveries AS message
       SET status = 'given-up', last_error = 'the subscription was ended'
      FROM subscriptions AS wish
     WHERE wish.id = message.subscription_id AND wish.ended_at IS NOT NULL
       AND message.status = 'pending'
""")


def note_due(connection: sa.Connection, now: dt.datetime) -> int:
    """Note whom to tell of what was opened, cleared or filed; return how many are new."""
    kinds = [
        {
            "name": name,
            "severity": _SEVERITIES.index(kind.severity) + 1,
            "returns_s": kind.returns_within.total_seconds(),
        }
        for name, kind in KINDS.items()
    ]
    parameters = {"kinds": kinds, "now": now, "old": OLD_NEWS}
    parameters["severities"] = [str(one) for one in _SEVERITIES]
    connection.execute(_NOT_WANTED)
    new = connection.execute(_DUE, parameters).rowcount
    return new + connection.execute(_FILED, {"now": now}).rowcount


class OfAlert(NamedTuple):
    """What is told: an alert of a farm."""

    alert: Alert
    farm: str
    farm_name: str
    timezone: str


class OfReport(NamedTuple):
    """What is told: a revision of a report."""

    report: Filed
    farm: str | None  # slug
    revision: int
    as_of: dt.datetime
    filed_at: dt.datetime
    reason: str | None
    digest: str  # SHA-256 of the bytes that were signed, in hex
    may_be_told: bool  # whoever asked for it may be told now


class Message(NamedTuple):
    """A message that is to be sent now."""

    about: OfAlert | OfReport
    id: int
    event: str  # opened or cleared, filed or revised
    attempts: int  # with this one
    created_at: dt.datetime
    channel: str
    address: str
    language: str
    secret: str | None


_CLAIM = sa.text("""
    WITH due AS (
        SELECT id FROM deliveries
         WHERE status = 'pending' AND next_attempt_at <= :now
      ORDER BY next_attempt_at LIMIT :limit
           FOR UPDATE SKIP LOCKED)
    UPDATE deliveries AS message
       SET attempts = message.attempts + 1,
           next_attempt_at = :now + least(
               interval '1 minute' * power(2, least(message.attempts, 20)), :longest)
      FROM due
     WHERE message.id = due.id
    RETURNING message.id
""")
_MESSAGE = [
    *(tables.deliveries.c[name] for name in ("id", "event", "attempts", "created_at")),
    *(tables.subscriptions.c[name] for name in ("channel", "address", "language", "secret")),
]
_SIGNED = sa.func.convert_to(tables.report_revisions.c.manifest, "UTF8")
_WHERE = [tables.farms.c[name] for name in ("slug", "name", "timezone")]
_REVISION = [
    *(tables.report_revisions.c[name] for name in ("revision", "as_of", "filed_at", "reason")),
    sa.func.encode(sa.func.sha256(_SIGNED), "hex"),
]
_WHOSE = [tables.farms.c.region_code, *(tables.subscriptions.c[name] for name in Behalf._fields)]


def claim(connection: sa.Connection, now: dt.datetime, *, limit: int = 50) -> list[Message]:
    """Take messages that are due; each comes due again later, unless it is told to be settled."""
    parameters = {"now": now, "limit": limit, "longest": LONGEST_WAIT}
    ids = connection.scalars(_CLAIM, parameters).all()
    found = _about_alerts(connection, ids) + _about_reports(connection, ids)
    return sorted(found, key=lambda one: one.id)


def _about_alerts(connection: sa.Connection, ids: Sequence[int]) -> list[Message]:
    deliveries, alerts, farms = tables.deliveries, tables.alerts, tables.farms
    query = (
        _messages(ids, *_WHERE, *(alerts.c[name] for name in Alert._fields))
        .join(alerts, alerts.c.id == deliveries.c.alert_id)
        .join(farms, farms.c.id == alerts.c.farm_id)
    )
    return [
        Message(OfAlert(Alert(*more[len(_WHERE) :]), *more[: len(_WHERE)]), *message)
        for message, more in _parted(connection, query)
    ]


def _about_reports(connection: sa.Connection, ids: Sequence[int]) -> list[Message]:
    deliveries, revisions, reports = (
        tables.deliveries,
        tables.report_revisions,
        tables.filed_reports,
    )
    filed = [reports.c[name] for name in Filed._fields]
    query = (
        _messages(ids, *filed, tables.farms.c.slug, *_REVISION, *_WHOSE)
        .join(revisions, revisions.c.id == deliveries.c.revision_id)
        .join(reports, reports.c.id == revisions.c.report_id)
        .outerjoin(tables.farms, tables.farms.c.id == reports.c.farm_id)
    )
    found = []
    for message, more in _parted(connection, query):
        report, (region, *whose) = Filed(*more[: len(filed)]), more[-len(_WHOSE) :]
        may = behalf.rights(connection, Behalf(*whose)).allow(
            *TOLD_OF_REPORTS, farm_id=report.farm_id, region=report.area_code or region
        )
        told = (*more[len(filed) : -len(_WHOSE)], may)
        found.append(Message(OfReport(report, *told), *message))
    return found


def _messages(ids: Sequence[int], *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    deliveries, wishes = tables.deliveries, tables.subscriptions
    query = sa.select(*_MESSAGE, *more).select_from(deliveries)
    query = query.join(wishes, wishes.c.id == deliveries.c.subscription_id)
    return query.where(deliveries.c.id.in_(ids))


def _parted(
    connection: sa.Connection, query: sa.Select[Any]
) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    width = len(_MESSAGE)
    for row in connection.execute(query).all():
        yield row[:width], row[width:]


def note_sent(connection: sa.Connection, number: int, now: dt.datetime) -> None:
    """Note that a message arrived."""
    _settle(connection, number, status="sent", sent_at=now, last_error=None)


def note_failed(
    connection: sa.Connection, message: Message, error: str, now: dt.datetime, *, for_good: bool
) -> bool:
    """Note why a message did not arrive; return whether it is given up."""
    over = for_good or now - message.created_at >= GIVEN_UP_AFTER
    values: dict[str, Any] = {"last_error": error[:500]}
    if over:
        values["status"] = "given-up"
    _settle(connection, message.id, **values)
    return over


def _settle(connection: sa.Connection, number: int, **values: Any) -> None:
    table = tables.deliveries
    connection.execute(
        table.update().where(table.c.id == number, table.c.status == "pending").values(**values)
    )


class Delivery(NamedTuple):
    """What became of a message."""

    id: int
    alert_id: int | None
    number: str | None  # of a report
    revision: int | None
    subscription_id: int
    event: str
    status: str
    attempts: int
    next_attempt_at: dt.datetime
    last_error: str | None
    created_at: dt.datetime
    sent_at: dt.datetime | None


_KEPT = [
    tables.deliveries.c[name]
    for name in Delivery._fields
    if name not in {"id", "alert_id", "number", "revision"}
]


def of_farm(connection: sa.Connection, farm_id: int, **chosen: Any) -> list[Delivery]:
    """Messages about a farm's alerts, the newest first, chosen as :func:`_page` does."""
    wishes = tables.subscriptions.c
    return _page(connection, wishes.topic == "alerts", wishes.farm_id == farm_id, **chosen)


def of_reports(
    connection: sa.Connection, *, created_by: str | None = None, **chosen: Any
) -> list[Delivery]:
    """Messages about reports, the newest first; of subscriptions that one made, or of all."""
    return _page(connection, *subscriptions.to_reports(created_by), **chosen)


def _page(
    connection: sa.Connection,
    *where: sa.ColumnElement[bool],
    status: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Those of a status, from the one before ``before`` on."""
    table, wishes = tables.deliveries, tables.subscriptions
    revisions, reports = tables.report_revisions, tables.filed_reports
    named = (reports.c.kind, reports.c.year, reports.c.serial, revisions.c.revision)
    query = (
        sa.select(table.c.id, table.c.alert_id, *named, *_KEPT)
        .join(wishes, wishes.c.id == table.c.subscription_id)
        .outerjoin(revisions, revisions.c.id == table.c.revision_id)
        .outerjoin(reports, reports.c.id == revisions.c.report_id)
        .where(*where)
    )
    if status is not None:
        query = query.where(table.c.status == status)
    if before is not None:
        query = query.where(table.c.id < before)
    return [
        Delivery(number, alert_id, name and number_of(name, *more[:2]), *more[2:])
        for number, alert_id, name, *more in connection.execute(
            query.order_by(table.c.id.desc()).limit(limit)
        )
    ]
