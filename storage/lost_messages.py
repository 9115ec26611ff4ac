"""Message numbers that a device declares lost: it says so once, and an alert keeps it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import alerts
from storage.alerts import Opening

KIND = "messages-lost"
RANGES_TOLD = 50  # of an alert; their count is exact


class Declared(NamedTuple):
    """Numbers of one boot that came empty, and the readings of the batch around them."""

    device_id: str
    farm_id: int | None
    boot: int
    numbers: Sequence[int]
    after: dt.datetime | None  # newest reading of earlier numbers of the boot
    before: dt.datetime | None  # oldest reading of later ones


# What was committed under a number was not lost, whatever is said later.
_NEW = sa.text("""
    SELECT number,
           coalesce((SELECT upper(received) FROM device_sequences
                      WHERE device_id = :device AND boot = :boot) > number, false) AS is_late
      FROM unnest(CAST(:numbers AS bigint[])) AS number
     WHERE NOT EXISTS (SELECT FROM device_sequences
                        WHERE device_id = :device AND boot = :boot AND received @> number)
  ORDER BY number
""")
_NEWEST = sa.text("""
    SELECT greatest(
        (SELECT max(newest.time)
           FROM datastreams
     CROSS JOIN LATERAL (SELECT time FROM readings
                          WHERE datastream_id = datastreams.id AND time < :until
                       ORDER BY time DESC LIMIT 1) AS newest
          WHERE datastreams.device_id = :device),
        (SELECT max(time) FROM track_points WHERE device_id = :device AND time < :until))
""")
_OPEN = sa.text(
    "SELECT details FROM alerts WHERE kind = :kind AND subject = :subject AND cleared_at IS NULL"
)


def note(connection: sa.Connection, declared: Sequence[Declared], *, now: dt.datetime) -> int:
    """Keep what devices declare lost, one alert for each boot; return how many are new.

    To be called before the numbers are noted as committed.
    """
    openings = []
    for one in declared:
        parameters = {"device": one.device_id, "boot": one.boot, "numbers": list(one.numbers)}
        rows = connection.execute(_NEW, parameters).all()
        if not rows:
            continue
        subject = f"device:{one.device_id}/boot:{one.boot}"
        known = connection.scalar(_OPEN, {"kind": KIND, "subject": subject}) or {}
        after, before = one.after, one.before
        if any(row.is_late for row in rows):
            after = before = None  # later ones are stored: nobody knows when these were
        elif after is None:
            after = connection.scalar(_NEWEST, {"device": one.device_id, "until": before or now})
        details = _together(known, [row.number for row in rows], after, before)
        if details["before"] and details["after"] and details["after"] >= details["before"]:
            # A clock that was ahead, or readings that came out of turn: the last one before it.
            until = {"device": one.device_id, "until": dt.datetime.fromisoformat(details["before"])}
            details["after"] = _iso(connection.scalar(_NEWEST, until))
        details |= {"device": one.device_id, "boot": one.boot}
        openings.append(Opening(KIND, subject, one.farm_id, details))
    return alerts.open(connection, openings, now=now)


def _together(
    known: dict[str, Any],
    numbers: Sequence[int],
    after: dt.datetime | None,
    before: dt.datetime | None,
) -> dict[str, Any]:
    """An alert's details with what is lost besides: from the first loss to the last."""
    return {
        "lost": _merged([*known.get("lost", []), *([n, n] for n in numbers)])[-RANGES_TOLD:],
        "lost_messages": known.get("lost_messages", 0) + len(numbers),
        "after": known.get("after") or _iso(after),
        "newest_after": _iso(after) or known.get("newest_after"),
        "before": _iso(before) if after is not None else known.get("before"),
    }


def _merged(ranges: list[list[int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return merged


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()


# The first reading behind the loss, once there is one.
_BOUND = sa.text("""
    UPDATE alerts
       SET details = alerts.details || jsonb_build_object(
               'before',
               to_char(found.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
      FROM (SELECT alert.id, least(
                (SELECT min(next.time)
                   FROM datastreams
             CROSS JOIN LATERAL (SELECT time FROM readings
                                  WHERE datastream_id = datastreams.id AND time > since.moment
                               ORDER BY time LIMIT 1) AS next
                  WHERE datastreams.device_id = alert.details ->> 'device'),
                (SELECT min(time) FROM track_points
                  WHERE device_id = alert.details ->> 'device' AND time > since.moment)) AS time
              FROM alerts AS alert
        CROSS JOIN LATERAL (SELECT CAST(alert.details ->> 'newest_after' AS timestamptz) AS moment)
                        AS since
             WHERE alert.kind = :kind AND alert.cleared_at IS NULL
               AND alert.details ->> 'before' IS NULL AND since.moment IS NOT NULL) AS found
     WHERE alerts.id = found.id AND found.time IS NOT NULL
""")


def bound(connection: sa.Connection) -> int:
    """Tell until when a loss may have been, where readings came since; return of how many."""
    return connection.execute(_BOUND, {"kind": KIND}).rowcount
