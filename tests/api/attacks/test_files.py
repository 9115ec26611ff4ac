"""Files that unpack, nest, or cost more than they look: refused in good time."""

import io
import json
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from analytics import boundary_checks, boundary_files
from analytics.boundary_files import BoundaryError
from tests.api.operations import World

# Of the processor. What is tried took half a minute and more where cost grew with the square.
SECONDS = 15.0


@contextmanager
def in_good_time(most_mb: int = 400) -> Iterator[None]:
    """Within seconds, and without taking the machine's memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_024
    assert grown_mb < most_mb


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(name, content)
    return made.getvalue()


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
)
XML = {
    "a billion laughs": b'<!DOCTYPE x [<!ENTITY l0 "lol">' + LAUGHS + b"]><kml>&l9;</kml>",
    "one entity, often": b'<!DOCTYPE x [<!ENTITY a "'
    + b"a" * 50_000
    + b'">]><kml>'
    + b"&a;" * 50_000
    + b"</kml>",
    "a file of the server": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>',
    "an address elsewhere": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><kml/>',
    "a parameter entity": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><kml/>',
    "ten million elements": b"<kml>" + b"<a/>" * 2_400_000 + b"</kml>",
    "very deep": b"<a>" * 1_000_000,
    "many attributes": b"<kml " + b" ".join(b'a%d=""' % n for n in range(500_000)) + b"/>",
}


@pytest.mark.parametrize("what", XML)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "kmz"])
def test_xml_that_grows_or_looks_elsewhere_is_refused(
    world: World, what: str, packed: bool
) -> None:
    content = zipped("doc.kml", XML[what]) if packed else XML[what]
    with in_good_time():
        answer = world.api.ask(
            "POST", "/v1/farms/mine/boundaries", key=world.right, content=content
        )

    assert answer.status_code == 422, answer.text
    assert "root:" not in answer.text
    assert len(answer.content) < 2_000


def lying(content: bytes, said: int) -> bytes:
    """An archive that says its file is smaller than it is."""
    made = bytearray(zipped("f.kml", content))
    for place in (made.index(b"PK\x03\x04") + 22, made.rindex(b"PK\x01\x02") + 24):
        made[place : place + 4] = said.to_bytes(4, "little")
    return bytes(made)


def lzma_of_four_gigabytes() -> bytes:
    """An archive whose file wants a dictionary of 4 GB to be unpacked."""
    made = bytearray(zipped("f.kml", b"<kml/>" * 100, zipfile.ZIP_LZMA))
    properties = made.index(b"f.kml") + len(b"f.kml") + 4  # after version and length
    made[properties + 1 : properties + 5] = b"\xff\xff\xff\xff"
    return bytes(made)


def nested_archives() -> bytes:
    content = zipped("f.kml", b" " * 1_000_000)
    for _ in range(20):
        content = zipped("f.zip", content)
    return content


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "of 65 MB": lambda: zipped("f.kml", b" " * (65 << 20)),
    "of 63 MB of elements": lambda: zipped("f.kml", b"<kml>" + b"<a/>" * (63 << 18) + b"</kml>"),
    "that lies": lambda: lying(b" " * (80 << 20), 100),
    "with a dictionary of 4 GB": lzma_of_four_gigabytes,
    "in archives": nested_archives,
    "with a path out of it": lambda: zipped("../../../../tmp/evil.kml", b"<html/>"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_an_archive_that_is_a_trap_is_refused(what: str) -> None:
    content = ARCHIVES[what]()
    with in_good_time(), pytest.raises(BoundaryError):
        boundary_files.read(content)


# --- polygons -------------------------------------------------------------------------------------


def comb(teeth: int, *, upright: bool) -> dict[str, Any]:
    """A comb with very many thin teeth: two of them cross in the square of their number."""
    width, ring = 0.4, [[0.0, 0.0]]
    for tooth in range(teeth):
        left = width * tooth / teeth
        ring += [[left, 0.4], [left + width / teeth / 2, 0.4], [left + width / teeth / 2, 0.001]]
        ring += [[left + width / teeth * 0.99, 0.001]]
    ring += [[width, 0.0], [0.0, 0.0]]
    turned = [[68 + x, 43 + y] if upright else [68 + y, 43 + x] for x, y in ring]
    return {"type": "Polygon", "coordinates": [turned]}


def circle(points: int, west: float = 70.0) -> dict[str, Any]:
    import numpy as np

    turn = np.linspace(0, 2 * np.pi, points)
    ring = np.column_stack([west + 0.1 * np.cos(turn), 50 + 0.1 * np.sin(turn)])
    ring[-1] = ring[0]
    return {"type": "Polygon", "coordinates": [ring.tolist()]}


@pytest.mark.parametrize("teeth", [170, 4_000])
def test_combs_that_cross_everywhere_are_compared_in_good_time(teeth: int) -> None:
    one, other = comb(teeth, upright=True), comb(teeth, upright=False)
    boundary_checks.check(one)
    with in_good_time():
        found = boundary_checks.overlaps(one, {"other": other})

    assert "other" in found.unknown or "other" in found.shared_ha


def test_many_fields_are_compared_with_each_other_in_good_time() -> None:
    # 2,000 fields of 100 points, each overlapping the next, as a land registry sends them.
    neighbours, told = boundary_checks.Neighbours({}), 0
    with in_good_time():
        for number in range(2_000):
            geometry = circle(100, 60 + number / 10)
            told += len(neighbours.beside(geometry).shared_ha)
            neighbours.put(f"f{number}", geometry)

    assert told == 1_999


def test_a_polygon_of_very_many_vertices_is_refused(world: World) -> None:
    ring = [[70 + n * 1e-6, 50] for n in range(200_000)]  # for more there is no room
    geometry = {"type": "Polygon", "coordinates": [ring]}
    body = json.dumps({"name": "huge", "geometry": geometry}, separators=(",", ":")).encode()
    with in_good_time():
        answer = world.api.ask(
            "POST",
            "/v1/farms/mine/fields",
            key=world.right,
            content=body,
            headers={"Content-Type": "application/json"},
        )

    assert answer.status_code == 422, answer.text
    assert "points, and may have 50,000" in answer.json()["detail"]


@pytest.mark.parametrize(
    "coordinates",
    [
        [[[0, 0], [180, 0], [180, 90], [0, 90], [0, 0]]],
        [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]],
        [[[1e308, 1], [2, 1e308], [2, 2], [1e308, 1]]],
        [[[70, 50]] * 50_000],
        [[[70, 50], [70.1, 50], [70.1, 50.1], [70, 50]]] * 5_000,
        [],
        [[]],
        [[[]]],
    ],
)
def test_a_polygon_that_is_none_is_refused(world: World, coordinates: Any) -> None:
    geometry = {"type": "Polygon", "coordinates": coordinates}
    with in_good_time():
        answer = world.api.ask(
            "POST",
            "/v1/farms/mine/fields",
            key=world.right,
            json={"name": "none", "geometry": geometry},
        )

    assert answer.status_code == 422, answer.text
    assert len(answer.content) < 2_000


LINES = {
    "a letter each": b"x\n" * 4_900_000,
    "empty": b"\n" * 10_000_000,
    "ended as on a Macintosh": b"x\r" * 4_900_000,
    "nothing but cells": b",\n" * 4_900_000,
    "one alone": b"x," * 4_900_000,
    "a few thousand": b"x,x,x,x\n" * 5_001,
}


@pytest.mark.parametrize("what", LINES)
def test_a_table_of_too_many_lines_is_refused_in_good_time(world: World, what: str) -> None:
    """Cells of millions of lines took half a minute before they were counted."""
    header = b"field,started_at,ended_at,volume_m3\n"
    begun = time.process_time()
    answer = world.api.ask(
        "POST",
        "/v1/farms/mine/records?kind=irrigation-events&dry_run=true",
        key=world.right,
        content=header + LINES[what],
    )

    # "one alone" is a line with too many cells, which a dry run tells of.
    assert answer.status_code == (200 if what == "one alone" else 422), answer.text[:300]
    assert "more than 5000 lines" in answer.text or "cells, the header has 4" in answer.text
    assert len(answer.content) < 2_000
    assert time.process_time() - begun < 5
