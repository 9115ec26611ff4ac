"""Reports that file themselves, over REST: who makes, sees and ends them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from storage import audit, schedules
from tests.api.asking import Api, put_account, put_key
from tests.conftest import empty
from tests.reports.statements import filed

PATH = "/v1/report-schedules"
DAILY = {"kind": "harvest", "every": "day", "at": "06:00", "timezone": "Asia/Almaty"}
FARM = DAILY | {"farm": "kz-61-0", "kind": "water"}
AREA = DAILY | {"area": "KZ", "first_day": "07-01", "last_day": "11-30"}


class World(NamedTuple):
    """The API on a small country, and who asks."""

    api: Api
    everything: str
    south: str  # KZ-61 alone
    elsewhere: str  # KZ-43 alone


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=1)
    yield World(
        Api(engine, api_token="of the settings"),
        put_key(engine, "everything", everything=True),
        put_key(engine, "south", regions=["KZ-61"]),
        put_key(engine, "elsewhere", regions=["KZ-43"]),
    )
    empty(engine)


def post(world: World, key: str, asked: dict[str, Any]) -> httpx.Response:
    return world.api.ask("POST", PATH, key=key, json=asked)


def test_a_bulletin_is_set_to_file_itself_and_shows_when_next(world: World) -> None:
    answer = post(world, world.everything, AREA)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"{PATH}/{body['id']}"
    assert body | AREA == body | {"on": None, "farm": None, "season": "this-year"}
    due = dt.datetime.fromisoformat(body["next_due_at"])
    assert (due.hour, due.minute, due > dt.datetime.now(dt.UTC)) == (1, 0, True)
    assert "07-01" <= f"{due:%m-%d}" <= "11-30"
    assert (body["last_error"], body["number"], body["created_by"]) == (
        None, None, "client:everything",
    )  # fmt: skip

    listed = world.api.ask("GET", PATH, key=world.everything).json()
    assert listed == [body]
    for status in (204, 404):
        ended = world.api.ask("DELETE", answer.headers["location"], key=world.everything)
        assert ended.status_code == status
    assert world.api.ask("GET", PATH, key=world.everything).json() == []
    with world.api.engine.connect() as connection:
        deeds = [(one.actor, one.action) for one in audit.page(connection)]
    assert deeds == [
        ("client:everything", "report-schedule.end"),
        ("client:everything", "report-schedule.create"),
    ]


def test_of_an_area_is_set_by_who_sees_every_farm_and_of_a_farm_by_who_sees_it(
    world: World,
) -> None:
    assert post(world, world.south, AREA | {"area": "KZ-61"}).status_code == 403
    assert post(world, world.elsewhere, FARM).status_code == 404
    of_farm = post(world, world.south, FARM).json()["id"]
    of_area = post(world, world.everything, AREA | {"area": "KZ-61"}).json()["id"]

    for key, seen in (
        (world.everything, [of_farm, of_area]),
        (world.south, [of_farm, of_area]),
        (world.elsewhere, []),
    ):
        found = world.api.ask("GET", PATH, key=key).json()
        assert [one["id"] for one in found] == seen
    for number, key, status in (
        (of_farm, world.elsewhere, 404),
        (of_area, world.south, 403),
        (of_farm, world.south, 204),
        (of_area, world.everything, 204),
    ):
        assert world.api.ask("DELETE", f"{PATH}/{number}", key=key).status_code == status


def test_what_went_wrong_is_shown_to_who_looks(world: World) -> None:
    number = post(world, world.south, FARM).json()["id"]
    now = dt.datetime.now(dt.UTC)
    with world.api.engine.begin() as connection:
        one = schedules.get(connection, number)
        schedules.note_failed(connection, one, "there is no key to sign with", now)

    (shown,) = world.api.ask("GET", PATH, key=world.south).json()
    assert shown["last_error"] == "there is no key to sign with"
    again = dt.datetime.fromisoformat(shown["next_attempt_at"])
    assert again - now == dt.timedelta(minutes=1)


WRONG: list[dict[str, Any]] = [
    {"area": None},
    {"farm": "kz-61-0"},
    {"timezone": "Asia/Atlantis"},
    {"timezone": "../../etc/passwd"},
    {"at": "24:00"},
    {"at": "6"},
    {"on": 1},
    {"every": "week"},
    {"every": "week", "on": 8},
    {"every": "month", "on": 31, "first_day": "02-01", "last_day": "02-10"},
    {"every": "hour"},
    {"last_day": None},
    {"last_day": "11-31"},
    {"season": "next-year"},
    {"season": 20_25_1},
    {"kind": "weather"},
]


def test_what_never_comes_or_is_no_report_is_refused(world: World) -> None:
    for changed in WRONG:
        answer = post(world, world.everything, AREA | changed)
        assert answer.status_code == 422, changed
    assert post(world, world.everything, AREA | {"area": "KZ-99"}).status_code == 404


def test_who_has_no_name_of_their_own_or_files_nothing_sets_nothing(world: World) -> None:
    unable = put_key(world.api.engine, "unable", everything=True, scopes=("read:reports",))
    for key in ("of the settings", unable):
        assert post(world, key, AREA).status_code == 403
    put_account(world.api.engine, "boss", "administrator")
    csrf = world.api.sign_in("boss")["csrf_token"]
    made = world.api.write("POST", PATH, csrf, json=AREA | {"season": 2025})
    assert (made.status_code, made.json()["season"]) == (201, "2025")
    assert made.json()["created_by"] == "account:boss"


def test_the_same_sent_again_with_its_key_is_one(world: World) -> None:
    headers = {"Idempotency-Key": "once"}
    sent = [
        world.api.ask("POST", PATH, key=world.everything, json=AREA, headers=headers)
        for _ in range(2)
    ]

    assert sent[0].json() == sent[1].json()
    assert len(world.api.ask("GET", PATH, key=world.everything).json()) == 1
