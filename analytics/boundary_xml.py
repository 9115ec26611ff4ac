"""Boundaries in XML: placemarks of KML, partfields of ISO 11783-10."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError

import shapely
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from analytics.boundary_checks import NO_SHAPE


class BoundaryError(ValueError):
    """A file that no boundaries can be read from; the message says why."""


class Place(NamedTuple):
    """A boundary and what the file calls it; the geometry is not checked yet."""

    name: str | None
    official_id: str | None
    geometry: Mapping[str, Any]  # GeoJSON, WGS 84


MOST_BYTES, MOST_TAGS = 16 << 20, 500_000
_NOTHING_BESIDE: Mapping[str, bytes] = MappingProxyType({})


def read_xml(
    data: bytes, beside: Mapping[str, bytes] = _NOTHING_BESIDE
) -> tuple[str, Iterable[Place]]:
    root = _parsed(data)
    tag = _tag(root)
    if tag == "kml":
        return "kml", _of_kml(root)
    if tag == "ISO11783_TaskData":
        return "isoxml", _of_task_set(root, beside)
    raise BoundaryError(f"XML of <{tag[:40]}> is neither KML nor ISOXML")


def _parsed(data: bytes) -> Element:
    if len(data) > MOST_BYTES or data.count(b"<") > MOST_TAGS:  # a tag takes more than its bytes
        raise BoundaryError(f"XML of more than {MOST_BYTES >> 20} MB or {MOST_TAGS:,} tags")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BoundaryError(f"no XML that is read here: {str(error)[:120]}") from None
    return root


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _below(element: Element, tag: str) -> Iterator[Element]:
    return (one for one in element.iter() if _tag(one) == tag)


def _of_kml(root: Element) -> Iterator[Place]:
    for placemark in _below(root, "Placemark"):
        polygons = [
            [
                *(_kml_ring(ring) for ring in _below(polygon, "outerBoundaryIs")),
                *(_kml_ring(ring) for ring in _below(polygon, "innerBoundaryIs")),
            ]
            for polygon in _below(placemark, "Polygon")
        ]
        if polygons:
            name = next((one.text for one in placemark if _tag(one) == "name"), None)
            yield Place((name or "").strip() or None, None, _polygons(polygons))


def _kml_ring(boundary: Element) -> list[list[float]]:
    text = next((one.text for one in _below(boundary, "coordinates")), None) or ""
    try:
        return [[float(number) for number in one.split(",")[:2]] for one in text.split()]
    except ValueError:
        raise BoundaryError("a coordinate of the KML is no number") from None


def _of_task_set(root: Element, beside: Mapping[str, bytes]) -> Iterator[Place]:
    """Partfields of TASKDATA.XML and of the files that it refers to (XFR), whose root is XFC.

    Such a file is named by the elements in it and a number, as PFD00001; it is XML (B="1").
    """
    yield from _of_task_data(root)
    for reference in (one for one in root if _tag(one) == "XFR"):
        name = (reference.get("A") or "").strip()
        if not name.upper().startswith("PFD"):
            continue  # tasks, products and the like
        if name.lower() not in beside:
            raise BoundaryError(
                f"its fields lie in {name[:40]}.XML, which is not beside it: take the whole set, "
                "as a zip archive"
            )
        external = _parsed(beside[name.lower()])
        if _tag(external) != "XFC":
            raise BoundaryError(f"{name[:40]}.XML begins with <{_tag(external)[:40]}>, not <XFC>")
        yield from _of_task_data(external)


def _of_task_data(root: Element) -> Iterator[Place]:
    """Partfields and their boundaries: PFD, PLN of type 1, LSG outside (1) and inside (2)."""
    for field in _below(root, "PFD"):
        polygons: list[list[list[list[float]]]] = []
        for polygon in (one for one in field if _tag(one) == "PLN" and one.get("A") == "1"):
            rings = [one for one in polygon if _tag(one) == "LSG"]
            outside = [_task_ring(one) for one in rings if one.get("A") == "1"]
            inside = [_task_ring(one) for one in rings if one.get("A") == "2"]
            polygons += _with_holes(outside, inside)
        if polygons:
            code = (field.get("B") or "").strip() or None
            yield Place((field.get("C") or "").strip() or None, code, _polygons(polygons))


def _with_holes(
    outside: list[list[list[float]]], inside: list[list[list[float]]]
) -> list[list[list[list[float]]]]:
    """Rings as polygons. Version 3 lets one PLN have several outer rings: a hole is of its own."""
    if len(outside) == 1:
        return [[*outside, *inside]]
    made = [[one] for one in outside]
    try:
        outlines = [shapely.Polygon(one) for one in outside]
        for hole in inside:
            within = [at for at, one in enumerate(outlines) if one.covers(shapely.Polygon(hole))]
            made[within[0]].append(hole)
    except (*NO_SHAPE, IndexError):
        raise BoundaryError("a partfield has a hole that lies in none of its outlines") from None
    return made


def _task_ring(line: Element) -> list[list[float]]:
    try:
        ring = [[float(one.get("D", "")), float(one.get("C", ""))] for one in _below(line, "PNT")]
    except ValueError:
        raise BoundaryError("a point of a partfield has no position") from None
    return ring if not ring or ring[0] == ring[-1] else [*ring, ring[0]]


def _polygons(polygons: list[list[list[list[float]]]]) -> dict[str, Any]:
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}
