"""When a report is due that files itself: each day, week or month, by the clocks of a place.

Each local day has its time once. One that the clocks leave out in spring comes as much later as
they were put forward; of one that comes twice in autumn the first counts.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator
from typing import Literal, NamedTuple

Every = Literal["day", "week", "month"]
MOST_ON = {"week": 7, "month": 31}
LONGEST_WAIT = 41 * 366  # days: 29 February on a given day of the week, also across a 2100
_DAY = dt.timedelta(days=1)
_OF_YEAR = re.compile(r"(\d\d)-(\d\d)")


class Cadence(NamedTuple):
    """How often, on which of the days, and when on it."""

    every: Every
    at: dt.time  # on the clocks of the place
    timezone: str  # such as Asia/Almaty
    on: int | None = None  # of the week from Monday 1; of the month, its last if it is shorter
    first_day: str | None = None  # of a part of each year alone: 07-01
    last_day: str | None = None  # and included: 11-30; before the first, it is next year's

    def check(self) -> None:
        """ValueError for what never comes, or cannot be told."""
        if self.timezone not in zoneinfo.available_timezones():
            raise ValueError(f"there is no timezone {self.timezone!r}: write Asia/Almaty")
        if self.at != dt.time(self.at.hour, self.at.minute):
            raise ValueError(f"{self.at} is no local time in minutes: write 06:00")
        most = MOST_ON.get(self.every)
        days = [None] if most is None else range(1, most + 1)
        if self.on not in days:
            words = f"one of its days, 1 to {most}" if most else "none of its days"
            raise ValueError(f"what is due each {self.every} names {words}")
        if (self.first_day is None) != (self.last_day is None):
            raise ValueError("give both the first and the last day of the year's part, or neither")
        for day in (self.first_day, self.last_day):
            if day is not None and not _is_of_year(day):
                raise ValueError(f"{day!r} is no day of a year: write 07-01")
        if next_due(self, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) is None:
            raise ValueError("there is no such day in that part of the year")


def next_due(cadence: Cadence, after: dt.datetime) -> dt.datetime | None:
    """The first time that it is due after a moment; None for what never comes."""
    start = after.astimezone(zoneinfo.ZoneInfo(cadence.timezone)).date() - _DAY
    for day in _days(start, _DAY):
        if _is_on(cadence, day) and (due := _moment(cadence, day)) > after:
            return due
    return None


def last_due(cadence: Cadence, after: dt.datetime, by: dt.datetime) -> dt.datetime | None:
    """The last time that it was due after a moment and by another; None where it was not."""
    zone = zoneinfo.ZoneInfo(cadence.timezone)
    first, start = after.astimezone(zone).date() - _DAY, by.astimezone(zone).date() + _DAY
    for day in _days(start, -_DAY):
        if day < first:
            return None
        if _is_on(cadence, day) and after < (due := _moment(cadence, day)) <= by:
            return due
    return None


def day_of(cadence: Cadence, due: dt.datetime) -> dt.date:
    """The day on which it is due, by the clocks of the place."""
    return due.astimezone(zoneinfo.ZoneInfo(cadence.timezone)).date()


def _days(start: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    return (start + number * step for number in range(LONGEST_WAIT))


def _moment(cadence: Cadence, day: dt.date) -> dt.datetime:
    local = dt.datetime.combine(day, cadence.at, zoneinfo.ZoneInfo(cadence.timezone))
    return local.astimezone(dt.UTC)


def _is_on(cadence: Cadence, day: dt.date) -> bool:
    if cadence.first_day is not None and cadence.last_day is not None:
        first, of_year, last = cadence.first_day, day.isoformat()[5:], cadence.last_day
        within = first <= of_year <= last if first <= last else not last < of_year < first
        if not within:
            return False
    if cadence.every == "week":
        return day.isoweekday() == cadence.on
    if cadence.every == "month":
        is_last = (day + _DAY).month != day.month
        return day.day == cadence.on or (is_last and day.day < (cadence.on or 0))
    return True


def _is_of_year(text: str) -> bool:
    found = _OF_YEAR.fullmatch(text)
    try:
        return found is not None and bool(dt.date(2024, int(found[1]), int(found[2])))
    except ValueError:
        return False
