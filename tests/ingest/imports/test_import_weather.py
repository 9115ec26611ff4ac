"""A weather file: days that are over are readings of a station, the others a forecast."""

import datetime as dt
import os

import pytest

from tests.ingest.imports.conftest import NOW, Steppe

HEAD = (
    "date,tmax_c,tmin_c,solar_mj_m2,vapour_pressure_kpa,tdew_c,rh_max_pct,rh_min_pct,wind_m_s,"
    "rain_mm\n"
)
VALUES = """SELECT time, quantity, value FROM readings JOIN datastreams ON id = datastream_id
            ORDER BY time, quantity"""


def day(date: str, *, tmax: str = "20", vapour: str = "", dew: str = "", rain: str = "0") -> str:
    return f"{date},{tmax},8,15.5,{vapour},{dew},90,40,3.5,{rain}\n"


def test_a_day_is_stamped_before_the_farms_midnight(steppe: Steppe) -> None:
    made = steppe.imports("w.csv", HEAD + day("2025-09-01", dew="7.5", rain="4.2"))

    assert (made.kind, made.into, made.new) == ("weather", "steppe-imported-weather", 8)
    stamp = dt.datetime(2025, 9, 1, 18, 59, tzinfo=dt.UTC)  # 23:59 in UTC+5
    assert steppe.rows(VALUES) == [
        (stamp, "air_temperature_max", 20.0),
        (stamp, "air_temperature_min", 8.0),
        (stamp, "dew_point", 7.5),
        (stamp, "rain", 4.2),
        (stamp, "relative_humidity_max", 90.0),
        (stamp, "relative_humidity_min", 40.0),
        (stamp, "solar_radiation_sum", 15.5),
        (stamp, "wind_speed_mean", 3.5),
    ]
    assert steppe.rows("SELECT kind, sensor_height_m FROM devices") == [("weather-station", 2.0)]


def test_a_table_as_excel_saves_it_is_the_same(steppe: Steppe) -> None:
    plain = HEAD + day("2025-09-01", dew="7.5", rain="4.2")
    excel = plain.replace(",", ";").replace(".", ",").replace("2025-09-01", "01.09.2025")
    steppe.imports("w.csv", plain)
    before = steppe.rows(VALUES)

    made = steppe.imports("excel.csv", excel.replace("\n", "\r\n").encode("utf-8-sig"))

    assert (made.state, made.new, made.known) == ("imported", 0, 8)
    assert steppe.rows(VALUES) == before


def test_vapour_pressure_becomes_the_dew_point(steppe: Steppe) -> None:
    # FAO-56 Table 2.3: air of 10 °C is saturated at 1.228 kPa, of 0 °C at 0.611.
    text = HEAD + day("2025-09-01", vapour="1.228") + day("2025-09-02", vapour="0.611")

    steppe.imports("w.csv", text + day("2025-09-03", vapour="0.611", dew="-3"))

    query = VALUES.replace("ORDER", "WHERE quantity = 'dew_point' ORDER")
    assert [value for _, _, value in steppe.rows(query)] == pytest.approx(
        [10.0, 0.0, -3.0], abs=0.01
    )


def test_imported_again_nothing_is_stored_twice_and_another_value_is_a_conflict(
    steppe: Steppe,
) -> None:
    text = HEAD + day("2025-09-01")
    steppe.imports("w.csv", text)

    again = steppe.imports("w.csv", text)
    other = steppe.imports("w.csv", HEAD + day("2025-09-01", tmax="21"))

    assert [(one.new, one.known) for one in (again, other)] == [(0, 7), (0, 7)]
    assert steppe.rows("SELECT stored_value, value FROM reading_conflicts") == [(20.0, 21.0)]


def test_days_that_are_not_over_are_a_forecast_of_the_files_date(steppe: Steppe) -> None:
    # It is 17:00 on 1 October on the farm.
    text = HEAD + day("2025-09-30") + day("2025-10-01", rain="5") + day("2025-10-02", dew="4")
    path = steppe.write("w.csv", text)
    written = NOW - dt.timedelta(hours=3)
    os.utime(path, (written.timestamp(),) * 2)

    (made,) = steppe.runs(path)
    steppe.runs(path)  # the same issue again replaces its days

    assert made.new == 7
    days = "SELECT day, issued_at, source, rain_mm, tdew_c FROM weather_forecasts ORDER BY day"
    first, second = steppe.rows(days)
    assert first[:4] == (dt.date(2025, 10, 1), written, "w.csv", 5.0)
    assert second[0] == dt.date(2025, 10, 2)
    assert second[4] == pytest.approx(4.0)
    assert any("2 days that are not over are a forecast" in note for note in made.notes)
    assert [(row["line"], row["as"]) for row in made.details] == [
        (2, "readings"), (3, "forecast"), (4, "forecast"),
    ]  # fmt: skip


def test_a_forecast_without_rain_refuses_the_file_by_its_own_line(steppe: Steppe) -> None:
    text = HEAD + day("2025-09-30") + day("2025-10-02", rain="")

    made = steppe.imports("w.csv", text)

    assert made.errors == ("w.csv, line 3, column rain_mm: is empty; a forecast of none says 0",)
    assert steppe.rows("SELECT count(*) FROM readings") == [(0,)]


def test_all_that_is_wrong_is_named_at_once(steppe: Steppe) -> None:
    text = HEAD + "".join(
        (
            day("2025-09-01", tmax="95"),
            day("2025-09-02"),
            day("yesterday"),
            day("2025-09-02"),
            "2025-09-05,20\n",
        )
    )

    made = steppe.imports("w.csv", text)

    assert made.state == "refused"
    assert [error.split(":")[0] for error in made.errors] == [
        "w.csv, line 2, column tmax_c",
        "w.csv, line 4, column date",
        "w.csv, line 5, column date",
        "w.csv, line 6, column tmin_c",
    ]


def test_a_file_of_errors_is_not_read_for_ever(steppe: Steppe) -> None:
    made = steppe.imports("w.csv", HEAD + day("x") * 1_000)

    assert len(made.errors) == 21
    assert "the first 20 errors" in made.errors[-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD, "w.csv, line 1, column date: there is no day below the header"),
        (HEAD.replace("rain_mm", "rain"), "w.csv, line 1, column rain: is not one of"),
        (HEAD.replace(",", "|"), "w.csv, line 1, column (header): begins with"),
    ],
)
def test_a_file_that_is_none_is_refused(steppe: Steppe, text: str, reason: str) -> None:
    made = steppe.imports("w.csv", text)

    assert made.state == "refused"
    assert made.errors[0].startswith(reason)


def test_a_station_has_its_wind_at_one_height(steppe: Steppe) -> None:
    text = HEAD + day("2025-09-01")
    steppe.imports("w.csv", text, wind_height_m=10.0)

    made = steppe.imports("w.csv", text)

    (error,) = made.errors
    assert error.startswith("w.csv: wind of steppe-imported-weather is measured at 10 m, not 2 m;")
