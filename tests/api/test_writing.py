"""What people enter over REST: checked, written down with its author, never erased."""

import io
import itertools
import json
import threading
import zipfile
from collections.abc import Iterator
from typing import Any

import pyproj
import pytest
import shapefile
import sqlalchemy as sa

from analytics.daily import entered
from storage import audit, farms, tenancy
from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import Land, put_land

# A degree at 43.3° N on WGS 84: 111,132.95 - 559.82 cos 2φ + 1.18 cos 4φ = 111,098.6 m of
# latitude, 111,412.84 cos φ - 93.5 cos 3φ + 0.12 cos 5φ = 81,142.9 m of longitude.
NORTH, EAST = 500 / 111_098.6, 500 / 81_142.9


def square(west: float = 68.25, south: float = 43.3, size: float = 1.0) -> dict[str, Any]:
    """25 ha, or that times the square of its size."""
    east, north = west + EAST * size, south + NORTH * size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


TABLES = ("fields", "irrigation_events", "harvest_loads", "non_routine_adjustments")
NUMBERS = itertools.count(1)


class World:
    """Two farms; a key of one, and one that sees all. Every test has its own."""

    def __init__(self, engine: sa.Engine, api: Api) -> None:
        self.api = api
        self.engine, number = engine, next(NUMBERS)
        self.slug, self.name = f"mine-{number}", f"right-{number}"
        with engine.begin() as connection:
            self.mine: Land = put_land(connection, self.slug, "KZ-61")
            self.theirs: Land = put_land(connection, f"foe-{number}", "KZ-43")
        self.key = put_key(engine, self.name, farm_ids=[self.mine.farm])
        self.boss = put_key(engine, f"boss-{number}", everything=True)
        self.foreign = put_key(engine, f"foreign-{number}", regions=["KZ-43"])
        self.actor = f"client:{self.name}"
        self._before = {table: self._rows(table) for table in TABLES}

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        more.setdefault("key", self.key)
        path = path.replace("farms/mine", f"farms/{self.slug}")
        answer = self.api.ask(method, f"/v1/{path}", **more)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer

    def post(self, path: str, body: Any, status: int = 201, **more: Any) -> Any:
        return self.ask("POST", path, status, json=body, **more)

    def send(self, path: str, content: bytes, status: int = 200, **more: Any) -> Any:
        return self.ask("POST", path, status, content=content, **more)

    def deeds(self, farm_id: int) -> list[audit.Deed]:
        query = sa.text(
            "SELECT id, at, actor, action, object, farm_id, request_id, address, details "
            "FROM audit_log WHERE farm_id = :farm ORDER BY id"
        )
        with self.engine.connect() as connection:
            return [audit.Deed(*row) for row in connection.execute(query, {"farm": farm_id})]

    def count(self, table: str) -> int:
        """Rows that came since the test began."""
        return self._rows(table) - self._before[table]

    def _rows(self, table: str) -> int:
        query = sa.select(sa.func.count()).select_from(sa.table(table))
        with self.engine.connect() as connection:
            return int(connection.scalar(query) or 0)


@pytest.fixture(scope="module")
def api(engine: sa.Engine) -> Iterator[Api]:
    yield Api(engine)
    empty(engine)


@pytest.fixture
def world(engine: sa.Engine, api: Api) -> World:
    return World(engine, api)


EVENT = {
    "started_at": "2025-06-12T06:00:00+05:00",
    "ended_at": "2025-06-12T18:00:00+05:00",
    "volume_m3": 3200.0,
}


# --- farms ----------------------------------------------------------------------------------------

FARM = {
    "slug": "new-farm",
    "name": "New",
    "region_code": "KZ-61",
    "timezone": "Asia/Almaty",
    "latitude_deg": 43.3,
    "longitude_deg": 68.25,
    "elevation_m": 210,
}


def test_a_farm_is_entered_by_who_sees_all_and_changed_by_who_read_it(world: World) -> None:
    world.post("farms", FARM, 403)
    made = world.post("farms", FARM, key=world.boss)
    assert made.headers["location"] == "/v1/farms/new-farm"
    world.post("farms", FARM, 409, key=world.boss)

    tag = made.headers["etag"]
    assert world.ask("GET", "farms/new-farm", 200, key=world.boss).headers["etag"] == tag
    condition = {"If-Match": tag}
    changed = world.ask(
        "PATCH", "farms/new-farm", 200, json={"name": "Newer"}, headers=condition, key=world.boss
    )
    assert changed.json()["name"] == "Newer"
    world.ask(
        "PATCH", "farms/new-farm", 412, json={"name": "Old"}, headers=condition, key=world.boss
    )
    world.ask("PATCH", "farms/mine", 403, json={"region_code": "KZ-43"})
    world.ask("PATCH", "farms/mine", 422, json={"timezone": "Mars/Olympus"})
    world.ask("PATCH", "farms/mine", 422, json={"name": None})


# --- fields ---------------------------------------------------------------------------------------


def test_a_field_is_entered_with_its_area_author_and_a_line_in_the_book(world: World) -> None:
    made = world.post("farms/mine/fields", {"name": "north", "geometry": square()}).json()

    # 500 m by 500 m: 25 ha; the trapezium of the meridians and the arc of the parallel are less
    # than a thousandth.
    assert made["field"]["area_ha"] == pytest.approx(25.0, rel=1e-3)
    assert made["field"]["area_source"] == "geodesic"
    assert made["boundary_version"] == 1
    deed = world.deeds(world.mine.farm)[-1]
    assert (deed.actor, deed.action) == (world.actor, "field.create")
    assert deed.object == f"field:{made['field']['id']}"
    (version,) = world.ask("GET", f"fields/{made['field']['id']}/boundaries", 200).json()
    assert version["created_by"] == world.actor


def ring(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in (*points, points[0])]]}


BOW_TIE = ring((68.0, 43.0), (68.01, 43.01), (68.01, 43.0), (68.0, 43.01))


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (BOW_TIE, "Self-intersection[68.005 43.005]"),
        (ring((500_000, 4_800_000), (500_500, 4_800_000), (500_500, 4_800_500)), "degrees"),
        (ring((68.0, 43.0), (75.0, 43.0), (75.0, 44.0)), "wider than five degrees"),
        ({"type": "LineString", "coordinates": [[68, 43], [69, 44]]}, "is a LineString"),
        ({"type": "Polygon", "coordinates": []}, "is empty"),
        ({"type": "Polygon", "coordinates": [[[68, 43], [69, 44]]]}, "make no Polygon"),
        ({"type": "Polygon", "coordinates": "x"}, "make no Polygon"),
        ({"type": "Polygon"}, "make no Polygon"),
        ({}, "is a None"),
        (ring((68.0, 43.0), (68.00001, 43.0), (68.0, 43.00001)), "ha, and a field"),
    ],
)
def test_a_boundary_that_can_be_none_is_refused_with_the_place(
    world: World, geometry: dict[str, Any], words: str
) -> None:
    refused = world.post("farms/mine/fields", {"name": "bad", "geometry": geometry}, 422).json()

    assert words in refused["detail"]


def test_the_area_of_documents_is_compared(world: World) -> None:
    asked = {"name": "north", "geometry": square(), "official_area_ha": 27.0}

    refused = world.post("farms/mine/fields", asked, 422).json()
    assert "25.00 ha, documents say 27.00 ha: -7.4 %" in refused["detail"]
    world.post("farms/mine/fields", asked | {"area_tolerance_pct": 10})


def test_an_overlap_with_a_neighbour_is_warned_of(world: World) -> None:
    world.post("farms/mine/fields", {"name": "north", "geometry": square()})
    beside = {"name": "beside", "geometry": square(68.25 + EAST)}
    half = {"name": "half", "geometry": square(68.25 + EAST / 2, 43.3 + NORTH)}
    over = {"name": "over", "geometry": square(68.25 - EAST / 2)}

    assert world.post("farms/mine/fields", beside).json()["warnings"] == []
    assert world.post("farms/mine/fields", half).json()["warnings"] == []
    # Half of 25 ha.
    assert world.post("farms/mine/fields", over).json()["warnings"] == [
        "overlaps north by 12.50 ha"
    ]


def test_a_new_boundary_keeps_the_old(world: World) -> None:
    field = world.post("farms/mine/fields", {"name": "north", "geometry": square()}).json()["field"]
    path = f"fields/{field['id']}"
    tag = world.ask("GET", path, 200).headers["etag"]

    larger = square(size=1.2)
    written = world.ask("PUT", f"{path}/boundary", 200, json=larger, headers={"If-Match": tag})
    assert written.json()["boundary_version"] == 2
    assert written.json()["field"]["area_ha"] == pytest.approx(36.0, rel=1e-3)  # 25 ha · 1.2²
    assert written.headers["etag"] == world.ask("GET", path, 200).headers["etag"] != tag
    world.ask("PUT", f"{path}/boundary", 412, json=square(), headers={"If-Match": tag})
    versions = world.ask("GET", f"{path}/boundaries", 200).json()
    assert [one["geometry"] for one in versions] == [larger, square()]


def test_a_field_with_crops_is_not_withdrawn_and_one_without_is_and_stays(world: World) -> None:
    world.ask("DELETE", f"fields/{world.mine.field}", 409)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 204)
    world.ask("GET", f"crop-zones/{world.mine.zone}", 404)
    world.ask("DELETE", f"fields/{world.mine.field}", 204)

    assert world.ask("GET", "farms/mine/fields", 200).json() == []
    world.ask("GET", f"fields/{world.mine.field}", 404)
    assert world.count("fields") == 0  # and none less
    # Another may have its name.
    world.post("farms/mine/fields", {"name": "field-1", "official_area_ha": 9})
    assert [deed.action for deed in world.deeds(world.mine.farm)] == [
        "crop-zone.withdraw",
        "field.withdraw",
        "field.create",
    ]


def test_a_soil_that_no_balance_could_use_is_refused(world: World) -> None:
    field = f"fields/{world.mine.field}"
    assert (
        "texture"
        in world.ask("PATCH", field, 422, json={"soil": {"texture": "marmalade"}}).json()["detail"]
    )
    world.ask("PATCH", field, 200, json={"soil": {"texture": "loam"}})


# --- files of boundaries --------------------------------------------------------------------------


def geojson(*named: tuple[str, dict[str, Any]], **more: Any) -> bytes:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
        for name, geometry in named
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode()


def zipped_shapefile(system: str | None = "EPSG:32642") -> bytes:
    """The square in a projected system, as surveyors send it."""
    kept = {name: io.BytesIO() for name in ("shp", "shx", "dbf")}
    writer = shapefile.Writer(**kept, shapeType=shapefile.POLYGON, encoding="utf-8")
    writer.field("NAME", "C", 40)
    into = pyproj.Transformer.from_crs("OGC:CRS84", system or "EPSG:32642", always_xy=True)
    corners = square()["coordinates"][0][::-1]  # a shapefile's outer ring is clockwise
    writer.poly([[list(into.transform(*corner)) for corner in corners]])
    writer.record("Солтүстік")
    writer.close()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in kept.items():
            archive.writestr(f"data/fields.{name}", content.getvalue())
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


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("geojson", geojson(("Солтүстік", square()))),
        ("shapefile", zipped_shapefile()),
        ("shapefile", zipped_shapefile("EPSG:28412")),  # Pulkovo 1942, zone 12
        ("kml", kml()),
        ("isoxml", isoxml()),
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
        (geojson(crs={"type": "name", "properties": {"name": "EPSG:32642"}}), "its crs"),
        (geojson(), "there is no boundary"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(world: World, content: bytes, words: str) -> None:
    refused = world.send("farms/mine/boundaries", content, 422).json()

    assert words in refused["detail"]


# --- crop zones, irrigation, loads, adjustments ---------------------------------------------------


def zone_of(field_id: int, **more: Any) -> dict[str, Any]:
    return {
        "field_id": field_id,
        "season": 2025,
        "crop": "maize",
        "planted": "2025-05-01",
        "harvested": "2025-09-10",
        "crop_parameters": {"name": "maize-grain"},
    } | more


def test_a_crop_zone_is_entered_changed_and_withdrawn(world: World) -> None:
    made = world.post("crop-zones", zone_of(world.mine.field, crop_parameters={}))
    path = made.headers["location"].removeprefix("/v1/")
    assert made.json()["area_ha"] == 10.0  # the field's
    assert made.json()["created_by"] == world.actor
    world.post("crop-zones", zone_of(world.mine.field, crop_parameters={}), 409)

    changed = world.ask("PATCH", path, 200, json={"harvested": "2025-09-20"}).json()
    assert changed["harvested"] == "2025-09-20"
    world.ask("PATCH", path, 422, json={"harvested": "2025-04-01"})
    world.ask("PATCH", path, 422, json={"conventions": {"event_timing": "never"}})
    deed = world.deeds(world.mine.farm)[-1]
    assert deed.details["before"] == {"harvested": "2025-09-10"}
    assert deed.details["after"] == {"harvested": "2025-09-20"}
    world.ask("DELETE", path, 204)
    world.ask("DELETE", path, 404)


def test_two_crops_of_a_season_are_told_apart(world: World) -> None:
    made = world.post("crop-zones", zone_of(world.mine.field, crop_parameters={})).json()
    path = f"fields/{world.mine.field}/water-balance?season=2025"

    refused = world.ask("GET", path, 422).json()["detail"]
    assert f"maize (crop_zone={made['id']})" in refused
    assert f"cotton (crop_zone={world.mine.zone})" in refused
    found = world.ask("GET", f"{path}&crop_zone={made['id']}", 200).json()
    assert (found["crop"], found["crop_zone"]) == ("maize", made["id"])
    world.ask("GET", f"{path}&crop_zone=999", 404)


def test_what_is_withdrawn_counts_no_longer_and_may_be_entered_anew(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    made = world.post("irrigation-events", asked).json()
    world.post("irrigation-events", asked, 409)
    world.ask("DELETE", f"irrigation-events/{made['id']}", 204)
    again = world.post("irrigation-events", asked | {"volume_m3": 2800.0}).json()

    def listed(**params: Any) -> list[int]:
        found = world.ask("GET", "irrigation-events", 200, params={"farm": world.slug, **params})
        return [one["id"] for one in found.json()]

    assert listed() == [again["id"]]
    assert listed(withdrawn="true") == [made["id"], again["id"]]
    (first, _) = world.ask("GET", "irrigation-events?withdrawn=true", 200).json()
    assert (first["created_by"], first["withdrawn_by"]) == (world.actor, world.actor)


def test_loads_and_adjustments_have_their_author(world: World) -> None:
    load = {
        "crop_zone_id": world.mine.zone,
        "ticket": "A-1",
        "weighed_at": "2025-09-20T10:00:00+05:00",
        "net_kg": 8000,
    }
    made = world.post("harvest-loads", load).json()
    world.post("harvest-loads", load, 409)
    world.post("harvest-loads", load | {"ticket": "B", "weighed_at": "2025-01-01T00:00Z"}, 422)
    adjusted = world.post(
        "adjustments",
        {
            "crop_zone_id": world.mine.zone,
            "volume_m3": -1200,
            "u_volume_m3": 100,
            "reason": "leaching",
        },
    ).json()
    assert (made["created_by"], adjusted["author"]) == (world.actor, world.actor)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 409)
    world.ask("DELETE", f"harvest-loads/{made['id']}", 204)
    world.ask("DELETE", f"adjustments/{adjusted['id']}", 204)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 204)
    assert world.count("harvest_loads") == world.count("non_routine_adjustments") == 1


def test_a_forecast_is_kept(world: World) -> None:
    day = {"day": "2025-07-02", "tmax_c": 36, "tmin_c": 19, "rain_mm": 0}
    asked = {"source": "met", "issued_at": "2025-07-01T06:00:00+05:00", "days": [day]}

    assert world.post("farms/mine/forecasts", asked, 200).json()["days"] == 1
    world.post("farms/mine/forecasts", asked | {"days": [day, day]}, 422)
    world.post("farms/mine/forecasts", asked | {"days": [day | {"tmin_c": 40}]}, 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("farms/mine/fields", {"name": "x", "official_area_ha": 5}),
        ("farms/mine/forecasts", {}),
        ("crop-zones", zone_of(1)),
        ("irrigation-events", EVENT | {"field_id": 1}),
        ("harvest-loads", {"ticket": "A", "weighed_at": "2025-09-20T10:00:00Z", "net_kg": 1}),
        ("adjustments", {"volume_m3": 1, "u_volume_m3": 0, "reason": "none"}),
    ],
)
def test_nobody_writes_on_anothers_land(world: World, path: str, body: dict[str, Any]) -> None:
    day = {"day": "2025-07-02", "tmax_c": 36, "tmin_c": 19, "rain_mm": 0}
    if path.endswith("forecasts"):
        body = {"source": "met", "issued_at": "2025-07-01T06:00:00Z", "days": [day]}
    if "field_id" in body:
        body = body | {"field_id": world.mine.field, "crop_parameters": {}}
        if path == "irrigation-events":
            body.pop("crop_parameters")
    elif path in {"harvest-loads", "adjustments"}:
        body = body | {"crop_zone_id": world.mine.zone}

    world.post(path, body, 404, key=world.foreign)
    for table in ("irrigation_events", "harvest_loads", "non_routine_adjustments"):
        assert world.count(table) == 0


# --- many at once ---------------------------------------------------------------------------------


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode()


HEADER = "field,started_at,ended_at,volume_m3"
FIRST = "field-1,2025-06-12T06:00:00+05:00,2025-06-12T18:00:00+05:00,3200"
SECOND = "field-1,2025-06-20T06:00:00+05:00,2025-06-20T18:00:00+05:00,1500"


def test_a_dry_run_reports_line_by_line_and_keeps_nothing(world: World) -> None:
    path = "farms/mine/records?kind=irrigation-events"
    content = lines(
        HEADER,
        FIRST,
        FIRST,
        "nowhere,2025-06-12T06:00:00Z,2025-06-12T18:00:00Z,1",
        "field-1,2025-06-12,later,-5",
        SECOND,
    )

    report = world.send(f"{path}&dry_run=true", content).json()
    assert (report["lines"], report["stored"], report["refused"]) == (5, 0, 3)
    found = {one["line"]: " ".join(one["errors"]) for one in report["problems"]}
    assert "like it already" in found[3]
    assert "no field 'nowhere'" in found[4]
    assert "volume_m3" in found[5]
    assert "ended_at" in found[5]
    assert world.count("irrigation_events") == 0

    refused = world.send(path, content, 422).json()
    assert [one["line"] for one in refused["problems"]] == [3, 4, 5]
    assert world.count("irrigation_events") == 0
    assert world.send(path, lines(HEADER, FIRST, SECOND)).json()["stored"] == 2
    assert world.count("irrigation_events") == 2


def test_crops_and_loads_come_as_lines_too(world: World) -> None:
    crops = lines(
        "field,season,crop,planted,harvested,crop_parameters",
        'field-1,2026,wheat,2025-10-01,2026-07-01,"{""name"": ""winter-wheat""}"',
        "field-1,2024,cotton,2024-04-20,2024-09-30,",
    )
    tried = world.send("farms/mine/crop-zones?dry_run=true", crops).json()
    stored = [one for one in tried["problems"] if "name" not in " ".join(one["errors"])]
    assert stored == []
    world.send("farms/mine/crop-zones", lines(*crops.decode().splitlines()[::2]))
    loads = lines(
        "field,season,ticket,weighed_at,net_kg",
        "field-1,2024,A-1,2024-09-20T10:00:00+05:00,8000",
        "field-1,,A-2,2024-09-21T10:00:00+05:00,8000",
    )
    report = world.send("farms/mine/records?kind=harvest-loads&dry_run=true", loads).json()
    (wrong,) = report["problems"]
    assert wrong["line"] == 3
    assert "2 crop zones are meant" in wrong["errors"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"field,color\nx,y", "'color' is unknown"),
        (b"field,field\nx,y", "stands twice"),
        (b"field,volume_m3\nx", "1 cells"),
        (HEADER.encode(), "no line"),
    ],
)
def test_a_table_that_is_none_says_why(world: World, content: bytes, words: str) -> None:
    refused = world.send("farms/mine/records?kind=irrigation-events", content, 422).json()

    assert words in refused["detail"]


# --- the same write again -------------------------------------------------------------------------


def test_the_same_write_again_happens_once_and_is_answered_as_before(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "first"}

    made = world.post("irrigation-events", asked, headers=key)
    again = world.post("irrigation-events", asked, headers=key)
    assert again.content == made.content
    assert again.headers["location"] == made.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in made.headers
    assert world.count("irrigation_events") == 1
    assert len(world.deeds(world.mine.farm)) == 1


def test_a_key_is_of_one_request_and_one_credential(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "mine"}
    world.post("irrigation-events", asked, headers=key)

    refused = world.post("irrigation-events", asked | {"volume_m3": 1.0}, 422, headers=key).json()
    assert refused["type"] == "urn:dala:problem:key-taken"
    other = asked | {"started_at": "2025-06-13T06:00:00+05:00", "ended_at": "2025-06-13T07:00Z"}
    world.post("irrigation-events", other, headers=key, key=world.boss)
    assert world.count("irrigation_events") == 2


def test_a_write_that_failed_may_be_sent_again(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "again"}

    world.post("irrigation-events", asked | {"field_id": 999}, 404, headers=key)
    world.post("irrigation-events", asked, headers=key)


def test_a_day_later_a_key_is_free(world: World) -> None:
    key = {"Idempotency-Key": "old"}
    asked = EVENT | {"field_id": world.mine.field}
    world.post("irrigation-events", asked, headers=key)
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE kept_answers SET created_at = now() - interval '25 hours'")
        )

    world.post("irrigation-events", asked, 409, headers=key)  # as without a key: it is there
    other = asked | {"started_at": "2025-06-13T06:00:00+05:00", "ended_at": "2025-06-13T07:00Z"}
    world.post("irrigation-events", other, headers=key)
    with world.engine.connect() as connection:
        query = sa.text("SELECT min(created_at) > now() - interval '1 hour' FROM kept_answers")
        assert connection.scalar(query)  # and what was older is gone


def test_two_at_once_are_one_write(world: World) -> None:
    key = "at once"
    with world.engine.begin() as connection:  # another request is at work on the key
        what = f"dala answer client:{_client(world)}\n{key}"
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
        connection.execute(lock, {"what": what})
        asked = EVENT | {"field_id": world.mine.field}
        refused = world.post("irrigation-events", asked, 409, headers={"Idempotency-Key": key})
        assert refused.json()["type"] == "urn:dala:problem:still-at-work"
    world.post("irrigation-events", asked, headers={"Idempotency-Key": key})


def test_many_at_once_are_one_write(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    found: list[int] = []

    def send() -> None:
        headers = {"Idempotency-Key": "crowd"}
        answer = world.api.ask(
            "POST", "/v1/irrigation-events", key=world.key, json=asked, headers=headers
        )
        found.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {201, 409}
    assert 201 in found
    assert world.count("irrigation_events") == 1


def _client(world: World) -> int:
    with world.engine.connect() as connection:
        query = sa.text("SELECT id FROM api_clients WHERE name = :name")
        return int(connection.scalar(query, {"name": world.name}) or 0)


def test_kept_answers_are_shown_to_nobody(world: World) -> None:
    world.post(
        "irrigation-events",
        EVENT | {"field_id": world.mine.field},
        headers={"Idempotency-Key": "secret"},
    )
    with world.engine.begin() as connection:
        tenancy.enter(connection, tenancy.Reach(farms=(world.mine.farm,)))
        with pytest.raises(sa.exc.ProgrammingError):
            connection.execute(sa.text("SELECT * FROM kept_answers"))


# --- what follows ---------------------------------------------------------------------------------


def test_whatever_is_entered_or_withdrawn_is_news_to_the_analysis(world: World) -> None:
    def digest() -> str:
        """What the crop zone's figures rest on: another digest, and it is computed anew."""
        with world.engine.connect() as connection:
            known = entered.load(connection, [farms.of_id(connection, world.mine.farm)])
        field, zone = next(pair for pair in known.zones if pair[1].id == world.mine.zone)
        return known.digest(field, zone)

    found = [digest()]
    event = world.post("irrigation-events", EVENT | {"field_id": world.mine.field}).json()["id"]
    found.append(digest())
    load = {"ticket": "A", "weighed_at": "2025-09-20T10:00:00Z", "net_kg": 8000}
    weighed = world.post("harvest-loads", load | {"crop_zone_id": world.mine.zone}).json()["id"]
    found.append(digest())
    world.ask("PATCH", f"crop-zones/{world.mine.zone}", 200, json={"harvested": "2025-09-25"})
    found.append(digest())
    world.ask("PATCH", f"fields/{world.mine.field}", 200, json={"soil": {"texture": "loam"}})
    found.append(digest())
    assert len(set(found)) == 5

    world.ask("DELETE", f"harvest-loads/{weighed}", 204)
    world.ask("PATCH", f"crop-zones/{world.mine.zone}", 200, json={"harvested": "2025-09-30"})
    world.ask("PATCH", f"fields/{world.mine.field}", 200, json={"soil": {}})
    assert digest() == found[1]
    world.ask("DELETE", f"irrigation-events/{event}", 204)
    assert digest() == found[0]
