"""What a rule is, and the numbers that farms chose for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from analytics.alert_conditions import HOLDS, RESTS
from storage.alert_rules import Choice
from storage.alerts import Opening
from storage.farms import Farm


class Parameter(NamedTuple):
    """A number of a rule; its unit ends its name."""

    name: str
    default: float | None
    low: float
    high: float
    meaning: str


class Settings(NamedTuple):
    """Farms where a rule is on, and its numbers for each."""

    farms: Mapping[int, Farm]
    numbers: Mapping[int, Mapping[str, float | None]]

    @property
    def farm_ids(self) -> list[int]:
        """Numbers of the farms."""
        return list(self.farms)

    def number(self, farm_id: int, name: str) -> float:
        """A number that is never left open."""
        found = self.numbers[farm_id][name]
        if found is None:
            raise ValueError(f"{name} has no default")
        return found


class Found(NamedTuple):
    """What a rule found: alerts to be, and subjects whose alerts stay as they are."""

    openings: list[Opening]
    held: list[str]

    def add(self, answer: int, opening: Opening) -> None:
        """Take in what a condition says of a subject."""
        if answer == HOLDS:
            self.held.append(opening.subject)
        elif answer != RESTS:
            self.openings.append(opening)


Find = Callable[[sa.Connection, Settings, dt.datetime], Found]


class Rule(NamedTuple):
    """A kind of alert, and how it is found."""

    kind: str  # of storage.alerts.KINDS
    meaning: str
    parameters: tuple[Parameter, ...]
    find: Find | None  # None: ingest looks for it, which alone knows what is still on its way
    every: dt.timedelta = dt.timedelta(minutes=1)
    ordered: tuple[tuple[str, str], ...] = ()  # of each pair the first is not above the second

    def check(self, given: Mapping[str, Any]) -> dict[str, float]:
        """A farm's own numbers.

        Raises
        ------
        ValueError
            Saying which is none of the rule's, out of its range, or at odds with another.
        """
        known = {one.name: one for one in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"{self.kind} has no parameter {name}; it has {', '.join(known)}")
            one = known[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{self.kind}: {name} is a number")
            if not one.low <= value <= one.high:
                raise ValueError(f"{self.kind}: {name} is between {one.low:g} and {one.high:g}")
        numbers = self.numbers(given)
        for first, second in self.ordered:
            low, high = numbers[first], numbers[second]
            if low is not None and high is not None and low > high:
                raise ValueError(f"{self.kind}: {first} ({low:g}) is above {second} ({high:g})")
        return {name: float(value) for name, value in given.items()}

    def numbers(self, given: Mapping[str, Any]) -> dict[str, float | None]:
        """All numbers of the rule: a farm's own, else the defaults."""
        return {one.name: given.get(one.name, one.default) for one in self.parameters}

    def settings(self, farms: Sequence[Farm], choices: Mapping[int, Choice]) -> Settings:
        """The farms where the rule is on, with their numbers."""
        chosen = [one for one in farms if one.id not in choices or choices[one.id].enabled]
        return Settings(
            {one.id: one for one in chosen},
            {
                one.id: self.numbers(choices[one.id].parameters if one.id in choices else {})
                for one in chosen
            },
        )
