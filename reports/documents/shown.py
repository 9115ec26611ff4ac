"""What maps show of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reports.documents.tables import Table
from reports.documents.words import Words
from reports.statements.columns import Observation


class Shown(NamedTuple):
    """What a map shows of a table: an indicator, or one by another."""

    indicator: str
    by: str | None = None
    factor: float = 1.0
    unit: str | None = None
    caption: str | None = None  # key of its words, where it is no indicator's name
    of_crops: bool = False  # different crops are not compared: they are the colours

    def value(self, cells: Mapping[str, Observation]) -> float | None:
        """Its value of a row; None where that is not known or left empty."""
        value: float | None = cells.get(self.indicator, {}).get("OBS_VALUE")
        if self.by is None or value is None:
            return value
        by = cells.get(self.by, {}).get("OBS_VALUE")
        return self.factor * value / by if by else None

    def name(self, words: Words) -> str:
        """What it is called."""
        return words.say(f"map.{self.caption}" if self.caption else f"indicator.{self.indicator}")

    def unit_in(self, table: Table) -> str:
        """Its unit."""
        if self.unit is not None:
            return self.unit
        units = (one.unit for one in table.columns if one.indicator == self.indicator)
        return next(units, "count")
