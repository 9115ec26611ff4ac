"""A yield map from stored tracks: the right points, the right level, and why there is none."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from api.models_work import YieldMapOut
from reports import summary, yield_map
from storage import harvests
from storage.database import NotFound
from storage.harvests import HarvestLoad
from tests.analytics.ground import place
from tests.reports import machine_farm
from tests.reports.machine_farm import HARVESTED, Rows, at, passes

NOW = at(dt.date(2025, 11, 20), 12)
DAY = dt.timedelta(days=1)
POOR, RICH = 2.0, 6.0  # kg/s on 20 m²/s: 1000 and 3000 kg/ha


class Steppe:
    """Two fields of 2 ha beside one another, wheat on the one in the west, and two combines."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            self.farm = machine_farm.put_farm(connection)
            self.west = machine_farm.put_field(connection, self.farm, "west")
            self.east = machine_farm.put_field(connection, self.farm, "east", east=(100.0, 200.0))
            self.zone = machine_farm.put_zone(connection, self.west)
            self.one, self.two = (
                machine_farm.put_device(connection, self.farm, name, "harvester")
                for name in ("one", "two")
            )

    def drives(self, device: str, rows: Rows) -> None:
        with self.engine.begin() as connection:
            machine_farm.send(connection, device, rows)
        machine_farm.analyse(self.engine, self.farm, NOW)

    def weighs(self, *loads: tuple[float, float | None]) -> None:
        with self.engine.begin() as connection:
            harvests.add(
                connection,
                [
                    HarvestLoad(
                        self.zone, str(number), at(HARVESTED, 18), kg, moisture, None, None, "test"
                    )
                    for number, (kg, moisture) in enumerate(loads)
                ],
            )
        machine_farm.analyse(self.engine, self.farm, NOW)

    def map(self, **asked: Any) -> dict[str, Any]:
        with self.engine.connect() as connection:
            found = yield_map.of_field(connection, self.west, season=2025, **asked)
        YieldMapOut(**found)
        return found

    def yields(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            found = summary.of_farm(connection, self.farm.slug, season=2025, now=NOW)["yield"]
        assert isinstance(found, dict)
        return found


@pytest.fixture
def steppe(empty_engine: sa.Engine) -> Steppe:
    return Steppe(empty_engine)


def halves(numbers: range, **values: Any) -> Rows:
    """A point each second; south of the middle the poor yield, north of it the rich."""
    rows = passes(at(HARVESTED, 9), numbers, every_s=1.0, crop_moisture_pct=14.0, **values)
    _, middle = place(0.0, 100.0)
    rich = rows["latitude_deg"] > float(middle)
    rows["mass_flow_kg_s"] = np.where(rows["work_state"] == 1, np.where(rich, RICH, POOR), 0.0)
    return rows


def test_cells_show_the_yield_of_their_place(steppe: Steppe) -> None:
    steppe.drives(steppe.one, halves(range(10)))
    found = steppe.map()
    _, middle = place(0.0, 100.0)

    assert (found["crop"], found["harvested_on"]) == ("spring-wheat", ["2025-09-10"])
    assert found["harvesters"] == ["steppe-one"]
    for cell in found["features"]:
        centre = shapely.geometry.shape(cell["geometry"]).centroid
        if abs(centre.y - float(middle)) < 25 / 111_200:
            continue  # a cell across the line has both
        expected = 3_000.0 if centre.y > float(middle) else 1_000.0
        assert cell["properties"]["yield_kg_ha"] == pytest.approx(expected, rel=0.01)
    classes = {cell["properties"]["class"] for cell in found["features"]}
    # From 1000 up to 1500 is the third class of wheat's legend, from 3000 up to 4000 the seventh.
    assert {2, 6} <= classes


def test_the_report_counts_points_and_compares_the_map_with_mass_over_area(
    steppe: Steppe,
) -> None:
    steppe.drives(steppe.one, halves(range(10)))
    report = steppe.map()["report"]

    assert report["rows"] == 10 * 102  # 101 points of each pass and one after it
    assert report["kept"] + sum(report["flagged"].values()) == report["rows"]
    assert report["flagged"]["header_up"] == 10
    # Each pass 50 s at 2 and 50 s at 6 kg/s; 2 ha.
    assert report["monitor_wet_mass_kg"] == pytest.approx(10 * 400.0, rel=0.01)
    assert report["mass_over_area_kg_ha"] == pytest.approx(2_000.0, rel=0.01)
    assert report["map_by_mass_over_area"] == pytest.approx(1.0, abs=0.02)
    assert report["scaled_to"] == "no-weighed-loads"
    assert report["scale_factor"] is None


def test_weighed_loads_set_the_level_and_their_moisture_the_dry_matter(steppe: Steppe) -> None:
    steppe.drives(steppe.one, halves(range(10)))
    steppe.weighs((2_600.0, 18.0), (2_600.0, 16.0))
    report, yields = steppe.map()["report"], steppe.yields()

    counted = report["monitor_wet_mass_kg"]
    assert report["scale_factor"] == pytest.approx(5_200.0 / counted)
    assert report["moisture_of_loads_pct"] == pytest.approx(17.0)
    # 5.2 t of 17 % have 83 % dry matter, wheat of 14 % has 86 %: what the farm summary says, too.
    assert report["mass_kg"] == pytest.approx(5_200.0 * 83 / 86)
    assert yields["mass_t"] == pytest.approx(5.2 * 83 / 86)
    assert yields["monitor"]["scale_factor"] == pytest.approx(report["scale_factor"])
    assert report["map_mean_kg_ha"] == pytest.approx(5_200.0 * 83 / 86 / 2.0, rel=0.02)


def test_loads_of_more_ground_than_the_monitor_saw_do_not_scale_it(steppe: Steppe) -> None:
    steppe.drives(steppe.one, halves(range(5)))
    steppe.weighs((5_000.0, 14.0))
    report = steppe.map()["report"]

    assert report["scaled_to"] == "monitor-saw-less-than-the-loads-came-from"
    assert report["scale_factor"] is None
    assert report["map_mean_kg_ha"] == pytest.approx(2_000.0, rel=0.02)


def test_two_harvesters_are_joined_and_their_neighbours_grain_is_not(steppe: Steppe) -> None:
    steppe.drives(steppe.one, halves(range(6)))
    steppe.drives(steppe.two, halves(range(6, 15)))  # its last five passes lie in the east
    found = steppe.map()
    with steppe.engine.connect() as connection:
        counted = summary.of_farm(connection, steppe.farm.slug, season=2025, now=NOW)["yield"]

    assert found["harvesters"] == ["steppe-one", "steppe-two"]
    assert found["report"]["monitor_wet_mass_kg"] == pytest.approx(4_000.0, rel=0.01)
    assert counted["mass_t"] == pytest.approx(found["report"]["mass_kg"] / 1e3)
    east = max(shapely.geometry.shape(cell["geometry"]).centroid.x for cell in found["features"])
    assert east < float(place(110.0, 0.0)[0])  # half a cell beyond the border


def test_points_every_twenty_seconds_give_the_same_mass_and_level(steppe: Steppe) -> None:
    grain = {"mass_flow_kg_s": 4.0, "crop_moisture_pct": 14.0}
    steppe.drives(steppe.one, passes(at(HARVESTED, 9), range(10), every_s=20.0, **grain))
    report = steppe.map()["report"]

    assert report["monitor_wet_mass_kg"] == pytest.approx(4_000.0)
    assert report["area_ha"] == pytest.approx(2.0, rel=1e-3)
    assert report["map_mean_kg_ha"] == pytest.approx(2_000.0, rel=1e-3)


@pytest.mark.parametrize("cell_m", [5.0, 20.0, 100.0])
def test_cells_have_the_size_asked_for(steppe: Steppe, cell_m: float) -> None:
    steppe.drives(steppe.one, halves(range(10)))
    found = steppe.map(cell_m=cell_m)

    ring = np.array(found["features"][0]["geometry"]["coordinates"][0])
    east, north = ring[:, 0].max() - ring[:, 0].min(), ring[:, 1].max() - ring[:, 1].min()
    # A degree of the meridian at 51° is 111 250 m, of the parallel 69 900 m (WGS 84, Clairaut).
    assert north * 111_250 == pytest.approx(cell_m, rel=0.01)
    assert east * 69_900 == pytest.approx(cell_m, rel=0.01)
    assert found["cell_m"] == cell_m


@pytest.mark.parametrize(("days", "there"), [(-46, False), (-45, True), (45, True), (46, False)])
def test_harvest_is_looked_for_around_the_harvest_day_of_the_crop(
    steppe: Steppe, days: int, there: bool
) -> None:
    rows = halves(range(10))
    rows["time"] += days * 86_400_000_000
    steppe.drives(steppe.one, rows)

    if there:
        assert steppe.map()["features"]
    else:
        with pytest.raises(NotFound, match=r"from 2025-07-27 to 2025-10-25; `dala analyze`"):
            steppe.map()


def test_why_there_is_no_map_is_said(steppe: Steppe) -> None:
    plain = passes(at(HARVESTED, 9), range(3))  # a harvester without a monitor
    steppe.drives(steppe.one, plain)

    with steppe.engine.connect() as connection:
        for field_id, season, words in (
            (steppe.west, 2025, "with a yield monitor"),
            (steppe.west, 2024, f"crop on field {steppe.west} in 2024"),
            (steppe.east, 2025, f"crop on field {steppe.east} in 2025"),
            (999_999, 2025, "field 999999"),
        ):
            with pytest.raises(NotFound, match=words):
                yield_map.of_field(connection, field_id, season=season)


def test_a_monitor_that_counted_nothing_is_not_scaled(steppe: Steppe) -> None:
    rows = halves(range(10))
    rows["mass_flow_kg_s"] = 0.0
    steppe.drives(steppe.one, rows)
    steppe.weighs((5_000.0, 14.0))
    found = steppe.map()

    assert found["report"]["scaled_to"] == "monitor-counted-nothing"
    assert found["features"] == []


def test_a_field_too_large_for_its_cells_is_said(
    steppe: Steppe, monkeypatch: pytest.MonkeyPatch
) -> None:
    steppe.drives(steppe.one, halves(range(10)))
    monkeypatch.setattr("analytics.yield_grid.MAX_CELLS", 10)

    with pytest.raises(yield_map.TooManyCells, match="too many for a map"):
        steppe.map()


def test_twenty_thousand_points_become_a_map(steppe: Steppe) -> None:
    """Forty hectares, a point a second."""
    with steppe.engine.begin() as connection:
        large = machine_farm.put_field(
            connection, steppe.farm, "large", east=(0.0, 100.0), north=(300.0, 4_300.0)
        )
        machine_farm.put_zone(connection, large, area_ha=40.0)
    _, north = place(0.0, 300.0)
    rows = passes(
        at(HARVESTED, 4), range(10), length_m=4_000.0, every_s=1.0, mass_flow_kg_s=4.0,
        crop_moisture_pct=14.0,
    )  # fmt: skip
    rows["latitude_deg"] += float(north) - float(place(0.0, 0.0)[1])
    rows["mass_flow_kg_s"] += np.random.default_rng(7).normal(0.0, 0.4, rows.size)
    steppe.drives(steppe.one, rows)
    assert rows.size > 20_000

    with steppe.engine.connect() as connection:
        found = yield_map.of_field(connection, large, season=2025)
    assert found["report"]["rows"] > 20_000
    assert found["report"]["map_mean_kg_ha"] == pytest.approx(2_000.0, rel=0.01)
