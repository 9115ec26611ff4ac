"""Advice at a terminal."""

import io

import pytest
from rich.console import Console

from reports.advice import Question, in_words, of_farm
from reports.messages import LANGUAGES
from reports.printing_advice import print_advice
from storage import forecasts
from storage.forecasts import ForecastDay
from tests.reports.advice_farm import DAY, NOW, TODAY, put_evening, put_farm, put_zone


@pytest.fixture
def advice(connection):
    farm = put_farm(connection)
    week = [
        ForecastDay(TODAY + number * DAY, 32.0, 16.0, 0.0, 26.0, 12.0, 45.0, 2.0)
        for number in range(8)
    ]
    forecasts.put(connection, farm.id, week, issued_at=NOW, source="met")
    put_evening(connection, put_zone(connection, farm, "field-1"), TODAY - DAY, 60.0)
    put_zone(connection, farm, "field-2", crop="maize")
    return of_farm(connection, "by-hand", Question(NOW))


def printed(advice, language) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_advice(in_words(advice, language), console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_table_tells_the_zones_and_below_it_stands_why(advice):
    lines = [line.strip() for line in printed(advice, "en").splitlines()]

    (row,) = [line for line in lines if line.startswith("field-1") and "Irrigate" in line]
    event = advice["crop_zones"][0]["next_irrigation"]
    assert "Irrigate in 3 days, on 4 July" in row
    for part in ("60.0 / 75.0", "3 July", "4 July", f"{event['irrigation_gross_mm']:.1f}"):
        assert part in row
    assert f"{event['irrigation_m3']:,.0f}".replace(",", "\u202f") in row
    (other,) = [line for line in lines if line.startswith("field-2") and "No advice" in line]
    assert "—" in other
    text = " ".join(" ".join(lines).split())
    assert "Without irrigation the refill line is reached on the evening of 3 July" in text
    assert "There is no soil water balance for the evening of 30 June" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_the_language_throughout(advice, language):
    text = printed(advice, language)

    title = {"en": "Irrigation advice", "ru": "Рекомендации по поливу", "kk": "Суару жөніндегі"}
    assert title[language] in text
    assert "{" not in text
    if language != "en":
        assert "forecast" not in text
        assert "missing" not in text


def test_a_farm_without_crops_is_one_sentence(connection):
    put_farm(connection, "bare")

    assert printed(of_farm(connection, "bare", Question(NOW)), "en").strip() == (
        "No crop zone of this farm is known."
    )
