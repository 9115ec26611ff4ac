"""The same answer in every form that a route offers."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from api.errors import Refused
from api.formats.choosing import choose_by_accept
from api.formats.tables import TIME, Table
from api.formats.units import SUFFIXES
from api.formats.writers import rfc3339, to_csv
from storage import exports, fields, tracks
from storage.quantities import CATALOGUE
from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import START, Land, put_land

SPAN = {"start": "2025-06-01T00:00:00Z", "end": "2025-06-03T00:00:00Z"}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SQUARE = {"type": "Polygon", "coordinates": [[[76, 43], [76.01, 43], [76.01, 43.01], [76, 43]]]}


class World:
    """A farm and who may read it."""

    def __init__(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            self.land: Land = put_land(connection, "mine", "KZ-61")
            put_land(connection, "foe", "KZ-43")
            fields.add_boundary(
                connection, self.land.field, SQUARE, geometry_source="drawn", area_ha=45.0
            )
            fields.put(
                connection,
                farm_id=self.land.farm,
                name="=HYPERLINK(0)",
                area_ha=1.5,
                area_source="-1",
                soil={},
                soil_source="@home",
            )
            rows = np.zeros(25, tracks.DTYPE)
            rows["time"] = int(START.timestamp() * 1e6) + np.arange(25) * 2_000_000
            rows["work_state"] = np.where(np.arange(25) % 2, 1, -1)
            for name in tracks.NUMBERS:
                rows[name] = np.nan
            rows["latitude_deg"], rows["longitude_deg"] = 43.0, 76.0
            rows["speed_m_s"] = np.arange(25)
            tracks.store(connection, [self.land.device], rows)
        self.key = put_key(engine, "right", farm_ids=[self.land.farm])
        self.api = Api(engine)

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.api.ask("GET", f"/v1/{path}", key=self.key, **more)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    yield World(engine)
    empty(engine)


def readings_path(world: World) -> str:
    return f"datastreams/{world.land.stream}/readings"


# --- choosing -------------------------------------------------------------------------------------

NAMES = ("json", "csv", "parquet")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ([], "json"),
        (["*/*"], "json"),
        (["text/csv"], "csv"),
        (["text/html, application/xhtml+xml, */*;q=0.8"], "json"),
        (["application/json;q=0.2, text/*"], "csv"),
        (["*/*, application/json;q=0"], "csv"),  # the most specific range counts
        (["text/html", "application/vnd.apache.parquet;q=0.1"], "parquet"),
        (["TEXT/CSV; charset=utf-8; q=1"], "csv"),
    ],
)
def test_the_accept_header_is_weighed(accept: list[str], form: str) -> None:
    assert choose_by_accept(accept, NAMES) == form


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, text/plain", "x;q=nan"])
def test_what_there_is_not_is_406_with_what_there_is(accept: str) -> None:
    with pytest.raises(Refused) as refused:
        choose_by_accept([accept], NAMES)

    assert refused.value.status_code == 406
    for name in ("application/json", "text/csv", "application/vnd.apache.parquet"):
        assert name in refused.value.detail


def test_format_goes_before_accept_and_both_are_said(world: World) -> None:
    answer = world.get("farms", headers={"Accept": "text/csv"}, params={"format": "geojson"})
    assert answer.headers["content-type"] == "application/geo+json"
    assert "Accept" in answer.headers["vary"]

    refused = world.get("farms", 406, headers={"Accept": "application/pdf"})
    assert refused.json()["type"] == "urn:dala:problem:not-acceptable"
    world.get("farms", 422, params={"format": "pdf"})


# --- CSV ------------------------------------------------------------------------------------------


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_readings_as_csv_carry_quantity_and_unit_in_the_header(world: World) -> None:
    plain = world.get(readings_path(world), params=SPAN).json()["readings"]
    answer = world.get(readings_path(world), params=SPAN | {"format": "csv"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="mine-probe-soil_moisture.csv"'
    )
    found = rows_of(answer)
    assert list(found[0]) == ["time", "soil_moisture_m3_m3", "quality"]
    assert len(found) == 48
    assert [(r["time"], float(r["soil_moisture_m3_m3"]), int(r["quality"])) for r in found] == [
        (one["time"], one["value"], one["quality"]) for one in plain
    ]


def test_a_cell_that_a_spreadsheet_would_run_is_text(world: World) -> None:
    found = rows_of(world.get("farms/mine/fields", params={"format": "csv"}))

    (hostile,) = [row for row in found if "HYPERLINK" in row["name"]]
    assert hostile["name"] == "'=HYPERLINK(0)"
    assert hostile["area_source"] == "'-1"
    assert hostile["soil_source"] == "'@home"
    assert hostile["area_ha"] == "1.5"
    assert "geometry" not in hostile


def test_a_byte_order_mark_only_where_asked_for(world: World) -> None:
    plain = world.get("farms", params={"format": "csv"}).content
    marked = world.get("farms", params={"format": "csv", "bom": "true"}).content

    assert marked == b"\xef\xbb\xbf" + plain
    assert not plain.startswith(b"\xef\xbb\xbf")


@given(
    st.lists(
        st.integers(0, 7_258_118_400_000_000).map(lambda us: EPOCH + dt.timedelta(microseconds=us))
        | st.none(),
        min_size=1,
    ),
    st.booleans(),
)
def test_times_are_rfc_3339_in_utc(moments: list[dt.datetime | None], whole: bool) -> None:
    wanted = [one and (one.replace(microsecond=0) if whole else one) for one in moments]
    text = rfc3339(pa.array([None, *wanted, *wanted], TIME).slice(1, len(wanted))).to_pylist()

    fine = any(one and one.microsecond for one in wanted)
    spec = "microseconds" if fine else "seconds"
    assert text == [one and one.isoformat(timespec=spec).replace("+00:00", "Z") for one in wanted]


@given(st.lists(st.text(), min_size=1))
def test_csv_reads_back_as_it_was(texts: list[str]) -> None:
    texts = [one.replace("\r", "").replace("\x00", "") for one in texts]
    schema = pa.schema([("text", pa.string()), ("number", pa.int64())])
    batch = pa.record_batch([texts, list(range(len(texts)))], schema=schema)
    made = b"".join(to_csv(Table("x", schema, [batch]))).decode()

    found = list(csv.reader(io.StringIO(made, newline="")))[1:]
    assert [
        row[0].removeprefix("'") if row[0][1:2] in set("=+-@\t") else row[0] for row in found
    ] == [one.removeprefix("'") if one[1:2] in set("=+-@\t") else one for one in texts]
    assert not [row for row in found if row[0][:1] in set("=+-@\t")]


# --- the other forms ------------------------------------------------------------------------------


def test_parquet_and_arrow_say_the_same(world: World) -> None:
    asked = readings_path(world)
    one = parquet.read_table(
        io.BytesIO(world.get(asked, params=SPAN | {"format": "parquet"}).content)
    )
    other = pa.ipc.open_stream(
        world.get(asked, params=SPAN | {"format": "arrow"}).content
    ).read_all()

    assert one.schema.field("time").type == TIME
    assert one.equals(other)
    assert one.num_rows == 48
    assert set(one.column("soil_moisture_m3_m3").to_pylist()) == {float(world.land.farm)}
    assert one.column("time")[0].as_py() == START


def test_a_sheet_has_dates_and_no_formulas(world: World) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(world.get("farms/mine/fields", params={"format": "xlsx"}).content)
    )
    rows = list(book.active.iter_rows(values_only=True))
    hostile = next(row for row in rows if row[1] == "=HYPERLINK(0)")
    (cell,) = [one for one in book.active["B"] if one.value == "=HYPERLINK(0)"]
    assert cell.data_type == "s"
    assert hostile[2] == 1.5

    sheet = openpyxl.load_workbook(
        io.BytesIO(world.get(readings_path(world), params=SPAN | {"format": "xlsx"}).content)
    ).active
    assert [one.value for one in sheet[1]] == ["time", "soil_moisture_m3_m3", "quality"]
    assert sheet["A2"].value == START.replace(tzinfo=None)
    assert sheet.max_row == 49


def test_fields_as_geojson_are_features(world: World) -> None:
    found = world.get("farms/mine/fields", params={"format": "geojson"}).json()

    (drawn,) = [one for one in found["features"] if one["geometry"]]
    assert found["type"] == "FeatureCollection"
    assert drawn["geometry"] == SQUARE
    assert drawn["id"] == world.land.field
    assert drawn["properties"]["area_ha"] == 10.0
    assert "geometry" not in drawn["properties"]


def test_hours_as_a_table_name_what_they_are(world: World) -> None:
    path = readings_path(world)
    found = rows_of(world.get(path, params=SPAN | {"format": "csv", "resolution": "day"}))

    assert list(found[0])[:3] == ["start", "samples", "soil_moisture_mean_m3_m3"]
    assert [row["samples"] for row in found] == ["19", "24", "5"]  # days begin at 19:00 UTC


def test_a_track_as_a_table_leaves_out_what_is_not_known(world: World) -> None:
    path = f"devices/{world.land.device}/track"
    found = rows_of(world.get(path, params=SPAN | {"format": "csv"}))

    assert len(found) == 25
    assert [row["work_state"] for row in found[:3]] == ["", "1", ""]
    assert [row["speed_m_s"] for row in found[:3]] == ["0", "1", "2"]
    assert {row["elevation_m"] for row in found} == {""}
    table = parquet.read_table(
        io.BytesIO(world.get(path, params=SPAN | {"format": "parquet"}).content)
    )
    assert table.column("elevation_m").null_count == 25
    assert table.column("work_state").to_pylist()[:3] == [None, 1, None]


def test_a_summary_as_a_table_has_a_line_for_each_crop_zone(world: World) -> None:
    (row,) = rows_of(world.get("farms/mine/summary", params={"format": "csv"}))

    assert (row["farm"], row["season"], row["crop"]) == ("mine", "2025", "cotton")
    assert "water_apparent_savings_m3_ci95_low" in row
    (line,) = rows_of(world.get("regions/KZ-61/summary?season=2025&format=csv"))
    assert (line["region"], line["farm"]) == ("KZ-61", "mine")


# --- streamed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 7, 24, 48, 100])
def test_parts_put_together_are_the_whole(
    world: World, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "ROWS", rows)
    end = START + dt.timedelta(days=9)
    with world.api.engine.begin() as connection:
        parts = list(exports.readings(connection, world.land.stream, start=START, end=end))

    times = np.concatenate([part[0] for part in parts])
    assert len(times) == 48
    assert (np.diff(times) == 3_600_000_000).all()
    assert max(len(part[0]) for part in parts) == min(rows, 48)


def test_more_than_may_be_sent_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.devices.MOST_EXPORTED", 47)
    problem = world.get(readings_path(world), 422, params=SPAN | {"format": "csv"}).json()

    assert "more than 47 readings" in problem["detail"]
    monkeypatch.setattr("api.routes.devices.MOST_EXPORTED", 48)
    world.get(readings_path(world), params=SPAN | {"format": "csv"})


def test_a_stream_shows_nothing_of_anothers_farm(world: World) -> None:
    key = put_key(world.api.engine, "foreign", regions=["KZ-43"])
    for form in ("csv", "parquet", "arrow", "xlsx", "json"):
        answer = world.api.ask(
            "GET", f"/v1/{readings_path(world)}", key=key, params=SPAN | {"format": form}
        )
        assert answer.status_code == 404


# --- known already --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["regions", "farms", "farms/mine", "farms/mine/fields", "devices"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_known_is_not_sent_again(world: World, path: str, form: str) -> None:
    if form == "csv" and path == "farms/mine":
        return
    first = world.get(path, params={"format": form})
    again = world.get(
        path, 304, params={"format": form}, headers={"If-None-Match": first.headers["etag"]}
    )
    other = {"format": "csv" if form == "json" else "json"}

    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    if path != "farms/mine":
        known = {"If-None-Match": first.headers["etag"]}
        assert world.get(path, params=other, headers=known).headers["etag"] != first.headers["etag"]


# --- pages ----------------------------------------------------------------------------------------


def test_following_the_links_reads_every_row_once(world: World) -> None:
    key = put_key(world.api.engine, "all", everything=True)
    path, seen = "/v1/farms?limit=1", []
    while True:
        answer = world.api.ask("GET", path, key=key)
        seen += [one["slug"] for one in answer.json()]
        if "link" not in answer.headers:
            break
        link, _, relation = answer.headers["link"].partition("; ")
        assert relation == 'rel="next"'
        path = link.strip("<>").removeprefix("http://test")
    assert seen == ["foe", "mine"]


def test_a_cursor_that_is_none_of_ours_is_refused(world: World) -> None:
    key = put_key(world.api.engine, "every", everything=True)

    def ask(path: str, cursor: str, **more: str) -> int:
        asked = {"cursor": cursor, "limit": "1"} | more
        answer = world.api.ask("GET", path, key=key, params=asked)
        if answer.status_code == 422:
            assert answer.json()["type"].startswith("urn:dala:problem:")
        return answer.status_code

    link = world.api.ask("GET", "/v1/farms?limit=1", key=key).headers["link"]
    cursor = link.split("cursor=")[1].split(">")[0]
    assert ask("/v1/farms", cursor) == 200
    assert ask("/v1/devices", cursor) == 422  # of another list
    assert ask("/v1/farms", cursor, region="KZ-61") == 422  # of another question
    for place in range(0, len(cursor), 5):
        changed = "A" if cursor[place] != "A" else "B"
        assert ask("/v1/farms", cursor[:place] + changed + cursor[place + 1 :]) == 422
    for nonsense in ("", "x", "ы", "====", json.dumps(["mine"])):
        assert ask("/v1/farms", nonsense) == 422


def test_every_unit_has_its_suffix() -> None:
    assert {one.unit for one in CATALOGUE.values()} <= set(SUFFIXES)
