"""Tracks become results day by day: what nothing new reaches is neither computed nor stored."""

import datetime as dt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from shapely.geometry import box, mapping, shape

from analytics.daily import machines, track_days
from storage import boundaries, machine_results, tracks
from storage.farms import Farm
from storage.machine_results import MachineResult
from tests.reports import machine_farm
from tests.reports.machine_farm import Rows, at, circle, passes

FIRST = dt.date(2025, 9, 8)
NOW = at(dt.date(2025, 10, 20), 12)
GRAIN = {"mass_flow_kg_s": 4.0, "crop_moisture_pct": 16.0, "fuel_rate_l_h": 36.0}


class Steppe(NamedTuple):
    """A farm with two fields, two pastures, a combine and a herding drone."""

    engine: sa.Engine
    farm: Farm
    fields: dict[str, int]
    combine: str
    drone: str

    def sends(self, device: str, rows: Rows) -> None:
        with self.engine.begin() as connection:
            machine_farm.send(connection, device, rows)

    def analyse(self, now: dt.datetime = NOW) -> int:
        return machine_farm.analyse(self.engine, self.farm, now).machine_days

    def results(self, *kinds: str) -> list[MachineResult]:
        with self.engine.connect() as connection:
            return machine_results.of_farm(
                connection, self.farm.id, start=dt.date(2025, 1, 1), end=dt.date(2026, 1, 1),
                kinds=kinds or None,
            )  # fmt: skip

    def ids(self) -> dict[int, tuple[str, dt.date, str]]:
        """Standing rows, whoever they are of."""
        query = sa.text(
            "SELECT id, device_id, day, kind FROM machine_results WHERE superseded_at IS NULL"
        )
        with self.engine.connect() as connection:
            return {row.id: (row.device_id, row.day, row.kind) for row in connection.execute(query)}


@pytest.fixture
def steppe(empty_engine: sa.Engine) -> Steppe:
    with empty_engine.begin() as connection:
        farm = machine_farm.put_farm(connection)
        put = machine_farm.put_field
        known = {
            "west": put(connection, farm, "west"),
            "east": put(connection, farm, "east", east=(200.0, 300.0)),
            "meadow": put(
                connection, farm, "meadow", east=(0.0, 900.0), north=(-1000.0, -100.0),
                land_use="pasture",
            ),
            "hill": put(
                connection, farm, "hill", east=(1000.0, 1900.0), north=(-1000.0, -100.0),
                land_use="pasture",
            ),
        }  # fmt: skip
        combine = machine_farm.put_device(connection, farm, "combine", "harvester")
        drone = machine_farm.put_device(connection, farm, "drone", "herding-drone")
        return Steppe(empty_engine, farm, known, combine, drone)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The days that are computed while a test runs."""
    days: list[dt.date] = []
    compute = track_days.results_of

    def noting(day: Any, *rest: Any) -> Any:
        days.append(day.date)
        return compute(day, *rest)

    monkeypatch.setattr(machines, "results_of", noting)
    return days


def three_days(steppe: Steppe) -> None:
    """Ten passes on the field in the west: four, three and three, on three days."""
    for number, part in enumerate((range(4), range(4, 7), range(7, 10))):
        day = FIRST + dt.timedelta(days=number)
        steppe.sends(steppe.combine, passes(at(day, 9), part, **GRAIN))


def test_a_harvest_of_three_days_is_one_operation_and_three_harvests(steppe: Steppe) -> None:
    three_days(steppe)
    steppe.analyse()

    (operation,) = steppe.results("operation")
    harvests = steppe.results("harvest")
    assert operation.figures["worked_ha"] == pytest.approx(2.0, rel=1e-3)
    assert [one.field_id for one in harvests] == [steppe.fields["west"]] * 3
    # A pass lasts 100 s at 4 kg/s.
    masses = [one.figures["wet_mass_kg"] for one in harvests]
    assert masses == pytest.approx([1600.0, 1200.0, 1200.0])
    assert sum(one.figures["harvested_ha"] for one in harvests) == pytest.approx(2.0, rel=1e-3)
    assert {one.figures["moisture_pct"] for one in harvests} == {16.0}


def test_nothing_new_reads_no_track(steppe: Steppe, monkeypatch: pytest.MonkeyPatch) -> None:
    three_days(steppe)
    assert steppe.analyse() == 4  # three days and an operation
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(steppe.engine, "before_cursor_execute", note)
    try:
        assert steppe.analyse() == 0
    finally:
        sa.event.remove(steppe.engine, "before_cursor_execute", note)
    assert not [statement for statement in asked if "track_points" in statement]
    assert not [statement for statement in asked if "INSERT INTO machine_results" in statement]


def test_a_late_point_computes_its_day_and_its_operation_alone(
    steppe: Steppe, computed: list[dt.date]
) -> None:
    three_days(steppe)
    weeks_later = FIRST + dt.timedelta(days=21)
    steppe.sends(steppe.combine, passes(at(weeks_later, 9), range(3), **GRAIN))
    steppe.analyse()
    before = steppe.ids()
    computed.clear()

    # The road back to the yard, told late.
    second = FIRST + dt.timedelta(days=1)
    late = machine_farm.points(at(second, 13), [0, 30], 0, [-50, -200], speed_m_s=5.0, work_state=0)
    steppe.sends(steppe.combine, late)
    changed = steppe.analyse()

    after = steppe.ids()
    assert changed == 1  # the operation has no other figures: it stands
    assert {after[one] for one in after.keys() - before.keys()} == {
        (steppe.combine, second, kind) for kind in ("day", "work", "harvest")
    }
    # The other two days are read once more for the operation, the last weeks not at all.
    assert set(computed) == {FIRST + dt.timedelta(days=number) for number in range(3)}


def test_late_work_changes_its_operation_too(steppe: Steppe) -> None:
    three_days(steppe)
    whole = passes(at(FIRST + dt.timedelta(days=1), 13), range(2), **GRAIN)  # driven over again
    steppe.analyse()
    steppe.sends(steppe.combine, whole)

    assert steppe.analyse() == 2  # the day and its operation
    (operation,) = steppe.results("operation")
    assert operation.figures["overlap_ha"] == pytest.approx(0.4, rel=1e-2)


def test_days_without_points_cost_nothing(steppe: Steppe, computed: list[dt.date]) -> None:
    spring = dt.date(2025, 4, 20)
    steppe.sends(steppe.combine, passes(at(spring, 9), range(2)))
    steppe.sends(steppe.combine, passes(at(FIRST, 9), range(2), **GRAIN))
    steppe.analyse()

    assert computed == [spring, FIRST]


def test_results_of_an_older_method_are_computed_anew(
    steppe: Steppe, computed: list[dt.date]
) -> None:
    three_days(steppe)
    steppe.analyse()
    computed.clear()
    with steppe.engine.begin() as connection:
        connection.execute(sa.text("UPDATE machine_results SET method_version = 'older'"))

    assert steppe.analyse() == 4
    assert len(computed) == 3
    assert steppe.analyse() == 0


def test_a_herd_is_known_where_it_was_seen_until_a_day_later(steppe: Steppe) -> None:
    for number, east in enumerate((450.0, 450.0, 2500.0)):  # on the third day off the pastures
        day = FIRST + dt.timedelta(days=number)
        steppe.sends(steppe.drone, circle(at(day, 6), east, -550.0, 200.0))
    steppe.analyse()

    grazing = {one.day: one for one in steppe.results("grazing")}
    herds = {one.day: one.figures for one in steppe.results("herd")}
    # Seen at 6: 18 hours of 200 animals the first day, all the second, 6 hours the third.
    assert [round(one.figures["animal_days"]) for one in grazing.values()] == [150, 200, 50]
    assert {one.field_id for one in grazing.values()} == {steppe.fields["meadow"]}
    shares = [herds[FIRST + dt.timedelta(days=number)]["known_share"] for number in range(3)]
    assert shares == [0.75, 1.0, 1.0]
    assert steppe.analyse() == 0


def test_the_day_after_the_last_round_is_known_until_the_hour_of_it(steppe: Steppe) -> None:
    steppe.sends(steppe.drone, circle(at(FIRST, 6), 450.0, -550.0, 200.0))
    steppe.analyse()

    grazing = steppe.results("grazing")
    assert [one.day for one in grazing] == [FIRST, FIRST + dt.timedelta(days=1)]
    assert grazing[1].figures["animal_days"] == pytest.approx(50.0)
    assert grazing[1].figures["known_share"] == 0.25


@pytest.mark.parametrize("zone", ["Asia/Almaty", "UTC", "America/Denver"])
def test_days_with_points_are_found_in_one_query(steppe: Steppe, zone: str) -> None:
    """By the calendar of a zone, also across a change of the clock (Denver: 2 November 2025)."""
    moments = [
        dt.datetime(2025, 11, 2, 5, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 2, 6, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 3, 6, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 3, 7, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 12, 24, 0, 0, tzinfo=dt.UTC),
    ]
    rows = np.concatenate([machine_farm.points(one, [0, 1], 0, 0) for one in moments])
    steppe.sends(steppe.combine, rows)

    expected = sorted({one.astimezone(ZoneInfo(zone)).date() for one in moments})
    with steppe.engine.connect() as connection:
        found = tracks.days_with_points(
            connection, steppe.combine, start=moments[0], end=NOW + dt.timedelta(days=90),
            timezone=zone,
        )  # fmt: skip
    assert found == expected


def put_boundary(steppe: Steppe, field: str, geometry: dict[str, Any]) -> None:
    with steppe.engine.begin() as connection:
        boundaries.add(
            connection, steppe.fields[field], geometry, geometry_source="drawn", area_ha=1.0
        )


def test_another_boundary_computes_the_days_on_it_anew_once(
    steppe: Steppe, computed: list[dt.date]
) -> None:
    three_days(steppe)
    steppe.analyse()
    before = steppe.results("operation")[0].figures["worked_ha"]
    computed.clear()
    with steppe.engine.connect() as connection:
        whole = shape(boundaries.newest(connection, [steppe.fields["west"]])[steppe.fields["west"]])
    west, south, east, north = whole.bounds
    half = mapping(whole.intersection(box(west, south, east, (south + north) / 2)))

    put_boundary(steppe, "west", half)
    steppe.analyse()
    assert computed == [FIRST + dt.timedelta(days=number) for number in range(3)]
    # The passes run from south to north: half of each is on the field.
    (operation,) = steppe.results("operation")
    assert operation.figures["worked_ha"] == pytest.approx(before / 2, rel=0.01)

    computed.clear()
    assert steppe.analyse() == 0
    assert computed == []


def test_a_boundary_that_is_no_polygon_stops_nothing_else(steppe: Steppe) -> None:
    put_boundary(steppe, "east", {"type": "LineString", "coordinates": [[60, 50], [61, 51]]})
    put_boundary(steppe, "hill", {"type": "Polygon", "coordinates": "none"})
    three_days(steppe)

    assert steppe.analyse() == 4
    (operation,) = steppe.results("operation")
    assert operation.field_id == steppe.fields["west"]
