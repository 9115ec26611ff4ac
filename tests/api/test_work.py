"""Machine work, tracks and yield maps over HTTP."""

import datetime as dt
import json
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from api.routes import work
from storage import fields
from tests.api.test_advice import Client
from tests.reports import machine_farm
from tests.reports.machine_farm import HARVESTED, at, circle, passes

NOW = at(dt.date(2025, 11, 20), 12)
START, END = "2025-09-10T00:00:00%2B05:00", "2025-09-11T00:00:00%2B05:00"


@pytest.fixture
def client(empty_engine: sa.Engine) -> Client:
    """A wheat field that a combine harvested, and a herd on a meadow."""
    with empty_engine.begin() as connection:
        farm = machine_farm.put_farm(connection)
        west = machine_farm.put_field(connection, farm, "west")
        machine_farm.put_zone(connection, west)
        machine_farm.put_field(
            connection, farm, "meadow", east=(0.0, 900.0), north=(-1000.0, -100.0),
            land_use="pasture",
        )  # fmt: skip
        combine = machine_farm.put_device(connection, farm, "combine", "harvester")
        drone = machine_farm.put_device(connection, farm, "drone", "herding-drone")
        machine_farm.put_device(connection, farm, "silent", "tractor")
        grain = {"mass_flow_kg_s": 4.0, "crop_moisture_pct": 14.0, "fuel_rate_l_h": 60.0}
        machine_farm.send(connection, combine, passes(at(HARVESTED, 9), range(10), **grain))
        machine_farm.send(connection, drone, circle(at(HARVESTED, 6), 450.0, -550.0, 200.0))
    machine_farm.analyse(empty_engine, farm, NOW)
    return Client(empty_engine)


def field_id(client: Client) -> int:
    found: int = client.get("/v1/farms/steppe/fields").json()[1]["id"]
    return found


def is_problem(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    return detail


# --- work -----------------------------------------------------------------------------------------


def test_the_newest_year_of_a_farm_is_answered_by_default(client: Client) -> None:
    found = client.get("/v1/farms/steppe/work").json()

    assert (found["start"], found["end"]) == ("2025-01-01", "2026-01-01")
    (machine,) = found["machines"]
    (operation,) = machine["operations"]
    assert (machine["device_id"], operation["field"]) == ("steppe-combine", "west")
    assert operation["harvest"]["wet_mass_t"] == pytest.approx(4.0)
    assert [one["flights"] for one in found["drones"]] == [1]
    assert found["herds"][0]["animals"] == 200.0
    (pasture,) = found["pastures"]
    assert pasture["animal_days"] == pytest.approx(200.0)
    assert pasture["lsu_days_ha"] is None


def test_days_are_the_farms_and_the_last_is_excluded(client: Client) -> None:
    def machines(query: str) -> int:
        return len(client.get(f"/v1/farms/steppe/work?{query}").json()["machines"])

    assert machines("start=2025-09-10&end=2025-09-11") == 1
    assert machines("start=2025-09-09&end=2025-09-10") == 0
    assert machines("start=2025-09-11&end=2025-09-12") == 0


def test_livestock_units_are_stated_where_they_are_asked_for(client: Client) -> None:
    (pasture,) = client.get("/v1/farms/steppe/work?livestock_units=0.1").json()["pastures"]

    assert pasture["lsu_days_ha"] == pytest.approx(200.0 * 0.1 / 81.0)
    assert [day["lsu_days_ha"] for day in pasture["daily"]] == pytest.approx([15 / 81, 5 / 81])


def test_four_hundred_days_are_answered_and_one_more_is_refused(client: Client) -> None:
    start = dt.date(2025, 1, 1)
    for days, status in ((400, 200), (401, 422), (0, 422), (-1, 422)):
        end = start + dt.timedelta(days=days)
        answer = client.get(f"/v1/farms/steppe/work?start={start}&end={end}")
        assert answer.status_code == status, days
    assert "at most 400 days" in is_problem(answer, 422)
    for one in ("start", "end"):
        detail = is_problem(client.get(f"/v1/farms/steppe/work?{one}=2025-01-01"), 422)
        assert detail == "give both start and end, or neither."


def test_work_is_answered_as_of_a_moment(client: Client, empty_engine: sa.Engine) -> None:
    then = client.get("/v1/farms/steppe/work").json()
    more = passes(at(HARVESTED, 15), range(2), fuel_rate_l_h=60.0)
    with empty_engine.begin() as connection:
        machine_farm.send(connection, "steppe-combine", more)
        farm = machine_farm.put_farm(connection)
    machine_farm.analyse(empty_engine, farm, NOW)

    assert client.get(f"/v1/farms/steppe/work?as_of={then['as_of']}").json() == then
    assert client.get("/v1/farms/steppe/work").json() != then
    before = client.get("/v1/farms/steppe/work?as_of=2020-01-01T00:00:00Z").json()
    assert (before["machines"], before["herds"]) == ([], [])


# --- tracks ---------------------------------------------------------------------------------------


def track(client: Client, device: str, more: str = "") -> httpx.Response:
    return client.get(f"/v1/devices/{device}/track?start={START}&end={END}{more}")


def test_a_track_says_what_the_device_said(client: Client) -> None:
    found = track(client, "steppe-combine").json()

    assert (found["device_id"], found["kind"]) == ("steppe-combine", "harvester")
    assert len(found["points"]) == 10 * 12
    first, turn = found["points"][0], found["points"][11]
    assert first["time"] == "2025-09-10T04:00:00Z"
    assert (first["work_state"], first["mass_flow_kg_s"], first["width_m"]) == (1, 4.0, 10.0)
    assert (turn["work_state"], turn["mass_flow_kg_s"], turn["animals_seen"]) == (0, None, None)


def test_a_track_as_geojson_is_a_line(client: Client) -> None:
    answer = track(client, "steppe-combine", "&format=geojson")
    rows = track(client, "steppe-combine").json()["points"]
    line = answer.json()

    assert answer.headers["content-type"] == "application/geo+json"
    assert (line["type"], line["geometry"]["type"]) == ("Feature", "LineString")
    assert line["geometry"]["coordinates"] == [
        [row["longitude_deg"], row["latitude_deg"]] for row in rows
    ]
    assert line["properties"]["times"] == [row["time"] for row in rows]
    assert line["properties"]["work_states"] == [row["work_state"] for row in rows]


def test_a_device_that_said_nothing_has_no_points_and_no_line(client: Client) -> None:
    assert track(client, "steppe-silent").json()["points"] == []
    assert track(client, "steppe-silent", "&format=geojson").json()["geometry"] is None


def test_one_point_alone_is_a_point(client: Client, empty_engine: sa.Engine) -> None:
    with empty_engine.begin() as connection:
        alone = machine_farm.points(at(HARVESTED, 9), [0], 0.0, 0.0)
        machine_farm.send(connection, "steppe-silent", alone)

    found = track(client, "steppe-silent", "&format=geojson").json()
    assert found["geometry"]["type"] == "Point"


def test_too_many_points_are_refused_with_what_to_do(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MOST_POINTS", 120)
    assert track(client, "steppe-combine").status_code == 200

    monkeypatch.setattr(work, "MOST_POINTS", 119)
    detail = is_problem(track(client, "steppe-combine"), 422)
    # The last of ten passes ends 9 · 130 + 105 s after nine.
    assert detail == "more than 119 points before 2025-09-10T04:21:15Z; ask for a shorter range."


@pytest.mark.parametrize("end", [START, "2025-09-09T00:00:00Z", "2026-09-11T00:00:01%2B05:00"])
def test_a_track_needs_a_range_of_a_year_at_most(client: Client, end: str) -> None:
    answer = client.get(f"/v1/devices/steppe-combine/track?start={START}&end={end}")

    assert "at most 366 days" in is_problem(answer, 422)


# --- yield maps -----------------------------------------------------------------------------------


def test_a_yield_map_is_a_feature_collection_with_legend_and_report(client: Client) -> None:
    answer = client.get(f"/v1/fields/{field_id(client)}/yield-map?season=2025")
    found: dict[str, Any] = answer.json()

    assert answer.status_code == 200
    assert (found["type"], found["crop"], found["cell_m"]) == (
        "FeatureCollection", "spring-wheat", 20.0,
    )  # fmt: skip
    yields = [cell["properties"]["yield_kg_ha"] for cell in found["features"]]
    assert yields == pytest.approx([2_000.0] * len(yields), rel=0.005)
    assert len(found["legend"]) == 8
    assert found["legend"][found["features"][0]["properties"]["class"]]["to_kg_ha"] in {2000, 2500}
    report = found["report"]
    assert report["rows"] == report["kept"] + sum(report["flagged"].values())
    assert report["map_by_mass_over_area"] == pytest.approx(1.0, abs=0.01)
    json.dumps(found, allow_nan=False)


def test_a_season_without_a_harvest_is_a_problem_with_its_reason(client: Client) -> None:
    west = field_id(client)

    assert is_problem(client.get(f"/v1/fields/{west}/yield-map?season=2024"), 404) == (
        f"There is no crop on field {west} in 2024."
    )


def test_a_field_of_too_many_cells_is_a_problem(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.yield_grid.MAX_CELLS", 10)
    answer = client.get(f"/v1/fields/{field_id(client)}/yield-map?season=2025&cell_m=5")

    assert "ask for larger cells" in is_problem(answer, 422)


def test_a_harvest_that_no_monitor_saw_is_a_problem(
    client: Client, empty_engine: sa.Engine
) -> None:
    with empty_engine.begin() as connection:
        farm = machine_farm.put_farm(connection)
        east = machine_farm.put_field(connection, farm, "east", east=(300.0, 400.0))
        machine_farm.put_zone(connection, east)
        assert fields.get(connection, east).name == "east"
        rows = passes(at(HARVESTED, 18), range(3))
        rows["longitude_deg"] += np.float64(300.0 / 69_900)
        machine_farm.send(connection, "steppe-combine", rows)
    machine_farm.analyse(empty_engine, farm, NOW)

    detail = is_problem(client.get(f"/v1/fields/{east}/yield-map?season=2025"), 404)
    assert detail.startswith(f"There is no harvest of field {east} with a yield monitor from")
