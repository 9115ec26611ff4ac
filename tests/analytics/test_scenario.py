"""A field's balance from files: what the numbers are, and what a bad file is told."""

import csv
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.scenario import run_files, run_scenario
from analytics.scenario_document import ScenarioError, parse_scenario
from analytics.tables import TableError, read_irrigation, read_weather

SCENARIO = """
[site]
latitude_deg = 43.2
elevation_m = 700.0
wind_height_m = 2.0
[season]
start = 2025-05-01
end = 2025-05-10
event_timing = "start-of-day"
[crop]
name = "maize"
kcb_ini = 0.15
kcb_mid = 1.15
kcb_end = 0.15
l_ini = 3
l_dev = 3
l_mid = 2
l_end = 2
h_ini_m = 0.05
h_max_m = 2.0
zr_ini_m = 0.2
zr_max_m = 1.2
p = 0.55
adjust_p = true
adjust_kcb = false
[soil]
theta_fc = 0.25
theta_wp = 0.12
theta_0 = 0.20
ze_m = 0.10
rew_mm = 9.0
"""
HEADER = (
    "date,tmax_c,tmin_c,solar_mj_m2,vapour_pressure_kpa,tdew_c,"
    "rh_max_pct,rh_min_pct,wind_m_s,rain_mm"
)
DAY = ",25,10,22,1.1,,80,40,2.5,0"
WEATHER = [HEADER, *(f"2025-05-{day:02}{DAY}" for day in range(1, 11))]
IRRIGATION = ["date,depth_mm,wetted_fraction,efficiency", "2025-05-02,40,0.5,0.75"]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[dict, list[dict[str, str]]]]:
    """Season totals and rows of the daily CSV for these file contents."""

    def files(
        weather: list[str] = WEATHER,
        scenario: str = SCENARIO,
        irrigation: list[str] | None = None,
    ) -> tuple[dict, list[dict[str, str]]]:
        (tmp_path / "weather.csv").write_text("\n".join(weather))
        (tmp_path / "field.toml").write_text(scenario)
        applied = None
        if irrigation is not None:
            applied = tmp_path / "irrigation.csv"
            applied.write_text("\n".join(irrigation))
        totals, days = run_files(tmp_path / "field.toml", tmp_path / "weather.csv", applied)
        return totals, list(csv.DictReader(days.splitlines()))

    return files


def test_totals_are_the_sums_of_the_days(run):
    totals, days = run(irrigation=IRRIGATION)
    assert [row["date"] for row in days] == [f"2025-05-{day:02}" for day in range(1, 11)]
    for name in (
        "et0_mm",
        "etc_mm",
        "eta_mm",
        "evaporation_mm",
        "transpiration_mm",
        "deep_percolation_mm",
        "runoff_mm",
        "irrigation_net_mm",
        "rain_mm",
    ):
        assert_allclose(sum(float(row[name]) for row in days), totals[name], err_msg=name)
    assert totals["depletion_start_mm"] == pytest.approx(1000 * 0.05 * 0.2)
    assert totals["depletion_end_mm"] == float(days[-1]["depletion_mm"])
    assert abs(totals["closure_mm"]) < 1e-6


def test_the_csv_has_the_columns_of_the_surface(run):
    _, days = run()
    assert ",".join(days[0]) == (
        "date,et0_mm,kcb,ke,ks,etc_mm,eta_mm,evaporation_mm,transpiration_mm,"
        "deep_percolation_mm,runoff_mm,depletion_mm,taw_mm,raw_mm,irrigation_net_mm,rain_mm"
    )


def test_irrigation_is_gross_times_efficiency(run):
    totals, days = run(irrigation=IRRIGATION)
    assert totals["irrigation_net_mm"] == 30.0
    assert float(days[1]["irrigation_net_mm"]) == 30.0


def test_two_applications_on_one_day_add_up(run):
    totals, _ = run(irrigation=[*IRRIGATION, "2025-05-02,20,0.8,1.0"])
    assert totals["irrigation_net_mm"] == 50.0


def test_irrigation_outside_the_season_is_left_out_and_said(run):
    totals, _ = run(irrigation=[*IRRIGATION, "2025-07-01,20,1,1"])
    assert totals["irrigation_net_mm"] == 30.0
    assert "20 mm were irrigated outside the season and are left out" in totals["notes"]


def test_what_stood_in_for_a_measurement_is_said(run):
    gaps = [HEADER, *(f"2025-05-{day:02},25,10,,,,,,," for day in range(1, 11))]
    totals, _ = run(weather=gaps)
    notes = "; ".join(totals["notes"])
    for words in (
        "vapour pressure from minimum temperature on 10 days",
        "wind unknown, taken as 2 m/s",
        "solar radiation unknown, estimated from temperature",
        "rain unknown, taken as none, on 10 days",
    ):
        assert words in notes
    assert totals["et0_mm"] > 0


def test_a_measured_season_has_nothing_to_say(run):
    totals, _ = run()
    assert totals["notes"] == []


def test_kcb_follows_the_climate_where_asked(run):
    plain, _ = run()
    fitted, days = run(scenario=SCENARIO.replace("adjust_kcb = false", "adjust_kcb = true"))
    # Wind 2.5 m/s and 40 % for 2 m of maize: (0.02 + 0.02)(2/3)^0.3 = 0.0354
    assert_allclose(float(days[6]["kcb"]), 1.15 + 0.0354, atol=1e-4)
    assert fitted["conventions"]["adjust_kcb"]
    assert fitted["etc_mm"] > plain["etc_mm"]


def test_runoff_only_with_a_curve_number(run):
    storm = [*WEATHER[:3], "2025-05-03,25,10,22,1.1,,80,40,2.5,80", *WEATHER[4:]]
    assert run(weather=storm)[0]["runoff_mm"] == 0
    numbered = SCENARIO + "curve_number = 80\n"
    assert run(weather=storm, scenario=numbered)[0]["runoff_mm"] > 5


def test_days_around_the_season_and_their_order_do_not_matter(run):
    around = [HEADER, f"2025-05-20{DAY}", *reversed(WEATHER[1:]), f"2025-03-01{DAY}"]
    assert run(weather=around) == run()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2025-05-03,25,10,254,1.1,,80,40,2.5,0", "line 4, column solar_mj_m2: 254 .*0.0864"),
        ("2025-05-03,25,x,22,1.1,,80,40,2.5,0", "line 4, column tmin_c: 'x' is not a number"),
        ("2025-05-03,25,nan,22,1.1,,80,40,2.5,0", "line 4, column tmin_c: 'nan' is not a number"),
        ("2025-05-03,10,25,22,1.1,,80,40,2.5,0", "line 4, column tmax_c: 10 is below tmin_c 25"),
        ("2025-05-03,25,,22,1.1,,80,40,2.5,0", "line 4, column tmin_c: is empty"),
        ("2025-05-03,25,10,22,1.1,,180,40,2.5,0", "line 4, column rh_max_pct: 180"),
        ("2025-05-03,25,10,22,1.1,,80,40,2.5,-1", "line 4, column rain_mm: -1"),
        ("2025-05-03,25,10,22,11,,80,40,2.5,0", "line 4, column vapour_pressure_kpa: 11 .*hPa"),
        (
            "2025-05-02,25,10,22,1.1,,80,40,2.5,0",
            "line 4, column date: 2025-05-02 stands in line 3",
        ),
        ("03.05.2025,25,10,22,1.1,,80,40,2.5,0", "line 4, column date: '03.05.2025'"),
        ("2025-05-03,25,10,22,1.1", "line 4, column tdew_c: 5 cells"),
    ],
)
def test_a_bad_day_of_weather_is_named(run, line, message):
    with pytest.raises(TableError, match=f"weather.csv, {message}"):
        run(weather=[*WEATHER[:3], line, *WEATHER[4:]])


def test_missing_days_are_counted(run):
    with pytest.raises(
        TableError, match=r"line 4, column date: .* missing: 4, the first is 2025-05-03"
    ):
        run(weather=[*WEATHER[:3], *WEATHER[7:]])
    with pytest.raises(TableError, match="missing: 1, the first is 2025-05-10"):
        run(weather=WEATHER[:-1])
    with pytest.raises(TableError, match="missing: 10, the first is 2025-05-01"):
        run(weather=[HEADER])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("solar_mj_m2", "solar_w_m2"), "column solar_w_m2: is not one of"),
        (HEADER.replace(",rain_mm", ""), "column rain_mm: is missing"),
        (HEADER.replace("tdew_c", "tmax_c"), "column tmax_c: stands twice"),
    ],
)
def test_a_bad_header_is_named(header, message):
    with pytest.raises(TableError, match=f"w.csv, line 1, {message}"):
        read_weather([header, *WEATHER[1:]], "w.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2025-05-02,,0.5,0.75", "column depth_mm: is empty"),
        ("2025-05-02,40,50,0.75", "column wetted_fraction: 50"),
        ("2025-05-02,40,0.5,75", "column efficiency: 75"),
    ],
)
def test_a_bad_application_is_named(line, message):
    with pytest.raises(TableError, match=f"i.csv, line 2, {message}"):
        read_irrigation([IRRIGATION[0], line], "i.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kcb_mid = 1.15\n", "", "crop.kcb_mid: is missing"),
        ("latitude_deg = 43.2", "latitude_deg = 432", "site.latitude_deg: must be from -90 to 90"),
        ("latitude_deg = 43.2", 'latitude_deg = "43"', "site.latitude_deg: must be a number"),
        ("start-of-day", "noon", 'event_timing: must be "start-of-day" or "end-of-day"'),
        ("end = 2025-05-10", "end = 2024-05-10", "season.end: 2024-05-10 is before"),
        ("start = 2025-05-01", "start = 3", "season.start: must be a date"),
        ("adjust_p = true", 'adjust_p = "yes"', "crop.adjust_p: must be true or false"),
        ("theta_wp = 0.12", "theta_wp = 0.3", "soil.theta_fc: must be above soil.theta_wp"),
        ("rew_mm = 9.0", "rew_mm = 25.0", "soil.rew_mm: must be below the 19.0 mm"),
        ("zr_max_m = 1.2", "zr_max_m = 0.1", "crop.zr_max_m: is below crop.zr_ini_m"),
        ("[soil]", "[ground]", r"\[soil\]: this table is missing"),
        ("p = 0.55", "p = 1.5", "crop.p: must be from"),
        ("[site]", "[site", "field.toml: not TOML"),
    ],
)
def test_a_bad_scenario_is_named(run, old, new, message):
    with pytest.raises(ScenarioError, match=message):
        run(scenario=SCENARIO.replace(old, new, 1))


def test_fao_conventions_hold_where_a_scenario_is_silent():
    silent = tomllib.loads(SCENARIO)
    del silent["season"]["event_timing"], silent["crop"]["adjust_p"], silent["crop"]["adjust_kcb"]
    del silent["site"]["wind_height_m"]
    parsed = parse_scenario(silent)
    assert parsed.conventions == (
        "start-of-day", "after-et", True, True, "field-capacity", "short",
    )  # fmt: skip
    assert parsed.wind_height_m == 2.0
    assert parsed.soil.curve_number is None


STATION = {
    "air_temperature_max": "tmax_c",
    "air_temperature_min": "tmin_c",
    "solar_radiation_sum": "solar_mj_m2",
    "dew_point": "tdew_c",
    "relative_humidity_max": "rh_max_pct",
    "relative_humidity_min": "rh_min_pct",
    "wind_speed_mean": "wind_m_s",
    "rain": "rain_mm",
}


def _local_day(time: str) -> date:
    return (datetime.fromisoformat(time) - timedelta(hours=7)).date()  # Phoenix has no summer time


@pytest.mark.parametrize("field", ["dry", "wet"])
def test_the_recorded_season_comes_out_as_expected(shared: Path, field: str):
    folder = shared / "recordings/maricopa-cotton-2013"
    days: dict[date, dict[str, str]] = defaultdict(dict)
    with (folder / "readings.csv").open() as file:
        for row in csv.DictReader(file):
            if row["quantity"] in STATION:
                days[_local_day(row["time"])][STATION[row["quantity"]]] = row["value"]
    columns = HEADER.split(",")[1:]
    weather = [HEADER]
    weather += [
        ",".join([str(day), *(values.get(name, "") for name in columns)])
        for day, values in days.items()
    ]
    irrigation = [IRRIGATION[0]]
    with (folder / "irrigation.csv").open() as file:
        irrigation += [
            f"{_local_day(row['start'])},{row['depth_mm']},"
            f"{row['wetted_fraction']},{row['efficiency']}"
            for row in csv.DictReader(file)
            if row["field"] == field
        ]

    run = run_scenario(
        parse_scenario(tomllib.loads((folder / "season.toml").read_text())),
        read_weather(weather, "readings.csv"),
        read_irrigation(irrigation, "irrigation.csv"),
    )

    totals = run.totals()
    expected = json.loads((folder / "expected.json").read_text())["fields"][field]
    expected["irrigation_net_mm"] = expected.pop("irrigation_mm")
    del expected["with_station_et0"]
    for name, value in expected.items():
        assert_allclose(totals[name], value, atol=0.002, err_msg=name)
    assert abs(totals["closure_mm"]) < 1e-6
    assert np.abs(run.balance.closure).max() < 1e-6
