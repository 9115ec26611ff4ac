"""How often datastreams speak, and the holes in what they said."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from storage import alerts, series
from storage.alerts import Opening

LEARNED_FROM = 8  # readings
REGULAR_WITHIN = 0.25  # of the median ...
REGULAR_SHARE = 0.7  # ... for at least this share of the intervals
INTERVALS_MISSED = 3
AT_LEAST_S = 600  # a shorter hole changes no figure
GAPS_TOLD = 50  # of an alert

_LEARN = sa.text("""
    UPDATE datastreams SET learned_interval_s = learned.seconds
      FROM unnest(CAST(:ids AS integer[]), CAST(:seconds AS integer[])) AS learned (id, seconds)
     WHERE datastreams.id = learned.id
""")


def learn(connection: sa.Connection, since: Mapping[int, dt.datetime]) -> dict[int, int | None]:
    """Learn the intervals of datastreams from their newest readings since a time. [s]

    The median of the last seven, where at least five of them are within a quarter of it: what
    speaks when something happens, or is changing its pace, has no interval, and what was known of
    it is forgotten. Those with too few readings are not in the answer.
    """
    found: dict[int, int | None] = {}
    for one, (times, _) in series.newest(connection, since, count=LEARNED_FROM).items():
        if len(times) < LEARNED_FROM:
            continue
        steps = np.diff(times)
        middle = float(np.median(steps))
        regular = np.abs(steps - middle) <= REGULAR_WITHIN * middle
        known = regular.mean() >= REGULAR_SHARE and middle >= 500_000
        found[one] = min(round(middle / 1e6), 2**31 - 1) if known else None
    if found:
        parameters = {"ids": list(found), "seconds": list(found.values())}
        connection.execute(_LEARN, parameters)
    return found


def longest_s(interval_s: float) -> float:
    """How long a datastream may pause before it is a gap. [s]"""
    return max(INTERVALS_MISSED * interval_s, AT_LEAST_S)


class Gap(NamedTuple):
    """A hole in a datastream, longer than ``longest_s``."""

    datastream_id: int
    quantity: str
    device_id: str
    farm_id: int | None
    start: dt.datetime  # the reading before
    end: dt.datetime  # the reading after
    longest_s: float


# Others may have stored what this process has not seen: a gap is one only if the table has it.
_REAL = sa.text("""
    SELECT gap.place
      FROM unnest(CAST(:ids AS integer[]), CAST(:starts AS timestamptz[]),
                  CAST(:ends AS timestamptz[]), CAST(:longest AS double precision[]))
           WITH ORDINALITY AS gap (id, start, finish, longest_s, place)
CROSS JOIN LATERAL (
        SELECT max(step) AS longest
          FROM (SELECT time - lag(time) OVER (ORDER BY time) AS step FROM readings
                 WHERE datastream_id = gap.id AND time >= gap.start AND time <= gap.finish
                   AND time >= :first AND time <= :last) AS steps) AS found
     WHERE found.longest > make_interval(secs => gap.longest_s)
  ORDER BY gap.place
""")
_OPEN_GAPS = sa.text("""
    SELECT subject, details FROM alerts
     WHERE kind = 'gap' AND cleared_at IS NULL AND subject = ANY(:subjects)
""")


def note_gaps(connection: sa.Connection, gaps: Sequence[Gap], *, now: dt.datetime) -> int:
    """Open an alert for each device that has a new gap, or add it to the one that is open."""
    if not gaps:
        return 0
    parameters: dict[str, Any] = {
        "ids": [gap.datastream_id for gap in gaps],
        "starts": [gap.start for gap in gaps],
        "ends": [gap.end for gap in gaps],
        "longest": [gap.longest_s for gap in gaps],
        "first": min(gap.start for gap in gaps),
        "last": max(gap.end for gap in gaps),
    }
    by_device: dict[str, list[Gap]] = defaultdict(list)
    for place in connection.scalars(_REAL, parameters):
        by_device[gaps[place - 1].device_id].append(gaps[place - 1])
    subjects = {f"device:{device}": device for device in by_device}
    told: dict[str, dict[str, Any]] = {subject: {"gaps": []} for subject in subjects}
    for row in connection.execute(_OPEN_GAPS, {"subjects": list(subjects)}):
        told[row.subject] = row.details
    openings = []
    for subject, device in subjects.items():
        known = told[subject]
        entries = [*known["gaps"]]
        entries += [one for one in map(_entry, by_device[device]) if one not in entries]
        dropped = known.get("more", 0) + max(0, len(entries) - GAPS_TOLD)
        details = {"device": device, "gaps": entries[-GAPS_TOLD:]}
        details |= {"more": dropped} if dropped else {}
        openings.append(Opening("gap", subject, by_device[device][0].farm_id, details))
    return alerts.open(connection, openings, now=now)


def _entry(gap: Gap) -> dict[str, Any]:
    return {
        "datastream": gap.datastream_id,
        "quantity": gap.quantity,
        "from": gap.start.isoformat(),
        "to": gap.end.isoformat(),
        "longest_s": gap.longest_s,
    }


_FILLED = sa.text("""
    WITH gaps AS (
        SELECT alert.id, gap.entry, gap.place,
               found.longest > make_interval(
                   secs => CAST(gap.entry ->> 'longest_s' AS double precision)) AS stands
          FROM alerts AS alert
    CROSS JOIN jsonb_array_elements(alert.details -> 'gaps')
               WITH ORDINALITY AS gap (entry, place)
    CROSS JOIN LATERAL (
            SELECT max(step) AS longest
              FROM (SELECT time - lag(time) OVER (ORDER BY time) AS step FROM readings
                     WHERE datastream_id = CAST(gap.entry ->> 'datastream' AS integer)
                       AND time >= CAST(gap.entry ->> 'from' AS timestamptz)
                       AND time <= CAST(gap.entry ->> 'to' AS timestamptz)) AS steps) AS found
         WHERE alert.kind = 'gap' AND alert.cleared_at IS NULL),
    left_over AS (
        SELECT id, coalesce(jsonb_agg(entry ORDER BY place) FILTER (WHERE stands), '[]') AS entries,
               bool_or(stands IS NOT TRUE) AS changed
          FROM gaps
      GROUP BY id)
    UPDATE alerts
       SET details = CASE WHEN left_over.entries = '[]' THEN alerts.details
                          ELSE alerts.details || jsonb_build_object('gaps', left_over.entries) END,
           cleared_at = CASE WHEN left_over.entries = '[]' THEN CAST(:now AS timestamptz) END
      FROM left_over
     WHERE alerts.id = left_over.id AND left_over.changed
    RETURNING alerts.cleared_at IS NOT NULL AS cleared
""")


def clear_filled(connection: sa.Connection, *, now: dt.datetime) -> int:
    """Take gaps that late readings filled out of their alerts; clear those that have none left."""
    return sum(row.cleared for row in connection.execute(_FILLED, {"now": now}))
