"""Records of an ISO 11783-10 time log as arrays: TLGnnnnn.xml says what stands in TLGnnnnn.bin.

The binary is little-endian. Each record begins with the attributes that the XML leaves empty, then
has a count and the process values that changed since the record before: what does not come again
holds.
"""

from array import array
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from analytics.tables import TableError

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_HEADER_BYTES = 1 << 20  # of the XML; 255 values need some 12 KB
MAX_ELEMENTS = 300  # of the XML: a time, a place, and at most 255 values
MAX_COLUMNS = 256  # a record names its values in one byte
MAX_RECORDS = 2_000_000  # of one log: three weeks at one a second
CHUNK = 1 << 16  # structures that are gathered at a time


class _Attribute(NamedTuple):
    element: str
    key: str
    fields: tuple[tuple[str, str], ...]  # our names, and how they stand in the binary


# Attributes of a record in their order.
_ATTRIBUTES = (
    _Attribute("TIM", "A", (("time_ms", "<u4"), ("day", "<u2"))),  # since midnight, 1980-01-01
    _Attribute("PTN", "A", (("latitude", "<i4"),)),  # 1e-7 degrees
    _Attribute("PTN", "B", (("longitude", "<i4"),)),
    _Attribute("PTN", "C", (("height_mm", "<i4"),)),
    _Attribute("PTN", "D", (("status", "u1"),)),  # kind of position
    _Attribute("PTN", "E", (("pdop", "<u2"),)),
    _Attribute("PTN", "F", (("hdop", "<u2"),)),
    _Attribute("PTN", "G", (("satellites", "u1"),)),
    _Attribute("PTN", "H", (("gps_ms", "<u4"),)),  # UTC, by the receiver
    _Attribute("PTN", "I", (("gps_day", "<u2"),)),
)
_VALUE = np.dtype([("column", "u1"), ("raw", "<i4")])


class Logged(NamedTuple):
    """A process value of the log: what it is, and which device element says so."""

    ddi: int
    element: str


class Records(NamedTuple):
    """A log; attributes are arrays of shape (records,), changes of shape (changes,)."""

    attributes: dict[str, Integers]  # those of a record, as time_ms, day, latitude …
    columns: tuple[Logged, ...]
    record: Integers  # of each change, the number of its record from 0, in order
    column: NDArray[np.uint8]  # of each change, its place in ``columns``
    raw: NDArray[np.int32]  # and what it says
    cut_off: str | None = (
        None  # what is wrong with the end of the file, where the rest is asked for
    )

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.attributes["time_ms"])

    def changes(self, column: int) -> tuple[Integers, Integers]:
        """Records in which a column changed, and its raw numbers there."""
        mine = self.column == column
        return self.record[mine], self.raw[mine].astype(np.int64)

    def held(self, column: int) -> Array:
        """Raw number of a column in every record, NaN before the first. Shape (records,)."""
        where, raw = self.changes(column)
        last = np.searchsorted(where, np.arange(self.size), side="right")
        return np.concatenate(([np.nan], raw.astype(float)))[last]


def read_records(
    header: bytes,
    records: bytes,
    file: str,
    *,
    at_most: int = MAX_RECORDS,
    whole: bool = True,
) -> Records:
    """Decode a log of at most so many records from the bytes of its two files.

    A log that is not ``whole``, as when the power went, is read up to the record that is cut off.

    Raises
    ------
    TableError
        If the XML is none of a time log's, or a record is cut off or names an unknown value. The
        line is the number of the record.
    """
    layout, columns = _layout(header, str(Path(file).with_suffix(".xml")))
    starts, cut_off = _starts(records, layout.itemsize, file, at_most)
    if cut_off is not None and (whole or not len(starts)):
        raise cut_off
    buffer = np.frombuffer(records, np.uint8)
    heads = _taken(buffer, starts, layout)
    counts = heads["count"].astype(np.int64)
    record = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = np.repeat(starts + layout.itemsize, counts) + within * _VALUE.itemsize
    values = _taken(buffer, places, _VALUE)
    if (unknown := values["column"] >= len(columns)).any():
        first = int(np.argmax(unknown))
        reason = f"value {values['column'][first]} is not among the {len(columns)}"
        raise TableError(file, int(record[first]) + 1, "DLV", reason)
    names = [name for name in layout.names or () if name != "count"]
    attributes = {name: heads[name].astype(np.int64) for name in names}
    raw = values["raw"].astype(np.int32)
    problem = None if cut_off is None else str(cut_off)
    return Records(attributes, columns, record, values["column"], raw, problem)


def _starts(
    records: bytes, head: int, file: str, at_most: int
) -> tuple[Integers, TableError | None]:
    """Where each whole record begins, and what is wrong with one that is cut off."""
    found, cut_off = array("q"), None
    at, end = 0, len(records)
    while at < end:
        if len(found) >= at_most:
            raise TableError(file, len(found), "TIM", f"more than {at_most:,} records")
        if at + head > end:
            cut_off = TableError(file, len(found) + 1, "TIM", "the record is cut off")
            break
        found.append(at)
        at += head + records[at + head - 1] * _VALUE.itemsize
    if at > end:
        cut_off = TableError(file, len(found), "DLV", "the record is cut off")
        found.pop()
    if not found and cut_off is None:
        raise TableError(file, 1, "TIM", "the log has no records")
    return np.array(found, np.int64), cut_off


def _taken(
    buffer: NDArray[np.uint8], places: Integers, layout: np.dtype[np.void]
) -> NDArray[np.void]:
    """Structures that begin at the places of a buffer."""
    taken = np.empty((len(places), layout.itemsize), np.uint8)
    offsets = np.arange(layout.itemsize)
    for cut in range(0, len(places), CHUNK):  # indices take eight times the room of bytes
        part = slice(cut, cut + CHUNK)
        taken[part] = buffer[places[part, None] + offsets]
    return taken.view(layout).reshape(-1)


def _layout(header: bytes, file: str) -> tuple[np.dtype[np.void], tuple[Logged, ...]]:
    """What stands at the beginning of a record, and which values may follow."""
    elements = _elements(header, file)
    empty = {
        (name, key) for name, attributes in elements for key, text in attributes.items() if not text
    }
    if ("TIM", "A") not in empty:
        raise TableError(file, 1, "TIM", "the XML is not a time log's: TIM has no empty A")
    fields = [
        field for one in _ATTRIBUTES if (one.element, one.key) in empty for field in one.fields
    ]
    try:
        columns = tuple(
            Logged(int(attributes["A"], 16), attributes.get("C", ""))
            for name, attributes in elements
            if name == "DLV"
        )
    except (KeyError, ValueError):
        raise TableError(file, 1, "DLV", "a DLV has no DDI in its A") from None
    if len(columns) > MAX_COLUMNS:
        raise TableError(file, 1, "DLV", f"{len(columns)} values; a record can name {MAX_COLUMNS}")
    return np.dtype([*fields, ("count", "u1")]), columns


def _elements(header: bytes, file: str) -> list[tuple[str, dict[str, str]]]:
    """Elements of the XML in their order, each with its attributes."""
    if len(header) > MAX_HEADER_BYTES:
        raise TableError(file, 1, "XML", f"{len(header):,} bytes: too long for a time log's")
    elements: list[tuple[str, dict[str, str]]] = []

    def refuse(*_: object) -> None:
        raise TableError(file, 1, "DOCTYPE", "no time log declares a document type")

    def take(name: str, attributes: dict[str, str]) -> None:
        elements.append((name, attributes))
        if len(elements) > MAX_ELEMENTS:
            reason = f"more than {MAX_ELEMENTS:,} elements: too many for a time log's"
            raise TableError(file, parser.CurrentLineNumber, "XML", reason)

    parser = expat.ParserCreate()
    parser.StartElementHandler = take
    parser.StartDoctypeDeclHandler = refuse  # and with it every entity
    try:
        parser.Parse(header, True)
    except expat.ExpatError as error:
        raise TableError(file, error.lineno, "XML", str(error)) from None
    except (LookupError, ValueError) as error:  # of an encoding
        if isinstance(error, TableError):
            raise
        raise TableError(file, 1, "XML", str(error)) from None
    return elements
