"""When reports are due, by the clocks of a place: cases by hand, and laws."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from reports.statements.due import Cadence, last_due, next_due

SIX = dt.time(6)
LATE = dt.time(23, 30)
HALF_PAST_TWO = dt.time(2, 30)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def following(cadence: Cadence, after: str, count: int) -> list[str]:
    """So many due times after a moment, in UTC."""
    found, at = [], utc(after)
    for _ in range(count):
        due = next_due(cadence, at)
        assert due is not None
        found.append(f"{due:%Y-%m-%d %H:%M}")
        at = due
    return found


def test_each_day_at_six_in_almaty_is_one_at_night_by_utc() -> None:
    # UTC+5 since 2024: 06:00 is 01:00 UTC.
    daily = Cadence("day", SIX, "Asia/Almaty")

    assert following(daily, "2026-09-01T00:59", 2) == ["2026-09-01 01:00", "2026-09-02 01:00"]
    assert following(daily, "2026-09-01T01:00", 1) == ["2026-09-02 01:00"]


def test_kazakhstan_put_its_clocks_back_for_good() -> None:
    # On 1 March 2024 at 00:00 of UTC+6 it became 23:00 of UTC+5: 29 February had 23:30 twice.
    assert following(Cadence("day", LATE, "Asia/Almaty"), "2024-02-28T18:00", 3) == [
        "2024-02-29 17:30",
        "2024-03-01 18:30",
        "2024-03-02 18:30",
    ]


def test_a_time_that_spring_leaves_out_comes_an_hour_later_and_once() -> None:
    # Berlin, 29 March 2026: at 02:00 it is 03:00. 02:30 of that day is 03:30, by UTC 01:30.
    assert following(Cadence("day", HALF_PAST_TWO, "Europe/Berlin"), "2026-03-28T00:00", 3) == [
        "2026-03-28 01:30",
        "2026-03-29 01:30",
        "2026-03-30 00:30",
    ]


def test_a_time_that_autumn_has_twice_comes_once_at_its_first() -> None:
    # Berlin, 25 October 2026: at 03:00 it is 02:00. 02:30 is 00:30 and again 01:30 by UTC.
    assert following(Cadence("day", HALF_PAST_TWO, "Europe/Berlin"), "2026-10-24T00:00", 3) == [
        "2026-10-24 00:30",
        "2026-10-25 00:30",
        "2026-10-26 01:30",
    ]


def test_a_day_that_a_place_never_had_is_no_second_time() -> None:
    # Samoa went from 29 to 31 December 2011: 10:00 of the 30th would be the 31st's (UTC+14).
    samoa = Cadence("day", dt.time(10), "Pacific/Apia")

    assert following(samoa, "2011-12-29T00:00", 3) == [
        "2011-12-29 20:00",
        "2011-12-30 20:00",
        "2011-12-31 20:00",
    ]


def test_a_week_has_its_day_and_a_month_its_own_or_the_last() -> None:
    monday = Cadence("week", SIX, "Asia/Almaty", 1)
    last = Cadence("month", SIX, "Asia/Almaty", 31)

    # 7 September 2026 is a Monday.
    assert following(monday, "2026-09-01T00:00", 2) == ["2026-09-07 01:00", "2026-09-14 01:00"]
    assert following(last, "2028-01-01T00:00", 4) == [
        "2028-01-31 01:00",
        "2028-02-29 01:00",
        "2028-03-31 01:00",
        "2028-04-30 01:00",
    ]


def test_in_season_alone_from_its_first_day_to_its_last() -> None:
    harvest = Cadence("day", SIX, "Asia/Almaty", None, "07-01", "11-30")
    winter = Cadence("month", SIX, "Asia/Almaty", 1, "12-01", "02-15")

    assert following(harvest, "2026-11-29T02:00", 2) == ["2026-11-30 01:00", "2027-07-01 01:00"]
    assert following(winter, "2026-06-01T00:00", 4) == [
        "2026-12-01 01:00",
        "2027-01-01 01:00",
        "2027-02-01 01:00",
        "2027-12-01 01:00",
    ]


def test_after_days_of_silence_the_last_due_time_is_the_one_that_counts() -> None:
    daily = Cadence("day", SIX, "Asia/Almaty")
    done = utc("2026-09-01T01:00")

    assert last_due(daily, done, utc("2026-09-02T00:59")) is None
    assert last_due(daily, done, utc("2026-09-02T01:00")) == utc("2026-09-02T01:00")
    assert last_due(daily, done, utc("2026-09-09T20:00")) == utc("2026-09-09T01:00")
    # Also one of a season that is over by then.
    harvest = daily._replace(first_day="07-01", last_day="11-30")
    assert last_due(harvest, done, utc("2026-12-24T00:00")) == utc("2026-11-30T01:00")


PLACES = some.sampled_from(
    ["Asia/Almaty", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"]
)
MOMENTS = some.integers(0, 24 * 366 * 1_440).map(
    lambda minutes: utc("2011-01-01T00:00") + minutes * dt.timedelta(minutes=1)
)
TIMES = some.builds(dt.time, some.integers(0, 23), some.integers(0, 59))
WHOLE_YEAR = (some.none(), some.none())
CADENCES = some.one_of(
    some.builds(Cadence, some.just("day"), TIMES, PLACES, some.none(), *WHOLE_YEAR),
    some.builds(Cadence, some.just("week"), TIMES, PLACES, some.integers(1, 7), *WHOLE_YEAR),
    some.builds(Cadence, some.just("month"), TIMES, PLACES, some.integers(1, 31), *WHOLE_YEAR),
)


@settings(max_examples=60)
@given(CADENCES, MOMENTS, some.timedeltas(dt.timedelta(0), dt.timedelta(days=70)))
def test_the_last_before_is_what_going_on_from_one_to_the_next_ends_at(
    cadence: Cadence, after: dt.datetime, later: dt.timedelta
) -> None:
    by, last, at = after + later, None, next_due(cadence, after)
    while at is not None and at <= by:
        last, at = at, next_due(cadence, at)

    assert last_due(cadence, after, by) == last


@settings(max_examples=60)
@given(CADENCES, MOMENTS)
def test_no_local_day_is_due_twice(cadence: Cadence, after: dt.datetime) -> None:
    zone = ZoneInfo(cadence.timezone)
    days, at = [], after
    for _ in range(5):
        due = next_due(cadence, at)
        assert due is not None
        assert due > at
        days.append(due.astimezone(zone).date())
        at = due

    # At most as much later as clocks are put forward: over midnight where it is that late.
    assert len(set(days)) == 5 or cadence.at >= dt.time(23)


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        (Cadence("day", SIX, "Asia/Alma-Ata"), "no timezone"),
        (Cadence("day", SIX, "Asia/Almaty", 1), "none of its days"),
        (Cadence("day", SIX.replace(tzinfo=dt.UTC), "Asia/Almaty"), "no local time"),
        (Cadence("day", SIX.replace(second=30), "Asia/Almaty"), "no local time"),
        (Cadence("week", SIX, "Asia/Almaty"), "1 to 7"),
        (Cadence("week", SIX, "Asia/Almaty", 8), "1 to 7"),
        (Cadence("month", SIX, "Asia/Almaty", 0), "1 to 31"),
        (Cadence("day", SIX, "Asia/Almaty", None, "07-01"), "or neither"),
        (Cadence("day", SIX, "Asia/Almaty", None, "07-01", "11-31"), "no day of a year"),
        (Cadence("day", SIX, "Asia/Almaty", None, "7-1", "11-30"), "no day of a year"),
        (Cadence("month", SIX, "Asia/Almaty", 31, "02-01", "02-10"), "no such day"),
    ],
)
def test_what_never_comes_or_cannot_be_told_is_refused(cadence: Cadence, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cadence.check()


def test_a_leap_day_on_a_day_of_the_week_comes_once_in_28_years() -> None:
    # 29 February 2044 is a Monday, as that of 2016 was.
    rare = Cadence("week", SIX, "UTC", 1, "02-29", "02-29")
    rare.check()

    assert following(rare, "2016-03-01T00:00", 1) == ["2044-02-29 06:00"]
