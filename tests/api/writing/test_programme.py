"""Investments and water supplies: of the farm's own days, and refused where they contradict."""

import datetime as dt
from collections.abc import Iterator

import pytest

from api.dependencies import current_time
from tests.api.writing.world import World

INVESTED = {
    "made_on": "2025-06-02",
    "purpose": "telemetry",
    "amount_kzt": 1_000.0,
    "service_life_years": 5,
    "reference": "act 5",
}


@pytest.fixture
def early(world: World) -> Iterator[World]:
    """The night of 2 June on the farm, while it is 1 June in UTC."""
    now = dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
    world.api.app.dependency_overrides[current_time] = lambda: now
    yield world
    del world.api.app.dependency_overrides[current_time]


def test_what_is_invested_today_is_entered_today(early: World) -> None:
    made = early.post("investments", INVESTED | {"farm": early.slug}).json()

    assert (made["made_on"], made["farm"]) == ("2025-06-02", early.slug)


@pytest.mark.parametrize(
    ("more", "words"),
    [({"made_on": "2025-06-03"}, "still to come"), ({"subsidy_kzt": 1_000.5}, "larger than it")],
)
def test_what_cannot_have_been_invested_is_refused(
    early: World, more: dict[str, object], words: str
) -> None:
    answer = early.post("investments", INVESTED | {"farm": early.slug} | more, 422)

    assert words in answer.json()["detail"]


def test_a_field_has_one_supply_from_a_day_on(world: World) -> None:
    asked = {"field_id": world.mine.field, "valid_from": "2025-04-01", "source": "canal"}
    first = world.post("water-supplies", asked | {"reference": "contract 17"}).json()
    world.post("water-supplies", asked | {"reference": "contract 18"}, 409)

    world.ask("DELETE", f"water-supplies/{first['id']}", 204)

    world.post("water-supplies", asked | {"reference": "contract 18"})
