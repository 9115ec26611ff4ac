"""Message numbers that never came: an alert for each boot of a device that misses some."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from storage import alerts
from storage.alerts import Opening

# Messages overtake each other, and a device sends again after "some minutes of silence"
# (docs/protocol.md): a number that is missing for less is on its way.
PATIENCE = dt.timedelta(minutes=15)
RANGES_TOLD = 50  # of an alert; a device could miss every second number

_MISSING = sa.text("""
    WITH lost AS (
        SELECT device_id, boot, gap_since,
               int8multirange(int8range(least(1, lower(received)), upper(received)))
               - received - coalesce(given_up, '{}') AS numbers
          FROM device_sequences
         WHERE gap_since IS NOT NULL)
    SELECT lost.device_id, lost.boot, device.farm_id,
           (SELECT sum(upper(part) - lower(part)) FROM unnest(numbers) AS part)::bigint AS total,
           (SELECT array_agg(ARRAY[lower(part), upper(part) - 1] ORDER BY part)
              FROM (SELECT part FROM unnest(numbers) AS part ORDER BY part LIMIT :ranges) AS first)
           AS ranges,
           EXISTS (SELECT FROM device_sequences AS later
                    WHERE later.device_id = lost.device_id AND later.boot > lost.boot) AS ended
      FROM lost JOIN devices AS device ON device.id = lost.device_id
 LEFT JOIN alert_rules AS rule ON rule.farm_id = device.farm_id AND rule.kind = 'sequence-gap'
     WHERE numbers <> '{}' AND NOT device.disabled AND rule.enabled IS NOT false
       AND gap_since <= :now - coalesce(
               CAST(rule.parameters ->> 'patience_min' AS double precision) * interval '1 minute',
               :patience)
  ORDER BY lost.device_id, lost.boot
""")


def watch(connection: sa.Connection, now: dt.datetime) -> tuple[int, int]:
    """Open alerts for numbers missing too long, clear those of numbers that came.

    The gap of a boot that is over stays until its numbers come or somebody acknowledges that they
    are lost. Returns how many were opened and how many cleared.
    """
    found = connection.execute(_MISSING, {"now": now, "patience": PATIENCE, "ranges": RANGES_TOLD})
    openings = [_opening(row) for row in found]
    opened = alerts.open(connection, openings, now=now)
    subjects = [one.subject for one in openings]
    return opened, alerts.clear_others(connection, "sequence-gap", subjects, now=now)


def _opening(row: Any) -> Opening:
    details = {
        "device": row.device_id,
        "boot": row.boot,
        "missing": row.ranges,  # first and last of each
        "missing_messages": row.total,
        "boot_is_over": row.ended,
    }
    return Opening("sequence-gap", f"device:{row.device_id}/boot:{row.boot}", row.farm_id, details)
