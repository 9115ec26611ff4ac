"""What was told is told again only while it stands: to the same caller, of the same state."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import time_machine

from api import recall
from api.security import tokens
from storage import accounts, api_clients, changes, devices, farms, heard, results, tables
from tests.api.asking import Api, put_account, put_key
from tests.conftest import empty
from tests.two_farms import Land, put_land

FARM, REGION = "/v1/farms/mine/summary", "/v1/regions/KZ-61/summary?season=2025"
RESULT = {"method": "regression", "method_version": "1", "conventions": {}, "notes": []}
NOW = dt.datetime.now(dt.UTC)


class World:
    """Two farms, the application, and the statements that it sends."""

    def __init__(self, engine: sa.Engine, asked: list[str]) -> None:
        self.engine, self.asked = engine, asked
        with engine.begin() as connection:
            self.mine = put_land(connection, "mine", "KZ-61")
            self.theirs = put_land(connection, "theirs", "KZ-43")
            put_result(connection, self.mine, 100.0)
        self.api = Api(engine)

    def ask(self, path: str = FARM, key: str | None = None, **headers: str) -> httpx.Response:
        self.asked.clear()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.ask("GET", path, key=key, headers=sent)

    def was_recalled(self) -> bool:
        """Whether the last request took one look, and not the long way."""
        asked = [one for one in self.asked if "set_config('role', %s, false)" not in one]
        return ["entrance.standing" in one for one in asked] == [True]

    def told_again(self, key: str | None = None, path: str = FARM) -> httpx.Response:
        """An answer that was given before, and is given again without the long way."""
        first = self.ask(path, key)
        assert first.status_code == 200, first.text
        again = self.ask(path, key)
        assert self.was_recalled(), self.asked
        assert again.content == first.content
        return again


def put_result(connection: sa.Connection, land: Land, applied_m3: float) -> None:
    values = RESULT | {"applied_m3": applied_m3, "input_digest": str(applied_m3)}
    results.put_season(connection, land.zone, values)


def applied(answer: httpx.Response) -> float:
    assert answer.status_code == 200, answer.text
    return float(answer.json()["water"]["applied_m3"])


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield World(engine, asked)
    sa.event.remove(engine, "before_cursor_execute", note)
    empty(engine)


@pytest.fixture
def key(world: World) -> str:
    return put_key(world.engine, "right", farm_ids=[world.mine.farm])


@pytest.mark.parametrize(
    "path",
    [
        FARM,
        REGION,
        FARM + "?format=csv",
        "/v1/farms/mine",
        "/v1/farms?limit=1",
        "/v1/regions",
        "/v1/regions?format=csv",
    ],
)
def test_what_stands_is_told_again_after_one_look(world: World, key: str, path: str) -> None:
    first = world.ask(path, key)
    assert not world.was_recalled()

    again = world.ask(path, key)

    assert world.was_recalled()
    changing = {"x-request-id", "ratelimit", "date"}
    heads = [[one for one in each.headers.items() if one[0] not in changing] for each in
             (first, again)]  # fmt: skip
    assert sorted(heads[0]) == sorted(heads[1])
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_who_has_it_is_told_so_after_one_look(world: World, key: str) -> None:
    tag = world.ask(FARM, key).headers["etag"]
    long_way = Api(world.engine).ask("GET", FARM, key=key, headers={"If-None-Match": tag})

    answer = world.ask(FARM, key, If_None_Match=f'"other", W/{tag}')

    assert world.was_recalled()
    assert (answer.status_code, answer.content) == (304, b"")
    assert set(answer.headers) == set(long_way.headers)


def test_a_304_is_enough_to_know_what_stands(world: World, key: str) -> None:
    tag = world.ask(FARM, key).headers["etag"]
    other = World.__new__(World)
    other.engine, other.asked, other.api = world.engine, world.asked, Api(world.engine)
    assert other.ask(FARM, key, If_None_Match=tag).status_code == 304

    assert other.ask(FARM, key, If_None_Match=tag).status_code == 304
    assert other.was_recalled()
    assert applied(other.ask(FARM, key)) == 100.0  # whose bytes nobody has made: the long way
    assert not other.was_recalled()


# --- who asks -------------------------------------------------------------------------------------


def revoke(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.api_keys).values(revoked_at=sa.func.now()))


def expire(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.api_keys).values(expires_at=sa.func.now()))


def disable_client(connection: sa.Connection) -> None:
    api_clients.change(connection, "right", disabled=True)


def take_scope(connection: sa.Connection) -> None:
    api_clients.change(connection, "right", scopes=["read:devices"])


def take_farm(connection: sa.Connection) -> None:
    other = sa.select(tables.farms.c.id).where(tables.farms.c.slug == "theirs")
    api_clients.change(connection, "right", farm_ids=[connection.scalar(other)])


@pytest.mark.parametrize(
    ("change", "status"),
    [(revoke, 401), (expire, 401), (disable_client, 401), (take_scope, 403), (take_farm, 404)],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_key_reads_on_for_no_request_longer_than_it_may(
    world: World, key: str, change: Callable[[sa.Connection], None], status: int
) -> None:
    tag = world.told_again(key).headers["etag"]

    with world.engine.begin() as connection:
        change(connection)

    for known in ({}, {"If_None_Match": tag}):
        answer = world.ask(FARM, key, **known)
        assert answer.status_code == status
        assert "applied" not in answer.text


def test_a_farm_that_leaves_a_region_is_gone_for_who_sees_the_region(world: World) -> None:
    key = put_key(world.engine, "region", regions=["KZ-61"])
    world.told_again(key)
    assert [one["farm"] for one in world.told_again(key, REGION).json()["farms"]] == ["mine"]

    with world.engine.begin() as connection:
        farms.change(connection, world.mine.farm, region_code="KZ-43")

    assert world.ask(FARM, key).status_code == 404
    assert world.ask(REGION, key).json()["farms"] == []


def test_a_farm_that_comes_to_a_region_is_listed_for_who_sees_the_region(world: World) -> None:
    key = put_key(world.engine, "region", regions=["KZ-61"])
    assert len(world.told_again(key, "/v1/farms").json()) == 1

    with world.engine.begin() as connection:
        farms.change(connection, world.theirs.farm, region_code="KZ-61")

    assert len(world.ask("/v1/farms", key).json()) == 2


def test_an_access_token_ends_with_its_client(world: World) -> None:
    put_key(world.engine, "right", everything=True)
    token = tokens.make(tokens.ACCESS)
    with world.engine.begin() as connection:
        client = api_clients.get(connection, "right")
        api_clients.add_token(
            connection,
            client.id,
            tokens.digest(token),
            scopes=["read:farms"],
            regions=None,
            lives=dt.timedelta(hours=1),
        )
    world.told_again(token)

    with world.engine.begin() as connection:
        disable_client(connection)

    assert world.ask(FARM, token).status_code == 401


def sign_out(connection: sa.Connection) -> None:
    connection.execute(sa.delete(tables.sessions))


def disable_account(connection: sa.Connection) -> None:
    accounts.change(connection, "anna", disabled=True)


def take_farms(connection: sa.Connection) -> None:
    accounts.change(connection, "anna", farm_ids=[])


@pytest.mark.parametrize(
    ("change", "status"), [(sign_out, 401), (disable_account, 401), (take_farms, 404)],
    ids=lambda one: getattr(one, "__name__", one),
)  # fmt: skip
def test_a_person_reads_on_for_no_request_longer_than_they_may(
    world: World, change: Callable[[sa.Connection], None], status: int
) -> None:
    put_account(world.engine, "anna", "operator", farm_ids=[world.mine.farm])
    world.api.sign_in("anna")
    world.told_again()

    with world.engine.begin() as connection:
        change(connection)

    assert world.ask(FARM).status_code == status


def test_a_role_that_sees_less_is_asked_anew(world: World) -> None:
    put_account(world.engine, "anna", "administrator")
    world.api.sign_in("anna")
    world.told_again()

    with world.engine.begin() as connection:
        accounts.change(connection, "anna", role="reader")

    assert world.ask(FARM).status_code == 404


def test_a_session_is_used_by_what_is_told_again(world: World) -> None:
    put_account(world.engine, "anna", "administrator")
    world.api.sign_in("anna")
    world.told_again()
    seen = tables.sessions.c.last_seen_at
    with world.engine.begin() as connection:
        connection.execute(
            sa.update(tables.sessions).values(last_seen_at=seen - dt.timedelta(minutes=2))
        )

    world.ask(FARM)

    with world.engine.connect() as connection:
        since = connection.scalar(sa.select(sa.func.now() - seen))
    assert since < dt.timedelta(minutes=1)


def test_what_one_was_told_nobody_else_is(world: World, key: str) -> None:
    other = put_key(world.engine, "other", farm_ids=[world.theirs.farm])
    world.told_again(key)

    assert world.ask(FARM, other).status_code == 404
    assert world.ask(FARM).status_code == 401
    assert world.ask(FARM, "dala_key_none").status_code == 401


# --- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [FARM, REGION])
def test_a_result_is_told_from_the_next_request_on(world: World, key: str, path: str) -> None:
    assert applied(world.told_again(key, path)) == 100.0

    with world.engine.begin() as connection:
        put_result(connection, world.mine, 200.0)

    assert applied(world.ask(path, key)) == 200.0
    assert applied(world.told_again(key, path)) == 200.0


def test_an_entry_of_a_person_is_told_from_the_next_request_on(world: World, key: str) -> None:
    world.told_again(key)
    body = {
        "crop_zone_id": world.mine.zone,
        "volume_m3": 100,
        "u_volume_m3": 5,
        "reason": "leaching of salts",
    }

    entered = world.api.ask("POST", "/v1/adjustments", key=key, json=body)

    assert entered.status_code == 201, entered.text
    zones = world.ask(FARM, key).json()["crop_zones"]
    assert [one["reason"] for one in zones[0]["adjustments"]] == ["leaching of salts"]


@pytest.mark.parametrize("path", [FARM, REGION])
def test_who_began_before_and_commits_after_is_told_of(world: World, key: str, path: str) -> None:
    # What a counter misses: the later transaction commits first, and its number was read.
    with world.engine.connect() as early, world.engine.connect() as late:
        put_result(early, world.mine, 200.0)
        farms.change(late, world.mine.farm, name="Ours")
        late.commit()
        assert applied(world.told_again(key, path)) == 100.0
        world.told_again(key, path)  # and again, by the snapshot of a later look

        early.commit()

    assert applied(world.ask(path, key)) == 200.0


def test_what_was_rolled_back_is_no_change(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.connect() as connection:
        put_result(connection, world.mine, 200.0)
        connection.rollback()

    assert applied(world.ask(FARM, key)) == 100.0
    assert world.was_recalled()


def test_another_farm_is_no_change_of_this_one(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.begin() as connection:
        put_result(connection, world.theirs, 200.0)

    world.ask(FARM, key)
    assert world.was_recalled()


def test_devices_are_silent_after_a_day_and_speak_again(world: World, key: str) -> None:
    def us(moment: dt.datetime) -> int:
        return round(moment.timestamp() * 1_000_000)

    now = dt.datetime.now(dt.UTC)
    with world.engine.begin() as connection:
        heard.note(connection, {world.mine.device: us(now - dt.timedelta(hours=23, minutes=30))})
    assert world.told_again(key).json()["devices"] == {"total": 1, "reporting": 1, "silent": 0}

    with time_machine.travel(now + dt.timedelta(minutes=31)):
        answer = world.ask(FARM, key)
        assert answer.json()["devices"] == {"total": 1, "reporting": 0, "silent": 1}
        world.told_again(key)
        with world.engine.begin() as connection:
            heard.note(connection, {world.mine.device: us(now)})
        assert world.ask(FARM, key).json()["devices"]["reporting"] == 1


def test_a_new_device_is_told_of(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.begin() as connection:
        devices.put(connection, "new", farm_id=world.mine.farm, kind="soil-probe", name="New")

    assert world.ask(FARM, key).json()["devices"]["total"] == 2


def test_a_link_leads_to_where_the_request_came_to(world: World) -> None:
    key, path = put_key(world.engine, "all", everything=True), "/v1/farms?limit=1"
    assert world.told_again(key, path).headers["link"].startswith("<http://test/")

    elsewhere = world.ask(path, key, Host="dala.example.kz")

    assert elsewhere.headers["link"].startswith("<http://dala.example.kz/")


# --- what stays as it is --------------------------------------------------------------------------


def test_what_is_told_again_is_counted_and_limited(world: World, key: str) -> None:
    world.api = Api(world.engine, api_rate_per_minute=4)
    world.told_again(key)
    last = world.ask(FARM, key)
    assert world.was_recalled()
    assert "r=1" in last.headers["ratelimit"]
    world.ask(FARM, key)

    beyond = world.ask(FARM, key)

    assert beyond.status_code == 429
    assert beyond.headers["content-type"] == "application/problem+json"
    metrics = world.api.app.state.metrics.text().decode()
    route = 'method="GET",route="/v1/farms/{farm}/summary"'
    assert f'dala_api_requests_total{{{route},status="200"}} 4.0' in metrics
    assert f'dala_api_requests_total{{{route},status="429"}} 1.0' in metrics


def test_a_page_of_another_origin_is_told_when_to_come_again(world: World, key: str) -> None:
    page = "https://page.example"
    world.api = Api(world.engine, api_rate_per_minute=2, cors_origins=[page])
    for _ in range(2):
        assert world.ask(FARM, key, Origin=page).status_code == 200

    beyond = world.ask(FARM, key, Origin=page)

    assert world.was_recalled()
    assert (beyond.status_code, beyond.headers["access-control-allow-origin"]) == (429, page)
    assert int(beyond.headers["retry-after"]) >= 1


def test_a_connection_that_breaks_is_the_long_way_and_no_error(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("""
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE query LIKE '%entrance.standing%' AND pid <> pg_backend_pid()""")
        )

    assert applied(world.ask(FARM, key)) == 100.0
    assert applied(world.told_again(key)) == 100.0


def test_there_is_room_for_so_much_and_the_oldest_makes_room(
    world: World, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "ROOM", 3 * (recall.OF_A_REQUEST + 2))
    paths = [f"{FARM}?format=json&{n}" for n in range(3)]
    for path in paths:
        world.told_again(key, path)
    world.told_again(key, paths[0])

    world.told_again(key, FARM)  # in whose place the second goes

    assert world.api.app.state.recall._held == 3 * (recall.OF_A_REQUEST + 2)
    for path, is_there in ((paths[0], True), (paths[2], True), (paths[1], False)):
        assert world.ask(path, key).status_code == 200
        assert world.was_recalled() == is_there


def test_a_long_query_takes_no_more_room_than_a_short_one(world: World, key: str) -> None:
    world.told_again(key, "/v1/farms?" + "x" * 50_000)

    assert all(len(name) < 100 for name in world.api.app.state.answers._bodies)


def test_everybody_who_waits_is_told_when_the_database_is_away() -> None:
    """Of more than are asked for in one statement, too."""
    all_wait = threading.Event()

    class Away:
        def execution_options(self, **_: Any) -> Any:
            all_wait.wait(60)
            raise sa.exc.OperationalError("connect", {}, OSError("away"))

    away: Any = Away()
    many = 3 * recall.AT_ONCE

    async def ask() -> list[str | None]:
        asking = recall._Asking(away, dt.timedelta(days=1))
        relied = changes.Relied(None, [], "")
        asked = [asyncio.ensure_future(asking.ask(relied)) for _ in range(many)]
        await asyncio.sleep(0)
        all_wait.set()
        return await asyncio.wait_for(asyncio.gather(*asked), 60)

    assert asyncio.run(ask()) == [None] * many


def test_the_long_way_is_gone_now_and_then_although_nothing_changes(world: World, key: str) -> None:
    world.told_again(key)
    (kept,) = world.api.app.state.recall._kept.values()
    kept.born -= changes.RELIED_ON.total_seconds() + 1

    assert applied(world.ask(FARM, key)) == 100.0
    assert not world.was_recalled()
