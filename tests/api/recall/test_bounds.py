"""What is told again has bounds: of room, of age, and of a database that is there."""

import asyncio
import datetime as dt
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from api import recall
from storage import changes
from tests.api.recall.world import FARM, World, applied


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
