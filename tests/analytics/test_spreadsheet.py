"""What Excel writes in Almaty is read as it was meant, or refused with what to write."""

import datetime as dt
import math
from zoneinfo import ZoneInfo

import pytest

from analytics import spreadsheet
from analytics.spreadsheet import Columns, NotText, Numbers

ALMATY = ZoneInfo("Asia/Almaty")


def test_windows_1251_is_read_where_every_letter_is_russian() -> None:
    text = "поле;культура\r\nПоле №3 «у арыка»;хлопчатник\r\n"

    assert spreadsheet.decode(text.encode("cp1251")) == text
    assert spreadsheet.decode(text.encode("utf-8-sig")) == text
    assert spreadsheet.decode(text.encode("utf-16")) == text


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("поле;ha\nҚызыл;12\n".encode("kz1048"), 2),  # Қ is Ќ of Macedonian in Windows-1251
        ("field\nCafé\n".encode("cp1252"), 2),  # é is й there
        (b"field\nwest\n\x98\n", 3),  # nothing at all there
    ],
)
def test_another_encoding_is_refused_with_its_line(raw: bytes, line: int) -> None:
    with pytest.raises(NotText, match=f"line {line}: .*save it as CSV UTF-8"):
        spreadsheet.decode(raw)


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["field,started_at", "a;b,2"], ","),
        (["поле;начало", '"1,5";2'], ";"),
        (["field\tstarted_at"], "\t"),
        (["", "sep=;", "a;b"], ";"),
        (["field"], ","),
    ],
)
def test_what_separates_is_told_by_the_header(lines: list[str], separator: str) -> None:
    assert spreadsheet.separator_of(lines) == separator


COMMAS, POINTS = Numbers.of(";", ["12,5", "8.400"]), Numbers.of(",", ["12.5"])


@pytest.mark.parametrize(
    ("numbers", "written", "value"),
    [
        (COMMAS, "12,5", 12.5),
        (COMMAS, "-0,284", -0.284),
        (COMMAS, "1 234,5", 1234.5),
        (COMMAS, "1\u00a0234\u00a0567", 1234567.0),
        (COMMAS, "8,400", 8.4),  # semicolons separate: a comma is the decimal sign
        (COMMAS, "8.4", 8.4),
        (COMMAS, "0.284", 0.284),  # no thousands begin with a zero
        (POINTS, "8.400", 8.4),
        (POINTS, "12,5", 12.5),  # thousands come by three
        (POINTS, "1e3", 1000.0),
        (Numbers.of(";", ["8.4"]), "8.400", 8.4),  # no decimal comma anywhere: points it is
    ],
)
def test_a_number_is_read_where_it_can_be_one_alone(
    numbers: Numbers, written: str, value: float
) -> None:
    assert numbers.read(written) == value


QUOTED = Numbers.of(",", ["12,5", "8.400"])  # as LibreOffice writes it in Russia: "12,5",8.400


@pytest.mark.parametrize(
    ("numbers", "written"),
    [(COMMAS, "8.400"), (POINTS, "8,400"), (QUOTED, "8,400"), (QUOTED, "8.400")],
)
def test_a_number_that_may_be_two_is_refused_with_both(numbers: Numbers, written: str) -> None:
    with pytest.raises(ValueError, match=r"may be 8400 or 8.400: write 8400 or 8.4000"):
        numbers.read(written)
    assert numbers.read("8.4000") == 8.4


@pytest.mark.parametrize("written", ["", "12 м3", "1_0", "1,2,3", "12 34", "nan?"])
def test_what_is_no_number_is_none(written: str) -> None:
    assert math.isnan(COMMAS.read(written))


def test_days_have_the_day_first_and_four_digits_of_the_year() -> None:
    assert spreadsheet.day_of("12.06.2025") == dt.date(2025, 6, 12)
    assert spreadsheet.day_of("2025-06-12") == dt.date(2025, 6, 12)
    for written in ("12.06.25", "06/12/2025", "31.06.2025", "2025-6-12", ""):
        assert spreadsheet.day_of(written) is None
    assert spreadsheet.moment_of("12.06.2025 6:05") == dt.datetime.fromisoformat("2025-06-12T06:05")
    assert spreadsheet.moment_of("2025-06-12T06:05:10+05:00") == dt.datetime(
        2025, 6, 12, 6, 5, 10, tzinfo=dt.timezone(dt.timedelta(hours=5))
    )
    assert spreadsheet.moment_of("12.06.2025") is None  # at what time?
    assert spreadsheet.moment_of("12.06.2025 25:00") is None


@pytest.mark.parametrize("written", ["2024-02-29T23:30", "2004-03-28T02:30"])
def test_an_hour_that_came_twice_or_never_needs_its_offset(written: str) -> None:
    # Before 2024-03-01 Almaty went from UTC+6 to UTC+5 at midnight: 23:00 to 24:00 came again. The
    # last summer time began in 2004, at 2:00, which was 3:00 then.
    with pytest.raises(ValueError, match=r"came twice or never .*: give its offset"):
        spreadsheet.by_clock(dt.datetime.fromisoformat(written), ALMATY)
    told = dt.datetime.fromisoformat(written + "+06:00")
    assert spreadsheet.by_clock(told, ALMATY) == told


def test_a_time_before_march_2024_is_by_the_clocks_of_then() -> None:
    for written, utc in (
        ("2024-02-29T22:30", "2024-02-29T16:30+00:00"),
        ("2024-03-01T00:00", "2024-02-29T19:00+00:00"),
    ):
        at = spreadsheet.by_clock(dt.datetime.fromisoformat(written), ALMATY)
        assert at == dt.datetime.fromisoformat(utc)


def test_a_table_becomes_plain_line_by_line_and_texts_stay_as_they_are() -> None:
    lines = ["ticket;date;net_kg", "1,5;12.06.2025;8 400,5", "", "7;2025-06-13;12,5"]
    columns = Columns(frozenset({"net_kg"}), days=frozenset({"date"}))

    assert spreadsheet.plain(lines, columns) == [
        "ticket,date,net_kg",
        '"1,5",2025-06-12,8400.5',
        "",
        "7,2025-06-13,12.5",
    ]


def test_what_has_two_readings_is_no_number_to_who_reads_the_table() -> None:
    # 8.400 beside 12,5 would be read as 8.4 if it stayed, of 8 400 kg.
    columns = Columns(frozenset({"net_kg"}), days=frozenset({"date"}))

    for lines in (["date;net_kg", "1.06.2025;12,5", "1.06.2025;8.400"],
                  ["date,net_kg", '1.06.2025,"12,5"', "1.06.2025,8.400"]):  # fmt: skip
        header, certain, doubtful = spreadsheet.plain(lines, columns)
        assert (header, certain) == ("date,net_kg", "2025-06-01,12.5")
        day, said = doubtful.split(",")
        assert (day, said) == ("2025-06-01", "'8.400' may be 8400 or 8.400: write 8400 or 8.4000")
