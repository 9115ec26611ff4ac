"""What the tables hold, hashed once more in plain Python: what noted batches have to say."""

import datetime as dt
import hashlib
import json
import math
import struct
from typing import Any

import sqlalchemy as sa

from storage import tables, tracks

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# Digest, rows, first and last time [µs] of a kind, a batch and a farm; 0: of no farm.
Told = dict[tuple[str, int, int], tuple[str, int, int, int]]


def us(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def number(value: float | None) -> bytes:
    if value is None or math.isnan(value):
        return bytes.fromhex("7ff8000000000000")
    return struct.pack(">d", value)


def named(row: Any) -> bytes:
    depth = row.depth_cm
    key = {
        "channel": row.channel,
        "depth_cm": int(depth) if depth is not None and depth == int(depth) else depth,
        "device": row.device_id,
        "quantity": row.quantity,
    }
    words = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(words.encode()).digest()


READINGS = sa.text("""
    SELECT reading.*, stream.*, coalesce(farm_id, 0) AS farm
      FROM readings AS reading JOIN datastreams AS stream ON stream.id = datastream_id
      JOIN devices ON devices.id = device_id WHERE batch_id IS NOT NULL
""")
POINTS = sa.text("""
    SELECT point.*, coalesce(farm_id, 0) AS farm
      FROM track_points AS point LEFT JOIN devices ON devices.id = device_id
     WHERE batch_id IS NOT NULL
""")


def recomputed(connection: sa.Connection) -> Told:
    found: dict[tuple[str, int, int], list[bytes]] = {}
    for row in connection.execute(READINGS):
        made = named(row) + struct.pack(">q", us(row.time)) + number(row.value)
        made += struct.pack(">Hq", row.quality & ~32, us(row.received_at))
        found.setdefault(("readings", row.batch_id, row.farm), []).append(made)
    for row in connection.execute(POINTS):
        made = hashlib.sha256(row.device_id.encode()).digest() + struct.pack(">q", us(row.time))
        made += struct.pack(">h", -1 if row.work_state is None else row.work_state)
        made += b"".join(number(row._mapping[name]) for name in tracks.NUMBERS)
        made += struct.pack(">Hq", row.quality, us(row.received_at))
        found.setdefault(("track_points", row.batch_id, row.farm), []).append(made)
    told = {}
    for key, made_of in found.items():
        kind = b"dala-readings/1\n" if key[0] == "readings" else b"dala-track-points/1\n"
        times = [int.from_bytes(one[32:40], "big") for one in made_of]
        digest = hashlib.sha256(kind + b"".join(sorted(made_of))).hexdigest()
        told[key] = digest, len(made_of), min(times), max(times)
    return told


def noted(connection: sa.Connection) -> Told:
    told = {}
    for row in connection.execute(sa.select(tables.pending_batches)):
        digests = [row.digests[at : at + 32].hex() for at in range(0, len(row.digests), 32)]
        firsts, lasts = map(us, row.first_at), map(us, row.last_at)
        each = zip(row.farm_ids, digests, row.row_counts, firsts, lasts, strict=True)
        for farm, *one in each:
            told[row.kind, row.id, farm] = tuple(one)
    return told
