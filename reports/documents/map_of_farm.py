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


def of_fields(
    paper: Paper, table: Table | None, shown: Shown | None, words: Words
) -> dict[str, Any] | None:
    """The fields of a farm, coloured by a figure where its statement has one by field."""
    shapes = {name: shape(one) for name, one in paper.fields.items() if one is not None}
    if not shapes:
        return None
    names = sorted(shapes, key=natural)
    values = _by_field(names, table, shown)
    known = [one for one in values.values() if one is not None]
    classes = _classes(known)
    bounds = shapely.total_bounds(list(shapes.values()))
    plane = plane_at(bounds[[0, 2]], bounds[[1, 3]])
    placed = {
        name: shapely.transform(one, lambda lon, lat: to_plane(plane, lon, lat), interleaved=False)
        for name, one in shapes.items()
    }
    frame = Frame(shapely.total_bounds(list(placed.values())))
    polygons, keys = [], []
    for number, name in enumerate(names, start=1):
        value = values.get(name)
        colour = PLAIN if not known else _shade(value, classes)
        polygons.append(_polygon(placed[name], frame, colour, str(number)))
        keys.append(_key(number, name, value, shown, words, table))
    without = sorted((name for name, one in paper.fields.items() if one is None), key=natural)
    notes = [words.say("map.no_boundary", fields=", ".join(without))] if without else []
    legend = _scale_of_colours(classes, known, values, shown, words, table)
    return {
        "type": "map",
        "caption": words.say("map.fields"),
        "ratio": frame.ratio,
        "polygons": polygons,
        "circles": [],
        "dots": [],
        "lines": [],
        "scale": scale(frame.metres, words),
        "legend": legend,
        "keys": keys,
        "notes": notes,
    }


def _by_field(
    names: Sequence[str], table: Table | None, shown: Shown | None
) -> dict[str, float | None]:
    """A value of each field that has one; None where it is not known, or had two crops."""
    if table is None or shown is None:
        return {}
    rows: dict[str, list[Row]] = {name: [] for name in names}
    for row in table.rows:
        label, crop = row.codes[:2]
        name = label if label in rows else label.removesuffix(f" ({crop})")
        if name in rows:
            rows[name].append(row)
    return {
        name: shown.value(found[0].cells) if len(found) == 1 else None
        for name, found in rows.items()
    }


def _classes(known: Sequence[float]) -> list[float]:
    """Bounds of the shades, from nothing or the smallest value up."""
    positive = [one for one in known if one >= 0.0]
    return steps(min(positive), max(positive), CLASSES - 1) if positive else []


def _shade(value: float | None, classes: Sequence[float]) -> str:
    if value is None:
        return NO_VALUE
    if value < 0.0:
        return NEGATIVE
    place = sum(value >= bound for bound in classes[1:])
    return _of_class(place, len(classes) - 1)


def _of_class(place: int, count: int) -> str:
    """Shades from light to dark, however many classes there are."""
    return SHADES[round(min(place, count - 1) * (CLASSES - 1) / max(count - 1, 1))]


def _scale_of_colours(
    classes: Sequence[float],
    known: Sequence[float],
    values: Mapping[str, float | None],
    shown: Shown | None,
    words: Words,
    table: Table | None,
) -> dict[str, Any]:
    if not known or shown is None or table is None:
        return {"caption": "", "colours": []}
    unit = shown.unit_in(table)
    colours = [
        {
            "colour": _of_class(place, len(classes) - 1),
            "label": f"{words.number(low, unit)} – {words.number(high, unit)}",
        }
        for place, (low, high) in enumerate(itertools.pairwise(classes))
    ]
    if any(one < 0.0 for one in known):
        colours.insert(0, {"colour": NEGATIVE, "label": "< 0"})
    if len(known) < len(values):
        colours.append({"colour": NO_VALUE, "label": words.say("map.no_value")})
    caption = shown.name(words)
    return {
        "caption": words.say("map.by", indicator=caption, unit=words.unit(unit)),
        "colours": colours,
    }


def _key(
    number: int,
    name: str,
    value: float | None,
    shown: Shown | None,
    words: Words,
    table: Table | None,
) -> list[str]:
    if shown is None or table is None or value is None:
        return [str(number), name, ""]
    return [str(number), name, words.number(value, shown.unit_in(table))]


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
