"""Yield-monitor files as points of a harvester."""

import datetime as dt
import gzip

import pytest

from tests.ingest.imports.conftest import Steppe

# Longitude, latitude, lb/s, GPS time, s, in, in, %, header, pass, serial, field, load, grain.
LINE = '71.4,51.1,10.0,{},1,100,360,14.5,1,1,42,"F1","L1","Wheat"\n'
START = int(dt.datetime(2025, 9, 10, 6, tzinfo=dt.UTC).timestamp())
AG_LEADER = "".join(LINE.format(START + n) for n in range(3))
TRACK = """SELECT time, latitude_deg, longitude_deg, speed_m_s, work_state, width_m, mass_flow_kg_s,
                  crop_moisture_pct FROM track_points ORDER BY time"""
CSV = "time,longitude_deg,latitude_deg,mass_flow_kg_s,interval_s,distance_m,width_m,header_down\n"


def test_an_ag_leader_export_becomes_the_track_of_its_monitor(steppe: Steppe) -> None:
    made = steppe.imports("harvest.txt", AG_LEADER)

    assert (made.state, made.kind, made.into, made.new) == (
        "imported", "agleader", "steppe-agleader-42", 3,
    )  # fmt: skip
    rows = steppe.rows(TRACK)
    assert [row[0].timestamp() for row in rows] == [START, START + 1, START + 2]
    # 100 in are 2.54 m, 360 in 9.144 m, 10 lb 4.5359237 kg.
    assert rows[0][1:] == pytest.approx((51.1, 71.4, 2.54, 1, 9.144, 4.5359237, 14.5))
    assert steppe.rows("SELECT kind FROM devices") == [("harvester",)]


def test_gzipped_and_again_nothing_is_stored_twice(steppe: Steppe) -> None:
    steppe.imports("harvest.txt", AG_LEADER)

    made = steppe.imports("harvest.txt.gz", gzip.compress(AG_LEADER.encode()))

    assert (made.state, made.new, made.known) == ("imported", 0, 3)


def test_seconds_of_gps_are_a_setting(steppe: Steppe) -> None:
    # GPS counts from 1980-01-06, which is 315,964,800 s of 1970, and knows no leap seconds: 18.
    gps = "".join(LINE.format(START - 315_964_800 + 18 + n) for n in range(3))

    made = steppe.imports("harvest.txt", gps, gps_epoch=True)

    assert made.first == "2025-09-10T06:00:00Z"
    assert any("seconds since 1980-01-06 (GPS)" in note for note in made.notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            LINE.format(START) + LINE.format(59),
            "h.txt, line 2, column GPS time s: 59 is no time since 2000: older monitors",
        ),
        (
            LINE.format(START) + LINE.format(START).replace(",42,", ",43,"),
            "h.txt: records of 2 monitors",
        ),
        (LINE.format(START).replace(",1,1,42", ",3,1,42"), "h.txt, line 1, column header status"),
        (LINE.format("9" * 30), "h.txt, line 1, column GPS time s"),
    ],
)
def test_a_bad_export_is_refused_by_line_and_column(steppe: Steppe, text: str, reason: str) -> None:
    made = steppe.imports("h.txt", text)

    assert made.state == "refused"
    assert made.errors[0].startswith(reason)
    assert steppe.rows("SELECT count(*) FROM track_points") == [(0,)]


def test_a_yield_file_with_times_becomes_a_track(steppe: Steppe) -> None:
    text = CSV + (
        "2025-09-10T11:00:00+05:00,71.4,51.1,4,1,2.5,9,1\n"
        "2025-09-10 11:00:01,71.4,51.1,5,1,2.5,9,0\n"  # by the farm's clock
    )

    made = steppe.imports("harvest.csv", text)

    assert (made.kind, made.into, made.new) == ("yield", "steppe-yield-monitor", 2)
    rows = steppe.rows(TRACK)
    assert [row[0].timestamp() for row in rows] == [START, START + 1]
    assert [row[1:] for row in rows] == [
        (51.1, 71.4, 2.5, 1, 9.0, 4.0, None),
        (51.1, 71.4, 2.5, 0, 9.0, 5.0, None),
    ]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (
            CSV.removeprefix("time,") + "71.4,51.1,4,1,2.5,9,1\n",
            ["y.csv, line 1, column time: is missing: a point without a time cannot be stored"],
        ),
        (
            "time,longitude_deg,latitude_deg,yield_kg_ha\n2025-09-10 11:00,71.4,51.1,4000\n",
            ["y.csv, line 1, column yield_kg_ha: is made already"],
        ),
        (
            "time,x_m,y_m,mass_flow_kg_s,interval_s,distance_m,width_m\n"
            "2025-09-10 11:00,5,6,1,1,1,1\n",
            ["y.csv, line 1, column x_m: is in no system that is named: give --crs EPSG:32642"],
        ),
        (
            CSV + "yesterday,71.4,51.1,4,1,2.5,9,1\n2025-09-10 11:00,71.4,51.1,4,1,2.5,9,1\n"
            "2025-13-10 11:00,71.4,51.1,4,1,2.5,9,1\n",
            ["y.csv, line 2, column time: 'yesterday'", "y.csv, line 4, column time: '2025-13-10"],
        ),
        (
            CSV + "2025-09-10 11:00,71.4,91,4,1,2.5,9,1\n2025-09-10 11:00,71.4,51,x,1,2.5,9,1\n",
            ["y.csv, line 2, column latitude_deg", "y.csv, line 3, column mass_flow_kg_s"],
        ),
    ],
)
def test_a_bad_yield_file_is_refused_with_all_that_is_wrong(
    steppe: Steppe, text: str, reasons: list[str]
) -> None:
    made = steppe.imports("y.csv", text)

    assert made.state == "refused"
    assert len(made.errors) == len(reasons)
    for error, reason in zip(made.errors, reasons, strict=True):
        assert error.startswith(reason)


def test_projected_positions_need_their_system(steppe: Steppe) -> None:
    # UTM zone 42 has 69° E as its meridian, at 500,000 m.
    text = (
        "time,x_m,y_m,mass_flow_kg_s,interval_s,distance_m,width_m\n"
        "2025-09-10 11:00,500000,5660000,4,1,2.5,9\n"
    )

    made = steppe.imports("harvest.csv", text, crs="EPSG:32642")

    assert made.new == 1
    ((_, lat, lon, *_),) = steppe.rows(TRACK)
    assert lon == pytest.approx(69.0, abs=1e-9)
    assert 51.0 < lat < 51.2


def test_the_real_export_is_stored_to_the_last_record(steppe: Steppe, shared) -> None:
    (made,) = steppe.runs(shared / "agronomy/yield/yieldcleanr_sample1_soy_agleader.txt.gz")

    assert (made.new, made.known) == (21_917, 0)
    # Wet mass by flow and interval (1 s throughout), as expected.json has it.
    ((mass,),) = steppe.rows("SELECT sum(mass_flow_kg_s) FROM track_points")
    assert mass == pytest.approx(75_998.64863, abs=0.01)
