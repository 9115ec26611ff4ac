"""Advice that people accept or skip: on record with what was advised, and never lost."""

import pytest
import sqlalchemy as sa

from api.dependencies import current_time
from storage import audit, farms, fields, forecasts
from storage.forecasts import ForecastDay
from tests.api.asking import Api, put_key
from tests.reports.advice_farm import DAY, NOW, TODAY, put_evening, put_farm, put_zone

PATH = "/v1/advice-decisions"


class Farm:
    """A field at 80 of 75 mm: it is to be irrigated today."""

    def __init__(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            farm = put_farm(connection)
            self.zone = put_zone(connection, farm)
            put_evening(connection, self.zone, TODAY - DAY, 80.0)
            week = [
                ForecastDay(TODAY + number * DAY, 32.0, 16.0, 0.0, 26.0, 12.0, 45.0, 2.0)
                for number in range(8)
            ]
            forecasts.put(connection, farm.id, week, issued_at=NOW, source="met")
            self.field = fields.of_farm(connection, farm.id)[0].id
            self.farm = farm.id
        self.engine = engine
        self.key = put_key(engine, "agronomist", farm_ids=[self.farm])
        self.api = Api(engine)
        self.api.app.dependency_overrides[current_time] = lambda: NOW

    def ask(self, method: str, path: str, **more):
        more.setdefault("key", self.key)
        return self.api.ask(method, path, **more)

    def decide(self, **more):
        headers = more.pop("headers", None)
        body = {
            "crop_zone_id": self.zone,
            "day": TODAY.isoformat(),
            "decision": "irrigate-now",
            "choice": "accepted",
        } | more
        return self.ask("POST", PATH, json=body, headers=headers)

    def listed(self, query: str = "") -> list[dict]:
        return self.ask("GET", f"{PATH}?field_id={self.field}{query}").json()


@pytest.fixture
def farm(empty_engine: sa.Engine) -> Farm:
    return Farm(empty_engine)


def test_what_was_advised_stands_beside_what_was_decided(farm: Farm) -> None:
    told = farm.ask("GET", f"/v1/fields/{farm.field}/advice").json()["crop_zones"][0]
    answer = farm.decide(note="the pump is on at 18:00")

    assert answer.status_code == 201, answer.text
    (found,) = farm.listed()
    assert found == answer.json()
    assert (found["choice"], found["note"], found["day"]) == (
        "accepted",
        "the pump is on at 18:00",
        "2025-07-01",
    )
    assert found["created_by"] == "client:agronomist"
    advised = found["advised"]
    assert advised["decision"] == told["decision"] == "irrigate-now"
    assert advised["irrigation_gross_mm"] == told["next_irrigation"]["irrigation_gross_mm"] > 80
    assert advised["depletion_mm"] == 80.0
    assert [one["key"] for one in advised["reasons"]] == [one["key"] for one in told["reasons"]]


def test_decided_anew_the_first_decision_stays_on_record(farm: Farm) -> None:
    first = farm.decide().json()
    second = farm.decide(choice="skipped", note="rain is coming").json()

    assert [one["id"] for one in farm.listed()] == [second["id"]]
    whole = farm.listed("&withdrawn=true")
    assert [(one["id"], one["withdrawn_by"]) for one in whole] == [
        (first["id"], "client:agronomist"),
        (second["id"], None),
    ]


def test_a_decision_is_taken_back_and_all_of_it_is_in_the_book(farm: Farm) -> None:
    made = farm.decide().json()
    assert farm.ask("DELETE", f"{PATH}/{made['id']}").status_code == 204
    assert farm.ask("DELETE", f"{PATH}/{made['id']}").status_code == 404
    assert farm.listed() == []
    with farm.engine.connect() as connection:
        deeds = audit.page(connection, limit=10)
    assert [one.action for one in deeds if one.object.startswith("advice-decision:")] == [
        "advice.withdraw",
        "advice.accept",
    ]
    assert {one.farm_id for one in deeds} == {farm.farm}


def test_advice_that_is_another_by_now_is_not_decided_on(farm: Farm) -> None:
    answer = farm.decide(decision="no-need")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:dala:problem:advice-changed"
    assert "irrigate-now" in answer.json()["detail"]
    assert farm.listed("&withdrawn=true") == []


def test_the_same_request_sent_again_decides_once(farm: Farm) -> None:
    key = {"Idempotency-Key": "7b3c"}
    first, again = farm.decide(headers=key), farm.decide(headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(farm.listed("&withdrawn=true")) == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"day": (TODAY + 2 * DAY).isoformat()}, 422),  # has not come
        ({"choice": "perhaps"}, 422),
        ({"note": "two\nlines"}, 422),
        ({"crop_zone_id": 999_999}, 404),
    ],
)
def test_what_cannot_be_decided_is_refused(farm: Farm, more: dict, status: int) -> None:
    assert farm.decide(**more).status_code == status
    assert farm.listed("&withdrawn=true") == []


def test_nobody_decides_on_anothers_field_nor_without_the_right(farm: Farm) -> None:
    with farm.engine.begin() as connection:
        put_farm(connection, "another")
        other = farms.get(connection, "another").id
    stranger = put_key(farm.engine, "stranger", farm_ids=[other])
    reader = put_key(farm.engine, "reader", farm_ids=[farm.farm], scopes=("read:farms",))
    body = {
        "crop_zone_id": farm.zone,
        "day": TODAY.isoformat(),
        "decision": "irrigate-now",
        "choice": "accepted",
    }
    made = farm.decide().json()

    assert farm.ask("POST", PATH, json=body, key=stranger).status_code == 404
    assert farm.ask("DELETE", f"{PATH}/{made['id']}", key=stranger).status_code == 404
    assert farm.ask("GET", PATH, key=stranger).json() == []
    assert farm.ask("POST", PATH, json=body, key=reader).status_code == 403
    assert len(farm.ask("GET", PATH, key=reader).json()) == 1


def test_decisions_come_as_a_table(farm: Farm) -> None:
    farm.decide(note="=1+1")
    lines = farm.ask("GET", f"{PATH}?format=csv").text.splitlines()

    assert len(lines) == 2
    assert "choice" in lines[0]
    assert "accepted" in lines[1]
