"""One time log of ISO 11783-10 as what we keep: points of a machine, readings, totals of the work.

A value holds until its element says another. Where several elements of a machine report one thing,
it works while any of them does, and of numbers the largest counts: the whole, beside which its
parts are told too.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.isoxml_records import Records
from ingest.codecs.ddi import (
    CONDENSED_WORK_STATES,
    CROP_MOISTURE,
    ENTRIES,
    ERROR,
    NOT_AVAILABLE,
    OFF,
    ON,
    PROPRIETARY,
    SPEED,
    UNKNOWN,
    WORK_STATE,
)
from ingest.codecs.log_times import LogTimes, times

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

NO_FIX, ERROR_STATUS, SIMULATED = 0, 14, 8  # PTN@D; 15 is "not said" and stands beside good places
_NONE = UNKNOWN  # of a place, too
_FARTHEST_MM = 10_000_000  # 10 km above or below: nobody farms there
_PER_DEGREE = 1e7
_LOW_BITS = 0x5555_5555  # of each section
# What a harvester says of its crop.
_YIELDS = frozenset({83, 84, 87, 89, 90, 99, 181, 261, 262, 263})


class Points(NamedTuple):
    """Where a machine was, arrays of shape (points,)."""

    time_us: Integers
    lat: Array
    lon: Array
    elevation_m: Array  # NaN where unknown
    work_state: Integers  # -1 where unknown
    fields: dict[str, Array]  # others of ingest.messages.TrackPoint; NaN where unknown


class Series(NamedTuple):
    """Readings of one quantity, where it changed."""

    quantity: str
    time_us: Integers
    values: Array


class Total(NamedTuple):
    """What a counter of the work gained over the log."""

    gained: float
    began_again: bool  # it fell on the way: what it lost is not counted


class Log(NamedTuple):
    """What a time log comes to."""

    records: int
    times: LogTimes
    points: Points
    series: list[Series]
    totals: dict[str, Total]  # by what the counter adds up, with its unit
    harvests: bool  # it logs a crop
    left_out: Counter[str]  # records without a point, by reason
    known: dict[int, int]  # values of DDIs that mean something and are kept nowhere
    unknown: dict[int, int]  # values of DDIs that are in no table of ours
    proprietary: dict[int, int]  # values of DDIs that each maker defines


def read_log(records: Records, timezone: str | None) -> Log:
    """Turn the records of a log into points, readings and totals.

    Raises
    ------
    ingest.messages.PayloadError
        If its times have no zone.
    """
    when = times(records, timezone)
    columns: dict[int, list[int]] = defaultdict(list)  # places of a DDI, one an element
    for place, column in enumerate(records.columns):
        columns[column.ddi].append(place)
    placed, left_out = _placed(records, when)
    counts = np.bincount(records.column, minlength=len(records.columns))
    said = {ddi: int(counts[places].sum()) for ddi, places in columns.items()}
    other = {ddi: number for ddi, number in said.items() if ddi not in _KEPT}
    proprietary = {ddi: number for ddi, number in other.items() if ddi in PROPRIETARY}
    return Log(
        records.size,
        when,
        _points(records, when, placed, columns),
        _series(records, when, placed, columns),
        _totals(records, columns),
        any(ddi in _YIELDS for ddi in columns),
        left_out,
        {ddi: number for ddi, number in other.items() if ddi in ENTRIES},
        {d: number for d, number in other.items() if d not in ENTRIES and d not in PROPRIETARY},
        proprietary,
    )


_KEPT = {ddi for ddi, one in ENTRIES.items() if one.field or one.quantity or one.total} | {
    *CONDENSED_WORK_STATES
}


def _placed(records: Records, when: LogTimes) -> tuple[Mask, Counter[str]]:
    """Records that have a time and a place, and why the others have none."""
    nowhere = np.full(records.size, _NONE)
    lat, lon = (records.attributes.get(name, nowhere) for name in ("latitude", "longitude"))
    status = records.attributes.get("status", np.full(records.size, 15))
    reasons = (
        ("no-time", ~when.known),
        ("no-position", (lat == _NONE) | (lon == _NONE)),
        ("no-fix", np.isin(status, (NO_FIX, ERROR_STATUS)) | ((lat == 0) & (lon == 0))),
        ("simulated-position", status == SIMULATED),
        ("position-out-of-range", (np.abs(lat) > 90e7) | (np.abs(lon) > 180e7)),
    )
    placed, left_out = np.ones(records.size, bool), Counter[str]()
    for reason, problem in reasons:
        if number := int((problem & placed).sum()):
            left_out[reason] = number
        placed &= ~problem
    return placed, left_out


def _points(
    records: Records, when: LogTimes, placed: Mask, columns: dict[int, list[int]]
) -> Points:
    nowhere = np.zeros(records.size, np.int64)
    lat, lon = (records.attributes.get(name, nowhere)[placed] for name in ("latitude", "longitude"))
    height = records.attributes.get("height_mm", np.full(records.size, _NONE))[placed]
    fields: dict[str, Array] = {}
    for ddi, places in columns.items():
        entry = ENTRIES.get(ddi)
        if entry is None or entry.field is None or ddi == WORK_STATE:
            continue
        values = _largest(records, ddi, places)[placed]
        fields[entry.field] = np.fmax(fields.get(entry.field, values), values)
    return Points(
        when.time_us[placed],
        lat / _PER_DEGREE,
        lon / _PER_DEGREE,
        np.where(np.abs(height) < _FARTHEST_MM, height / 1000, np.nan),
        _work_state(records, columns)[placed],
        fields,
    )


def _largest(records: Records, ddi: int, places: Sequence[int]) -> Array:
    """The largest of what the elements say, in our unit; NaN where none says anything.

    Only a speed has a sign, which is its direction: below zero, others say that something failed.
    No crop is without water: where its moisture is zero, none was measured.
    """
    floor = 1 if ddi == CROP_MOISTURE else 0
    largest = np.full(records.size, np.nan)
    for place in places:
        raw = records.held(place)
        usable = np.abs(raw) if ddi == SPEED else np.where(raw >= floor, raw, np.nan)
        largest = np.fmax(largest, np.where(usable < _NONE, usable, np.nan))
    entry = ENTRIES[ddi]
    return largest * entry.multiply / entry.divide + entry.add


def _work_state(records: Records, columns: dict[int, list[int]]) -> Integers:
    """Work state of the machine in every record, -1 before anything tells it.

    Elements tell it (DDI 141), else their sections do.
    """
    single = columns.get(WORK_STATE, [])
    condensed = [place for ddi in CONDENSED_WORK_STATES for place in columns.get(ddi, [])]
    on, off, error, told = np.zeros((4, records.size), bool)
    for place in single or condensed:
        raw = records.held(place)
        known = np.isfinite(raw)
        told |= known
        whole = np.where(known, raw, -1.0).astype(np.int64)
        states = (whole == ON, whole == OFF, whole == ERROR) if single else _sections(whole)
        on, off, error = (
            so_far | (known & said) for so_far, said in zip((on, off, error), states, strict=True)
        )
    return np.select([on, off, error, told], [ON, OFF, ERROR, NOT_AVAILABLE], -1)


def _sections(condensed: Integers) -> tuple[Mask, Mask, Mask]:
    """Whether any of sixteen sections, two bits each, is on (01), off (00), or in error (10)."""
    low, high = condensed & _LOW_BITS, condensed >> 1 & _LOW_BITS
    return (low & ~high) != 0, (low | high) != _LOW_BITS, (high & ~low) != 0


def _series(
    records: Records, when: LogTimes, placed: Mask, columns: dict[int, list[int]]
) -> list[Series]:
    """Readings of what stands on no point, where it changed."""
    found: dict[str, tuple[Array, Mask]] = {}
    for ddi, places in columns.items():
        entry = ENTRIES.get(ddi)
        if entry is None or entry.quantity is None:
            continue
        changed = np.zeros(records.size, bool)
        for place in places:
            changed[records.changes(place)[0]] = True
        changed &= when.known & ~(placed & (entry.field is not None))
        values = _largest(records, ddi, places)
        known, at = found.get(
            entry.quantity, (np.full(records.size, np.nan), np.zeros_like(placed))
        )
        found[entry.quantity] = np.fmax(known, values), at | changed
    return [
        Series(quantity, when.time_us[at & np.isfinite(values)], values[at & np.isfinite(values)])
        for quantity, (values, at) in found.items()
        if (at & np.isfinite(values)).any()
    ]


def _totals(records: Records, columns: dict[int, list[int]]) -> dict[str, Total]:
    """What the counters gained: last less first, of the element that gained most."""
    totals: dict[str, Total] = {}
    for ddi, places in columns.items():
        entry = ENTRIES.get(ddi)
        if entry is None or entry.total is None:
            continue
        for place in places:
            _, raw = records.changes(place)
            if not len(raw):
                continue
            steps = np.diff(raw)
            gained = float(steps[steps > 0].sum()) * entry.multiply / entry.divide
            made = Total(gained, bool((steps < 0).any()))
            if entry.total not in totals or totals[entry.total].gained < made.gained:
                totals[entry.total] = made
    return totals
