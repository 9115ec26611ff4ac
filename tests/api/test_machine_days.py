"""Machines day by day, the ground they covered, and the points of a yield map, over HTTP."""

import pyarrow as pa
import pytest
import shapely
import sqlalchemy as sa

from reports import work_map
from tests.api.test_advice import Client
from tests.api.test_work import client, field_id, is_problem  # noqa: F401 - a fixture
from tests.reports import machine_farm
from tests.reports.machine_farm import HARVESTED, at, passes

DAY = "start=2025-09-10&end=2025-09-11"
COMBINE = "/v1/devices/steppe-combine/work-map"


def test_each_day_of_each_machine_is_told(client: Client) -> None:  # noqa: F811
    found = client.get("/v1/farms/steppe/work-days").json()

    assert (found["start"], found["end"], found["newest"]) == (
        "2025-01-01", "2026-01-01", "2025-09-11",
    )  # fmt: skip
    days = {(one["day"], one["device_id"]): one for one in found["days"]}
    combine = days["2025-09-10", "steppe-combine"]
    (work,) = combine["fields"]
    # Ten passes side by side over 100 m by 200 m at 2 m/s, 60 L/h from the first to the last point.
    assert (work["field"], work["passes"], work["work_speed_m_s"]) == ("west", 10, 2.0)
    assert work["worked_ha"] == pytest.approx(2.0, rel=0.005)
    assert work["overlap_ha"] == pytest.approx(0.0, abs=0.01)
    assert combine["fuel_l"] == pytest.approx(60.0 * (9 * 130 + 105) / 3600, rel=0.001)
    drone = days["2025-09-10", "steppe-drone"]
    assert (drone["work_h"], len(drone["flights"]), drone["herd"]["animals"]) == (None, 1, 200.0)
    assert [one["field"] for one in drone["grazed"]] == ["meadow"]


def test_days_are_asked_for_by_both_ends(client: Client) -> None:  # noqa: F811
    days = client.get(f"/v1/farms/steppe/work-days?{DAY}").json()["days"]

    assert {one["day"] for one in days} == {"2025-09-10"}
    assert "both" in is_problem(client.get("/v1/farms/steppe/work-days?start=2025-01-01"), 422)
    backwards = "/v1/farms/steppe/work-days?start=2025-09-11&end=2025-09-10"
    assert "end must be after start" in is_problem(client.get(backwards), 422)


def test_a_farm_of_which_nothing_is_known_has_no_days(empty_engine: sa.Engine) -> None:
    with empty_engine.begin() as connection:
        machine_farm.put_farm(connection)
    found = Client(empty_engine).get("/v1/farms/steppe/work-days").json()

    assert (found["start"], found["newest"], found["days"]) == (None, None, [])


def test_ground_covered_once_is_the_field_and_again_what_a_second_day_drove(
    client: Client,  # noqa: F811
    empty_engine: sa.Engine,
) -> None:
    once = client.get(f"{COMBINE}?{DAY}").json()
    assert [one["properties"]["kind"] for one in once["features"]] == ["once"]
    field = client.get("/v1/farms/steppe/fields").json()[1]
    outline = shapely.geometry.shape(field["geometry"])
    drawn = shapely.geometry.shape(once["features"][0]["geometry"])
    assert drawn.area == pytest.approx(outline.area, rel=0.005)

    more = passes(at(HARVESTED, 33), range(2))  # two of the passes, the next morning
    with empty_engine.begin() as connection:
        machine_farm.send(connection, "steppe-combine", more)
    both = client.get(f"{COMBINE}?start=2025-09-10&end=2025-09-12").json()["features"]
    areas = {one["properties"]["kind"]: one["properties"]["area_ha"] for one in both}
    assert areas == pytest.approx({"once": 1.6, "more": 0.4}, rel=0.01)
    west, meadow = field["id"], client.get("/v1/farms/steppe/fields").json()[0]["id"]
    assert client.get(f"{COMBINE}?{DAY}&field_id={west}").json()["features"] == once["features"]
    assert client.get(f"{COMBINE}?{DAY}&field_id={meadow}").json()["features"] == []


def test_a_drones_map_is_its_flights_and_what_they_saw(client: Client) -> None:  # noqa: F811
    found = client.get(f"/v1/devices/steppe-drone/work-map?{DAY}").json()["features"]

    assert [one["properties"]["kind"] for one in found] == ["seen", "flight"]
    assert [one["geometry"]["type"] for one in found] == ["Polygon", "LineString"]


def test_a_work_map_needs_a_month_at_most_and_not_too_many_points(
    client: Client,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = client.get(f"{COMBINE}?start=2025-09-01&end=2025-10-03")
    assert "at most 31 days" in is_problem(long, 422)
    monkeypatch.setattr(work_map, "MOST_POINTS", 119)
    assert "ask for fewer days" in is_problem(client.get(f"{COMBINE}?{DAY}"), 422)
    geojson = client.get(f"/v1/devices/steppe-silent/work-map?{DAY}&format=geojson")
    assert geojson.headers["content-type"] == "application/geo+json"


def test_every_point_of_a_yield_map_is_told_with_why_it_is_left_out(
    client: Client,  # noqa: F811
) -> None:
    of = f"/v1/fields/{field_id(client)}"
    found = client.get(f"{of}/yield-points?season=2025").json()
    report = client.get(f"{of}/yield-map?season=2025").json()["report"]

    reasons = [one["reason"] for one in found["points"]]
    assert len(reasons) == report["rows"]
    assert reasons.count(None) == found["kept"] == report["kept"]
    flagged = {name: count for name, count in report["flagged"].items() if count}
    assert {name: reasons.count(name) for name in set(reasons) - {None}} == flagged
    table = client.get(f"{of}/yield-points?season=2025&format=csv").text.splitlines()
    assert table[0] == "longitude_deg,latitude_deg,yield_kg_ha,moisture_pct,reason"
    assert len(table) == 1 + report["rows"]


def test_more_points_than_json_holds_come_as_a_table(
    client: Client,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"/v1/fields/{field_id(client)}/yield-points?season=2025"
    plain = client.get(url).json()["points"]
    batch = pa.ipc.open_stream(client.get(f"{url}&format=arrow").content).read_all()
    assert batch.to_pylist() == plain

    monkeypatch.setattr("api.routes.yield_map.MOST_POINTS", len(plain) - 1)
    for form in ("json", "geojson"):
        assert "ask for a table" in is_problem(client.get(f"{url}&format={form}"), 422)
    assert client.get(f"{url}&format=csv").status_code == 200
    monkeypatch.setattr("api.routes.yield_map.MOST_OF_SHEET", len(plain) - 1)
    assert "format=parquet" in is_problem(client.get(f"{url}&format=xlsx"), 422)
