"""A scenario beyond one ordinary crop: basins, hay, and slips in its weather that are told."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.scenario import run_files
from analytics.scenario_document import ScenarioError
from analytics.tables import TableError
from tests.analytics.test_scenario import DAY, HEADER, SCENARIO, WEATHER

Run = Callable[..., tuple[dict, list[dict[str, float]]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Season totals and numbers of the daily CSV for a scenario and its files' lines."""

    def files(
        scenario: str, weather: list[str] = WEATHER, irrigation: list[str] | None = None
    ) -> tuple[dict, list[dict[str, float]]]:
        (tmp_path / "weather.csv").write_text("\n".join(weather))
        (tmp_path / "field.toml").write_text(scenario)
        applied = None
        if irrigation is not None:
            applied = tmp_path / "irrigation.csv"
            applied.write_text("\n".join(irrigation))
        totals, days = run_files(tmp_path / "field.toml", tmp_path / "weather.csv", applied)
        rows = list(csv.DictReader(days.splitlines()))
        return totals, [{k: float(v) for k, v in row.items() if k != "date"} for row in rows]

    return files


# Roots of 0.2 m all season in puddled soil: 36 mm of pores above field capacity, banks of 50 mm.
BASIN = (
    SCENARIO.replace("zr_max_m = 1.2", "zr_max_m = 0.2").replace("theta_0 = 0.20", "theta_0 = 0.43")
    + "theta_sat = 0.43\npercolation_mm_d = 4.0\nbund_mm = 50\n"
)
FLOOD = ["date,depth_mm,wetted_fraction,efficiency", "2025-05-01,30,1,1", "2025-05-05,90,1,1"]


def test_a_basin_begins_saturated_and_percolates_no_more_than_its_pan_lets_through(run: Run):
    totals, days = run(BASIN, irrigation=FLOOD)
    assert totals["depletion_start_mm"] == pytest.approx(-1000 * (0.43 - 0.25) * 0.2)
    assert max(day["deep_percolation_mm"] for day in days) == 4.0
    assert not any("drained before the first day" in note for note in totals["notes"])


def test_the_columns_of_a_basin_close_with_what_ran_over_its_banks(run: Run):
    # 30 mm stand on 1 May and 90 more come on the 5th: above 50 it runs off, and is in runoff_mm.
    totals, days = run(BASIN, irrigation=FLOOD)
    assert totals["runoff_mm"] > 5
    for before, day in zip([None, *days], days, strict=False):
        start = totals["depletion_start_mm"] if before is None else before["depletion_mm"]
        came = day["rain_mm"] + day["irrigation_net_mm"]
        went = day["eta_mm"] + day["runoff_mm"] + day["deep_percolation_mm"]
        assert came - went == pytest.approx(start - day["depletion_mm"], abs=1e-9)


def test_a_basin_that_falls_dry_is_stressed_from_below_saturation(run: Run):
    # p 0.55 of the 62 mm between saturation and the wilting point is 34.1: RAW is -1.9 mm.
    _, days = run(BASIN.replace("adjust_p = true", "adjust_p = false"))
    assert days[0]["raw_mm"] == pytest.approx(0.55 * 62 - 36)


def test_a_cut_takes_the_crop_back(run: Run):
    cut = (
        SCENARIO.replace("adjust_kcb = false", "adjust_kcb = false\ncuts = [2025-05-08]")
        + "\n[crop.later_cycle]\nl_ini = 3\nl_dev = 3\nl_mid = 2\nl_end = 2\n"
    )
    _, days = run(cut)
    _, whole = run(SCENARIO)
    assert days[6]["kcb"] == whole[6]["kcb"] == 1.15
    assert days[7]["kcb"] == 0.15 < whole[7]["kcb"]


def test_notes_on_the_crop_and_the_soil_come_with_the_result(run: Run):
    named = SCENARIO.replace("kcb_ini = 0.15\nkcb_mid = 1.15\nkcb_end = 0.15\n", "")
    totals, _ = run(named)
    assert any("FAO-56" in note for note in totals["notes"])


def test_wind_that_is_not_at_2_m_is_told(run: Run):
    totals, _ = run(SCENARIO.replace("wind_height_m = 2.0", "wind_height_m = 10.0"))
    assert totals["notes"] == ["wind is measured at 10 m: at 2 m it is 0.75 of that"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "2025-05-03,25,10,40,1.1,,80,40,2.5,0",
            "weather.csv: solar radiation is above that of a clear sky on 1 day, "
            "the first is 2025-05-03, line 4",
        ),
        (
            "2025-05-03,25,10,22,1.1,,40,80,2.5,0",
            "weather.csv: the lowest relative humidity is above the highest on 1 day, "
            "the first is 2025-05-03, line 4",
        ),
        (
            "2025-05-03,25,10,22,1.1,,80,40,45,0",
            "weather.csv: a day's mean wind is above 30 m/s on 1 day, "
            "the first is 2025-05-03, line 4",
        ),
    ],
)
def test_a_day_that_looks_wrong_is_told_and_counted(run: Run, line: str, words: str):
    totals, _ = run(SCENARIO, weather=[*WEATHER[:3], line, *WEATHER[4:]])
    assert totals["notes"] == [words]
    assert totals["et0_mm"] > 0


def test_weather_of_the_other_hemisphere_is_told(run: Run):
    # 35 MJ/m² in the June of 43° south, where a clear sky gives 8.
    june = [f"2025-06-{day:02},25,10,35,1.1,,80,40,2.5,0" for day in range(1, 31)]
    south = SCENARIO.replace("latitude_deg = 43.2", "latitude_deg = -43.2")
    season = south.replace("2025-05-01", "2025-06-01").replace("2025-05-10", "2025-06-30")
    totals, _ = run(season, weather=[HEADER, *june])
    assert any("W/m² for MJ/m²" in note or "latitude 43.2°" in note for note in totals["notes"])


def test_days_that_are_all_too_dull_are_told(run: Run):
    days = [f"2025-05-{day:02}{DAY.replace(',22,', ',6,')}" for day in range(1, 31)]
    season = SCENARIO.replace("end = 2025-05-10", "end = 2025-05-30")
    totals, _ = run(season, weather=[HEADER, *days])
    assert any("kWh/m² for MJ/m²" in note for note in totals["notes"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # 55° north in December: a clear sky has 4 MJ/m², which is a mean of 46 W/m²
        (",7,1.1,,80,40,", ",44,1.1,,80,40,", "column solar_mj_m2: .*0.0864"),
        (",1.1,,80,40,", ",,8,0.8,0.4,", "column rh_max_pct: .*share times 100"),
        (",1.1,,80,40,", ",1.1,,40,80,", "column rh_max_pct: .*rh_min_pct"),
        # 25 °C: air holds 3.17 kPa at most
        (",1.1,,80,40,", ",7.3,,80,40,", "column vapour_pressure_kpa: .*hPa divided by 10"),
    ],
)
def test_a_unit_that_is_wrong_all_season_is_refused(run: Run, old: str, new: str, message: str):
    winter = [line.replace("-05-", "-12-").replace(",22,", ",7,") for line in WEATHER]
    north = SCENARIO.replace("2025-05-", "2025-12-").replace("= 43.2", "= 55.0")
    with pytest.raises(TableError, match=f"weather.csv, line 2, {message}"):
        run(north, weather=[line.replace(old, new) for line in winter])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("event_timing", "event_timng", "season.event_timng: is no key; is event_timing meant"),
        ("rew_mm = 9.0", "rew_mm = 9.0\ncurve_numbr = 75", "soil.curve_numbr: .*curve_number"),
        ("adjust_kcb", "adjust_kbc", "crop.adjust_kbc: .*adjust_kcb"),
    ],
)
def test_a_key_that_is_nearly_right_is_refused(run: Run, old: str, new: str, message: str):
    with pytest.raises(ScenarioError, match=f"field.toml: {message}"):
        run(SCENARIO.replace(old, new, 1))


def test_a_key_that_nothing_reads_is_told(run: Run):
    totals, _ = run(SCENARIO.replace("[soil]", '[soil]\nsurveyor = "A. B."'))
    assert totals["notes"] == ["soil.surveyor is no key of a scenario and is left out"]
