"""Boundaries that are none: told as such, whatever the bytes are that were sent."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import shapefile
from pyproj import CRS

from analytics import boundary_files
from analytics.boundary_checks import Beside, check, overlaps
from analytics.boundary_files import BoundaryError

WGS84 = CRS("EPSG:4326").to_wkt("WKT1_ESRI")


def square(west: float = 70.0, size: float = 0.01) -> dict[str, Any]:
    east, south, north = west + size, 50.0, 50.0 + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


NONE = {  # shapes that stand in the way of a comparison
    "no coordinates": {"type": "Polygon"},
    "a letter": {"type": "Polygon", "coordinates": [[["a", 1], [2, 1], [2, 2], ["a", 1]]]},
    "a number for a list": {"type": "Polygon", "coordinates": [1, 2]},
    "nothing for a number": {"type": "Polygon", "coordinates": [[[None, 1], [2, 1], [2, 2]]]},
    "too large": {"type": "Polygon", "coordinates": [[[10**400, 1], [2, 1], [2, 2], [1, 1]]]},
    "too short": {"type": "Polygon", "coordinates": [[[70, 50], [70.01, 50]]]},
}


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


@pytest.mark.parametrize(
    "geometry", [*NONE.values(), {"type": "MultiPolygon", "coordinates": nested(5_000)}]
)
def test_coordinates_that_make_no_shape_are_refused(geometry: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="its coordinates make no"):
        check(geometry)


def test_a_neighbour_that_is_no_shape_is_named_and_the_others_are_compared() -> None:
    half = square(70.005)
    found = overlaps(square(), {"beside": square(70.01), **NONE, "half over": half})

    assert set(found.unknown) == set(NONE)
    assert all(found.unknown.values())
    assert list(found.shared_ha) == ["half over"]
    # Half of it, but for what a geodesic of half the width bulges less than one of the whole.
    assert found.shared_ha["half over"] == pytest.approx(check(square()).area_ha / 2, rel=1e-6)
    assert overlaps(square(), {"beside": square(70.01)}) == Beside({}, {})


def shapefile_parts() -> dict[str, bytes]:
    made = {name: io.BytesIO() for name in ("shp", "shx", "dbf")}
    writer = shapefile.Writer(**made, shapeType=shapefile.POLYGON, encoding="utf-8")
    writer.field("NAME", "C", 20)
    writer.field("SOWN", "D")
    writer.field("HA", "N", 10, 3)
    for number in range(3):
        writer.poly([square(70.0 + 0.1 * number)["coordinates"][0][::-1]])
        writer.record(f"field {number}", "20260501", 1.5)
    writer.close()
    return {f"f.{name}": one.getvalue() for name, one in made.items()} | {"f.prj": WGS84.encode()}


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def broken(content: bytes, chance: random.Random) -> bytes:
    """Some bytes are another, most of them where the heads of files are; or the end is missing."""
    made = bytearray(content)
    for _ in range(chance.choice([1, 2, 5])):
        place = chance.randrange(4, min(len(made), chance.choice([40, 200, len(made)])))
        made[place] = chance.choice([0, 1, 31, 127, 255, chance.randrange(256)])
    return bytes(made[: chance.randrange(5, len(made))] if chance.random() < 0.2 else made)


def broken_shapefile(chance: random.Random) -> bytes:
    parts = shapefile_parts()
    for name in chance.sample(["f.shp", "f.dbf", "f.prj"], chance.choice([1, 2])):
        parts[name] = broken(parts[name], chance)
    return zipped(parts)


def broken_archive(method: int) -> Callable[[random.Random], bytes]:
    whole = zipped(shapefile_parts(), method)
    return lambda chance: broken(whole, chance)


@pytest.mark.parametrize(
    "make",
    [
        broken_shapefile,
        broken_archive(zipfile.ZIP_STORED),
        broken_archive(zipfile.ZIP_DEFLATED),
        broken_archive(zipfile.ZIP_BZIP2),
        broken_archive(zipfile.ZIP_LZMA),
    ],
    ids=["shapefile", "stored", "deflated", "bzip2", "lzma"],
)
@pytest.mark.filterwarnings("ignore::shapefile.PossiblyCorruptFileHeader")
def test_what_is_broken_is_read_or_refused_and_nothing_else(
    make: Callable[[random.Random], bytes],
) -> None:
    chance, refused = random.Random(7), []
    for _ in range(200):
        try:
            boundary_files.read(make(chance))
        except BoundaryError as error:
            refused.append(str(error))

    assert len(refused) > 50
    assert all(refused)


def test_a_compressed_file_that_is_broken_inside_is_refused() -> None:
    whole = bytearray(zipped({"f.kml": b"<kml>" + bytes(range(256)) * 20}, zipfile.ZIP_DEFLATED))
    whole[30 + len("f.kml")] = 0xFF  # after the local head of 30 bytes and its name: block type 3
    with pytest.raises(zlib.error), zipfile.ZipFile(io.BytesIO(whole)) as archive:
        archive.read("f.kml")

    with pytest.raises(BoundaryError, match="the archive cannot be read"):
        boundary_files.read(bytes(whole))


def test_an_archive_that_unpacks_to_too_much_is_refused_as_such() -> None:
    with pytest.raises(BoundaryError, match=r"^more than 64 MB in the archive"):
        boundary_files.read(zipped({"f.kml": b" " * (65 << 20)}, zipfile.ZIP_DEFLATED))
