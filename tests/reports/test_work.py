"""Machine work as a farm reads it: sums by hand, reasons, herds and pastures, empty states."""

import datetime as dt
import io
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from rich.console import Console

from analytics import flights, machine_work, monitor_harvest, work_results
from api.models_work import WorkOut
from reports import work
from reports.printing_work import WORDS, print_work
from reports.work import Period
from storage import machine_results
from storage.database import NotFound
from storage.farms import Farm
from tests.reports import machine_farm
from tests.reports.machine_farm import at, circle, passes, points

MAY, SEPTEMBER = dt.date(2025, 5, 15), dt.date(2025, 9, 10)
NOW = at(dt.date(2025, 10, 20), 12)
DAY = dt.timedelta(days=1)


class Steppe:
    """A farm that a test drives over; analysed when it is asked for."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            self.farm: Farm = machine_farm.put_farm(connection)
            put = machine_farm.put_field
            self.west = put(connection, self.farm, "west")
            self.meadow = put(
                connection, self.farm, "meadow", east=(0.0, 900.0), north=(-1000.0, -100.0),
                land_use="pasture",
            )  # fmt: skip
            self.hill = put(
                connection, self.farm, "hill", east=(1000.0, 1900.0), north=(-1000.0, -100.0),
                land_use="pasture",
            )  # fmt: skip

    def device(self, name: str, kind: str) -> str:
        with self.engine.begin() as connection:
            return machine_farm.put_device(connection, self.farm, name, kind)

    def drives(self, device: str, *parts: machine_farm.Rows) -> None:
        with self.engine.begin() as connection:
            machine_farm.send(connection, device, np.concatenate(parts))
        machine_farm.analyse(self.engine, self.farm, NOW)

    def work(self, **asked: Any) -> dict[str, Any]:
        with self.engine.connect() as connection:
            found = work.of_farm(connection, self.farm.slug, **asked)
        WorkOut(**found)  # what the report says, the API can say
        return found

    def printed(self, width: int = 80, **asked: Any) -> str:
        console = Console(file=io.StringIO(), width=width)
        print_work(self.work(**asked), console)
        return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def steppe(empty_engine: sa.Engine) -> Steppe:
    return Steppe(empty_engine)


def seeded(steppe: Steppe) -> None:
    """Ten passes of 10 m, 100 s each at 2 m/s and 36 L/h; a road of 500 s at 18 L/h before."""
    tractor = steppe.device("tractor", "tractor")
    road = points(
        at(MAY, 9) - dt.timedelta(seconds=520), np.arange(0, 501, 20), 5,
        np.linspace(-2500, -20, 26), speed_m_s=5.0, work_state=0, fuel_rate_l_h=18.0,
    )  # fmt: skip
    steppe.drives(tractor, road, passes(at(MAY, 9), range(10), fuel_rate_l_h=36.0))


def test_a_machines_hours_and_fuel_add_up(steppe: Steppe) -> None:
    seeded(steppe)
    (machine,) = steppe.work()["machines"]

    # 1000 s of work; 500 s of road, 20 s until the first pass; after each pass 5 s, and 25 s
    # until the next: half the speed of both ends is driven, so none of it stands idle.
    assert machine["work_h"] == pytest.approx(1_000 / 3600, abs=1e-3)
    assert machine["hours"] == pytest.approx((520 + 9 * 130 + 105) / 3600, abs=1e-3)
    shares = [machine[f"{state}_share"] for state in ("work", "idle", "transport", "unknown")]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(1_000 / 1_795, abs=1e-3)
    # 10 L at work; the road 2.5 L; 20 s at (18 + 36) / 2; turns at 36 L/h.
    turns = (10 * 5 + 9 * 25) * 36 / 3600
    assert machine["fuel_work_l"] == pytest.approx(10.0, abs=1e-3)
    assert machine["fuel_l"] == pytest.approx(10.0 + 2.5 + 20 * 27 / 3600 + turns, abs=1e-3)
    assert machine["fuel_l_ha"] == pytest.approx(machine["fuel_l"] / 2.0, rel=1e-3)
    assert (machine["days"], machine["reasons"]) == (1, [])


def test_an_operation_stands_with_its_machine_and_its_field(steppe: Steppe) -> None:
    seeded(steppe)
    found = steppe.work()
    (operation,) = found["machines"][0]["operations"]
    (field,) = found["fields"]

    assert (operation["field"], operation["days"]) == ("west", ["2025-05-15"])
    assert operation["worked_ha"] == pytest.approx(2.0, rel=1e-3)
    assert operation["overlap_share"] == pytest.approx(0.0, abs=1e-3)
    assert operation["worked_share"] == pytest.approx(1.0, abs=1e-3)
    assert operation["harvest"] is None
    (line,) = field["operations"]
    assert line == operation | {
        "device_id": "steppe-tractor", "machine": "Tractor", "kind": "tractor",
    }  # fmt: skip


def test_a_fields_operations_stand_in_order_and_a_harvest_has_its_grain(steppe: Steppe) -> None:
    combine = steppe.device("combine", "harvester")
    grain = {"mass_flow_kg_s": 4.0, "crop_moisture_pct": 16.0}
    steppe.drives(combine, passes(at(SEPTEMBER, 9), range(5), **grain))
    steppe.drives(combine, passes(at(SEPTEMBER + DAY, 9), range(5, 10), **grain))
    seeded(steppe)
    (field,) = steppe.work()["fields"]

    assert [one["machine"] for one in field["operations"]] == ["Tractor", "Combine"]
    harvest = field["operations"][1]["harvest"]
    assert field["operations"][1]["days"] == ["2025-09-10", "2025-09-11"]
    # Ten passes of 100 s at 4 kg/s, on 2 ha.
    assert harvest["wet_mass_t"] == pytest.approx(4.0)
    assert harvest["moisture_pct"] == pytest.approx(16.0)
    assert harvest["wet_yield_kg_ha"] == pytest.approx(2_000.0, rel=1e-3)


def test_what_a_machine_does_not_tell_is_none_with_a_reason(steppe: Steppe) -> None:
    bare = steppe.device("bare", "tractor")
    rows = passes(at(MAY, 9), range(3))
    rows["width_m"] = np.nan
    steppe.drives(bare, rows)
    (machine,) = steppe.work()["machines"]
    (operation,) = machine["operations"]

    assert (machine["worked_ha"], machine["fuel_l"], machine["fuel_l_ha"]) == (None, None, None)
    assert (operation["worked_ha"], operation["overlap_share"]) == (None, None)
    assert set(operation["reasons"]) == {"no-width", "no-fuel-rate"}
    text = " ".join(steppe.printed().split())
    assert f"Bare: {WORDS['no-width']}" in text
    assert f"Bare: {WORDS['no-fuel-rate']}" in text


def test_every_reason_has_words() -> None:
    codes = {
        value
        for module in (flights, machine_work, monitor_harvest, work_results)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert {"no-width", "no-elevation", "no-moisture"} <= codes
    assert codes <= WORDS.keys()


def herded(steppe: Steppe, places: list[float | None]) -> None:
    """A drone that meets 200 animals at 6 in the morning, so many metres east; None: stays home."""
    drone = steppe.device("drone", "herding-drone")
    rounds = [
        circle(at(SEPTEMBER + number * DAY, 6), east, -550.0, 200.0)
        for number, east in enumerate(places)
        if east is not None
    ]
    steppe.drives(drone, *rounds)


def test_pastures_are_used_rested_or_unknown(steppe: Steppe) -> None:
    """Two days on the meadow, a day off both, a day unseen; then the hill."""
    herded(steppe, [450.0, 450.0, 2500.0, None, None, 1450.0])
    found = steppe.work(livestock_units=0.1)
    hill, meadow = found["pastures"]

    # On the meadow from 6 of the first day until 6 of the third: 200 animals for 48 h.
    assert meadow["animal_days"] == pytest.approx(400.0)
    assert meadow["animal_days_ha"] == pytest.approx(400 / 81)
    assert meadow["lsu_days_ha"] == pytest.approx(40 / 81)
    assert [round(day["animal_days"]) for day in meadow["daily"]] == [150, 200, 50]
    # From 10 to 16 September 0.75, 1, 1, 0, 0, 0.75 and 0.25 of each day are known: until 6 of the
    # fourth the herd was off both pastures, which no row of that day tells.
    assert (meadow["used_days"], meadow["rested_days"], meadow["unknown_days"]) == (3, 1, 3)
    assert meadow["resting_days"] == 4
    assert (hill["used_days"], hill["rested_days"], hill["unknown_days"]) == (2, 3, 2)
    assert (hill["observed_from"], hill["observed_to"]) == ("2025-09-10", "2025-09-16")


def test_two_herds_add_up_and_the_one_known_least_tells_what_is_known(steppe: Steppe) -> None:
    herded(steppe, [450.0, 450.0])
    other = steppe.device("other", "herding-drone")
    steppe.drives(other, circle(at(SEPTEMBER, 6), 450.0, -550.0, 100.0))
    hill, meadow = steppe.work()["pastures"]

    # 200 animals for 48 h and 100 for 24 h; on the second day the other herd is unknown after 6.
    assert meadow["animal_days"] == pytest.approx(400.0 + 100.0)
    assert "lsu_days_ha" not in meadow
    assert (hill["rested_days"], hill["unknown_days"]) == (1, 2)


def test_a_herd_stands_where_it_was_seen_last(steppe: Steppe) -> None:
    herded(steppe, [450.0, 600.0])
    found = steppe.work()
    (herd,) = found["herds"]
    (drone,) = found["drones"]

    assert (herd["days_seen"], herd["last_day"]) == (2, "2025-09-11")
    lon, lat = (float(one) for one in machine_farm.place(600.0, -550.0))
    assert (herd["longitude_deg"], herd["latitude_deg"]) == pytest.approx((lon, lat), abs=2e-6)
    assert herd["spread_m"] == pytest.approx(100.0, rel=1e-3)
    assert (drone["flights"], drone["days"]) == (2, 2)
    # 59 chords of 6° of a circle of 100 m, twice.
    assert drone["path_km"] == pytest.approx(
        2 * 59 * 2 * 100 * np.sin(np.radians(3)) / 1e3, rel=1e-3
    )
    assert drone["flight_h"] == pytest.approx(2 * 590 / 3600, abs=1e-3)


def test_days_are_half_open_and_a_season_is_its_calendar_year(steppe: Steppe) -> None:
    seeded(steppe)

    before = steppe.work(period=Period(MAY - DAY, MAY))
    that_day = steppe.work(period=Period(MAY, MAY + DAY))
    assert (before["machines"], len(that_day["machines"])) == ([], 1)
    assert steppe.work(season=2024)["machines"] == []
    year = steppe.work()
    assert (year["start"], year["end"]) == ("2025-01-01", "2026-01-01")


def test_work_can_be_asked_for_as_it_stood(steppe: Steppe) -> None:
    tractor = steppe.device("tractor", "tractor")
    steppe.drives(tractor, passes(at(MAY, 9), range(5)))
    first = steppe.work()
    steppe.drives(tractor, passes(at(MAY, 13), range(5, 10)))

    then = steppe.work(as_of=dt.datetime.fromisoformat(first["as_of"]))
    assert then == first
    assert steppe.work()["machines"][0]["worked_ha"] == pytest.approx(2.0, rel=1e-3)
    assert first["machines"][0]["worked_ha"] == pytest.approx(1.0, rel=1e-3)


def test_a_farm_without_tracks_is_told_what_to_do(steppe: Steppe) -> None:
    steppe.device("tractor", "tractor")
    found = steppe.work()
    assert (found["start"], found["as_of"], found["machines"]) == (None, None, [])

    text = " ".join(steppe.printed().split())
    assert "has worked yet" in text
    assert "dala/v1/{device}/track" in text
    assert "dala analyze" in text
    seeded(steppe)
    assert "in these days" in " ".join(steppe.printed(season=2024).split())


def test_tables_fit_a_terminal_of_eighty_columns(steppe: Steppe) -> None:
    seeded(steppe)
    combine = steppe.device("combine", "harvester")
    grain = {"mass_flow_kg_s": 400.0, "crop_moisture_pct": 16.0, "fuel_rate_l_h": 60.0}
    steppe.drives(combine, passes(at(SEPTEMBER, 9), range(5), **grain))
    steppe.drives(combine, passes(at(SEPTEMBER + 2 * DAY, 9), range(5, 10), **grain))
    herded(steppe, [450.0, 1450.0])
    text = steppe.printed(livestock_units=0.1)

    assert "…" not in text.replace("—", "")
    for part in ("Tractor", "Combine", "10 Sep–12 Sep (2)", "400.0", "meadow", "hill", "100.0"):
        assert part in text, part


def test_a_strange_farm_is_not_found(connection: sa.Connection) -> None:
    with pytest.raises(NotFound, match="farm 'nowhere'"):
        work.of_farm(connection, "nowhere")
    assert machine_results.newest_day(connection, 1) is None
