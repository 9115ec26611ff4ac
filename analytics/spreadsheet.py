"""Tables as spreadsheets save them: how cells, letters, numbers and days are written.

Excel writes CSV by the settings of its machine: between Almaty and Minsk with semicolons, decimal
commas, days as 12.06.2025 and letters of Windows-1251. What can mean one thing only is read so;
what can mean two is refused, with what to write instead.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

UTF_16 = frozenset({b"\xff\xfe", b"\xfe\xff"})  # how it begins
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# Windows-1251 has no Kazakh letters, and a byte of its other places is one of other alphabets. A
# Cyrillic letter beside a Latin one is é or ö of a file from elsewhere.
_NOT_RUSSIAN = re.compile(
    r"[^\x00-\x7fА-Яа-яЁёІі№«»–—“”„…°±·\u00a0]|[A-Za-z][А-Яа-яЁё]|[А-Яа-яЁё][A-Za-z]"
)
_BLANKS = "[ \u00a0\u202f\u2009]"
_GROUPED = re.compile(rf"([+-]?\d{{1,3}}(?:{_BLANKS}\d{{3}})+)((?:[.,]\d+)?)")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_DAY_AND_TIME = re.compile(r"(\S+)[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")


class NotText(ValueError):
    """Bytes that are no text in an encoding that is certain; the message begins with the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


def decode(raw: bytes) -> str:
    """Text in UTF-8, with its mark or without, in UTF-16 with its mark, or in Windows-1251.

    Raises
    ------
    NotText
        Where it is none of them; of Windows-1251, where a letter is not Russian, since the same
        byte is another letter elsewhere.
    """
    if raw[:2] in UTF_16:
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError:
            raise NotText(1, "is UTF-16 and cut off: save it as CSV UTF-8") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1251", "replace")
    if odd := _NOT_RUSSIAN.search(text):
        line = text.count("\n", 0, odd.end()) + 1
        byte = raw[odd.end() - 1]  # a letter is a byte
        reason = f"byte {byte:#04x} is neither UTF-8 nor Russian in Windows-1251"
        raise NotText(line, f"{reason}: save it as CSV UTF-8")
    return text


def separator_of(lines: Sequence[str]) -> str:
    """What separates the cells, by the first line that says anything; a comma where nothing does.

    A header has names in it, and names have no commas: whichever stands in it most often.
    """
    first = next((one for one in lines if one.strip()), "")
    if told := re.fullmatch(r'"?sep=(.)"?\s*', first):  # as Excel leaves word for itself
        return told[1]
    return max(SEPARATORS, key=lambda one: (first.count(one), one == ","))


def cells(lines: Iterable[str], separator: str) -> Iterable[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty, without Excel's own ``sep=``."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    for row in reader:
        if row and row[0].startswith("sep=") and reader.line_num == 1:
            continue
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _has_decimal_comma(text: str) -> bool:
    """Whether a number has a comma that can be none of thousands."""
    if grouped := _GROUPED.fullmatch(text):
        return grouped[2].startswith(",")
    return bool(_COMMA.fullmatch(text)) and not _LIKE_THOUSANDS.fullmatch(text)


class Numbers(NamedTuple):
    """How a table writes numbers."""

    comma_separates: bool  # cells: a comma in one can be but of thousands
    decimal_comma: bool  # somewhere in it a number can only be one with a decimal comma

    @classmethod
    def of(cls, separator: str, written: Iterable[str]) -> Numbers:
        """By all that stands where numbers do."""
        return cls(separator == ",", any(_has_decimal_comma(one.strip()) for one in written))

    def read(self, text: str) -> float:
        """The number of a cell; NaN where it is none; ValueError where it may be two."""
        if found := _GROUPED.fullmatch(text):
            text = re.sub(_BLANKS, "", found[1]) + found[2].replace(",", ".")
        elif _LIKE_THOUSANDS.fullmatch(text) and self._has_two_readings(text):
            plain = re.sub("[.,]", "", text)
            pointed = text.replace(",", ".")
            raise ValueError(f"{text!r} may be {plain} or {pointed}: write {plain} or {pointed}0")
        elif _COMMA.fullmatch(text):
            text = text.replace(",", ".")
        try:
            value = float(text) if "_" not in text else math.nan  # Python reads 1_0 as ten
        except ValueError:
            return math.nan
        return value

    def _has_two_readings(self, text: str) -> bool:
        return self.comma_separates if "," in text else self.decimal_comma


def day_of(text: str) -> dt.date | None:
    """2025-06-12 or 12.06.2025, the day first as wherever points stand; None for anything else."""
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = map(int, found.groups())
            return dt.date(year, month, day)
        return dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def moment_of(text: str) -> dt.datetime | None:
    """A day with its time of day, its offset as far as it has one; None for anything else."""
    if found := _DAY_AND_TIME.fullmatch(text):
        day = day_of(found[1])
        if day is None:
            return None
        try:
            time = dt.time(int(found[2]), int(found[3]), int(found[4] or 0))
        except ValueError:
            return None
        return dt.datetime.combine(day, time)
    if len(text) <= len("2025-06-12"):
        return None  # a day alone
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def by_clock(said: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The moment at which the clocks of a zone showed a time, where it has no offset of its own.

    Raises
    ------
    ValueError
        If they showed it twice or never, as on the days when clocks are changed.
    """
    if said.tzinfo is not None:
        return said
    at = said.replace(tzinfo=zone)
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        when = f"{said:%Y-%m-%d %H:%M}"
        raise ValueError(f"{when} came twice or never when clocks were changed: give its offset")
    return at


class Columns(NamedTuple):
    """Which columns of a table hold what; any other is text, and stays as it is."""

    numbers: frozenset[str]
    days: frozenset[str] = frozenset()
    moments: frozenset[str] = frozenset()


def plain(lines: Sequence[str], columns: Columns) -> list[str]:
    """The table with commas between cells, points in numbers and days as 2025-06-12.

    Each row stays in its line. In place of a number with two readings stand words that name both;
    they, and what is no number or day, are for whoever reads the table to refuse. So is no table.
    """
    separator = separator_of(lines)
    try:
        rows = list(cells(lines, separator))
    except csv.Error:
        return list(lines)
    if not rows:
        return list(lines)
    header = [name.strip().removeprefix("\ufeff") for name in rows[0][1]]
    written = (
        cell
        for _, row in rows[1:]
        for name, cell in zip(header, row, strict=False)
        if name in columns.numbers
    )
    numbers = Numbers.of(separator, written)
    made = [""] * max(len(lines), rows[-1][0])
    for line, row in rows:
        names = [*header, *[""] * len(row)] if line != rows[0][0] else [""] * len(row)
        said = (
            _plain(cell, name, columns, numbers) for name, cell in zip(names, row, strict=False)
        )
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow(said)
        made[line - 1] = out.getvalue()
    return made


def _plain(cell: str, name: str, columns: Columns, numbers: Numbers) -> str:
    text = cell.strip()
    if name in columns.numbers:
        try:
            value = numbers.read(text)
        except ValueError as error:
            return str(error)
        return text if math.isnan(value) else repr(value)
    if name in columns.days and (day := day_of(text)):
        return day.isoformat()
    if name in columns.moments and (moment := moment_of(text)):
        return moment.isoformat(" ")
    return text
