"""The map of an area: circles where its farms are, as fractions of the picture's width.

No outline of an area is known, so none is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from reports.documents.frames import degrees_of
from reports.documents.paper import Paper, Place
from reports.documents.shown import Shown
from reports.documents.tables import Row, Table, area_name
from reports.documents.words import Words
from reports.statements.suppression import LEAST_FARMS

LARGEST = 0.05  # radius of the largest circle, of the picture's width
SMALLEST = 0.006
TENTHS = 1  # decimals of a degree that farms are placed to


def of_areas(
    paper: Paper, table: Table | None, shown: Shown, words: Words
) -> dict[str, Any] | None:
    """Circles in the middle of the farms of each area below, and a dot for every farm."""
    rows = table.rows if table is not None else ()
    below = [row for row in rows if _farms_of(row.codes[0], paper.places)]
    middles = {row.codes[0]: _middle(row.codes[0], paper.places) for row in below}
    placed = [row for row in below if middles[row.codes[0]] is not None]
    shown_of = [row.codes[0] for row in placed] if below else [paper.said["subject"]["area"]]
    dots = sorted(
        {_tenth(one) for code in shown_of for one in _enough(_farms_of(code, paper.places))}
    )
    if not dots:
        return None
    points = np.array(dots + [m for row in placed if (m := middles[row.codes[0]])])
    frame = degrees_of(points)
    values = {row.codes[0]: shown.value(row.cells) for row in below}
    largest = max((abs(one) for one in values.values() if one is not None), default=0.0)
    circles, keys = [], []
    for number, row in enumerate(below, start=1):
        code = row.codes[0]
        value = values[code]
        text = words.number(value, shown.unit_in(table)) if value is not None and table else "—"
        keys.append([str(number), row.names[0], text])
        if (middle := middles[code]) is not None:
            circles.append(_circle(frame.at(*middle), value, largest, str(number)))
    circles.sort(key=lambda one: (-one["radius"], int(one["label"])))
    return {
        "type": "map",
        "caption": words.say("map.areas" if below else "map.farms"),
        "ratio": frame.ratio,
        "polygons": [],
        "circles": circles,
        "dots": [frame.at(*one) for one in dots],
        "lines": frame.graticule(),
        "scale": None,
        "legend": {"caption": _of_circles(shown, table, words) if circles else "", "colours": []},
        "keys": keys,
        "notes": _notes(below, placed, circles, paper, words),
    }


def _of_circles(shown: Shown, table: Table | None, words: Words) -> str:
    unit = words.unit(shown.unit_in(table)) if table is not None else ""
    caption = shown.name(words)
    if not unit:
        return words.say("map.circles_plain", indicator=caption)
    return words.say("map.circles", indicator=caption, unit=unit)


def _notes(
    below: Sequence[Row], placed: Sequence[Row], circles: Sequence[Any], paper: Paper, words: Words
) -> list[str]:
    notes = [words.say("map.positions" if circles else "map.dots")]
    if any(one["kind"] == "hollow" for one in circles):
        notes.append(words.say("map.negative"))
    if any(one["kind"] == "cross" for one in circles):
        notes.append(words.say("map.no_value_circle"))
    unplaced = [row for row in below if row not in placed]
    if unplaced:
        names = ", ".join(area_name(row.codes[0], words, paper.names) for row in unplaced)
        notes.append(words.say("map.unplaced", areas=names))
    return notes


def _farms_of(code: str, places: Sequence[Place]) -> list[Place]:
    return [one for one in places if code in one.areas]


def _enough(places: Sequence[Place]) -> Sequence[Place]:
    """Farms that are enough not to tell where a single one is, or none."""
    return places if len(places) >= LEAST_FARMS else []


def _middle(code: str, places: Sequence[Place]) -> tuple[float, float] | None:
    """Middle of an area's farms [longitude, latitude, °]; None of fewer than would hide them."""
    found = _enough(_farms_of(code, places))
    if not found:
        return None
    longitude = sum(one.longitude_deg for one in found) / len(found)
    latitude = sum(one.latitude_deg for one in found) / len(found)
    return round(longitude, TENTHS), round(latitude, TENTHS)


def _tenth(one: Place) -> tuple[float, float]:
    return round(one.longitude_deg, TENTHS), round(one.latitude_deg, TENTHS)


def _circle(at: Sequence[float], value: float | None, largest: float, label: str) -> dict[str, Any]:
    kind = "cross" if value is None else "hollow" if value < 0.0 else "full"
    share = 0.0 if value is None or largest == 0.0 else abs(value) / largest
    radius = max(LARGEST * math.sqrt(share), SMALLEST)
    return {"at": list(at), "radius": round(radius, 4), "kind": kind, "label": label}
