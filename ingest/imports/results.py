"""What came of importing one source, and what the importer was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from storage.farms import Farm

State = Literal["imported", "partly", "refused", "skipped"]
Row = dict[str, Any]


class Asked(NamedTuple):
    """What an import is for, the same for all its files."""

    farm: Farm
    timezone: str  # IANA zone of clocks that do not say theirs
    now_us: int
    field: str | None = None  # its name, for what belongs to one
    device: str | None = None  # id of whom points and readings are; by default made from the file
    kind: str | None = None  # one of KINDS; by default told from the content
    crs: str | None = None  # projected system of yield files, as EPSG:32642
    wind_height_m: float = 2.0  # of weather files
    gps_epoch: bool = False  # Ag Leader's seconds count from 1980-01-06, not 1970-01-01


class Imported(NamedTuple):
    """What became of one source."""

    source: str
    kind: str | None = None
    state: State = "imported"
    into: str | None = None  # device or field
    new: int = 0
    known: int = 0  # stored before
    unit: str = ""  # of both: points, readings, events …
    first: str | None = None  # time of the earliest and latest, RFC 3339
    last: str | None = None
    errors: tuple[str, ...] = ()  # why it, or a part of it, was not imported
    left_out: Mapping[str, int] = {}  # records that are no points, by reason
    notes: tuple[str, ...] = ()
    details: tuple[Row, ...] = ()  # tasks and logs, or lines

    def as_row(self) -> Row:
        """Plain values that JSON can hold."""
        row = self._asdict() | {"left_out": dict(self.left_out)}
        return row | {name: list(row[name]) for name in ("errors", "notes", "details")}


class Stored(NamedTuple):
    """Rows that were stored, and those that were there already or cannot be true."""

    new: int = 0
    known: int = 0
    refused: Mapping[str, int] = {}
    first_us: int | None = None
    last_us: int | None = None

    def and_more(self, other: Stored) -> Stored:
        """Both together."""
        firsts = [one for one in (self.first_us, other.first_us) if one is not None]
        lasts = [one for one in (self.last_us, other.last_us) if one is not None]
        return Stored(
            self.new + other.new,
            self.known + other.known,
            Counter(self.refused) + Counter(other.refused),
            min(firsts, default=None),
            max(lasts, default=None),
        )


class Refused(ValueError):
    """A source that cannot be imported, with every reason that was found."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
