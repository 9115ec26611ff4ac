"""The map of a farm: its fields, coloured by a figure, as fractions of the picture's width."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from analytics.field_plane import plane_at, to_plane
from reports.documents.charts import steps
from reports.documents.frames import Frame, scale
from reports.documents.paper import Paper
from reports.documents.shown import Shown
from reports.documents.tables import Row, Table
from reports.documents.words import Words, natural

CLASSES = 5
SHADES = ("#e3eef5", "#b5d3e6", "#7fb2d3", "#4a8dbb", "#1f6496")
NEGATIVE, NO_VALUE, PLAIN = "#e7a977", "#d9d9d9", "#c9dfc2"
OF_CROPS = (
    "#e8cf7d", "#9cc58a", "#c9a0c4", "#8fbfd6", "#e2a27f", "#b9b37a", "#d98fa0", "#87c2b4",
)  # fmt: skip


def of_fields(
    paper: Paper, table: Table | None, shown: Shown | None, words: Words
) -> dict[str, Any] | None:
    """The fields of a farm, coloured by a figure where its statement has one by field."""
    shapes = {name: shape(one) for name, one in paper.fields.items() if one is not None}
    if not shapes:
        return None
    names = sorted(shapes, key=natural)
    colouring = _colouring(names, table, shown, words)
    bounds = shapely.total_bounds(list(shapes.values()))
    plane = plane_at(bounds[[0, 2]], bounds[[1, 3]])
    placed = {
        name: shapely.transform(one, lambda lon, lat: to_plane(plane, lon, lat), interleaved=False)
        for name, one in shapes.items()
    }
    frame = Frame(shapely.total_bounds(list(placed.values())))
    polygons = [
        _polygon(placed[name], frame, colouring.of(name), str(number))
        for number, name in enumerate(names, start=1)
    ]
    keys = [[str(number), name, colouring.said(name)] for number, name in enumerate(names, start=1)]
    without = sorted((name for name, one in paper.fields.items() if one is None), key=natural)
    notes = [words.say("map.no_boundary", fields=", ".join(without))] if without else []
    return {
        "type": "map",
        "caption": words.say("map.fields"),
        "ratio": frame.ratio,
        "polygons": polygons,
        "circles": [],
        "dots": [],
        "lines": [],
        "scale": scale(frame.metres, words),
        "legend": {"caption": colouring.caption(), "colours": colouring.legend()},
        "keys": keys,
        "notes": notes,
    }


def _colouring(
    names: Sequence[str], table: Table | None, shown: Shown | None, words: Words
) -> _Plain:
    if table is None or shown is None:
        return _Plain()
    rows = _by_field(names, table)
    values = {name: row and shown.value(row.cells) for name, row in rows.items()}
    if all(one is None for one in values.values()):
        return _Plain()
    unit = shown.unit_in(table)
    if not shown.of_crops:
        return _Shades(values, unit, shown.name(words), words)
    crops = {name: row and row.names[1] for name, row in rows.items()}
    return _Crops(values, unit, shown.name(words), words, crops)


def _by_field(names: Sequence[str], table: Table) -> dict[str, Row | None]:
    """The row of each field; None where there is none, or one for each of two crops."""
    rows: dict[str, list[Row]] = {name: [] for name in names}
    for row in table.rows:
        label, crop = row.codes[:2]
        name = label if label in rows else label.removesuffix(f" ({crop})")
        if name in rows:
            rows[name].append(row)
    return {name: found[0] if len(found) == 1 else None for name, found in rows.items()}


# --- which colour a field has ---------------------------------------------------------------------


class _Plain:
    """Fields of which no figure is stated: all alike."""

    def of(self, _name: str, /) -> str:
        return PLAIN

    def said(self, _name: str, /) -> str:
        return ""

    def caption(self) -> str:
        return ""

    def legend(self) -> list[dict[str, str]]:
        return []


class _Shades(_Plain):
    """Fields by a figure, from light to dark."""

    def __init__(
        self, values: Mapping[str, float | None], unit: str, figure: str, words: Words
    ) -> None:
        self.values, self.unit, self.figure, self.words = values, unit, figure, words
        positive = [one for one in values.values() if one is not None and one >= 0.0]
        self.bounds = steps(min(positive), max(positive), CLASSES - 1) if positive else []

    def of(self, name: str, /) -> str:
        value = self.values[name]
        if value is None:
            return NO_VALUE
        if value < 0.0:
            return NEGATIVE
        return self._shade(sum(value >= bound for bound in self.bounds[1:]))

    def _shade(self, place: int) -> str:
        last = len(self.bounds) - 2
        return SHADES[round(min(place, last) * (CLASSES - 1) / max(last, 1))]

    def said(self, name: str, /) -> str:
        value = self.values[name]
        return "" if value is None else self.words.number(value, self.unit)

    def caption(self) -> str:
        unit = self.words.unit(self.unit)
        return self.words.say("map.by", indicator=self.figure, unit=unit)

    def legend(self) -> list[dict[str, str]]:
        number, unit = self.words.number, self.unit
        colours = [
            {"colour": self._shade(place), "label": f"{number(low, unit)} – {number(high, unit)}"}
            for place, (low, high) in enumerate(itertools.pairwise(self.bounds))
        ]
        if any(one is not None and one < 0.0 for one in self.values.values()):
            colours.insert(0, {"colour": NEGATIVE, "label": "< 0"})
        return colours + self._unknown()

    def _unknown(self) -> list[dict[str, str]]:
        if all(one is not None for one in self.values.values()):
            return []
        return [{"colour": NO_VALUE, "label": self.words.say("map.no_value")}]


class _Crops(_Shades):
    """Fields by what grew there; the figure is beside, for different crops are not compared."""

    def __init__(
        self,
        values: Mapping[str, float | None],
        unit: str,
        figure: str,
        words: Words,
        crops: Mapping[str, str | None],
    ) -> None:
        super().__init__(values, unit, figure, words)
        self.crops = crops
        self.known = sorted({one for one in crops.values() if one}, key=natural)

    def of(self, name: str, /) -> str:
        crop = self.crops[name]
        return NO_VALUE if not crop else OF_CROPS[self.known.index(crop) % len(OF_CROPS)]

    def caption(self) -> str:
        unit = self.words.unit(self.unit)
        return self.words.say("map.crops", indicator=self.figure, unit=unit)

    def legend(self) -> list[dict[str, str]]:
        colours = [
            {"colour": OF_CROPS[place % len(OF_CROPS)], "label": one}
            for place, one in enumerate(self.known)
        ]
        return colours + (self._unknown() if not all(self.crops.values()) else [])


# --- shapes ---------------------------------------------------------------------------------------


def _polygon(one: Any, frame: Frame, colour: str, label: str) -> dict[str, Any]:
    parts = getattr(one, "geoms", [one])
    drawn = [shapely.simplify(part, frame.pixel) for part in parts]
    rings = [
        [frame.at(x, y) for x, y in np.asarray(ring.coords)[:, :2]]
        for part in drawn
        for ring in (part.exterior, *part.interiors)
    ]
    inside = max(parts, key=lambda part: part.area).representative_point()
    return {"rings": rings, "colour": colour, "label": label, "at": frame.at(inside.x, inside.y)}
