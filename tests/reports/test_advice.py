"""Advice from a real database: by hand, and what each missing thing does to it."""

import datetime as dt

import numpy as np
import pytest

from analytics.advice import Rules
from analytics.reference_et import actual_vapour_pressure, fao56_daily
from analytics.tables import WEATHER_COLUMNS
from reports.advice import DayAhead, Question, in_words, of_farm, of_field
from reports.forecast_files import import_forecast
from storage import forecasts
from storage.database import NotFound
from storage.forecasts import ForecastDay
from tests.reports.advice_farm import (
    DAY,
    NOW,
    TODAY,
    put_evening,
    put_farm,
    put_station,
    put_zone,
)

ASKED = Question(NOW)
WEEK = [TODAY + number * DAY for number in range(8)]


@pytest.fixture
def farm(connection):
    return put_farm(connection)


def forecast(connection, farm, rain=(0.0,) * 8, *, issued_at=NOW, source="met"):
    """Eight days alike: 32 and 16 °C, 26 MJ/m², dew point 12 °C, 2 m/s; rain as given."""
    days = [
        ForecastDay(day, 32.0, 16.0, falling, 26.0, 12.0, 45.0, 2.0)
        for day, falling in zip(WEEK, rain, strict=True)
    ]
    forecasts.put(connection, farm.id, days, issued_at=issued_at, source=source)


def et0_of(day: dt.date) -> float:
    return float(
        fao56_daily(
            32.0,
            16.0,
            26.0,
            actual_vapour_pressure(32.0, 16.0, tdew=12.0),
            2.0,
            latitude=43.0,
            elevation=200.0,
            day_of_year=day.timetuple().tm_yday,
        )
    )


def only(advice):
    (zone,) = advice["crop_zones"]
    return zone


def keys(messages):
    return [one["key"].rpartition(".")[2] for one in messages]


def test_the_week_by_hand(connection, farm):
    # RAW is 75 mm; 60 are missing this morning and a dry surface gives nothing, so each day takes
    # ET0 (about 6.5 mm): 60, 66, 73, 79. Watered on the fourth day with what is missing then.
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    missing = 60.0 + np.cumsum([et0_of(day) for day in WEEK])
    assert missing[1] < 75.0 <= missing[2]

    advice = of_farm(connection, "by-hand", ASKED)

    found = only(advice)
    assert (advice["day"], advice["last_day"]) == ("2025-07-01", "2025-07-08")
    assert [day["source"] for day in advice["weather"]] == ["forecast"] * 8
    assert found["decision"] == "irrigate-in-days"
    assert found["refill_day"] == "2025-07-03"
    assert [day["depletion_mm"] for day in found["days"][:3]] == pytest.approx(missing[:3])
    assert found["next_irrigation"] == {
        "day": "2025-07-04",
        "irrigation_net_mm": pytest.approx(missing[2]),
        "irrigation_gross_mm": pytest.approx(missing[2] / 0.75),
        "irrigation_m3": pytest.approx(missing[2] / 0.75 * 100.0),  # 10 ha · 10 m³ per ha and mm
        "irrigation_hours": pytest.approx(missing[2] / 0.75 * 100.0 / 500.0),
    }
    assert found["stale_days"] == 0
    assert (found["stress_days"], found["first_stress_day"]) == (5, "2025-07-04")
    assert keys(found["reasons"]) == ["line_reached", "amount", "volume", "hours", "stress_ahead"]
    assert found["reasons"][0]["values"] == {
        "day": "2025-07-03",
        "depletion_mm": round(missing[2], 1),
        "line_mm": 75.0,
    }
    assert keys(found["assumptions"]) == ["refill_line", "forecast"]


def test_a_line_that_was_passed_days_ago_waters_today_and_says_since_when(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    for back, depletion in ((4, 74.0), (3, 76.0), (2, 80.0), (1, 86.0)):
        put_evening(connection, zone, TODAY - back * DAY, depletion)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert found["decision"] == "irrigate-now"
    assert found["refill_day"] == "2025-06-28"
    assert found["next_irrigation"]["day"] == "2025-07-01"
    assert found["next_irrigation"]["irrigation_net_mm"] == pytest.approx(86.0)
    assert keys(found["reasons"])[0] == "line_passed"


def test_forecast_rain_is_waited_for_and_a_climate_is_not(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 76.0)
    forecast(connection, farm, (0.0, 40.0, 0, 0, 0, 0, 0, 0))

    found = only(of_farm(connection, "by-hand", ASKED))

    assert found["decision"] == "wait-for-rain"
    rain = next(one for one in found["reasons"] if one["key"].endswith("rain_expected"))
    assert rain["values"] == {"day": "2025-07-01", "rain_mm": 40.0}


def test_a_plan_that_waits_for_rain_later_says_so(connection, farm):
    # Reached on the evening of the 1st, at 73 + ET0; the 40 mm of the 3rd are worth waiting for.
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 73.0)
    forecast(connection, farm, (0.0, 0.0, 40.0, 0, 0, 0, 0, 0))

    found = only(of_farm(connection, "by-hand", ASKED))

    assert found["refill_day"] == "2025-07-01"
    assert found["next_irrigation"] is None or found["next_irrigation"]["day"] > "2025-07-03"
    rain = next(one for one in found["reasons"] if one["key"].endswith("rain_expected"))
    assert rain["values"] == {"day": "2025-07-02", "rain_mm": 40.0}


def test_a_crop_without_a_system_is_told_its_water_and_no_amount(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm, irrigation_method=None)
    put_evening(connection, zone, TODAY - DAY, 90.0)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["decision"], found["next_irrigation"]) == ("rain-fed", None)
    assert (found["depletion_mm"], found["taw_mm"]) == (90.0, 150.0)
    assert found["stress_days"] == 8
    assert found["lowest_ks"] < 0.8  # (150 - 90) / 75 on the first day, and falling
    assert keys(found["reasons"])[0] == "rain_fed"


@pytest.mark.parametrize(
    ("planted", "harvested", "decision", "key"),
    [
        (dt.date(2025, 2, 1), TODAY - DAY, "season-over", "season_over"),
        (TODAY + DAY, dt.date(2025, 10, 1), "not-begun", "not_begun"),
        (dt.date(2025, 5, 1), dt.date(2025, 9, 1), "no-balance", "no_balance"),
    ],
)
def test_outside_its_season_or_without_a_balance_nothing_is_advised(
    connection, farm, planted, harvested, decision, key
):
    forecast(connection, farm)
    put_zone(connection, farm, planted=planted, harvested=harvested)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["decision"], keys(found["reasons"])) == (decision, [key])
    assert (found["days"], found["next_irrigation"], found["refill_day"]) == ([], None, None)


def test_on_the_day_of_planting_the_soil_is_as_entered(connection, farm):
    forecast(connection, farm)
    put_zone(connection, farm, planted=TODAY, soil={"theta_0": 0.25})

    found = only(of_farm(connection, "by-hand", ASKED))

    assert found["depletion_mm"] == pytest.approx(50.0)  # 1000 (0.30 - 0.25) 1
    assert found["refill_line_mm"] == pytest.approx(75.0)
    assert "from_planting" in keys(found["assumptions"])


def test_after_the_harvest_there_is_nothing_to_water_for(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm, harvested=TODAY + DAY)
    put_evening(connection, zone, TODAY - DAY, 60.0)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["decision"], found["refill_day"]) == ("no-need", None)
    assert [day["day"] for day in found["days"]] == ["2025-07-01", "2025-07-02"]
    assert keys(found["reasons"])[0] == "harvest_first"


def test_of_a_field_the_zone_of_the_day_speaks(connection, farm):
    forecast(connection, farm)
    put_zone(
        connection,
        farm,
        crop="wheat",
        planted=dt.date(2024, 9, 1),
        harvested=dt.date(2025, 4, 1),
    )
    cotton = put_zone(connection, farm)
    put_evening(connection, cotton, TODAY - DAY, 10.0)

    assert only(of_farm(connection, "by-hand", ASKED))["crop"] == "cotton"


# --- what is missing ------------------------------------------------------------------------------


def test_what_nobody_entered_is_assumed_and_said(connection, farm):
    forecast(connection, farm)
    zone = put_zone(
        connection,
        farm,
        application_efficiency=None,
        wetted_fraction=None,
        system_flow_m3_h=None,
    )
    put_evening(
        connection, zone, TODAY - DAY, 80.0, surface_depletion_mm=None, wetted_fraction=None
    )

    found = only(of_farm(connection, "by-hand", ASKED))

    event = found["next_irrigation"]
    assert event["irrigation_hours"] is None
    assert event["irrigation_gross_mm"] == event["irrigation_net_mm"] == pytest.approx(80.0)
    assert set(keys(found["assumptions"])) >= {
        "dry_surface",
        "efficiency_unknown",
        "wetted_fraction_unknown",
        "flow_unknown",
    }


def test_a_balance_that_lags_is_brought_up_by_measured_weather(connection, farm):
    # Three days behind: each of the two days between takes its ET0, as today's station measured it.
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - 3 * DAY, 40.0)
    put_station(connection, farm, {TODAY - 2 * DAY: (30, 15, 0), TODAY - DAY: (30, 15, 5.0)})

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["stale_days"], found["balance_day"]) == (2, "2025-06-28")
    stale = next(one for one in found["assumptions"] if one["key"].endswith("stale"))
    assert stale["values"] == {"day": "2025-06-28", "days": 2}
    # Above 40 by two days' use (5 to 9 mm each, a little more from the wet surface) less 5 of rain.
    assert 40 + 2 * 5 - 5 < found["depletion_mm"] < 40 + 2 * 9 - 5


def test_a_balance_a_month_behind_is_too_old(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - 32 * DAY, 40.0)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["decision"], keys(found["reasons"])) == ("no-balance", ["balance_too_old"])


def test_without_forecast_the_climate_of_earlier_years_is_expected(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0, depletion_variance_mm2=16.0)
    spans = {
        dt.date(year, 6, 20) + number * DAY: (heat, 16.0, 0.5)
        for year, heat in ((2023, 34.0), (2024, 30.0))
        for number in range(31)
    }
    put_station(connection, farm, spans)

    advice = of_farm(connection, "by-hand", ASKED)

    found = only(advice)
    first = advice["weather"][0]
    assert [day["source"] for day in advice["weather"]] == ["climatology"] * 8
    assert (first["measured_days"], first["years"]) == (30, 2)
    assert first["rain_mm"] == pytest.approx(0.5)
    assert first["et0_sd_mm"] > 0.2  # the hotter year evaporates more
    assert found["depletion_sd_mm"] == 4.0
    assert found["refill_day_uncertainty"] == ["depletion", "weather"]
    assert found["refill_day_earliest"] < found["refill_day"] < found["refill_day_latest"]
    climate = next(one for one in found["assumptions"] if one["key"].endswith("climatology"))
    assert climate["values"] == {"days": 8, "years": 2}


def test_without_earlier_years_the_last_days_go_on(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    days = {TODAY - number * DAY: (31.0, 16.0, 4.0) for number in range(1, 15)}
    put_station(connection, farm, days)

    advice = of_farm(connection, "by-hand", ASKED)

    assert [day["source"] for day in advice["weather"]] == ["persistence"] * 8
    assert {day["rain_mm"] for day in advice["weather"]} == {0.0}
    assert keys(only(advice)["assumptions"])[1:] == ["persistence", "no_rain_without_forecast"]


def test_days_beyond_the_forecast_are_of_the_next_best_source(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 10.0)
    put_station(connection, farm, {TODAY - DAY: (31.0, 16.0, 0.0)})
    short = [ForecastDay(day, 32.0, 16.0, 0.0, None, None, None, None) for day in WEEK[:3]]
    forecasts.put(connection, farm.id, short, issued_at=NOW, source="met")

    sources = [day["source"] for day in of_farm(connection, "by-hand", ASKED)["weather"]]

    assert sources == ["forecast"] * 3 + ["persistence"] * 5


def test_the_advice_ends_with_the_weather_that_is_known(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    short = [ForecastDay(day, 32.0, 16.0, 0.0, None, None, None, None) for day in WEEK[:3]]
    forecasts.put(connection, farm.id, short, issued_at=NOW, source="met")

    advice = of_farm(connection, "by-hand", ASKED)

    assert (advice["last_day"], len(only(advice)["days"])) == ("2025-07-03", 3)


def test_without_any_weather_nothing_is_advised(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)

    found = only(of_farm(connection, "by-hand", ASKED))

    assert (found["decision"], keys(found["reasons"])) == ("no-balance", ["no_weather"])


# --- which day, which forecast --------------------------------------------------------------------


def test_a_past_day_is_answered_by_the_evening_and_the_forecast_before_it(connection, farm):
    # Nothing of later days may reach it: not their balance, nor a forecast issued after it.
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    put_evening(connection, zone, TODAY + DAY, 5.0)
    forecast(connection, farm, issued_at=NOW, source="then")
    forecast(connection, farm, (90.0,) * 8, issued_at=NOW + DAY, source="later")

    then = of_farm(connection, "by-hand", ASKED)
    asked_later = of_farm(connection, "by-hand", Question(NOW + 30 * DAY, TODAY))

    assert asked_later == then
    assert then["weather"][0]["forecaster"] == "then"


def test_tomorrow_with_the_same_weather_goes_on_where_todays_plan_stands(connection, farm):
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    forecast(connection, farm)
    today = only(of_farm(connection, "by-hand", ASKED))
    put_evening(connection, zone, TODAY, today["days"][0]["depletion_mm"])

    tomorrow = only(of_farm(connection, "by-hand", Question(NOW + DAY)))

    assert tomorrow["refill_day"] == today["refill_day"]
    assert tomorrow["next_irrigation"] == pytest.approx(today["next_irrigation"])


def test_a_day_that_has_not_come_is_refused_at_the_farms_own_clock(connection, farm):
    put_zone(connection, farm)
    late = dt.datetime(2025, 7, 1, 20, tzinfo=dt.UTC)  # one in the morning of the 2nd there

    assert of_farm(connection, "by-hand", Question(late))["day"] == "2025-07-02"
    with pytest.raises(DayAhead, match="2025-07-03 has not come at by-hand"):
        of_farm(connection, "by-hand", Question(late, dt.date(2025, 7, 3)))


def test_the_rules_of_the_irrigator_are_followed_and_stated(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)

    advice = of_farm(connection, "by-hand", Question(NOW, rules=Rules(line_share=0.8)))

    assert only(advice)["decision"] == "irrigate-now"  # 60 = 0.8 · 75
    assert advice["rules"]["line_share_of_raw"] == 0.8


def test_what_is_unknown_is_named(connection, farm):
    with pytest.raises(NotFound, match="farm 'nowhere'"):
        of_farm(connection, "nowhere", ASKED)
    with pytest.raises(NotFound, match="field 999999"):
        of_field(connection, 999_999, ASKED)


# --- a forecast file ------------------------------------------------------------------------------

HEADER = ",".join(("date", *WEATHER_COLUMNS))


def test_a_forecast_file_is_stored_in_stored_units(connection, farm):
    # 10 m wind times 4.87 / ln(67.8 · 10 - 5.42) = 0.748 is that at 2 m; the vapour pressure that
    # FAO-56 gives for 15 °C is 1.705 kPa (Table 2.3), so that is its dew point.
    lines = [HEADER, "2025-07-01,32,16,26,1.705,,,,4,0", "2025-07-02,33,17,,,,,,,2.5"]

    count = import_forecast(connection, farm, lines, "f.csv", issued_at=NOW, source="met")

    stored = forecasts.newest(connection, farm.id, issued_by=NOW, first=TODAY, last=TODAY + DAY)
    assert count == 2
    first, second = (one.forecast for one in stored)
    assert first.tdew_c == pytest.approx(15.0, abs=0.01)
    assert first.wind_m_s == pytest.approx(4 * 0.748, abs=0.002)
    assert second == ForecastDay(TODAY + DAY, 33.0, 17.0, 2.5, None, None, None, None)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([HEADER, "2025-07-01,32,16,,,,,,,"], "f.csv, line 2, column rain_mm: is empty"),
        ([HEADER, "2025-07-01,16,32,,,,,,,0"], "f.csv, line 2, column tmax_c: 16 is below"),
        ([HEADER, "2025-07-01,32,16,300,,,,,,0"], "line 2, column solar_mj_m2: .*W/m²"),
        ([HEADER.replace(",rain_mm", "")], "f.csv, line 1, column rain_mm: is missing"),
        ([HEADER], "f.csv, line 1, column date: there is no day"),
    ],
)
def test_a_bad_forecast_file_is_refused_by_line_and_column(connection, farm, lines, words):
    with pytest.raises(ValueError, match=words):
        import_forecast(connection, farm, lines, "f.csv", issued_at=NOW, source="met")


def test_a_time_of_issue_without_an_offset_is_refused(connection, farm):
    with pytest.raises(ValueError, match="offset"):
        import_forecast(
            connection, farm, [HEADER], "f.csv", issued_at=NOW.replace(tzinfo=None), source="met"
        )


def test_every_text_is_there_in_every_language(connection, farm):
    forecast(connection, farm)
    zone = put_zone(connection, farm)
    put_evening(connection, zone, TODAY - DAY, 60.0)
    advice = of_farm(connection, "by-hand", ASKED)

    texts = {language: only(in_words(advice, language)) for language in ("en", "ru", "kk")}

    assert texts["en"]["decision_text"] == "Irrigate in 3 days, on 4 July"
    assert texts["ru"]["decision_text"] == "Поливать через 3 дня, 4 июля"
    assert texts["kk"]["decision_text"] == "3 күннен кейін суару керек: 4 шілде"
    for said in texts.values():
        for one in said["reasons"] + said["assumptions"]:
            assert one["text"]
            assert "{" not in one["text"]
