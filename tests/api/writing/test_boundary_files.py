"""Boundaries come as files: every format makes the same field, and a bad one says why."""

import io
import json
import zipfile
from typing import Any

import pyproj
import pytest
import shapefile

from analytics import boundary_files
from tests.api.writing.world import BOW_TIE, World, square


def geojson(*named: tuple[str, dict[str, Any]], **more: Any) -> bytes:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
        for name, geometry in named
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode()


def zipped_shapefile(
    system: str | None = "EPSG:32642",
    name: str = "Солтүстік",
    encoding: str = "utf-8",
    driver: int = 0,
) -> bytes:
    """The square in a projected system, as surveyors send it."""
    kept = {name: io.BytesIO() for name in ("shp", "shx", "dbf")}
    writer = shapefile.Writer(**kept, shapeType=shapefile.POLYGON, encoding=encoding)
    writer.field("NAME", "C", 40)
    into = pyproj.Transformer.from_crs("OGC:CRS84", system or "EPSG:32642", always_xy=True)
    corners = square()["coordinates"][0][::-1]  # a shapefile's outer ring is clockwise
    writer.poly([[list(into.transform(*corner)) for corner in corners]])
    writer.record(name)
    writer.close()
    kept["dbf"].getbuffer()[29] = driver
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for ending, content in kept.items():
            archive.writestr(f"data/fields.{ending}", content.getvalue())
        if system is not None:
            archive.writestr("data/fields.prj", pyproj.CRS(system).to_wkt("WKT1_ESRI"))
    return made.getvalue()


def kml() -> bytes:
    corners = " ".join(f"{x},{y},0" for x, y in square()["coordinates"][0])
    return (
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<name>Солтүстік</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{corners}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"
    ).encode()


def isoxml() -> bytes:
    points = "".join(f'<PNT A="2" C="{y}" D="{x}"/>' for x, y in square()["coordinates"][0][:-1])
    return (
        '<ISO11783_TaskData VersionMajor="4"><PFD A="PFD1" B="19-205" C="Солтүстік" D="250000">'
        f'<PLN A="1"><LSG A="1">{points}</LSG></PLN></PFD></ISO11783_TaskData>'
    ).encode()


def task_set(**files: str) -> bytes:
    """A task data set in an archive; `{points}` are those of the square."""
    points = "".join(f'<PNT A="2" C="{y}" D="{x}"/>' for x, y in square()["coordinates"][0][:-1])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"TASKDATA/{name}.XML", text.replace("{points}", points))
    return made.getvalue()


FIELD = '<PFD A="PFD1" B="1" C="Солтүстік" D="0"><PLN A="1"><LSG A="1">{points}</LSG></PLN></PFD>'
ROOT = '<ISO11783_TaskData VersionMajor="4">{}</ISO11783_TaskData>'
# As ISO 11783-10 lets a set keep its fields: in a file of their own, beside others.
APART = {
    "TASKDATA": ROOT.format('<XFR A="TSK00001" B="1"/><XFR A="PFD00001" B="1"/>'),
    "Pfd00001": f"<XFC>{FIELD}</XFC>",
}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("geojson", geojson(("Солтүстік", square()))),
        ("shapefile", zipped_shapefile()),
        ("shapefile", zipped_shapefile("EPSG:28412")),  # Pulkovo 1942, zone 12
        ("kml", kml()),
        ("isoxml", isoxml()),
        ("isoxml", task_set(**APART)),
    ],
)
def test_every_format_makes_the_same_field(world: World, kind: str, content: bytes) -> None:
    tried = world.send("farms/mine/boundaries?dry_run=true", content).json()
    assert (tried["kind"], tried["stored"]) == (kind, 0)
    assert len(world.ask("GET", "farms/mine/fields", 200).json()) == 1

    made = world.send("farms/mine/boundaries", content).json()
    assert [(one["name"], one["action"]) for one in made["places"]] == [("Солтүстік", "new field")]
    again = world.send("farms/mine/boundaries", content).json()
    assert [one["action"] for one in again["places"]] == ["same boundary"]
    field = next(
        one
        for one in world.ask("GET", "farms/mine/fields", 200).json()
        if one["name"] == "Солтүстік"
    )
    assert field["area_ha"] == pytest.approx(25.0, rel=1e-3)
    (ring,) = field["geometry"]["coordinates"]
    found = {(round(x, 7), round(y, 7)) for x, y in ring}  # a centimetre
    assert found == {(round(x, 7), round(y, 7)) for x, y in square()["coordinates"][0]}


def test_one_bad_place_keeps_all_out_and_is_named(world: World) -> None:
    content = geojson(("good", square()), ("bad", BOW_TIE), ("good", square(69.0)))

    tried = world.send("farms/mine/boundaries?dry_run=true", content).json()
    assert [bool(one["errors"]) for one in tried["places"]] == [False, True, True]
    refused = world.send("farms/mine/boundaries", content, 422).json()
    assert [one["number"] for one in refused["problems"]] == [2, 3]
    assert "Self-intersection" in refused["problems"][0]["errors"][0]
    assert len(world.ask("GET", "farms/mine/fields", 200).json()) == 1


@pytest.mark.parametrize(("encoding", "driver"), [("cp1251", 0xC9), ("cp866", 0x65)])
def test_a_shapefile_without_cpg_is_read_as_its_table_says(encoding: str, driver: int) -> None:
    # Of dBASE: 0xC9 is Windows-1251, 0x65 the Russian of MS-DOS, code page 866.
    content = zipped_shapefile(name="Поле 1", encoding=encoding, driver=driver)

    assert [one.name for one in boundary_files.read(content).places] == ["Поле 1"]


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "two\nlines"])
def test_a_name_that_is_no_text_is_refused_as_that_of_a_single_field(
    world: World, name: str
) -> None:
    refused = world.send("farms/mine/boundaries", geojson((name, square())), 422).json()

    assert "control characters" in refused["problems"][0]["errors"][0]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml>&b;</kml>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither GeoJSON"),
        (b"\x00\x01", "neither GeoJSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "neither GeoJSON"),
        (b'{"a":' * 100_000, "no JSON"),
        (BOMB, "no XML that is read here"),
        (b"<html/>", "neither KML nor ISOXML"),
        (b"<kml/>", "there is no boundary"),
        (b"PK\x03\x04rubbish", "archive cannot be read"),
        (zipped_shapefile(None), "without its .prj"),
        (zipped_shapefile(name="Поле 1", encoding="cp1251"), "fields.shp: its letters are not utf"),
        (geojson(crs={"type": "name", "properties": {"name": "EPSG:32642"}}), "its crs"),
        (geojson(), "there is no boundary"),
        (APART["TASKDATA"].encode(), "its fields lie in PFD00001.XML, which is not beside it"),
        (task_set(TASKDATA=APART["TASKDATA"]), "take the whole set"),
        (task_set(**APART | {"Pfd00001": ROOT.format(FIELD)}), "PFD00001.XML begins with <ISO"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(world: World, content: bytes, words: str) -> None:
    refused = world.send("farms/mine/boundaries", content, 422).json()

    assert words in refused["detail"]


def test_a_hole_is_of_the_outline_around_it(world: World) -> None:
    def line(kind: int, west: float, size: float, of: float = 0.0) -> str:
        corners = square(west + of / 2, 43.3 + of / 3, size)["coordinates"][0][:-1]
        points = "".join(f'<PNT A="2" C="{y}" D="{x}"/>' for x, y in corners)
        return f'<LSG A="{kind}">{points}</LSG>'

    # Version 3: both outlines, of 25 ha each, in one polygon; the hole of 1 ha in the second.
    lines = line(1, 68.25, 1.0) + line(1, 68.3, 1.0) + line(2, 68.3, 0.2, of=0.005)
    field = f'<PFD A="PFD1" C="two parts" D="0"><PLN A="1">{lines}</PLN></PFD>'
    (place,) = world.send("farms/mine/boundaries", ROOT.format(field).encode()).json()["places"]
    nowhere = field.replace(line(2, 68.3, 0.2, of=0.005), line(2, 69.0, 0.2))
    refused = world.send("farms/mine/boundaries", ROOT.format(nowhere).encode(), 422).json()

    assert place["area_ha"] == pytest.approx(49.0, rel=1e-3)
    assert "a hole that lies in none of its outlines" in refused["detail"]
