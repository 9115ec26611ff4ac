"""What arrived since the last analysis: the analyst's work list, kept by ingest.

A row says of a datastream or a device since when its readings or points are news. The analyst
claims rows first, in a transaction of its own: while it computes, ingest goes on making new ones,
and a run that stops halfway finds its claims again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from storage import live_news, locks
from storage.database import take_time

# A row that says as much already stays untouched: a batch has thousands, and to lock each costs
# more than to store its readings. That it cannot be claimed before we commit is seen to by a lock
# that all writers share and the claim has for itself. Long transactions have one of their own:
# whoever waits for them holds up no batch of ingest.
_LONG, _BRIEF = "dala news of long transactions", "dala news of brief transactions"

_NOTE_READINGS = sa.text("""
    INSERT INTO reading_news AS known (datastream_id, claimed, since)
    SELECT fresh.id, false, to_timestamp(0) + fresh.since_us * interval '1 us'
      FROM unnest(CAST(:ids AS integer[]), CAST(:since_us AS bigint[])) AS fresh (id, since_us)
     WHERE NOT EXISTS (
           SELECT FROM reading_news AS old
            WHERE old.datastream_id = fresh.id AND NOT old.claimed
              AND old.since <= to_timestamp(0) + fresh.since_us * interval '1 us')
  ORDER BY fresh.id
    ON CONFLICT (datastream_id, claimed) DO UPDATE SET since = excluded.since
     WHERE excluded.since < known.since
""")
_NOTE_POINTS = sa.text("""
    INSERT INTO track_news AS known (device_id, claimed, since)
    SELECT fresh.id, false, to_timestamp(0) + fresh.since_us * interval '1 us'
      FROM unnest(CAST(:ids AS text[]), CAST(:since_us AS bigint[])) AS fresh (id, since_us)
     WHERE NOT EXISTS (
           SELECT FROM track_news AS old
            WHERE old.device_id = fresh.id AND NOT old.claimed
              AND old.since <= to_timestamp(0) + fresh.since_us * interval '1 us')
  ORDER BY fresh.id
    ON CONFLICT (device_id, claimed) DO UPDATE SET since = excluded.since
     WHERE excluded.since < known.since
""")


def note_readings(
    connection: sa.Connection,
    datastream_ids: np.ndarray[Any, Any],
    times_us: np.ndarray[Any, Any],
    *,
    brief: bool = False,
) -> None:
    """Note that readings of these datastreams and times [µs since 1970] were stored.

    ``brief``: the transaction ends at once, as a batch of ingest does.
    """
    ids, since = _earliest(datastream_ids, times_us)
    if len(ids):
        locks.share(connection, _BRIEF if brief else _LONG)
        connection.execute(_NOTE_READINGS, {"ids": _literal(ids), "since_us": _literal(since)})
        live_news.note_datastreams(connection, _literal(ids))


def note_points(
    connection: sa.Connection,
    devices: Sequence[str],
    places: np.ndarray[Any, Any],
    times_us: np.ndarray[Any, Any],
    *,
    brief: bool = False,
) -> None:
    """Note that track points were stored; ``places`` are indices into ``devices``.

    ``brief``: the transaction ends at once, as a batch of ingest does.
    """
    found, since = _earliest(places, times_us)
    if len(found):
        ids = [devices[place] for place in found.tolist()]
        locks.share(connection, _BRIEF if brief else _LONG)
        connection.execute(_NOTE_POINTS, {"ids": ids, "since_us": _literal(since)})
        live_news.note_devices(connection, ids)


def _literal(numbers: np.ndarray[Any, Any]) -> str:
    """An array as PostgreSQL writes it: a list would be taken apart number by number."""
    return "{" + ",".join(map(str, numbers.tolist())) + "}"


def _earliest(
    ids: np.ndarray[Any, Any], times_us: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Each id once, with its earliest time."""
    order = np.lexsort((times_us, ids))
    first = np.flatnonzero(np.diff(ids[order], prepend=-1))
    return ids[order][first], times_us[order][first]


_CLAIM_READINGS = sa.text("""
    WITH taken AS (
        DELETE FROM reading_news AS news
         USING datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
         WHERE stream.id = news.datastream_id AND NOT news.claimed
           AND device.farm_id = ANY(:farm_ids)
     RETURNING news.datastream_id, news.since)
    INSERT INTO reading_news AS known (datastream_id, claimed, since)
    SELECT datastream_id, true, since FROM taken
    ON CONFLICT (datastream_id, claimed) DO UPDATE SET since = least(known.since, excluded.since)
""")
_CLAIM_POINTS = sa.text("""
    WITH taken AS (
        DELETE FROM track_news AS news USING devices AS device
         WHERE device.id = news.device_id AND NOT news.claimed AND device.farm_id = ANY(:farm_ids)
     RETURNING news.device_id, news.since)
    INSERT INTO track_news AS known (device_id, claimed, since)
    SELECT device_id, true, since FROM taken
    ON CONFLICT (device_id, claimed) DO UPDATE SET since = least(known.since, excluded.since)
""")


def wait_for_turn(connection: sa.Connection) -> None:
    """Let one analysis at a time work on the claims, for as long as it takes."""
    take_time(connection)
    locks.wait(connection, "dala analyze")


def claim(connection: sa.Connection, farm_ids: Sequence[int]) -> None:
    """Take the news of the farms for an analysis; commit soon, ingest may wait for it."""
    parameters = {"farm_ids": list(farm_ids)}
    for name in (_LONG, _BRIEF):  # in this order: nobody waits for a batch of ingest for long
        locks.wait(connection, name)
    connection.execute(_CLAIM_READINGS, parameters)
    connection.execute(_CLAIM_POINTS, parameters)


_CLAIMED_READINGS = sa.text("""
    SELECT news.datastream_id, news.since
      FROM reading_news AS news
      JOIN datastreams AS stream ON stream.id = news.datastream_id
      JOIN devices AS device ON device.id = stream.device_id
     WHERE news.claimed AND device.farm_id = ANY(:farm_ids)
""")
_CLAIMED_POINTS = sa.text("""
    SELECT news.device_id, news.since
      FROM track_news AS news JOIN devices AS device ON device.id = news.device_id
     WHERE news.claimed AND device.farm_id = ANY(:farm_ids)
""")


def claimed_readings(connection: sa.Connection, farm_ids: Sequence[int]) -> dict[int, dt.datetime]:
    """Since when each datastream of the farms has readings that no analysis has seen."""
    rows = connection.execute(_CLAIMED_READINGS, {"farm_ids": list(farm_ids)})
    return {row.datastream_id: row.since for row in rows}


def claimed_points(connection: sa.Connection, farm_ids: Sequence[int]) -> dict[str, dt.datetime]:
    """Since when each device of the farms has track points that no analysis has seen."""
    rows = connection.execute(_CLAIMED_POINTS, {"farm_ids": list(farm_ids)})
    return {row.device_id: row.since for row in rows}


_UNSEEN_READINGS = sa.text("""
    SELECT news.datastream_id, min(news.since)
      FROM reading_news AS news
      JOIN datastreams AS stream ON stream.id = news.datastream_id
      JOIN devices AS device ON device.id = stream.device_id
     WHERE device.farm_id = ANY(:farm_ids)
  GROUP BY news.datastream_id
""")
_UNSEEN_POINTS = sa.text("""
    SELECT device.farm_id, news.since
      FROM track_news AS news JOIN devices AS device ON device.id = news.device_id
     WHERE device.farm_id = ANY(:farm_ids)
""")


def unseen_readings(connection: sa.Connection, farm_ids: Sequence[int]) -> dict[int, dt.datetime]:
    """As :func:`claimed_readings`, with those that no analysis has begun with."""
    rows = connection.execute(_UNSEEN_READINGS, {"farm_ids": list(farm_ids)})
    return {row[0]: row[1] for row in rows}


def unseen_points(
    connection: sa.Connection, farm_ids: Sequence[int]
) -> list[tuple[int, dt.datetime]]:
    """Farms, and since when a device of theirs has track points that no analysis has seen."""
    rows = connection.execute(_UNSEEN_POINTS, {"farm_ids": list(farm_ids)})
    return [(row[0], row[1]) for row in rows]


_DONE_READINGS = sa.text("""
    DELETE FROM reading_news WHERE claimed AND datastream_id = ANY(:ids)
""")
_DONE_POINTS = sa.text("DELETE FROM track_news WHERE claimed AND device_id = ANY(:ids)")


def done_readings(connection: sa.Connection, datastream_ids: Sequence[int]) -> None:
    """Let go of claims whose readings are in the results of this transaction."""
    connection.execute(_DONE_READINGS, {"ids": list(datastream_ids)})


def done_points(connection: sa.Connection, device_ids: Sequence[str]) -> None:
    """Let go of claims whose points are in the results of this transaction."""
    connection.execute(_DONE_POINTS, {"ids": list(device_ids)})
