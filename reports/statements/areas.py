"""Areas by their codes: the country above its regions, a region above districts.

A code begins with that of the area above it: ``KZ``, ``KZ-61``, ``KZ-6110``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import sqlalchemy as sa

from storage import farms
from storage.database import NotFound
from storage.farms import Farm, Region

Level = Literal["country", "region", "district"]
COUNTRY_LETTERS, REGION_LETTERS = 2, 5


class Area(NamedTuple):
    """An area, and the one above it."""

    code: str
    level: Level
    names: Mapping[str, str]
    above: str | None


def tree(regions: Iterable[Region]) -> dict[str, Area]:
    """Every area by its code, those above first."""
    known = {one.code: one for one in sorted(regions)}
    areas: dict[str, Area] = {}
    for code in sorted({one[:COUNTRY_LETTERS] for one in known}):
        areas[code] = Area(code, "country", {}, None)
    for code, region in known.items():
        above = max((one for one in areas if code.startswith(one)), key=len)
        names = {"kk": region.name_kk, "ru": region.name_ru, "en": region.name_en}
        level: Level = "region" if len(code) <= REGION_LETTERS else "district"
        areas[code] = Area(code, level, names, above)
    return areas


def get(areas: Mapping[str, Area], code: str) -> Area:
    """The area of a code; NotFound if there is none."""
    if code not in areas:
        raise NotFound(f"area {code!r}")
    return areas[code]


def placed(connection: sa.Connection, *, farm: str | None, area: str | None) -> int | None:
    """The farm that something is to be of, by its number; None for an area, which there must be.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm or area.
    ValueError
        Unless one of the two is named.
    """
    if farm is not None and area is None:
        return farms.get(connection, farm).id
    if area is not None and farm is None:
        get(tree(farms.regions(connection)), area)
        return None
    raise ValueError("name a farm or an area, one of the two")


def of_farm(areas: Mapping[str, Area], farm: Farm) -> tuple[str, ...]:
    """The areas that a farm lies in, the smallest first.

    One without a region is the country's alone, where there is one country.
    """
    if farm.region_code is None:
        countries = [one.code for one in areas.values() if one.level == "country"]
        return tuple(countries) if len(countries) == 1 else ()
    chain = [farm.region_code]
    while (above := areas[chain[-1]].above) is not None:
        chain.append(above)
    return tuple(chain)
