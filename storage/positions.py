"""Where the devices of a farm are: the newest point of each that moves, the field of each other."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

LATELY = dt.timedelta(days=31)  # where a machine was before says nothing of where it is


class Position(NamedTuple):
    """A device and where it was last; None where it never said."""

    device_id: str
    kind: str
    name: str
    field_id: int | None
    silent: bool
    heard_at: dt.datetime | None
    time: dt.datetime | None
    latitude_deg: float | None
    longitude_deg: float | None
    heading_deg: float | None
    speed_m_s: float | None
    work_state: int | None


_OF_FARM = sa.text("""
    SELECT device.id, device.kind, device.name, device.field_id,
           EXISTS (SELECT FROM alerts WHERE alerts.kind = 'silent' AND cleared_at IS NULL
                      AND subject = 'device:' || device.id),
           heard.received_at, point.time, point.latitude_deg, point.longitude_deg,
           point.heading_deg, point.speed_m_s, point.work_state
      FROM devices AS device
 LEFT JOIN device_heard AS heard ON heard.device_id = device.id
 LEFT JOIN LATERAL (SELECT * FROM track_points
                     WHERE device_id = device.id AND time >= :after AND time < :before
                  ORDER BY time DESC LIMIT 1) AS point ON true
     WHERE device.farm_id = :farm AND NOT device.disabled
  ORDER BY device.id
""")


class Herd(NamedTuple):
    """Animals that a drone or collars saw together, on the last day that they did."""

    device_id: str
    name: str
    day: dt.date
    latitude_deg: float
    longitude_deg: float
    animals: float  # the most that were seen at once


_HERDS = sa.text("""
    SELECT DISTINCT ON (device.id) device.id, device.name, herd.day,
           CAST(herd.figures ->> 'latitude_deg' AS double precision),
           CAST(herd.figures ->> 'longitude_deg' AS double precision),
           CAST(herd.figures ->> 'animals' AS double precision)
      FROM devices AS device JOIN machine_results AS herd ON herd.device_id = device.id
     WHERE device.farm_id = :farm AND NOT device.disabled AND herd.kind = 'herd'
       AND herd.superseded_at IS NULL AND herd.day BETWEEN :first AND :last
  ORDER BY device.id, herd.day DESC, herd.number DESC
""")


def of_farm(connection: sa.Connection, farm_id: int, *, before: dt.datetime) -> list[Position]:
    """Devices in use by id, each with its newest point in the month before a moment."""
    times = {"after": before - LATELY, "before": before}
    return [Position(*row) for row in connection.execute(_OF_FARM, {"farm": farm_id} | times)]


def herds(connection: sa.Connection, farm_id: int, *, last: dt.date) -> list[Herd]:
    """Each herd where it was seen last in the month up to a day."""
    days = {"first": last - LATELY, "last": last}
    return [Herd(*row) for row in connection.execute(_HERDS, {"farm": farm_id} | days)]
