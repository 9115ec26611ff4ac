"""When each device was last heard from, and how well: one row a device, kept by whoever stores.

The readings know it too, but to find the newest of every device there costs more with each year of
its past; a page that counts who speaks and who is silent would slow down as a farm grows old.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

EXACT_US = 60_000_000

# Whoever spoke within the minute before is left as it is: of a device that sends every second, one
# row a minute is written.
_NOTE = sa.text("""
    INSERT INTO device_heard AS known (device_id, received_at, signal_dbm, signal_at)
    SELECT said.device_id, to_timestamp(0) + said.at_us * interval '1 microsecond',
           said.signal_dbm, to_timestamp(0) + said.signal_at_us * interval '1 microsecond'
      FROM unnest(CAST(:ids AS text[]), CAST(:at_us AS bigint[]),
                  CAST(:signal_dbm AS float8[]), CAST(:signal_at_us AS bigint[]))
        AS said (device_id, at_us, signal_dbm, signal_at_us)
 LEFT JOIN device_heard AS before
        ON before.device_id = said.device_id
       AND before.received_at > to_timestamp(0) + said.at_us * interval '1 microsecond'
                                - interval '1 minute'
     WHERE before.device_id IS NULL
  ORDER BY said.device_id
    ON CONFLICT (device_id) DO UPDATE
       SET received_at = greatest(known.received_at, excluded.received_at),
           signal_dbm = CASE WHEN known.signal_at IS NULL OR known.signal_at < excluded.signal_at
                             THEN excluded.signal_dbm ELSE known.signal_dbm END,
           signal_at = greatest(known.signal_at, excluded.signal_at)
""")


class Signal(NamedTuple):
    """How well a network heard a message of a device; the later one is the greater."""

    received_at_us: int  # [µs since 1970]
    dbm: float  # of the gateway that heard it best


def note(
    connection: sa.Connection,
    received_at_us: Mapping[str, int],
    signals: Mapping[str, Signal] = MappingProxyType({}),
) -> None:
    """Note when something new of each device was received [µs since 1970]; exact to a minute.

    Of those devices, how well they were heard is noted too where that is known; where it is not,
    what was known before stays.
    """
    if received_at_us:
        told = [signals.get(device) for device in received_at_us]
        parameters = {
            "ids": list(received_at_us),
            "at_us": list(received_at_us.values()),
            "signal_dbm": [None if one is None else one.dbm for one in told],
            "signal_at_us": [None if one is None else one.received_at_us for one in told],
        }
        connection.execute(_NOTE, parameters)


class Counts(NamedTuple):
    """Devices in service."""

    total: int
    reporting: int


_COUNTS = sa.text("""
    SELECT count(*), count(*) FILTER (WHERE heard.received_at > :since)
      FROM devices AS device LEFT JOIN device_heard AS heard ON heard.device_id = device.id
     WHERE device.farm_id = ANY(:farm_ids) AND NOT device.disabled
""")


def counts(connection: sa.Connection, farm_ids: Sequence[int], *, since: dt.datetime) -> Counts:
    """Of the farms' devices in service, how many there are and were heard from since a time."""
    parameters = {"farm_ids": list(farm_ids), "since": since}
    return Counts(*connection.execute(_COUNTS, parameters).one())
