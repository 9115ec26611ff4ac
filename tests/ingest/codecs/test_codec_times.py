"""Times as devices and networks write them."""

import pytest

from ingest.codecs.times import first_time, rfc3339
from ingest.messages import from_us, iso, to_us

SECOND_US = 1_782_882_000_000_000  # 2026-07-01T05:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-07-01T05:00:00Z", SECOND_US),
        ("2026-07-01T10:30:00+05:30", SECOND_US),
        ("2026-06-30T22:00:00-07:00", SECOND_US),
        ("2026-07-01 05:00:00z", SECOND_US),
        ("2026-07-01T05:00:00.1Z", SECOND_US + 100_000),
        ("2026-07-01T05:00:00.123456999Z", SECOND_US + 123_456),  # cut, not rounded
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),  # the leap second, as 2017 begins
    ],
)
def test_times_that_are_read(text, expected):
    assert rfc3339(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-07-01T05:00:00",  # no offset: whose clock?
        "2026-07-01",
        "20260701T050000Z",
        "2026-07-01T05:00Z",
        "2026-02-29T05:00:00Z",
        "2026-07-01T24:00:00Z",
        "2026-07-01T05:00:00+24:00",
        "２026-07-01T05:00:00Z",  # a digit, but not one of RFC 3339
        "2026-07-01T05:00:00Z\n",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_times_that_are_refused(text):
    with pytest.raises(ValueError, match="is not"):
        rfc3339(text)


def test_the_first_readable_time_is_taken():
    assert first_time(None, 5, "soon", "2026-07-01T05:00:00Z", "1970-01-01T00:00:00Z") == SECOND_US
    assert first_time(None, "soon") is None


@pytest.mark.parametrize("time_us", [0, SECOND_US, SECOND_US + 1, 253_402_300_799_999_999])
def test_a_time_survives_being_written(time_us):
    assert rfc3339(iso(time_us)) == time_us
    assert to_us(from_us(time_us)) == time_us
