"""Results of machines: superseded, never overwritten, and found by farm, field and day."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from storage import machine_results
from storage.machine_results import HARVEST, OPERATION, MachineResult, Results, Whole
from tests.reports.machine_farm import put_device, put_farm, put_field

MAY = dt.date(2025, 5, 15)
DAY = dt.timedelta(days=1)


class Steppe:
    """Two farms with a field and a combine each."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.farms = [put_farm(connection, slug) for slug in ("steppe", "other")]
        self.fields = [put_field(connection, farm, "west") for farm in self.farms]
        self.devices = [put_device(connection, farm, "combine", "harvester") for farm in self.farms]

    def put(
        self,
        day: dt.date,
        kinds: dict[str, Any],
        *,
        farm: int = 0,
        digest: str = "first",
        version: str = "1",
    ) -> int:
        device, field_id = self.devices[farm], self.fields[farm]
        rows = [
            MachineResult(device, day, kind, field_id, 0, {"figure": value})
            for kind, value in kinds.items()
        ]
        whole = Whole(device, day, field_id if OPERATION in kinds else None)
        return machine_results.put(self.connection, {whole: Results(rows, version, digest)})

    def of_farm(self, **asked: Any) -> list[tuple[str, Any]]:
        period = {"start": MAY, "end": MAY + DAY} | asked
        found = machine_results.of_farm(self.connection, self.farms[0].id, **period)
        return [(one.kind, one.figures["figure"]) for one in found]


@pytest.fixture
def steppe(connection: sa.Connection) -> Steppe:
    return Steppe(connection)


def test_the_same_inputs_are_no_news_and_others_supersede(steppe: Steppe) -> None:
    assert steppe.put(MAY, {"day": 1, "work": 1}) == 1
    assert steppe.put(MAY, {"day": 2, "work": 2}) == 0
    assert steppe.put(MAY, {"day": 3}, digest="second") == 1
    assert steppe.put(MAY, {"day": 4}, digest="second", version="2") == 1

    assert steppe.of_farm() == [("day", 4)]
    query = sa.text("SELECT count(*), count(superseded_at) FROM machine_results")
    assert tuple(steppe.connection.execute(query).one()) == (4, 3)


def test_a_day_and_an_operation_that_begins_on_it_are_superseded_apart(steppe: Steppe) -> None:
    steppe.put(MAY, {"day": 1})
    steppe.put(MAY, {OPERATION: 1})
    steppe.put(MAY, {"day": 2}, digest="second")

    assert steppe.of_farm() == [("day", 2), (OPERATION, 1)]
    standing = machine_results.standing(steppe.connection, [Whole(steppe.devices[0], MAY, None)])
    assert standing == {
        Whole(steppe.devices[0], MAY, None): ("1", "second"),
        Whole(steppe.devices[0], MAY, steppe.fields[0]): ("1", "first"),
    }


def test_a_farm_has_its_own_devices_days_and_kinds(steppe: Steppe) -> None:
    steppe.put(MAY - DAY, {"day": 0})
    steppe.put(MAY, {"day": 1, HARVEST: 1})
    steppe.put(MAY + DAY, {"day": 2})
    steppe.put(MAY, {"day": 9}, farm=1)

    assert steppe.of_farm() == [("day", 1), (HARVEST, 1)]
    assert steppe.of_farm(kinds=[HARVEST]) == [(HARVEST, 1)]
    assert steppe.of_farm(start=MAY - DAY) == [("day", 0), ("day", 1), (HARVEST, 1)]
    assert machine_results.newest_day(steppe.connection, steppe.farms[0].id) == MAY + DAY
    assert machine_results.newest_day(steppe.connection, steppe.farms[1].id) == MAY


def test_results_are_what_stood_at_a_moment(empty_engine: sa.Engine) -> None:
    with empty_engine.begin() as connection:
        steppe = Steppe(connection)
        steppe.put(MAY, {"day": 1, HARVEST: 1})
        period = {"start": MAY, "end": MAY + DAY}
        then = machine_results.computed_at(connection, steppe.farms[0].id, **period)
    with empty_engine.begin() as connection:
        steppe.connection = connection
        steppe.put(MAY, {"day": 2, HARVEST: 2}, digest="second")
        newest = machine_results.computed_at(connection, steppe.farms[0].id, **period)
        again = machine_results.computed_at(connection, steppe.farms[0].id, as_of=then, **period)
        field = [steppe.fields[0]]

        assert then is not None
        assert newest is not None
        assert again == then < newest
        assert steppe.of_farm(as_of=then) == [("day", 1), (HARVEST, 1)]
        assert steppe.of_farm(as_of=then - dt.timedelta(seconds=1)) == []
        (stood,) = machine_results.harvests_of_fields(connection, field, as_of=then, **period)
        (stands,) = machine_results.harvests_of_fields(connection, field, **period)
    assert (stood.figures["figure"], stands.figures["figure"]) == (1, 2)
    assert (stood.computed_at, stands.computed_at) == (then, newest)


def test_harvests_are_found_by_field_and_day(steppe: Steppe) -> None:
    for number in range(4):
        steppe.put(MAY + number * DAY, {"day": number, HARVEST: number})
    steppe.put(MAY, {HARVEST: 9}, farm=1)
    asked = {"start": MAY + DAY, "end": MAY + 3 * DAY}

    def found(field_ids: list[int]) -> list[tuple[int, dt.date]]:
        rows = machine_results.harvests_of_fields(steppe.connection, field_ids, **asked)
        return [(row.field_id, row.day) for row in rows]

    west = steppe.fields[0]
    assert found([west]) == [(west, MAY + DAY), (west, MAY + 2 * DAY)]
    assert found(steppe.fields) == found([west])  # the other's lies outside
    assert found([]) == []
    assert machine_results.fields_harvested(
        steppe.connection, steppe.devices[0], [MAY, MAY + DAY]
    ) == [west]
    assert machine_results.fields_harvested(steppe.connection, steppe.devices[0], [MAY - DAY]) == []


def test_results_of_other_versions_are_told_since_when(steppe: Steppe) -> None:
    steppe.put(MAY, {"day": 1}, version="old")
    steppe.put(MAY + DAY, {"day": 1}, version="old")
    steppe.put(MAY + 2 * DAY, {"day": 1}, version="new")
    steppe.put(MAY, {"day": 1}, farm=1, version="new")

    told = machine_results.outdated(steppe.connection, steppe.devices, method_version="new")
    assert told == {steppe.devices[0]: MAY}
