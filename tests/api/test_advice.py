"""Advice over HTTP: languages, days, problems."""

import asyncio
import datetime as dt

import httpx
import pytest
import sqlalchemy as sa

from api.app import make_app
from api.dependencies import current_time
from api.languages import preferred
from api.settings import ApiSettings
from storage import fields, forecasts
from storage.forecasts import ForecastDay
from tests.reports.advice_farm import DAY, NOW, TODAY, put_evening, put_farm, put_zone


@pytest.fixture
def field(empty_engine: sa.Engine) -> int:
    """A field at 60 of 75 mm, under a week of forecast heat."""
    with empty_engine.begin() as connection:
        farm = put_farm(connection)
        put_evening(connection, put_zone(connection, farm), TODAY - DAY, 60.0)
        week = [
            ForecastDay(TODAY + number * DAY, 32.0, 16.0, 0.0, 26.0, 12.0, 45.0, 2.0)
            for number in range(8)
        ]
        forecasts.put(connection, farm.id, week, issued_at=NOW, source="met")
        return fields.of_farm(connection, farm.id)[0].id


class Client:
    """Asks the application without a server between."""

    def __init__(self, engine: sa.Engine) -> None:
        self.app = make_app(engine, ApiSettings(api_open=True))
        self.app.dependency_overrides[current_time] = lambda: NOW

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as opened:
                return await opened.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client(empty_engine: sa.Engine) -> Client:
    return Client(empty_engine)


def test_a_field_is_advised_with_keys_for_programs_and_words_for_people(client, field):
    answer = client.get(f"/v1/fields/{field}/advice")

    assert answer.status_code == 200
    body = answer.json()
    (zone,) = body["crop_zones"]
    assert (body["day"], body["last_day"], body["language"]) == ("2025-07-01", "2025-07-08", "en")
    assert (zone["decision"], zone["refill_day"]) == ("irrigate-in-days", "2025-07-03")
    assert zone["decision_text"] == "Irrigate in 3 days, on 4 July"
    event = zone["next_irrigation"]
    assert event["irrigation_m3"] == pytest.approx(event["irrigation_gross_mm"] * 10 * 10)
    first = zone["reasons"][0]
    assert first["key"] == "advice.reason.line_reached"
    assert first["values"]["day"] == "2025-07-03"
    assert "3 July" in first["text"]
    assert [day["weather_source"] for day in zone["days"]] == ["forecast"] * 8


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("?language=kk", "ru", "kk"),
        ("", "de, kk;q=0.5", "kk"),
        ("", "de", "en"),
        ("", None, "en"),
    ],
)
def test_the_language_asked_for_is_spoken_and_said(client, field, query, header, language):
    headers = {} if header is None else {"Accept-Language": header}

    answer = client.get(f"/v1/fields/{field}/advice{query}", headers=headers)

    words = {"en": "Irrigate in", "ru": "Поливать через 3 дня", "kk": "3 күннен кейін суару"}
    assert answer.json()["crop_zones"][0]["decision_text"].startswith(words[language])
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("kk", "kk"),
        ("en;q=0.1, RU-kz ; Q=0.7", "ru"),
        ("ru;q=0", "en"),
        ("ru;q=x, kk;q=2, *", "en"),
        (";;,,=", "en"),
    ],
)
def test_a_header_is_read_as_rfc_9110_says(header, language):
    assert preferred(header) == language


def test_a_past_day_can_be_asked_for_and_a_coming_one_not(client, field):
    past = client.get(f"/v1/fields/{field}/advice?day=2025-06-01").json()
    ahead = client.get(f"/v1/fields/{field}/advice?day=2025-07-02")

    assert past["crop_zones"][0]["decision"] == "no-balance"  # none is stored for that evening
    assert ahead.status_code == 422
    assert ahead.headers["content-type"] == "application/problem+json"
    assert "2025-07-02 has not come" in ahead.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("999999/advice", 404, "field 999999"),
        ("{field}/advice?season=2020", 404, "crop on field"),
        ("{field}/advice?day=0001-01-01", 422, "query.day"),
        ("{field}/advice?day=9999-12-31", 422, "query.day"),
        ("{field}/advice?day=tomorrow", 422, "query.day"),
        ("{field}/advice?language=de", 422, "query.language"),
        ("0/advice", 422, "path.field_id"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client, field, path, status, words):
    answer = client.get(f"/v1/fields/{path.format(field=field)}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_a_crop_that_was_entered_wrongly_is_told_and_no_fault_of_ours(client, empty_engine, field):
    with empty_engine.begin() as connection:
        connection.execute(sa.text("UPDATE crop_zones SET crop_parameters = '{\"kcb_ini\": 9}'"))

    (zone,) = client.get(f"/v1/fields/{field}/advice").json()["crop_zones"]

    assert zone["decision"] == "no-balance"
    assert "kcb_ini" in zone["reasons"][0]["text"]


def test_all_fields_of_a_farm_are_advised_at_once(client, field):
    farm = client.get("/v1/farms").json()[0]["slug"]

    answer = client.get(f"/v1/farms/{farm}/advice?language=ru")

    of_field = client.get(f"/v1/fields/{field}/advice?language=ru").json()
    assert answer.status_code == 200
    assert answer.headers["content-language"] == "ru"
    assert answer.json() == of_field  # it has this one
    assert client.get("/v1/farms/nowhere/advice").status_code == 404


def test_the_route_is_described_with_examples(client):
    document = client.get("/v1/openapi.json").json()
    operation = document["paths"]["/v1/fields/{field_id}/advice"]["get"]
    schema = document["components"]["schemas"]["ZoneAdvice"]["properties"]

    assert operation["description"]
    names = {one["name"] for one in operation["parameters"]}
    assert names == {
        *("field_id", "season", "day", "language", "accept-language", "format", "bom"),
    }
    assert schema["decision"]["examples"] == ["irrigate-in-days"]
    assert dt.date.fromisoformat(schema["refill_day"]["examples"][0]).year == 2025
