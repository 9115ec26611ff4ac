"""How each device of a farm is: when it was heard, its battery and signal, what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa


class DeviceState(NamedTuple):
    """A device as it stands; None: it never told."""

    id: str
    kind: str
    name: str
    field_id: int | None
    wire_id: str | None
    disabled: bool
    heard_at: dt.datetime | None
    interval_s: int | None  # of its most frequent datastream
    battery_level_pct: float | None
    battery_voltage_v: float | None
    battery_at: dt.datetime | None
    signal_dbm: float | None  # as it said, or as its network did, whichever is newer
    signal_at: dt.datetime | None
    missing_messages: int  # by the numbers that it gave them
    missing_since: dt.datetime | None
    rejected_messages: int
    rejected_at: dt.datetime | None  # the last of them


# The newest of a datastream is one look into the index of the newest chunk that has any.
_NEWEST = """(
    SELECT newest.time, newest.value
      FROM datastreams AS stream
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality < 16
                  ORDER BY time DESC LIMIT 1) AS newest
     WHERE stream.device_id = device.id AND stream.quantity = '{quantity}'
  ORDER BY newest.time DESC LIMIT 1)"""
_STATES = sa.text(f"""
    WITH device AS (
        SELECT id, kind, name, field_id, wire_id, disabled FROM devices
         WHERE farm_id = :farm_id AND id > :after
      ORDER BY id LIMIT :limit)
    SELECT device.*, heard.received_at, pace.interval_s, level.value, voltage.value,
           coalesce(level.time, voltage.time),
           CASE WHEN signal.time IS NULL OR signal.time < heard.signal_at
                THEN heard.signal_dbm ELSE signal.value END,
           greatest(signal.time, heard.signal_at),
           coalesce(missing.messages, 0), missing.since,
           coalesce(kept.messages, 0) + coalesce(counted.messages, 0), kept.last_at
      FROM device
 LEFT JOIN device_heard AS heard ON heard.device_id = device.id
 LEFT JOIN LATERAL (SELECT min(coalesce(expected_interval_s, learned_interval_s)) AS interval_s
                      FROM datastreams WHERE device_id = device.id) AS pace ON true
 LEFT JOIN LATERAL {_NEWEST.format(quantity="battery_level")} AS level ON true
 LEFT JOIN LATERAL {_NEWEST.format(quantity="battery_voltage")} AS voltage ON true
 LEFT JOIN LATERAL {_NEWEST.format(quantity="signal_strength")} AS signal ON true
 LEFT JOIN LATERAL (
        SELECT sum(upper(part) - lower(part))::bigint AS messages, min(gap_since) AS since
          FROM device_sequences
    CROSS JOIN LATERAL unnest(int8multirange(int8range(least(1, lower(received)), upper(received)))
                              - received - coalesce(given_up, '{{}}')) AS part
         WHERE device_id = device.id AND gap_since IS NOT NULL) AS missing ON true
 LEFT JOIN LATERAL (
        SELECT sum(times)::bigint AS messages, max(last_received_at) AS last_at
          FROM rejected_messages WHERE device IN (device.id, device.wire_id)) AS kept ON true
 LEFT JOIN LATERAL (
        SELECT sum(messages)::bigint AS messages
          FROM rejected_counts WHERE device IN (device.id, device.wire_id)) AS counted ON true
  ORDER BY device.id
""")  # noqa: S608 - names of ours


def page(
    connection: sa.Connection, farm_id: int, *, after: str = "", limit: int = 100
) -> list[DeviceState]:
    """Devices of a farm by id, from the one after ``after`` on."""
    asked = {"farm_id": farm_id, "after": after, "limit": limit}
    return [DeviceState(*row) for row in connection.execute(_STATES, asked)]


class HeardDay(NamedTuple):
    """What came of a device on one of the farm's days."""

    day: dt.date
    readings: int
    points: int  # of its track


_DAYS = sa.text("""
    SELECT day, sum(readings)::bigint, sum(points)::bigint
      FROM (SELECT CAST(bucket AT TIME ZONE :timezone AS date) AS day, samples AS readings,
                   0 AS points
              FROM datastreams AS stream
        CROSS JOIN LATERAL readings_by_day(stream.id, :start, :end, :timezone)
             WHERE stream.device_id = :device_id
         UNION ALL
            SELECT CAST(time AT TIME ZONE :timezone AS date), 0, count(*)
              FROM track_points
             WHERE device_id = :device_id AND time >= :start AND time < :end
          GROUP BY 1) AS heard
  GROUP BY day
  ORDER BY day
""")


def days(
    connection: sa.Connection,
    device_id: str,
    *,
    start: dt.datetime,
    end: dt.datetime,
    timezone: str,
) -> list[HeardDay]:
    """Days of [start, end) on which a usable reading or a point was measured."""
    asked = {"device_id": device_id, "start": start, "end": end, "timezone": timezone}
    return [HeardDay(*row) for row in connection.execute(_DAYS, asked)]


_EXPECTED = sa.text("""
    SELECT sum(86400.0 / coalesce(expected_interval_s, learned_interval_s))
      FROM datastreams WHERE device_id = :device_id
""")


def readings_a_day(connection: sa.Connection, device_id: str) -> float | None:
    """How many readings a day the intervals of its datastreams amount to; None: none is known."""
    found = connection.scalar(_EXPECTED, {"device_id": device_id})
    return None if found is None else float(found)


class Refusal(NamedTuple):
    """Messages of a device that could not be stored, for one reason."""

    reason: str
    messages: int
    detail: str | None  # of the newest that was kept
    topic: str | None
    payload: bytes | None
    last_at: dt.datetime | None  # None: all beyond the device's room, which are only counted


_REFUSALS = sa.text("""
    WITH names AS (SELECT unnest(ARRAY[id, wire_id]) AS name FROM devices WHERE id = :device_id),
    kept AS (
        SELECT reason, sum(times)::bigint AS messages,
               (array_agg(detail ORDER BY last_received_at DESC))[1] AS detail,
               (array_agg(topic ORDER BY last_received_at DESC))[1] AS topic,
               (array_agg(substring(payload FROM 1 FOR :most) ORDER BY last_received_at DESC))[1]
                   AS payload,
               max(last_received_at) AS last_at
          FROM rejected_messages WHERE device IN (SELECT name FROM names)
      GROUP BY reason),
    counted AS (
        SELECT reason, sum(messages)::bigint AS messages
          FROM rejected_counts WHERE device IN (SELECT name FROM names)
      GROUP BY reason)
    SELECT reason, coalesce(kept.messages, 0) + coalesce(counted.messages, 0), detail, topic,
           payload, last_at
      FROM kept FULL JOIN counted USING (reason)
  ORDER BY last_at DESC NULLS LAST, reason
""")


def refusals(connection: sa.Connection, device_id: str, *, most: int = 400) -> Sequence[Refusal]:
    """Why messages of a device were refused, the latest first; ``most`` bytes of a payload each."""
    rows = connection.execute(_REFUSALS, {"device_id": device_id, "most": most})
    return [Refusal(*row) for row in rows]
