"""A yield monitor states a harvest where nothing was weighed, and stands beside the scales else."""

import datetime as dt
import io
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from api.models import FarmSummary
from reports import monitor, printing, summary
from storage import machine_results, results
from storage.fields import CropZone
from storage.machine_results import MachineResult, Results, Whole
from tests.reports.machine_farm import HARVESTED, put_device, put_farm, put_field, put_zone

NOW = dt.datetime(2025, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WEIGHED = {
    "mass_kg": 8_000.0, "bunker_mass_kg": 8_400.0, "harvested_ha": 2.0, "moisture_pct": 16.0,
    "yield_source": "weighed loads",
}  # fmt: skip
BALANCE = {"method": "m", "method_version": "1", "conventions": {}, "notes": []}


class Steppe:
    """A farm with a field of 2 ha of spring wheat, and two combines."""

    def __init__(self, connection: sa.Connection, slug: str = "steppe") -> None:
        self.connection = connection
        self.farm = put_farm(connection, slug)
        self.field = put_field(connection, self.farm, "west")
        self.zone = put_zone(connection, self.field)
        self.combines = [put_device(connection, self.farm, n, "harvester") for n in ("one", "two")]

    def result(self, values: dict[str, Any], zone: int | None = None) -> None:
        stated = BALANCE | {"input_digest": "first"} | values
        results.put_season(self.connection, zone or self.zone, stated)

    def counts(self, day: dt.date, mass: float, *, combine: int = 0, **values: Any) -> None:
        figures = {
            "wet_mass_kg": mass, "after_work_kg": 0.0, "moisture_pct": 18.0,
            "moisture_known_share": 1.0, "harvested_ha": 1.0, "work_distance_km": 1.0,
            "unknown_flow_km": 0.0, "reasons": [],
        } | values  # fmt: skip
        device = self.combines[combine]
        row = MachineResult(device, day, "harvest", self.field, 0, figures)
        machine_results.put(
            self.connection, {Whole(device, day, None): Results([row], "1", f"{day}{mass}")}
        )

    def summary(self, **asked: Any) -> dict[str, Any]:
        return summary.of_farm(self.connection, self.farm.slug, now=NOW, **asked)


@pytest.fixture
def steppe(connection: sa.Connection) -> Steppe:
    return Steppe(connection)


def test_where_nothing_was_weighed_the_monitors_state_the_yield(steppe: Steppe) -> None:
    steppe.result({"eta_mm": 250.0})
    steppe.counts(HARVESTED, 4_000.0)
    steppe.counts(HARVESTED + DAY, 2_000.0, combine=1, moisture_pct=12.0, harvested_ha=0.8)
    found = steppe.summary()["yield"]

    # Moisture by mass is 16 %; dry matter 84 % of 6 t, of which wheat of 14 % has 86 %.
    assert found["moisture_pct"] == pytest.approx(16.0)
    assert found["bunker_mass_t"] == 6.0
    assert found["mass_t"] == pytest.approx(6.0 * 84 / 86)
    assert found["harvested_ha"] == pytest.approx(1.8)
    assert found["yield_kg_ha"] == pytest.approx(6_000 * 84 / 86 / 1.8)
    assert found["source"] == "yield monitor"
    assert found["by_crop"][0]["yield_centner_ha"] == pytest.approx(60 * 84 / 86 / 1.8)
    assert found["monitor"]["scale_factor"] is None  # nothing to compare with


def test_water_productivity_takes_the_same_harvest(steppe: Steppe) -> None:
    steppe.result({"eta_mm": 250.0})
    steppe.counts(HARVESTED, 4_300.0, moisture_pct=14.0)
    water = steppe.summary()["water"]

    assert water["water_productivity_kg_m3"] == pytest.approx(4_300 / (10 * 250 * 2))


def test_weighed_loads_go_before_the_monitor_which_stands_beside(steppe: Steppe) -> None:
    steppe.result(WEIGHED)
    steppe.counts(HARVESTED, 8_000.0, harvested_ha=1.95)
    found = steppe.summary()["yield"]

    assert (found["mass_t"], found["source"]) == (8.0, "weighed loads")
    assert found["monitor"] == {
        "mass_t": 8.0,
        "harvested_ha": 1.95,
        "moisture_pct": 18.0,
        "scale_factor": pytest.approx(1.05),  # 8.4 t over the scales, both wet
    }


def test_a_monitor_of_half_the_field_is_no_measure_of_the_scales(steppe: Steppe) -> None:
    steppe.result(WEIGHED)
    steppe.counts(HARVESTED, 4_000.0, harvested_ha=1.0)

    assert steppe.summary()["yield"]["monitor"]["scale_factor"] is None


def test_what_a_monitor_does_not_tell_is_said(steppe: Steppe) -> None:
    steppe.result({})
    steppe.counts(
        HARVESTED, 4_000.0, moisture_pct=None, moisture_known_share=0.0, harvested_ha=None
    )
    found = steppe.summary()
    (zone,) = found["crop_zones"]

    assert (zone["yield"]["mass_t"], zone["yield"]["moisture_pct"]) == (4.0, None)
    assert zone["yield"]["harvested_ha"] == 2.0  # the crop zone's
    notes = " ".join(zone["notes"])
    assert "tells no moisture" in notes
    assert "tells no width" in notes


def test_a_crop_without_a_standard_is_stated_as_harvested(steppe: Steppe) -> None:
    cotton = put_zone(
        steppe.connection, steppe.field, crop="cotton", harvested=HARVESTED + 20 * DAY
    )
    steppe.result({}, cotton)
    steppe.counts(HARVESTED + 20 * DAY, 4_000.0)
    (zone,) = (one for one in steppe.summary()["crop_zones"] if one["crop"] == "cotton")

    assert zone["yield"]["mass_t"] == 4.0
    assert "no standard moisture" in zone["notes"][0]


def test_with_much_of_the_flow_unknown_no_yield_is_stated(steppe: Steppe) -> None:
    steppe.result({})
    steppe.counts(HARVESTED, 4_000.0, work_distance_km=2.0, unknown_flow_km=0.3)
    (zone,) = steppe.summary()["crop_zones"]

    assert zone["yield"]["mass_t"] is None
    assert zone["yield"]["monitor"]["mass_t"] == 4.0
    assert "unknown on 15 % of the way" in zone["notes"][0]


def zone_of(number: int, harvested: dt.date) -> CropZone:
    return CropZone(
        number, 1, 2025, "any", dt.date(2025, 4, 1), harvested, 2.0, None, None, None, None, {}, {}
    )


@pytest.mark.parametrize(
    ("days", "owner"),
    [(-46, None), (-45, 1), (0, 1), (44, 1), (45, None), (46, 2), (90, 2), (135, 2), (136, None)],
)
def test_a_harvest_belongs_to_the_crop_whose_harvest_day_is_nearest(
    days: int, owner: int | None
) -> None:
    """Two crops, ninety days apart; half way between nobody can tell."""
    zones = [zone_of(1, HARVESTED), zone_of(2, HARVESTED + 90 * DAY)]

    found = monitor.zone_of_day(zones, HARVESTED + days * DAY)

    assert (found.id if found else None) == owner


def test_a_harvest_outside_of_the_window_is_not_read(steppe: Steppe) -> None:
    steppe.result({})
    steppe.counts(HARVESTED - 46 * DAY, 1_000.0)
    steppe.counts(HARVESTED + 46 * DAY, 1_000.0, combine=1)
    assert steppe.summary()["yield"]["monitor"] is None

    steppe.counts(HARVESTED + 45 * DAY, 1_000.0, combine=0)
    assert steppe.summary()["yield"]["monitor"]["mass_t"] == 1.0


def test_farms_and_regions_add_up_what_was_weighed_and_what_was_counted(
    connection: sa.Connection,
) -> None:
    weighed, counted = Steppe(connection, "weighed"), Steppe(connection, "counted")
    weighed.result(WEIGHED)
    weighed.counts(HARVESTED, 8_000.0, harvested_ha=2.0)
    counted.result({})
    counted.counts(HARVESTED, 5_000.0, moisture_pct=14.0, harvested_ha=2.0)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    try:
        found = summary.of_country(connection, season=2025, now=NOW)["yield"]
    finally:
        sa.event.remove(connection, "before_cursor_execute", note)

    assert found["mass_t"] == pytest.approx(13.0)
    assert found["harvested_ha"] == 4.0
    assert found["source"] == "weighed loads; yield monitor"
    assert found["monitor"]["mass_t"] == 13.0
    assert found["monitor"]["scale_factor"] == pytest.approx(8.4 / 8.0)  # of the weighed alone
    assert sum("machine_results" in statement for statement in asked) == 1


def test_a_summary_as_of_a_moment_has_the_harvest_of_that_moment(empty_engine: sa.Engine) -> None:
    with empty_engine.begin() as connection:
        steppe = Steppe(connection)
        steppe.result({})
        steppe.counts(HARVESTED, 4_000.0)
    with empty_engine.begin() as connection:
        steppe.connection = connection
        first = steppe.summary()
        steppe.counts(HARVESTED, 5_000.0)
    with empty_engine.connect() as connection:
        steppe.connection = connection
        then = steppe.summary(as_of=dt.datetime.fromisoformat(first["as_of"]))
        now = steppe.summary()

    assert then["yield"] == first["yield"]
    assert (first["yield"]["monitor"]["mass_t"], now["yield"]["monitor"]["mass_t"]) == (4.0, 5.0)
    # The newer count is newer than the season's result: it is the moment of the figures.
    assert now["as_of"] > first["as_of"]


def test_the_printed_summary_names_the_monitor(steppe: Steppe) -> None:
    steppe.result(WEIGHED)
    steppe.counts(HARVESTED, 8_000.0, harvested_ha=2.0)
    found = steppe.summary()
    console = Console(file=io.StringIO(), width=120)
    printing.print_summary(found, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]

    assert "8.0 t as harvested on 2.0 ha; loads by monitor 1.050" in text
    assert FarmSummary(**found).yield_.monitor is not None
