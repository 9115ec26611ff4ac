"""Bad yield files: the message names file, line and column, and notes tell a wrong unit."""

import gzip
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import Transformer

from analytics.field_plane import to_degrees
from analytics.isoxml_timelog import read_time_log
from analytics.tables import TableError
from analytics.yield_cleaning import Harvest
from analytics.yield_filters import Filters
from analytics.yield_monitor import clean_file, clean_to_map, delay_of, read_boundary, read_points
from analytics.yield_plausibility import notes
from tests.analytics.harvested_field import harvest
from tests.analytics.test_yield_monitor import AG_LEADER_LINE, LOG_XML, MASS, record

UTM = "EPSG:32642"
HEADER = "longitude_deg,latitude_deg,mass_flow_kg_s,interval_s,distance_m,width_m,moisture_pct,pass"


def as_csv(points, header=HEADER, places=None):
    """The points as a plain CSV file, on other places if given."""
    lon, lat = places or to_degrees(points.crs, points.x, points.y)
    width = np.where(points.working, 6.0, 0.0)
    rows = zip(lon, lat, points.flow_kg_s, width, points.moisture_pct, points.passes, strict=True)
    lines = [
        f"{x:.9f},{y:.9f},{flow:.6f},1,2,{wide},{wet},{number}"
        for x, y, flow, wide, wet, number in rows
    ]
    return "\n".join([header, *lines]) + "\n"


def in_metres(points):
    """Positions in UTM zone 42."""
    there = Transformer.from_crs("EPSG:4326", UTM, always_xy=True)
    return there.transform(*to_degrees(points.crs, points.x, points.y))


@pytest.fixture(scope="module")
def field():
    return harvest(passes=10, delay_s=6)


def test_projected_metres_in_the_columns_of_degrees_are_told_with_what_to_do(tmp_path, field):
    file = tmp_path / "harvest.csv"
    file.write_text(as_csv(field, places=in_metres(field)))

    message = (
        r"harvest.csv, line 2, column longitude_deg: .* is not within -180 and 180 "
        r".*projected\? Then call the columns x_m and y_m and name the system, as --crs EPSG"
    )
    with pytest.raises(TableError, match=message):
        clean_file(file)


def test_metres_with_their_system_give_the_report_and_map_of_degrees(tmp_path, field):
    degrees, metres = tmp_path / "degrees.csv", tmp_path / "metres.csv"
    degrees.write_text(as_csv(field))
    header = HEADER.replace("longitude_deg,latitude_deg", "x_m,y_m")
    metres.write_text(as_csv(field, header, in_metres(field)))

    one, map_of_one = clean_to_map(degrees, cell_m=20.0)
    other, map_of_other = clean_to_map(metres, crs=UTM, cell_m=20.0)

    assert one["flow_delay"]["delay_s"] == 6.0
    assert other["flagged"] == one["flagged"]
    assert_allclose(other["wet_mass_kg"], one["wet_mass_kg"])
    assert_allclose(other["area_effective_ha"], one["area_effective_ha"], rtol=1e-5)
    assert len(map_of_other["features"]) == len(map_of_one["features"])
    assert_allclose(other["map"]["mean_kg_ha"], one["map"]["mean_kg_ha"], rtol=1e-5)


def test_metres_of_an_unknown_system_are_cleaned_but_not_mapped(tmp_path, field):
    file = tmp_path / "metres.csv"
    file.write_text(
        as_csv(field, HEADER.replace("longitude_deg,latitude_deg", "x_m,y_m"), in_metres(field))
    )

    result, _ = clean_to_map(file)

    assert result["flow_delay"]["delay_s"] == 6.0
    with pytest.raises(ValueError, match="a map needs degrees, or the system of x_m"):
        clean_to_map(file, cell_m=20.0)


def test_an_ag_leader_file_in_metres_is_read_with_its_system(tmp_path):
    file = tmp_path / "field.txt"
    x, y = Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(69.5, 51.2)
    cells = AG_LEADER_LINE.split(",")
    file.write_text(",".join([f"{x:.3f}", f"{y:.3f}", *cells[2:]]) + "\n")

    with pytest.raises(TableError, match=r"field.txt, line 1, column longitude: .*--crs EPSG"):
        read_points(file)
    _, points = read_points(file, crs=UTM)
    assert_allclose(to_degrees(points.crs, points.x, points.y), [[69.5], [51.2]], atol=1e-6)


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("EPSG:1", "'EPSG:1' is no coordinate system; give one such as EPSG:32642"),
        ("nonsense", "'nonsense' is no coordinate system"),
        ("EPSG:4326", "is not a projected system in metres"),
        ("EPSG:2225", "is not a projected system in metres"),  # of US survey feet
    ],
)
def test_a_system_that_is_none_of_metres_is_refused(tmp_path, crs, message):
    file = tmp_path / "a.csv"
    file.write_text("x_m,y_m,yield_kg_ha\n500000,5600000,3000\n")
    with pytest.raises(ValueError, match=message):
        clean_to_map(file, crs=crs)


def test_places_outside_of_the_system_name_their_line(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("x_m,y_m,yield_kg_ha\n500000,5600000,3000\n5e20,5600000,3000\n")
    with pytest.raises(TableError, match=r"a.csv, line 3, column x_m: .* outside of EPSG:32642"):
        clean_to_map(file, crs=UTM)


def test_degrees_do_not_go_with_a_projected_system(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("longitude_deg,latitude_deg,yield_kg_ha\n69,51,3000\n")
    with pytest.raises(TableError, match="line 1, column longitude_deg: stands in degrees"):
        clean_to_map(file, crs=UTM)


def test_a_damaged_gzip_names_file_and_line(tmp_path, field):
    whole = gzip.compress(as_csv(field).encode(), mtime=0)
    cut, garbled, none = tmp_path / "cut.csv.gz", tmp_path / "bad.csv.gz", tmp_path / "no.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    garbled.write_bytes(whole[:-8] + bytes(8))  # the checksum does not hold
    none.write_bytes(b"longitude_deg,latitude_deg,yield_kg_ha\n")

    with pytest.raises(TableError, match=r"cut.csv.gz, line \d+, column \(gzip\): .*cut off"):
        clean_file(cut)
    with pytest.raises(TableError, match=r"bad.csv.gz, line \d+, column \(gzip\)"):
        clean_file(garbled)
    with pytest.raises(TableError, match=r"no.csv.gz, line 1, column \(gzip\)"):
        clean_file(none)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("mass_flow_kg_s,", ""), "line 1, column mass_flow_kg_s: is missing beside .*interval_s"),
        (("width_m", "width_ft"), "line 1, column width_ft: is not one of"),
        ((",6.0,14.0,0\n", ",600,14.0,0\n"), "line 2, column width_m: 600 is not within 0 and 100"),
        ((",6.0,14.0,0\n", ",6.0,140,0\n"), "line 2, column moisture_pct: 140 is not within"),
    ],
)
def test_a_missing_column_or_absurd_value_is_named(tmp_path, field, change, message):
    file = tmp_path / "harvest.csv"
    file.write_text(as_csv(field).replace(*change, 1))
    with pytest.raises(TableError, match=f"harvest.csv, {message}"):
        clean_file(file)


def test_a_bare_table_without_a_column_names_it(tmp_path):
    file = tmp_path / "barley.csv"
    file.write_text("X,Yield\n582386,1.5\n")
    with pytest.raises(TableError, match=r"barley.csv, line 1, column y_m: is missing beside x_m"):
        clean_file(file)


def test_a_negative_counter_is_refused_by_its_record():
    log = record(0, {MASS: -7}) + record(1, {MASS: -5})
    with pytest.raises(TableError, match=r"T\.bin, line 1, column DDI 90: .* negative: -7"):
        read_time_log(LOG_XML, log, "T.bin")


def test_pounds_in_the_column_of_kilograms_are_noted_for_the_crop(field):
    pounds = field._replace(
        flow_kg_s=field.flow_kg_s / 0.45359237, yield_kg_ha=field.yield_kg_ha / 0.45359237
    )

    (note,) = notes(pounds, "soybean")

    assert (note["key"], note["column"]) == ("flow-unit", "mass_flow_kg_s")
    assert note["median"] > 6500
    assert "0.45359237" in note["hint"]
    assert notes(field, "soybean") == []
    assert notes(pounds) == []  # 8.8 t/ha may be maize: without the crop nothing is told
    with pytest.raises(ValueError, match="crop 'hay' is not one of"):
        notes(field, "hay")


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"speed_m_s": 7.2}, "speed-unit"),
        ({"coverage_m2_s": 2.0 * 24.0}, "width-unit"),
        ({"moisture_pct": 0.14}, "moisture-unit"),
        ({"yield_kg_ha": 50_000.0}, "yield-too-high"),
        ({"yield_kg_ha": 30_000.0}, "flow-unit"),
    ],
)
def test_a_unit_that_is_off_for_the_whole_field_is_noted(field, changed, key):
    filled = {name: np.full(field.x.shape, value) for name, value in changed.items()}
    assert [note["key"] for note in notes(field._replace(**filled))] == [key]


def test_degrees_in_the_columns_of_metres_are_noted(tmp_path, field):
    file = tmp_path / "harvest.csv"
    file.write_text(as_csv(field, HEADER.replace("longitude_deg,latitude_deg", "x_m,y_m")))

    result, _ = clean_to_map(file)

    (note,) = result["notes"]
    assert (note["file"], note["key"], note["column"]) == ("harvest.csv", "plane-unit", "x_m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1, column 2"),
        ("[]", "is not GeoJSON with a polygon"),
        ('{"type": "Point", "coordinates": [1, 2]}', "is a Point, not a polygon"),
        ('{"type": "FeatureCollection", "features": []}', "not a polygon"),
    ],
)
def test_a_boundary_that_is_none_is_refused(tmp_path, field, text, message):
    file = tmp_path / "field.geojson"
    file.write_text(text)
    with pytest.raises(TableError, match=f"field.geojson, line 1, column .*{message}|{message}"):
        read_boundary(file, field.crs)
    with pytest.raises(ValueError, match="a boundary needs points in degrees"):
        read_boundary(file, "")


def test_a_pass_begins_where_the_header_goes_down(tmp_path):
    file = tmp_path / "a.csv"
    lines = [f"{lon},51,3000,{down}" for lon, down in ((68, 0), (69, 1), (70, 1), (71, 0), (72, 1))]
    file.write_text("\n".join(["longitude_deg,latitude_deg,yield_kg_ha,header_down", *lines]))

    assert read_points(file)[1].passes.tolist() == [0, 1, 1, 1, 2]


def test_a_report_is_json_without_what_json_cannot_say(tmp_path, field):
    file = tmp_path / "harvest.csv"
    file.write_text(as_csv(field))
    result, grid = clean_to_map(file, cell_m=30.0)
    json.dumps([result, grid], allow_nan=False)


def test_a_system_given_for_degrees_is_told_at_once(tmp_path):
    file = tmp_path / "field.txt"
    file.write_text(AG_LEADER_LINE + "\n")
    with pytest.raises(TableError, match=r"line 1, column longitude: .* stands in degrees, so not"):
        read_points(file, crs=UTM)


def test_a_flow_delay_is_seconds_or_auto():
    assert delay_of("auto") is None
    assert delay_of("7.5") == 7.5
    with pytest.raises(ValueError, match="'soon' is neither auto nor seconds"):
        delay_of("soon")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"harvest": Harvest(standard_moisture_pct=0.14)}, "in %: 14 for 0.14"),
        ({"flow_delay_s": 1e9}, "flow delay must be at most 300 s"),
        ({"filters": Filters(moisture_delay_s=float("inf"))}, "moisture delay must be at most"),
    ],
)
def test_a_figure_that_no_machine_has_is_refused(tmp_path, field, change, message):
    (tmp_path / "harvest.csv").write_text(as_csv(field))
    with pytest.raises(ValueError, match=message):
        clean_to_map(tmp_path / "harvest.csv", **change)


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [("yield_t_ha", 3000, "yield-too-high"), ("yield_kg_ha", 3, "yield-too-low")],
)
def test_tonnes_and_kilograms_exchanged_are_noted(tmp_path, column, value, key):
    rows = [f"{5 * i},{5 * j},{value + 0.01 * i}" for i in range(12) for j in range(10)]
    (tmp_path / "harvest.csv").write_text("\n".join([f"x_m,y_m,{column}", *rows]))
    assert key in {note["key"] for note in clean_file(tmp_path / "harvest.csv")["notes"]}


def test_a_file_that_holds_its_records_twice_is_noted(tmp_path, field):
    lines = as_csv(field).splitlines()
    (tmp_path / "harvest.csv").write_text("\n".join(lines))
    assert clean_file(tmp_path / "harvest.csv")["notes"] == []
    (tmp_path / "harvest.csv").write_text("\n".join([*lines, *lines[1:]]))
    (note,) = clean_file(tmp_path / "harvest.csv")["notes"]
    assert note["key"] == "records-twice"
    assert note["median"] == pytest.approx(0.5)
