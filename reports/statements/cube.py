"""Cells: what belongs together by area and by one property, and which cells stay empty.

A family is a kind of items (crop zones, water in months …) with the ways in which it is divided.
Every statement of every area shows cells of one and the same cube, so that what stays empty in one
stays empty in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from reports.statements.facts import Facts
from reports.statements.suppression import Part, Tables, Universe, suppressed

Universes = Mapping[str, Universe]


class Item(NamedTuple):
    """What is counted: a crop zone, water of a month, a farm's devices …"""

    farm_id: int
    areas: tuple[str, ...]  # that it lies in
    of: Any


class Family(NamedTuple):
    """A kind of items and how it is divided."""

    name: str
    items: Callable[[Facts], Iterable[Item]]
    # By dimension; each item has one value in each, so that the cells of one add up to the whole.
    dimensions: Mapping[str, Callable[[Any], str]]
    # What a cell of items tells sums of; of the undivided cell where the dimension is None.
    parts: Callable[[Universes, Sequence[Item], str | None], Sequence[Part]]


class Key(NamedTuple):
    """A cell of a family."""

    family: str
    area: str
    dimension: str | None
    value: str


class Cube(NamedTuple):
    """Items by cell, and the cells that stay empty."""

    cells: Mapping[Key, Sequence[Item]]
    empty: frozenset[Key]

    def along(self, family: str, area: str, dimension: str | None) -> list[Key]:
        """The cells of an area along a dimension, by their values."""
        return sorted(key for key in self.cells if key[:3] == (family, area, dimension))


def of_areas(facts: Facts, families: Sequence[Family]) -> Cube:
    """The cells of every area, fields apart, with those empty that tell of fewer than 3 farms."""
    cells = _cells(facts, families, lambda item: item.areas, leave_out={"FIELD"})
    tables = Tables[Key]()
    parts = {family.name: family.parts for family in families}
    for key, items in cells.items():
        tables.cells[key] = parts[key.family](tables.universes, items, key.dimension)
    return Cube(cells, frozenset(suppressed(tables)))


def of_farm(facts: Facts, families: Sequence[Family]) -> Cube:
    """The cells of a farm's own statement: nothing stays empty."""
    return Cube(_cells(facts, families, lambda _: ("",), leave_out=set()), frozenset())


def _cells(
    facts: Facts,
    families: Sequence[Family],
    areas: Callable[[Item], Sequence[str]],
    *,
    leave_out: set[str],
) -> dict[Key, list[Item]]:
    cells: dict[Key, list[Item]] = defaultdict(list)
    for family in families:
        for item in family.items(facts):
            for area in areas(item):
                cells[Key(family.name, area, None, "")].append(item)
                for name, value in family.dimensions.items():
                    if name not in leave_out:
                        cells[Key(family.name, area, name, value(item.of))].append(item)
    return dict(cells)
