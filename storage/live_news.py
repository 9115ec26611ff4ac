"""What changed lately, for event streams: written with the change itself, read once a second.

A row is written in the transaction that makes the change: by triggers for alerts and devices
(migration 0010), and by whoever stores readings and track points. Rows get their numbers before
they commit, and commit in another order. So a position in the news is not a number of a row, but
the oldest transaction that was still at work when it was read: whatever commits later has that
number or a higher one. Who reads on from a position may see a change twice, and misses none.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.alerts import Alert

KEPT = dt.timedelta(hours=1)
_CERTAIN = KEPT - dt.timedelta(minutes=5)  # a position this old may be read on from
_TEXT = re.compile(r"([0-9]{1,18})-([0-9]{1,12})")
# Older readings are stored like any other; they are no news of how things stand.
LATELY = dt.timedelta(days=31)


class Position(NamedTuple):
    """How far the news was read."""

    xact: int  # the oldest transaction that was at work
    at_s: int  # when, POSIX time

    def __str__(self) -> str:
        return f"{self.xact}-{self.at_s}"


_HERE = sa.text("""
    SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint),
           CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)
""")


def here(connection: sa.Connection) -> Position:
    """The position from which one reads what is not seen by now."""
    return Position(*connection.execute(_HERE).one())


def position(text: str, here: Position) -> Position | None:
    """A position as it was told; None where it is none, or too old to read on from."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    told = Position(int(found[1]), int(found[2]))
    too_old = told.at_s < here.at_s - _CERTAIN.total_seconds()
    return None if too_old or told.xact > here.xact or told.at_s > here.at_s + 60 else told


_NOTE_STREAMS = sa.text("INSERT INTO live_news (datastream_ids) VALUES (CAST(:ids AS integer[]))")
_NOTE_DEVICES = sa.text("INSERT INTO live_news (device_ids) VALUES (CAST(:ids AS text[]))")


def note_datastreams(connection: sa.Connection, literal: str) -> None:
    """Note that readings of datastreams were stored; ``literal`` is their ids as ``{1,2}``."""
    connection.execute(_NOTE_STREAMS, {"ids": literal})


def note_devices(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Note that something of devices changed: where they are, or what is known of them."""
    connection.execute(_NOTE_DEVICES, {"ids": list(ids)})


_PRUNE = sa.text("DELETE FROM live_news WHERE at < :before")


def prune(connection: sa.Connection, now: dt.datetime) -> None:
    """Forget what nobody reads on from."""
    connection.execute(_PRUNE, {"before": now - KEPT})


class News(NamedTuple):
    """What changed."""

    rows: dict[int, int]  # transactions by rows
    datastreams: set[int]
    devices: set[str]
    alerts: set[int]


_SINCE = sa.text("""
    SELECT id, xact, datastream_ids, device_ids, alert_ids FROM live_news
     WHERE xact >= :xact AND id <> ALL(CAST(:seen AS bigint[]))
""")


def since(connection: sa.Connection, start: Position, seen: Collection[int] = ()) -> News:
    """What changed from a position on, but for rows that were seen."""
    literal = "{" + ",".join(map(str, seen)) + "}"
    found = News({}, set(), set(), set())
    for row in connection.execute(_SINCE, {"xact": start.xact, "seen": literal}):
        found.rows[row.id] = row.xact
        found.datastreams.update(row.datastream_ids)
        found.devices.update(row.device_ids)
        found.alerts.update(row.alert_ids)
    return found


class LiveReading(NamedTuple):
    """The newest reading of a datastream."""

    farm_id: int | None
    datastream_id: int
    device_id: str
    field_id: int | None
    quantity: str
    depth_cm: float | None
    channel: int | None
    time: dt.datetime
    value: float
    quality: int


# A farm of NULL is asked for by who sees everything.
_OF_FARMS = "(:everything OR device.farm_id = ANY(CAST(:farms AS bigint[])))"
_READINGS = sa.text(f"""
    SELECT device.farm_id, stream.id, device.id, coalesce(stream.field_id, device.field_id),
           stream.quantity, stream.depth_cm, stream.channel, newest.time, newest.value,
           newest.quality
      FROM datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
CROSS JOIN LATERAL (SELECT time, value, quality FROM readings
                     WHERE datastream_id = stream.id AND time > :lately
                  ORDER BY time DESC LIMIT 1) AS newest
     WHERE stream.id = ANY(:ids) AND {_OF_FARMS}
  ORDER BY stream.id
""")  # noqa: S608 - a constant of this module


class LiveDevice(NamedTuple):
    """How a device stands, and where it was last."""

    farm_id: int | None
    device_id: str
    kind: str
    name: str
    field_id: int | None
    disabled: bool
    silent: bool
    heard_at: dt.datetime | None
    position_time: dt.datetime | None
    latitude_deg: float | None
    longitude_deg: float | None
    work_state: int | None


_DEVICES = sa.text(f"""
    SELECT device.farm_id, device.id, device.kind, device.name, device.field_id, device.disabled,
           EXISTS (SELECT FROM alerts WHERE alerts.kind = 'silent' AND cleared_at IS NULL
                      AND subject = 'device:' || device.id),
           heard.received_at, point.time, point.latitude_deg, point.longitude_deg, point.work_state
      FROM devices AS device
 LEFT JOIN device_heard AS heard ON heard.device_id = device.id
 LEFT JOIN LATERAL (SELECT time, latitude_deg, longitude_deg, work_state FROM track_points
                     WHERE device_id = device.id AND time > :lately
                  ORDER BY time DESC LIMIT 1) AS point ON true
     WHERE device.id = ANY(:ids) AND {_OF_FARMS}
  ORDER BY device.id
""")  # noqa: S608 - a constant of this module


class LiveAlert(NamedTuple):
    """An alert as it stands, and whose it is."""

    farm_id: int | None
    farm: str | None
    timezone: str
    alert: Alert


class Facts(NamedTuple):
    """How what changed stands now."""

    readings: list[LiveReading]
    devices: list[LiveDevice]
    alerts: list[LiveAlert]


def facts(
    connection: sa.Connection,
    news: News,
    *,
    farm_ids: Collection[int],
    everything: bool,
    now: dt.datetime,
) -> Facts:
    """How what changed stands now, as far as it is of some farms, or of any."""
    of = {"farms": sorted(farm_ids), "everything": everything, "lately": now - LATELY}
    alerts = _alerts(connection, news.alerts, farm_ids, everything=everything)
    spoken = {one.alert.details.get("device") for one in alerts if one.alert.kind == "silent"}
    devices = news.devices | {one for one in spoken if one is not None}
    return Facts(
        [
            LiveReading(*row)
            for row in connection.execute(_READINGS, of | {"ids": sorted(news.datastreams)})
        ]
        if news.datastreams
        else [],
        [LiveDevice(*row) for row in connection.execute(_DEVICES, of | {"ids": sorted(devices)})]
        if devices
        else [],
        alerts,
    )


def _alerts(
    connection: sa.Connection, ids: Collection[int], farm_ids: Collection[int], *, everything: bool
) -> list[LiveAlert]:
    if not ids:
        return []
    table, farms = tables.alerts, tables.farms
    query = (
        sa.select(
            table.c.farm_id,
            farms.c.slug,
            sa.func.coalesce(farms.c.timezone, "UTC"),
            *(table.c[name] for name in Alert._fields),
        )
        .outerjoin(farms, farms.c.id == table.c.farm_id)
        .where(table.c.id.in_(sorted(ids)))
        .order_by(table.c.id)
    )
    if not everything:
        query = query.where(table.c.farm_id.in_(sorted(farm_ids)))
    rows = map(list, connection.execute(query).all())
    return [LiveAlert(row[0], row[1], row[2], Alert(*row[3:])) for row in rows]


def visible_farms(connection: sa.Connection) -> frozenset[int]:
    """Farms that the transaction may see."""
    return frozenset(connection.scalars(sa.select(tables.farms.c.id)))
