"""Task data of ISO 11783-10 from folders and archives into tracks, readings and work."""

import datetime as dt
from struct import pack

import numpy as np
import pytest
import sqlalchemy as sa

from reports import work
from storage import devices
from tests.analytics.ground import place
from tests.ingest.imports.conftest import NOW, Steppe
from tests.ingest.made_task_data import (
    DAY,
    HARVESTER,
    MACHINE,
    NAMES,
    TASK,
    document,
    header,
    record,
    zipped,
)
from tests.reports.machine_farm import analyse, put_device, put_farm

WIDTH, FLOW, MASS, MOISTURE, STATE, ENGINE = 67, 87, 90, 99, 141, 484
SEEDER = "steppe-isoxml-s-n-42"  # of its serial number
POINTS = [record(n, {0: 12_000, 1: 1} if n == 0 else {}) for n in range(4)]
SET = {
    "TASKDATA.XML": document(),
    "TLG00001.xml": header([WIDTH, STATE]),
    "TLG00001.bin": b"".join(POINTS),
}
TRACK = "SELECT device_id, time, work_state, width_m FROM track_points ORDER BY time"


def write(steppe: Steppe, files: dict[str, bytes], folder: str = "TASKDATA") -> None:
    for name, content in files.items():
        steppe.write(f"{folder}/{name}", content)


@pytest.mark.parametrize("form", ["folder", "document", "log", "zip", "zip in a folder"])
def test_a_set_is_found_in_whatever_it_lies(steppe: Steppe, form: str) -> None:
    if form == "zip":
        (made,) = steppe.runs(steppe.write("x.zip", zipped(SET)))
    elif form == "zip in a folder":
        steppe.write("export/x.zip", zipped({f"A/B/{name}": one for name, one in SET.items()}))
        (made,) = steppe.runs()
    else:
        write(steppe, SET)
        inside = {"folder": "", "document": "TASKDATA.XML", "log": "TLG00001.bin"}[form]
        (made,) = steppe.runs(steppe.folder / "TASKDATA" / inside)

    assert (made.state, made.kind, made.into) == ("imported", "isoxml", SEEDER)
    assert (made.new, made.known) == (4, 0)
    # 10:00 by a clock that shows the farm's time, UTC+5.
    first = dt.datetime(2025, 5, 27, 5, tzinfo=dt.UTC)
    assert steppe.rows(TRACK) == [
        (SEEDER, first + dt.timedelta(seconds=n), 1, 12.0) for n in range(4)
    ]
    (device,) = steppe.rows("SELECT kind, name, timezone FROM devices")
    assert device == ("tractor", "Seeder", "Asia/Almaty")


def test_the_clocks_zone_is_a_setting(steppe: Steppe) -> None:
    write(steppe, SET)

    (made,) = steppe.runs(timezone="Europe/Berlin")

    assert made.first == "2025-05-27T08:00:00Z"
    assert "times are those of the machine's clock, read as Europe/Berlin (UTC+02:00 then)" in (
        made.notes
    )


def test_imported_again_nothing_is_stored_twice(steppe: Steppe) -> None:
    readings = {"TLG00001.xml": header([WIDTH, STATE, ENGINE])} | {
        "TLG00001.bin": b"".join([record(0, {0: 12_000, 1: 1, 2: 18_000_000}), record(1)])
    }
    write(steppe, SET | readings)

    (first,), (second,) = steppe.runs(), steppe.runs()

    assert [(one.new, one.known) for one in (first, second)] == [(3, 0), (0, 3)]
    for table, count in (
        ("track_points", 2), ("readings", 1), ("track_conflicts", 0), ("reading_conflicts", 0),
    ):  # fmt: skip
        assert steppe.rows(f"SELECT count(*) FROM {table}") == [(count,)]  # noqa: S608
    assert steppe.rows(
        "SELECT quantity, value FROM readings JOIN datastreams ON id=datastream_id"
    ) == [("engine_speed", 1_800.0)]


def test_a_dry_run_says_the_same_and_keeps_nothing(steppe: Steppe) -> None:
    write(steppe, SET)

    (dry,) = steppe.runs(dry=True)

    assert steppe.rows("SELECT (SELECT count(*) FROM track_points), count(*) FROM devices") == [
        (0, 0)
    ]
    assert steppe.runs() == [dry]


def test_a_tasks_totals_stand_beside_those_that_the_document_states(steppe: Steppe) -> None:
    log = [record(0, {0: 100, 1: 7}), record(1, {0: 140}), record(2, {0: 165, 1: 9})]
    write(
        steppe,
        {
            "TASKDATA.XML": document(),
            "TLG00001.xml": header([116, 148]),
            "TLG00001.bin": b"".join(log),
        },
    )

    ((task,),) = (one.details for one in steppe.runs())

    # 165 - 100 m² are 0.0065 ha, 9 - 7 ml of fuel 0.002 L; the document has 60 m².
    assert task["totals"] == {"area_ha": 0.0065, "fuel_l": 0.002}
    assert task["stated"] == {"area_ha": 0.006}
    assert (task["name"], task["field"], task["products"]) == ("Sowing", "North", ["Barley"])
    assert (task["records"], task["points"], task["logs"]) == (3, 3, ["TLG00001"])


def test_a_combine_seen_by_the_work_report(steppe: Steppe) -> None:
    """One pass of 200 m in the west of the field: 10 m wide, 2 m/s, 4 kg/s of wet grain."""
    seconds = np.arange(0, 101)
    lon, lat = place(np.full(seconds.shape, 5.0), 2.0 * seconds)
    said = {0: 10_000, 1: 4_000_000, 2: 150_000, 3: 1}  # 15 % moisture
    records = [
        pack(
            "<IHiiB", (36_000 + int(second)) * 1000, DAY + 106, round(north * 1e7),
            round(east * 1e7), 1,
        )
        + pack("<B", 4 if second == 0 else 0)
        + (b"".join(pack("<Bi", *one) for one in said.items()) if second == 0 else b"")
        for second, east, north in zip(seconds, lon, lat, strict=True)
    ]  # fmt: skip
    write(
        steppe,
        {
            "TASKDATA.XML": document(HARVESTER, TASK, NAMES),
            "TLG00001.xml": header([WIDTH, FLOW, MOISTURE, STATE]),
            "TLG00001.bin": b"".join(records),
        },
    )

    (made,) = steppe.runs()
    analyse(steppe.engine, steppe.farm, NOW)
    with steppe.engine.connect() as connection:
        found = work.of_farm(connection, "steppe")

    assert (made.new, made.into) == (101, SEEDER)
    (machine,) = found["machines"]
    assert machine["kind"] == "harvester"
    (operation,) = found["fields"][0]["operations"]
    assert operation["harvest"]["wet_mass_t"] == pytest.approx(0.4, rel=0.03)  # 4 kg/s for 100 s
    assert operation["worked_ha"] == pytest.approx(0.2, rel=0.03)
    assert operation["harvest"]["moisture_pct"] == pytest.approx(15.0)


# --- whose it is ----------------------------------------------------------------------------------


def test_the_machine_is_that_which_speaks_most_in_the_log(steppe: Steppe) -> None:
    tractor = """<DVC A="DVC-2" B="Tractor" D="A000820000000002" E="T-7">
        <DET A="DET-9" B="1" C="1" D="Tractor" E="0" F="0"/></DVC>"""
    write(
        steppe,
        SET
        | {
            "TASKDATA.XML": document(tractor, MACHINE, TASK, NAMES),
            "TLG00001.xml": header([(WIDTH, "DET-1"), (STATE, "DET-2"), (149, "DET-9")]),
        },
    )

    (made,) = steppe.runs()

    assert made.into == SEEDER
    assert "TLG00001: values of Tractor count for its machine too" in made.notes


def test_a_log_of_places_alone_is_of_the_tasks_machine(steppe: Steppe) -> None:
    write(steppe, SET | {"TLG00001.xml": header([]), "TLG00001.bin": record(0)})

    assert steppe.runs()[0].into == SEEDER


def test_a_device_that_is_named_takes_it_all(steppe: Steppe) -> None:
    with steppe.engine.begin() as connection:
        mine = put_device(connection, steppe.farm, "seeder", "tractor")
    write(steppe, SET)

    assert steppe.runs(device=mine)[0].into == mine
    assert steppe.rows("SELECT count(*) FROM devices") == [(1,)]


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("other-1", "device other-1 is not one of the farm steppe"),
        ("steppe-old", "device steppe-old was disabled"),
        ("a/b", "device 'a/b': an id has"),
    ],
)
def test_a_device_that_cannot_have_it_is_refused(steppe: Steppe, device: str, reason: str) -> None:
    with steppe.engine.begin() as connection:
        put_device(connection, put_farm(connection, "other"), "1", "tractor")
        devices.put(
            connection,
            "steppe-old",
            farm_id=steppe.farm.id,
            kind="tractor",
            name="-",
            disabled=True,
        )
    write(steppe, SET)

    (made,) = steppe.runs(device=device)

    assert made.state == "refused"
    assert made.errors[0].startswith(reason)
    assert steppe.rows("SELECT count(*) FROM track_points") == [(0,)]


def test_logs_that_name_no_machine_ask_for_one(steppe: Steppe) -> None:
    write(steppe, {name: one for name, one in SET.items() if name != "TASKDATA.XML"})

    (made,) = steppe.runs()

    assert made.errors == ("TLG00001: no machine is named in the set; name one with --device",)
    assert steppe.runs(device="steppe-t1")[0].new == 4


# --- what is missing or damaged -------------------------------------------------------------------


def test_a_damaged_log_is_named_and_the_others_are_stored(steppe: Steppe) -> None:
    bad = {"TLG00002.xml": SET["TLG00001.xml"], "TLG00002.bin": SET["TLG00001.bin"][:-3]}
    write(steppe, SET | bad)

    (made,) = steppe.runs()

    assert (made.state, made.new) == ("partly", 4)
    assert made.errors == ("TLG00002.bin, line 4, column TIM: the record is cut off",)
    assert made.known == 3  # those before the cut, which the other log has, too


def test_a_bad_document_refuses_its_set_and_no_other(steppe: Steppe) -> None:
    write(steppe, SET, "good")
    write(steppe, SET | {"TASKDATA.XML": b"<ISO11783_TaskData><TSK"}, "bad")

    bad, good = steppe.runs()

    assert (bad.state, good.state) == ("refused", "imported")
    assert "line 1, column" in bad.errors[0]


def test_what_is_not_there_is_told(steppe: Steppe) -> None:
    more = TASK.replace('<TLG A="TLG00001" C="1"/>', '<TLG A="TLG00001"/><TLG A="TLG00007"/>')
    write(steppe, SET | {"TASKDATA.XML": document(MACHINE, more, NAMES)})

    (made,) = steppe.runs()

    assert made.state == "imported"
    assert "it refers to files that are not there (1): TLG00007" in made.notes


def test_records_that_are_no_points_are_counted(steppe: Steppe) -> None:
    future = record(0, day=DAY + 400)
    write(steppe, SET | {"TLG00001.bin": record(0) + record(1, status=0) + future})

    (made,) = steppe.runs()

    assert made.left_out == {"no-fix": 1, "time-in-future": 1}
    assert made.new == 1


# --- clocks ---------------------------------------------------------------------------------------


def test_a_document_that_contradicts_the_zone_is_told(steppe: Steppe) -> None:
    written = TASK.replace('A="2025-05-27T10:00:00"', 'A="2025-05-27T08:00:20Z"')
    write(steppe, SET | {"TASKDATA.XML": document(MACHINE, written, NAMES)})

    notes = steppe.runs(dry=True)[0].notes

    assert any(
        "TASKDATA.XML has 2025-05-27T08:00:20Z where the clock shows 10:00:00: the clock would be "
        "UTC+02:00, and not Asia/Almaty (UTC+05:00 then)" in note
        for note in notes
    )
    assert not any(
        "Check --timezone" in one for one in steppe.runs(timezone="Europe/Berlin")[0].notes
    )


def test_the_receivers_time_is_taken_and_measures_the_clock(steppe: Steppe) -> None:
    ms = 5 * 3_600_000
    place_ = pack("<IHiiB", ms + 7_200_000, DAY, 510_000_000, 710_000_000, 1)
    log = place_ + pack("<IHB", ms, DAY, 0)
    write(steppe, SET | {"TLG00001.xml": header([], places="ABDHI"), "TLG00001.bin": log})

    (made,) = steppe.runs()

    assert made.first == "2025-05-27T05:00:00Z"
    assert (
        "TLG00001: times are the receiver's (1 of 1 records); by it the clock is UTC+02:00, which "
        "is -03:00 off Asia/Almaty" in made.notes
    )


# --- real sets ------------------------------------------------------------------------------------


def test_real_sets_are_stored_whole_and_once(steppe: Steppe, shared) -> None:
    folders = [shared / "samples/isoxml", shared / "agronomy/iso11783"]
    first = steppe.runs(*folders, timezone="Europe/Berlin")
    again = steppe.runs(*folders, timezone="Europe/Berlin")

    found = {one.source.rsplit("/", 1)[-1]: one for one in first if one.kind == "isoxml"}
    assert {name: one.new for name, one in found.items()} == {
        "cnh-intelliview12": 0,
        "forage-harvester-cci": 187,
        "krone-smartconnect": 314 + 27 + 303,  # points of both logs, and readings
        "iso11783": 4_135,
    }
    assert [one.new for one in again] == [0] * len(first)
    (task,) = (one for one in found["iso11783"].details if one["logs"])
    # Published by the set's own authors, and what TASKDATA.XML has: 242,461 kg on 4.05 ha.
    assert task["totals"]["mass_kg"] == task["stated"]["mass_kg"] == 242_461
    assert task["totals"]["area_ha"] == task["stated"]["area_ha"] == 4.05
    assert any("would be UTC+02:00" in note for note in found["krone-smartconnect"].notes)


def test_two_farms_may_have_the_same_machine(steppe: Steppe, empty_engine: sa.Engine) -> None:
    write(steppe, SET)
    steppe.runs()
    with empty_engine.begin() as connection:
        steppe.farm = put_farm(connection, "other")

    assert steppe.runs()[0].into == "other-isoxml-s-n-42"
