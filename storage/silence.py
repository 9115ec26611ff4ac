"""Devices that stopped speaking: an alert until they are heard again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from storage import alerts
from storage.alerts import Opening
from storage.devices import RESTING_KINDS

INTERVALS_MISSED = 3
AT_LEAST = dt.timedelta(hours=1)
# A device that was silent for longer when it is first looked at did not fall silent now: its
# readings are history, such as a recorded season.
HISTORY = dt.timedelta(days=30)

# The probe for a recent reading ends at the first datastream that has one and, being bounded in
# time, looks into the newest chunks only; the newest reading is asked for of silent devices alone.
_SILENT = sa.text("""
    WITH watched AS (
        SELECT device.id, device.farm_id, pace.interval_s,
               :now - greatest(
                   coalesce(CAST(rule.parameters ->> 'missed_intervals' AS double precision),
                            :missed) * pace.interval_s * interval '1 second',
                   coalesce(CAST(rule.parameters ->> 'at_least_min' AS double precision)
                            * interval '1 minute', :at_least)) AS since
          FROM devices AS device
     LEFT JOIN alert_rules AS rule ON rule.farm_id = device.farm_id AND rule.kind = 'silent'
          JOIN (SELECT device_id,
                       min(coalesce(expected_interval_s, learned_interval_s)) AS interval_s
                  FROM datastreams
              GROUP BY device_id) AS pace ON pace.device_id = device.id
         WHERE NOT device.disabled AND NOT device.kind = ANY(:resting)
           AND rule.enabled IS NOT false AND pace.interval_s IS NOT NULL),
    silent AS (
        SELECT watched.*
          FROM watched
         WHERE NOT EXISTS (
               SELECT FROM datastreams AS stream
           CROSS JOIN LATERAL (SELECT FROM readings
                                WHERE datastream_id = stream.id AND time > watched.since
                                LIMIT 1) AS recent
                WHERE stream.device_id = watched.id))
    SELECT silent.id, silent.farm_id, silent.interval_s, heard.newest,
           heard.newest IS NULL OR heard.newest <= :history AS is_history
      FROM silent
CROSS JOIN LATERAL (
        SELECT max(last.time) AS newest
          FROM datastreams AS stream
    CROSS JOIN LATERAL (SELECT time FROM readings
                         WHERE datastream_id = stream.id AND time <= silent.since
                           AND time > :history
                      ORDER BY time DESC LIMIT 1) AS last
         WHERE stream.device_id = silent.id) AS heard
  ORDER BY silent.id
""")


def watch(connection: sa.Connection, now: dt.datetime) -> tuple[int, int]:
    """Open alerts for devices in service that fell silent, clear those of devices that speak.

    Silent is a device whose newest reading is older than three of its expected intervals, those of
    its most frequent datastream, and an hour. Machines and devices without a known interval are
    not watched. A farm may have numbers of its own (storage.alert_rules). Returns how many alerts
    were opened and how many cleared.
    """
    parameters = {
        "now": now,
        "missed": INTERVALS_MISSED,
        "at_least": AT_LEAST,
        "history": now - HISTORY,
        "resting": sorted(RESTING_KINDS),
    }
    found = connection.execute(_SILENT, parameters).all()
    openings = [
        Opening(
            "silent",
            f"device:{row.id}",
            row.farm_id,
            {
                "device": row.id,
                "newest_reading": row.newest.isoformat(),
                "expected_interval_s": row.interval_s,
            },
        )
        for row in found
        if not row.is_history
    ]
    opened = alerts.open(connection, openings, now=now)
    # One that has been silent for so long that it is history by now is silent all the same.
    silent = [f"device:{row.id}" for row in found]
    return opened, alerts.clear_others(connection, "silent", silent, now=now)
