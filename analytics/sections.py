"""Tables of a document, asked for their keys one by one; what is wrong is named by its key."""

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

Choice = TypeVar("Choice", bound=str)


class ScenarioError(ValueError):
    """A scenario key that is missing or makes no sense."""


class Section:
    """One table of a document. A key that is null in JSON counts as absent."""

    def __init__(self, name: str, table: object) -> None:
        self.name = name
        if not isinstance(table, Mapping):
            raise ScenarioError(f"[{name}]: this table is missing")
        self.table: Mapping[str, Any] = table

    def __contains__(self, key: str) -> bool:
        return self.table.get(key) is not None

    def number(self, key: str, low: float, high: float, *, default: float | None = None) -> float:
        if key not in self and default is not None:
            return default
        value = self._required(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"must be a number from {low:g} to {high:g}", value)
        if not low <= value <= high:
            raise self.error(key, f"must be from {low:g} to {high:g}", value)
        return float(value)

    def optional_number(self, key: str, low: float, high: float) -> float | None:
        return self.number(key, low, high) if key in self else None

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false", value)
        return value

    def text(self, key: str) -> str:
        """Text, empty where the key is absent."""
        value = self.table[key] if key in self else ""
        if not isinstance(value, str):
            raise self.error(key, "must be text", value)
        return value

    def choice(self, key: str, choices: Sequence[Choice], default: Choice) -> Choice:
        value = self.table.get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self.error(key, "must be " + " or ".join(f'"{choice}"' for choice in choices), value)

    def date(self, key: str) -> dt.date:
        return self._date(key, self._required(key), "must be a date as 2013-04-23")

    def dates(self, key: str) -> tuple[dt.date, ...]:
        """Dates in ascending order, none where the key is absent."""
        value = self.table[key] if key in self else []
        rule = 'must be a list of dates as ["2013-06-05", "2013-07-12"]'
        if not isinstance(value, list | tuple):
            raise self.error(key, rule, value)
        days = tuple(self._date(key, day, rule) for day in value)
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise self.error(key, "must be in order, each day once", value)
        return days

    def missing(self, key: str, reason: str = "") -> ScenarioError:
        return ScenarioError(f"{self.name}.{key}: is missing{reason}")

    def error(self, key: str, rule: str, value: object) -> ScenarioError:
        return ScenarioError(f"{self.name}.{key}: {rule}, got {value!r}")

    def _date(self, key: str, value: object, rule: str) -> dt.date:
        if isinstance(value, str):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                raise self.error(key, rule, value) from None
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        raise self.error(key, rule, value)

    def _required(self, key: str) -> object:
        if key not in self:
            raise self.missing(key)
        return self.table[key]
