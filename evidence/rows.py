"""Readings and track points as bytes that no database has a say in, and digests of those bytes.

A row is what was measured, when, and when it arrived, under the name of what measured it: no number
that a table gave. So whoever holds rows makes the same bytes of them, wherever the rows lie.

All numbers are big-endian; rows stand in the order of name and time, each key once. A digest is
SHA-256 over a line that says what follows, and the rows. docs/decisions/0030 has them byte by byte.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import rfc8785

Array = np.ndarray[Any, Any]

READINGS, POINTS = b"dala-readings/1\n", b"dala-track-points/1\n"
DIGEST_BYTES = 32

# The flag of a spike: given to a reading when the one after it is there, which may be long after
# it was hashed.
GIVEN_LATER = 32

NUMBERS = (
    "latitude_deg",
    "longitude_deg",
    "elevation_m",
    "speed_m_s",
    "heading_deg",
    "width_m",
    "mass_flow_kg_s",
    "crop_moisture_pct",
    "application_rate_l_ha",
    "fuel_rate_l_h",
    "animals_seen",
)
NAME = f"S{DIGEST_BYTES}"
READING = np.dtype(
    [
        ("name", NAME),
        ("time", ">i8"),  # [µs since 1970, UTC]
        ("value", ">f8"),
        ("quality", ">u2"),
        ("received_at", ">i8"),  # [µs since 1970, UTC]
    ]
)
POINT = np.dtype(
    [
        ("name", NAME),
        ("time", ">i8"),
        ("work_state", ">i2"),  # -1: unknown
        *((number, ">f8") for number in NUMBERS),  # NaN: unknown
        ("quality", ">u2"),
        ("received_at", ">i8"),
    ]
)


class Digests(NamedTuple):
    """Of each group of rows."""

    groups: Array  # as they were given, in order
    row_counts: Array
    first_us: Array  # times of the earliest and the latest row [µs since 1970]
    last_us: Array
    digests: bytes  # 32 bytes of each, end to end


def name_of_stream(
    device: str, quantity: str, depth_cm: float | None, channel: int | None
) -> bytes:
    """The name of a datastream: the digest of what makes it one of its own."""
    key = {"channel": channel, "depth_cm": depth_cm, "device": device, "quantity": quantity}
    return sha256(rfc8785.dumps(key)).digest()


def name_of_device(device: str) -> bytes:
    """The name of a device, as a track has it."""
    return sha256(device.encode()).digest()


def of_readings(names: Array, rows: Array) -> Array:
    """Readings of :data:`READING`, in the order of ``rows``.

    Parameters
    ----------
    names : array of S32
        Of the datastream of each row.
    rows : structured array
        With ``time``, ``value``, ``quality`` and ``received_at``, as they are stored.
    """
    made = np.empty(len(rows), READING)
    made["name"], made["time"] = names, rows["time"]
    made["value"] = _one_unknown(rows["value"])
    made["quality"] = rows["quality"] & ~GIVEN_LATER
    made["received_at"] = rows["received_at"]
    return made


def of_points(names: Array, rows: Array) -> Array:
    """Track points of :data:`POINT`, in the order of ``rows``.

    Parameters
    ----------
    names : array of S32
        Of the device of each row.
    rows : structured array
        With the other fields of :data:`POINT`, as they are stored.
    """
    made = np.empty(len(rows), POINT)
    made["name"] = names
    for field in ("time", "work_state", "quality", "received_at"):
        made[field] = rows[field]
    for field in NUMBERS:
        made[field] = _one_unknown(rows[field])
    return made


def _one_unknown(values: Array) -> Array:
    """The same numbers, with every NaN of the same bits: processors make some of either sign."""
    unknown = np.isnan(values)
    return np.where(unknown, np.nan, values) if unknown.any() else values


def ranks(groups: Array, names: Array) -> Array:
    """Of series that have one name each: their ranks by group and name, as short as they can be."""
    made = np.empty(len(names), np.uint16 if len(names) <= 2**16 else np.int64)
    made[np.lexsort((*_words(names), groups))] = np.arange(len(names))
    return made


def in_order(groups: Array, rows: Array) -> Array:
    """Where rows stand when they are in order: by group, name and time."""
    return np.lexsort((rows["time"], *_words(rows["name"]), groups))


def _words(names: Array) -> Array:
    """Names as words, of which the last counts most."""
    return np.ascontiguousarray(names).view(">u8").reshape(-1, DIGEST_BYTES // 8).T[::-1]


def digests(kind: bytes, groups: Array, rows: Array) -> Digests:
    """Hash rows that stand in order, each group for itself.

    Parameters
    ----------
    kind : bytes
        :data:`READINGS` or :data:`POINTS`.
    groups : array of int, shape (rows,)
        Which digest each row goes into; in order.
    rows : array
        Made by :func:`of_readings` or :func:`of_points`.
    """
    starts = np.flatnonzero(
        np.append(np.ones(min(len(groups), 1), bool), groups[1:] != groups[:-1])
    )
    ends = np.append(starts[1:], len(groups))[: len(starts)]
    raw, size = rows.view(np.uint8).data, rows.itemsize
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        digest = sha256(kind)
        digest.update(raw[start * size : end * size])
        found.append(digest.digest())
    times = rows["time"].astype(np.int64)
    return Digests(
        groups[starts],
        ends - starts,
        np.minimum.reduceat(times, starts) if len(starts) else times,
        np.maximum.reduceat(times, starts) if len(starts) else times,
        b"".join(found),
    )
