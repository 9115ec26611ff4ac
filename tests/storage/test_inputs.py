"""The digest of a summary's inputs changes when, and only when, something the summary says does."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from reports import summary
from storage import (
    adjustments,
    devices,
    farms,
    fields,
    heard,
    inputs,
    machine_results,
    results,
    tables,
)
from storage.database import NotFound
from storage.farms import Region
from storage.inputs import Inputs

NOW = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
SINCE = NOW - summary.SILENT_AFTER
PLACE = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
RESULT = {
    "applied_m3": 30_000.0,
    "eta_mm": 500.0,
    "method": "regression",
    "method_version": "1",
    "conventions": {},
    "notes": [],
}


class World:
    """Two farms of a region, of which the first is asked about."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        farms.put_region(connection, Region("KZ-99", "99", "Дала", "Степь", "Steppe"))
        self.farm, self.zone, self.field = self.add_farm("mine")
        self.other, self.other_zone, _ = self.add_farm("other")
        for zone in (self.zone, self.other_zone):
            self.put_result(zone, "first")
        devices.put(connection, "probe", farm_id=self.farm, kind="soil-probe", name="Probe")
        heard.note(connection, {"probe": us(NOW - 2 * summary.SILENT_AFTER)})

    def add_farm(self, slug: str) -> tuple[int, int, int]:
        farm = farms.put(
            self.connection,
            slug,
            name=slug.title(),
            region_code="KZ-99",
            timezone="Asia/Almaty",
            **PLACE,
        )
        field = fields.put(
            self.connection,
            farm_id=farm,
            name="field-1",
            area_ha=10.0,
            area_source="stated",
            soil={},
            soil_source="stated",
        )
        return farm, self.put_zone(field, 2025), field

    def put_zone(self, field: int, season: int, **more: Any) -> int:
        values: dict[str, Any] = {
            "planted": dt.date(season, 4, 20),
            "harvested": dt.date(season, 8, 31),
            "area_ha": 10.0,
            "crop": "cotton",
            "crop_parameters": {},
            "conventions": {},
        }
        return fields.put_zone(self.connection, field_id=field, season=season, **(values | more))

    def put_result(self, zone: int, digest: str, **values: Any) -> None:
        results.put_season(self.connection, zone, RESULT | values | {"input_digest": digest})

    def of_farm(self, as_of: dt.datetime | None = None) -> Inputs:
        return inputs.of_farm(self.connection, "mine", season=None, as_of=as_of, since=SINCE)

    def of_region(self) -> Inputs:
        return inputs.of_region(self.connection, "KZ-99", season=2025, as_of=None, since=SINCE)

    def said(self) -> summary.Summary:
        return summary.of_farm(self.connection, "mine", now=NOW)


def us(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


@pytest.fixture
def world(connection: sa.Connection) -> World:
    return World(connection)


def new_result(world: World) -> None:
    world.put_result(world.zone, "second", applied_m3=31_000.0)


def first_result_of_another_field(world: World) -> None:
    field = fields.put(
        world.connection, farm_id=world.farm, name="field-2", area_ha=5.0, area_source="stated",
        soil={}, soil_source="stated",
    )  # fmt: skip
    world.put_result(world.put_zone(field, 2025), "another")


def corrected_area(world: World) -> None:
    world.put_zone(world.field, 2025, area_ha=11.0)


def a_season_before(world: World) -> None:
    world.put_zone(world.field, 2024, irrigation_method="drip")


def renamed_farm(world: World) -> None:
    farms.put(
        world.connection, "mine", name="Ours", region_code="KZ-99", timezone="Asia/Almaty", **PLACE
    )


def renamed_field(world: World) -> None:
    world.connection.execute(tables.fields.update().values(name="north"))


def an_adjustment(world: World) -> None:
    adjustments.add(
        world.connection, world.zone, volume_m3=100.0, u_volume_m3=5.0, reason="leaching",
        author="auditor",
    )  # fmt: skip


def a_harvest(world: World) -> None:
    devices.put(world.connection, "combine", kind="combine", name="Combine", disabled=True)
    figures = {
        "wet_mass_kg": 30_000.0,
        "harvested_ha": 10.0,
        "moisture_pct": 10.0,
        "moisture_known_share": 1.0,
        "work_distance_km": 20.0,
        "unknown_flow_km": 0.0,
    }
    day = dt.date(2025, 8, 31)
    whole = machine_results.Whole("combine", day, None)
    row = machine_results.MachineResult("combine", day, "harvest", world.field, 0, figures)
    machine_results.put(
        world.connection, {whole: machine_results.Results([row], "1", "of the track")}
    )


def a_device_that_speaks_again(world: World) -> None:
    heard.note(world.connection, {"probe": us(NOW)})


def a_new_device(world: World) -> None:
    devices.put(world.connection, "meter", farm_id=world.farm, kind="flow-meter", name="Meter")


CHANGES = [
    new_result,
    first_result_of_another_field,
    corrected_area,
    a_season_before,
    renamed_farm,
    renamed_field,
    an_adjustment,
    a_harvest,
    a_device_that_speaks_again,
    a_new_device,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changes_the_summary_changes_the_digest(
    world: World, change: Callable[[World], None]
) -> None:
    said, of_farm, of_region = world.said(), world.of_farm(), world.of_region()
    assert (world.of_farm(), world.of_region()) == (of_farm, of_region)

    change(world)

    assert world.said() != said
    assert world.of_farm().digest != of_farm.digest
    assert world.of_region().digest != of_region.digest


def test_a_change_of_another_farm_is_one_of_the_region_alone(world: World) -> None:
    of_farm, of_region = world.of_farm(), world.of_region()

    world.put_result(world.other_zone, "second")

    assert world.of_farm() == of_farm
    assert world.of_region() != of_region


def test_readings_that_change_no_result_change_no_digest(world: World) -> None:
    heard.note(world.connection, {"probe": us(NOW)})
    before = world.of_farm()

    heard.note(world.connection, {"probe": us(NOW + dt.timedelta(hours=1))})
    world.put_result(world.zone, "first")  # analysed again, and found the same

    assert world.of_farm().digest == before.digest


def test_the_past_has_the_digest_that_it_had(world: World) -> None:
    # The transaction has one moment for all it does: what is superseded in it stood until then.
    world.connection.execute(
        sa.text("UPDATE season_results SET computed_at = computed_at - interval '1 hour'")
    )
    then = world.of_farm()
    moment = world.connection.scalar(sa.text("SELECT now() - interval '30 minutes'"))

    new_result(world)

    assert world.of_farm() != then
    assert world.of_farm(as_of=moment) == then


def test_the_newest_season_is_found(world: World) -> None:
    assert world.of_farm().season == 2025
    world.put_zone(world.field, 2026)
    assert world.of_farm().season == 2026


def test_no_such_farm_or_region(world: World) -> None:
    with pytest.raises(NotFound, match="farm 'nowhere'"):
        inputs.of_farm(world.connection, "nowhere", season=2025, as_of=None, since=SINCE)
    with pytest.raises(NotFound, match="region 'KZ-00'"):
        inputs.of_region(world.connection, "KZ-00", season=2025, as_of=None, since=SINCE)


@pytest.fixture
def asked(engine: sa.Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def tables_in(statements: list[str]) -> set[str]:
    words = set(re.findall(r"\w+", " ".join(statements)))
    return {name for name in tables.metadata.tables if name in words}


def test_the_digest_looks_at_every_table_that_summaries_are_made_of(
    world: World, asked: list[str]
) -> None:
    a_harvest(world)
    an_adjustment(world)
    asked.clear()
    world.said()
    summary.of_region(world.connection, "KZ-99", season=2025, now=NOW)
    made_of = tables_in(asked)
    asked.clear()
    world.of_farm()

    assert {"season_results", "machine_results", "device_heard"} <= made_of
    assert made_of <= tables_in(asked)


def test_no_summary_looks_at_readings_however_many_there_are(
    world: World, asked: list[str]
) -> None:
    world.said()
    summary.of_region(world.connection, "KZ-99", season=2025, now=NOW)
    summary.of_country(world.connection, season=2025, now=NOW)
    world.of_region()

    assert asked
    assert not tables_in(asked) & {"readings", "track_points", "datastreams"}
