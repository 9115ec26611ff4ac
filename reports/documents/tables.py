"""Observations as tables for people: a row for what figures are of, a column for each figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reports.documents.words import UNKNOWN, Words, natural
from reports.statements.columns import DIVISIONS, Observation, whole

# Groups of indicators in the order of their columns: a table too wide for a page is cut at these.
GROUPS: Mapping[str, Sequence[str]] = {
    "land": (
        "FARMS_REGISTERED", "FARMS_REPORTING", "FARMS_DIGITAL", "AREA", "CROP_ZONES",
    ),
    "water": ("WATER_APPLIED", "IRRIGATED_AREA", "WATER_APPLIED_DEPTH"),
    "savings": (
        "BASELINE_WATER", "BASELINE_AREA", "APPARENT_SAVING", "REAL_SAVING", "RECOVERABLE_CHANGE",
    ),
    "harvest": (
        "HARVESTED_AREA", "SHARE_HARVESTED", "MASS_BUNKER", "MASS_CLEAN", "YIELD", "YIELD_CENTNER",
    ),
    "measured": ("WEATHER_MEASURED", "WATER_MEASURED", "SOIL_MEASURED"),
    "devices": ("DEVICES", "DEVICES_REPORTING"),
    "investments": (
        "INVESTMENT", "INVESTMENT_RECORDS", "WATER_SAVING_COST_PER_YEAR", "COST_PER_M3_SAVED",
    ),
}  # fmt: skip
INDICATORS = tuple(name for group in GROUPS.values() for name in group)
_AREA, _PERIOD = "REF_AREA", "TIME_PERIOD"


class Column(NamedTuple):
    """A figure that rows have."""

    indicator: str
    unit: str


class Row(NamedTuple):
    """What figures are of, and the figures by indicator."""

    codes: tuple[str, ...]  # of the table's division
    names: tuple[str, ...]
    cells: Mapping[str, Observation]

    @property
    def farms(self) -> str:
        """Of how many farms its figures are; a range where they differ."""
        counted = [one for name, one in self.cells.items() if not name.startswith("FARMS_")]
        found = sorted({one["FARMS"] for one in counted if "FARMS" in one})
        return (
            "" if not found else "–".join(str(one) for one in dict.fromkeys((found[0], found[-1])))
        )


class Table(NamedTuple):
    """Rows that are divided in one way."""

    below: bool  # of the areas right below the subject
    division: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def caption(self, words: Words) -> str:
        """What it is of."""
        named = [one for one in self.division if one != _AREA]
        # The crop of a field stands beside it and does not divide it further.
        of = words.say(f"table.{named[0]}") if named else words.say("table.whole")
        if not self.below:
            return of
        return words.say("table.areas_by", division=of) if named else words.say("table.areas")

    def with_columns(self, columns: Sequence[Column]) -> Table:
        """The same rows with some of the columns, and of the rows those that have any."""
        wanted = {one.indicator for one in columns}
        rows = tuple(row for row in self.rows if wanted & row.cells.keys())
        return self._replace(columns=tuple(columns), rows=rows)


def of(
    said: Mapping[str, Any], words: Words, names: Mapping[str, Mapping[str, str]]
) -> list[Table]:
    """The tables of a manifest: of the whole, by each division, and of the areas below."""
    subject, period = said["subject"], _whole_period(said)
    found: dict[tuple[bool, tuple[str, ...]], dict[tuple[str, ...], dict[str, Observation]]] = {}
    for one in said["content"]["observations"]:
        below = "farm" not in subject and one[_AREA] != subject["area"]
        division = tuple(_division(one, period, below=below))
        full = whole(one)
        codes = tuple(str(full[name]) for name in division)
        rows = found.setdefault((below, division), {})
        rows.setdefault(codes, {})[one["INDICATOR"]] = one
    tables = [
        _table(below, division, rows, words, names) for (below, division), rows in found.items()
    ]
    order = [(), (_PERIOD,), *((name,) for name in DIVISIONS)]
    return sorted(tables, key=lambda one: (one.below, order.index(_main(one))))


def _main(table: Table) -> tuple[str, ...]:
    return tuple(one for one in table.division if one != _AREA)[:1]


def find(tables: Sequence[Table], *division: str, below: bool = False) -> Table | None:
    """The table of a division."""
    wanted = division if not below else (_AREA, *division)
    return next(
        (one for one in tables if one.below == below and one.division[: len(wanted)] == wanted
         and (len(one.division) == len(wanted) or wanted[-1:] == ("FIELD",))),
        None,
    )  # fmt: skip


def _whole_period(said: Mapping[str, Any]) -> str:
    if said["period"] is None:
        return str(said["season"])
    start, end = (dt.date.fromisoformat(said["period"][name]) for name in ("start", "end"))
    return f"{start}/P{(end - start).days}D"


def _division(one: Observation, period: str, *, below: bool) -> Iterator[str]:
    if below:
        yield _AREA
    if one[_PERIOD] != period:
        yield _PERIOD
    if "FIELD" in one:
        yield from ("FIELD", "CROP")
    else:
        yield from (name for name in DIVISIONS if name in one)


def _table(
    below: bool,
    division: tuple[str, ...],
    rows: Mapping[tuple[str, ...], Mapping[str, Observation]],
    words: Words,
    names: Mapping[str, Mapping[str, str]],
) -> Table:
    units = {
        one["INDICATOR"]: one["UNIT_MEASURE"] for cells in rows.values() for one in cells.values()
    }
    columns = tuple(Column(name, units[name]) for name in sorted(units, key=_place))
    made = [
        Row(
            codes,
            tuple(_named(*one, words, names) for one in zip(division, codes, strict=True)),
            cells,
        )
        for codes, cells in rows.items()
    ]
    return Table(
        below, division, columns, tuple(sorted(made, key=lambda row: _sorted(division, row)))
    )


def _place(indicator: str) -> int:
    return INDICATORS.index(indicator) if indicator in INDICATORS else len(INDICATORS)


def _named(dimension: str, code: str, words: Words, names: Mapping[str, Mapping[str, str]]) -> str:
    if dimension == _AREA:
        return area_name(code, words, names)
    return words.coded(dimension, code)


def area_name(code: str, words: Words, names: Mapping[str, Mapping[str, str]]) -> str:
    """What an area is called; its code where nobody said."""
    return names.get(code, {}).get(words.language) or words.coded(_AREA, code)


def _sorted(division: tuple[str, ...], row: Row) -> tuple[object, ...]:
    """By name, months by time; what is not known comes last."""
    return tuple(
        (code == UNKNOWN, natural(code if name in {_PERIOD, "TARIFF_BAND"} else shown))
        for name, code, shown in zip(division, row.codes, row.names, strict=True)
    )
