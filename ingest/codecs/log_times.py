"""Times of a machine's log: its clock shows its zone's time and does not say so.

Where the receiver's own time (UTC) stands beside the clock's it is believed; in such a log the
clock, where it stands alone, is set by it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.isoxml_records import Records
from ingest.codecs.local_times import zone
from ingest.messages import PayloadError, to_us

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

DAY_S, QUARTER_S = 86_400, 900  # clocks are set forward and back on a quarter of an hour
UNKNOWN_DAY = 0xFFFF
_SECOND_US = 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - a clock shows no zone
_EPOCH_US = 315_532_800 * _SECOND_US  # 1980-01-01T00:00:00Z


class LogTimes(NamedTuple):
    """When each record of a log was made."""

    time_us: Integers  # since 1970, UTC; nothing where unknown
    known: Mask
    by_receiver: int  # records whose time is the receiver's
    clock_ahead_s: float | None  # of UTC as the receiver has it; None where it has none
    zone_ahead_s: float | None  # of UTC by the zone that was given, at the log's first time
    came_twice: bool  # an hour of this log came twice in its zone: the first was taken


def times(records: Records, timezone: str | None) -> LogTimes:
    """Instants of a log's records.

    Parameters
    ----------
    timezone : str or None
        IANA zone that the clock shows; needed unless the receiver's time stands in the log.

    Raises
    ------
    PayloadError
        If no zone is known, which nobody guesses.
    """
    clock, has_clock = _since_1980(records, "time_ms", "day")
    receiver, has_receiver = _since_1980(records, "gps_ms", "gps_day")
    both = has_clock & has_receiver
    ahead = float(np.median(clock[both] - receiver[both])) if both.any() else None
    utc, zone_ahead, twice = clock, None, False
    if timezone is not None:
        utc, zone_ahead, twice = _of_zone(clock, has_clock, zone(timezone))
    if ahead is not None:
        utc = clock - round(ahead)
    elif timezone is None and has_clock.any():
        first = _EPOCH + timedelta(microseconds=int(clock[has_clock][0]))
        raise PayloadError("no-timezone", f"{first} has no offset from UTC; set the time zone")
    instant = np.where(has_receiver, receiver, utc)
    return LogTimes(
        instant + _EPOCH_US,
        # A clock that the receiver contradicts by decades may be set to before there were any.
        (has_clock | has_receiver) & (instant >= 0),
        int(has_receiver.sum()),
        None if ahead is None else ahead / _SECOND_US,
        zone_ahead,
        twice and ahead is None,
    )


def _since_1980(records: Records, ms: str, day: str) -> tuple[Integers, Mask]:
    """Microseconds of a clock since 1980-01-01, and where it shows a time at all."""
    nothing = np.zeros(records.size, np.int64)
    of_day, days = (records.attributes.get(name, nothing - 1) for name in (ms, day))
    known = (of_day >= 0) & (of_day < DAY_S * 1000) & (days > 0) & (days != UNKNOWN_DAY)
    return np.where(known, of_day * 1000 + days * DAY_S * _SECOND_US, 0), known


def _of_zone(clock: Integers, known: Mask, where: ZoneInfo) -> tuple[Integers, float | None, bool]:
    """UTC of what a clock in a zone shows, what it is ahead of UTC, and whether some came twice.

    Of an hour that came twice the first is taken, until the clock goes back.
    """
    if not known.any():
        return clock, None, False
    first, second = _offsets(clock, known, where)
    doubtful = known & (first != second)
    went_back = np.cumsum(np.diff(clock, prepend=clock[:1]) < 0) > 0
    offset = np.where(doubtful & went_back, second, first)
    ahead = float(offset[np.argmax(known)]) / _SECOND_US
    return clock - offset, ahead, bool((doubtful & ~went_back).any())


def _offsets(clock: Integers, known: Mask, where: ZoneInfo) -> tuple[Integers, Integers]:
    """What the zone is ahead of UTC, in both readings of a time that came twice [µs].

    Days are looked up once; only where the zone changed, quarters of an hour are.
    """
    days, place = np.unique(clock[known] // (DAY_S * _SECOND_US), return_inverse=True)
    edges = np.array([_ahead(int(day) * DAY_S, where) for day in days])  # both of its midnight
    nexts = np.array([_ahead(int(day + 1) * DAY_S, where) for day in days])
    found = edges[place]
    steady = (edges[:, 0] == edges[:, 1]) & (edges == nexts).all(axis=1)
    changing = ~steady[place]
    if changing.any():
        quarters, within = np.unique(
            clock[known][changing] // (QUARTER_S * _SECOND_US), return_inverse=True
        )
        found[changing] = np.array([_ahead(int(q) * QUARTER_S, where) for q in quarters])[within]
    offsets = np.zeros((clock.size, 2), np.int64)
    offsets[known] = found
    return offsets[:, 0], offsets[:, 1]


def _ahead(second: int, where: ZoneInfo) -> tuple[int, int]:
    """What a zone is ahead of UTC when its clocks show so many seconds since 1980 [µs].

    The second number is that of the second time, where it comes twice.
    """
    shown = _EPOCH + timedelta(seconds=second)
    before, after = (
        (shown.replace(tzinfo=where, fold=fold).utcoffset() or timedelta()) // _MICROSECOND
        for fold in (0, 1)
    )
    # A time that clocks left out has its offsets the other way round; it did not come twice.
    return (before, before) if after > before else (before, after)


def implied_ahead_s(clock_us: int, written: str) -> float | None:
    """What a clock is ahead of UTC, if a time with an offset tells of the same moment.

    The two are of one moment when they are a whole number of quarters of an hour apart, give or
    take a minute. ``clock_us`` is what the clock shows, as if it were UTC.
    """
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    apart = (clock_us - to_us(moment)) / _SECOND_US
    quarters = round(apart / QUARTER_S)
    near = abs(apart - quarters * QUARTER_S) <= 60 and abs(quarters) <= 14 * 4
    return float(quarters * QUARTER_S) if near else None
