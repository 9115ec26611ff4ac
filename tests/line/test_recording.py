"""A recorded season goes through broker, ingest and analysis and comes out as figures."""

import json
from pathlib import Path

import pytest

from .conftest import Run, summary

pytestmark = pytest.mark.slow

SEASON = """
[farm]
name = "Plot"
slug = "plot"
[site]
latitude_deg = 43.0
longitude_deg = 68.0
elevation_m = 200.0
wind_height_m = 2.0
timezone = "Asia/Almaty"
[season]
start = 2025-06-01
end = 2025-06-05
event_timing = "start-of-day"
[crop]
name = "cotton"
kcb_ini = 0.15
kcb_mid = 1.15
kcb_end = 0.5
l_ini = 30
l_dev = 50
l_mid = 55
l_end = 45
h_ini_m = 0.05
h_max_m = 1.2
zr_ini_m = 0.6
zr_max_m = 1.5
p = 0.65
adjust_p = true
adjust_kcb = false
[soil]
theta_fc = 0.30
theta_wp = 0.15
theta_0 = 0.20
ze_m = 0.10
rew_mm = 9.0
[[fields]]
name = "north"
area_ha = 10.0
meter = "meter"
[[devices]]
name = "station"
kind = "weather-station"
[[devices]]
name = "meter"
kind = "flow-meter"
"""

# The day of FAO-56 Example 18 is not needed here: the claim is that what was sent is what counts.
DAY = {
    "air_temperature_max": 35.0,
    "air_temperature_min": 19.0,
    "dew_point": 9.0,
    "solar_radiation_sum": 27.0,
    "wind_speed_mean": 2.0,
    "rain": 0.0,
}


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    (folder / "season.toml").write_text(SEASON)
    rows = ["time,device,quantity,depth_cm,value"]
    for day in range(1, 6):
        stamp = f"2025-06-{day:02d}T18:55:00Z"  # 23:55 in Almaty
        rows += [f"{stamp},station,{quantity},,{value}" for quantity, value in DAY.items()]
    # 400 m³ on the third, read late on the fourth; the counter began at 1000.
    counts = (
        ("01T01:00", 1000.0),
        ("03T01:00", 1000.0),
        ("03T09:00", 1250.0),
        ("04T01:00", 1400.0),
    )
    rows += [f"2025-06-{time}:00Z,meter,water_total,,{value}" for time, value in counts]
    (folder / "readings.csv").write_text("\n".join(rows) + "\n")
    (folder / "irrigation.csv").write_text(
        "start,end,field,depth_mm,volume_m3,wetted_fraction,efficiency\n"
        "2025-06-03T01:00:00+00:00,2025-06-03T09:00:00+00:00,north,4.0,400.0,0.5,0.8\n"
    )
    return folder


@pytest.fixture(scope="module")
def replayed(dala: Run, plot: Path) -> list[str]:
    """What the verb said when the season was replayed, and again; it is analysed then."""
    said = [dala("replay", plot).stderr for _ in range(2)]
    dala("analyze")
    return said


def test_a_season_of_five_days_is_stored_once_and_its_meter_is_believed(
    dala: Run, replayed: list[str]
) -> None:
    first, second = replayed
    water = summary(dala, "plot", 2025)["water"]

    assert "34 readings and track points stored, 0 were there already" in first
    assert "0 readings and track points stored, 34 were there already" in second
    assert water["applied_m3"] == 400.0
    assert water["applied_mm"] == 4.0
    assert water["closure_mm"] < 1e-6
    # 27 MJ/m² on a clear, dry June day: between 6 and 8 mm of ET0 a day.
    assert 5 * 6 < water["et0_mm"] < 5 * 8
    assert water["apparent_savings_m3"] is None


def test_analysing_again_changes_nothing(dala: Run, replayed: list[str]) -> None:
    assert "0 of 1 crop zones have a new result; 0 days" in dala("analyze").stderr


def test_the_measured_cotton_season_agrees_with_its_published_sums(dala: Run, shared: Path) -> None:
    folder = shared / "recordings" / "maricopa-cotton-2013"
    expected = json.loads((folder / "expected.json").read_text())
    tolerance = expected["tolerance"]

    dala("replay", folder)
    dala("analyze", "--farm", "maricopa-2013")
    found = summary(dala, "maricopa-2013", 2013)

    for zone in found["crop_zones"]:
        sums = expected["fields"][zone["field"]]
        water = zone["water"]
        assert water["applied_m3"] == expected["applied_m3"][zone["field"]]
        assert water["et0_mm"] == pytest.approx(sums["et0_mm"], rel=tolerance["et0_season_rel"])
        assert water["eta_mm"] == pytest.approx(sums["eta_mm"], rel=tolerance["eta_season_rel"])
        assert water["closure_mm"] < 1e-6
    assert {zone["field"] for zone in found["crop_zones"]} == {"dry", "wet"}


def test_a_folder_that_is_no_recording_is_refused_in_one_sentence(
    dala: Run, tmp_path: Path
) -> None:
    done = dala("replay", tmp_path, code=1)

    assert (
        done.stderr.strip() == f"dala: {tmp_path / 'season.toml'} is missing: a recording has one"
    )


def test_a_bad_line_of_a_recording_is_named(dala: Run, plot: Path, tmp_path: Path) -> None:
    for name in ("season.toml", "irrigation.csv"):
        (tmp_path / name).write_text((plot / name).read_text())
    (tmp_path / "readings.csv").write_text(
        "time,device,quantity,depth_cm,value\n2025-06-01T00:00:00Z,station,rain,,wet\n"
    )

    done = dala("replay", tmp_path, code=1)

    assert "readings.csv, line 2" in done.stderr
    assert "wet" in done.stderr
