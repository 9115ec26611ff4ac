"""Text files that are imported: their lines, what kind they are of, all that is wrong with them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeVar

from analytics import spreadsheet
from analytics.spreadsheet import Columns, NotText
from analytics.tables import IRRIGATION_COLUMNS, WEATHER_COLUMNS, TableError
from analytics.text_files import GZIP, check_is_text
from analytics.yield_tables import CSV_COLUMNS, TIME, looks_like_ag_leader
from ingest.imports.results import Refused

MAX_TEXT_BYTES = 512 << 20  # unpacked
MOST_ERRORS = 20  # that are looked for in one file
LOAD_COLUMNS = (
    "ticket", "weighed_at", "field", "net_kg", "moisture_pct", "impurity_pct", "area_ha",
)  # fmt: skip
# Of tables that people keep by hand, and save from a spreadsheet.
BY_HAND = {
    "weather": Columns(frozenset(WEATHER_COLUMNS), days=frozenset({"date"})),
    "irrigation": Columns(frozenset(IRRIGATION_COLUMNS), days=frozenset({"date"})),
    "loads": Columns(
        frozenset({"net_kg", "moisture_pct", "impurity_pct", "area_ha"}),
        moments=frozenset({"weighed_at"}),
    ),
}
KINDS = ("isoxml", "agleader", "yield", "weather", "irrigation", "loads")

Made = TypeVar("Made")


def lines_of(raw: bytes, file: str) -> list[str]:
    """Lines of a text file, unpacked where it is gzipped.

    Raises
    ------
    TableError
        Naming the file, where it is no text or unpacks to too much. Names in another encoding than
        UTF-8 do not stop it.
    """
    if raw.startswith(GZIP):
        raw = _unzipped(raw, file)
    check_is_text(raw, file)
    try:
        text = spreadsheet.decode(raw)
    except NotText:
        text = raw.decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").split("\n")


def _unzipped(raw: bytes, file: str) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        whole = stream.decompress(raw, MAX_TEXT_BYTES)
    except zlib.error as error:
        raise TableError(file, 1, "(gzip)", f"the gzip file is damaged ({error})") from None
    if stream.unconsumed_tail:
        raise TableError(file, 1, "(gzip)", f"unpacks to more than {MAX_TEXT_BYTES >> 20} MB")
    if not stream.eof:
        line = whole.count(b"\n") + 1
        raise TableError(file, line, "(gzip)", "the gzip file is cut off from about here on")
    return whole


def kind_of(lines: list[str], file: str) -> str:
    """Which of ``KINDS`` a text is, by its first line.

    Raises
    ------
    TableError
        Where nothing begins so.
    """
    told = (line for line in lines if line.strip() and not line.lstrip('"').startswith("sep="))
    first = next(told, "")
    if looks_like_ag_leader(first):
        return "agleader"
    told_apart = first.split(spreadsheet.separator_of(lines))
    header = {cell.strip().strip('"').removeprefix("\ufeff") for cell in told_apart}
    columns_of = (  # that no other kind has
        ("weather", {*WEATHER_COLUMNS}),
        ("irrigation", {*IRRIGATION_COLUMNS}),
        ("loads", {"ticket", "weighed_at", "net_kg"}),
        ("yield", {*CSV_COLUMNS, "X", "Y", "Yield"}),
    )
    matches = {kind: len(header & columns) for kind, columns in columns_of}
    best = max(matches, key=lambda kind: matches[kind])
    if matches[best]:
        return best
    reason = (
        f"begins with {first[:40]!r}: neither weather (date,tmax_c,…), irrigation "
        f"(date,depth_mm,…), loads (ticket,…), yield ({TIME},longitude_deg,…) nor Ag Leader"
    )
    raise TableError(file, 1, "(header)", reason)


def all_of(read: Callable[[list[str]], Made], lines: list[str]) -> Made:
    """What reading gives; Refused with everything that is wrong, a line each.

    A line that is wrong is emptied and the rest read again, so that people mend a file once.
    """
    found: list[tuple[int, str]] = []
    left = list(lines)
    while len(found) < MOST_ERRORS:
        try:
            made = read(left)
        except TableError as error:
            here = error.line - 1
            if found and not (0 < here < len(left) and left[here]):
                break  # nothing is left to be read
            found.append((error.line, str(error)))
            if not 0 < here < len(left):
                break
            left[here] = ""
        else:
            if not found:
                return made
            break
    words = [text for _, text in sorted(found)]
    if len(found) == MOST_ERRORS:
        words.append(f"the first {MOST_ERRORS} errors are named; there may be more")
    raise Refused(*words)


def short(name: str) -> str:
    """Name of a file without its folders."""
    return PurePosixPath(name.replace("\\", "/")).name
