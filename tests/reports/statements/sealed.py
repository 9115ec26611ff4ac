"""What is to be sealed: readings of three farms and of a device that has none."""

import datetime as dt
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import sqlalchemy as sa

from reports.statements.signing import SigningKey
from storage import devices, farms, readings, tables
from storage.devices import StreamKey
from tests.reports.statements import filed

US = 1_000_000
JULY = int(dt.datetime(2025, 7, 1, tzinfo=dt.UTC).timestamp()) * US
MINISTRY = SigningKey.make()


def put_streams(connection: sa.Connection) -> dict[str, int]:
    """The small country, its keys, and what measures."""
    filed.put_country(connection)
    filed.put_key(connection)
    filed.put_key(connection, MINISTRY, "countersigns")
    return put_devices(connection)


def put_devices(connection: sa.Connection) -> dict[str, int]:
    """A datastream of a device of each of three farms, and of one that has none; by farm."""
    found = {}
    for slug in ("kz-61-0", "kz-61-1", "kz-43-0", None):
        of = None if slug is None else farms.get(connection, slug).id
        device = f"probe-{slug}"
        devices.put(connection, device, farm_id=of, kind="soil-probe", name=device)
        key = StreamKey(device, "soil_moisture", 20.0, None)
        found[slug or ""] = devices.open_datastreams(connection, [key])[key]
    return found


def store(
    connection: sa.Connection, streams: Sequence[int], *, begin: int = JULY, count: int = 3
) -> None:
    """A batch with so many readings of each datastream, a quarter of an hour apart."""
    rows = np.zeros(len(streams) * count, readings.DTYPE)
    rows["datastream_id"] = np.repeat(streams, count)
    rows["time"] = begin + np.tile(np.arange(count), len(streams)) * 900 * US
    rows["value"] = np.linspace(0.1, 0.4, len(rows))
    rows["received_at"] = rows["time"] + 60 * US
    readings.store(connection, rows)


def put_pending(connection: sa.Connection, number: int, farm_ids: Sequence[int]) -> None:
    """A batch that waits, without its rows."""
    at = dt.datetime(2025, 7, 1, tzinfo=dt.UTC) + dt.timedelta(hours=number)
    connection.execute(
        tables.pending_batches.insert().values(
            id=number,
            kind="readings",
            farm_ids=list(farm_ids),
            row_counts=[number] * len(farm_ids),
            digests=b"".join(sha256(f"{number} {one}".encode()).digest() for one in farm_ids),
            first_at=[at] * len(farm_ids),
            last_at=[at + dt.timedelta(minutes=5)] * len(farm_ids),
        )
    )


def leaves(connection: sa.Connection) -> list[bytes]:
    query = sa.select(tables.evidence_entries.c.leaf)
    return list(connection.scalars(query.order_by(tables.evidence_entries.c.position)))
