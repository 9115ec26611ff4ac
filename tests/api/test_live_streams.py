"""Streams of events without a server: how many there are, what they are told, who is let go."""

import asyncio
import datetime as dt
import time
from typing import Any

import pytest
import sqlalchemy as sa

from api.errors import Refused
from api.live import SPARE, Client, Events, Live, LiveSettings
from api.live_events import Batch, View
from storage import live_news
from storage.live_news import LiveReading, Position

# Nobody looks for news while a test lasts: it says itself what was found.
STILL = {"every_s": 60, "heartbeat_s": 0.1, "check_s": 0.1}
NOW = dt.datetime(2025, 6, 15, tzinfo=dt.UTC)


def test_streams_leave_sockets_for_the_rest(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.resource.getrlimit", lambda _: (SPARE + 1, SPARE + 1))
    live = Live(engine, LiveSettings(**STILL))
    here = Position(1, int(time.time()))

    async def join_two() -> None:
        live.join(Client("a", View(frozenset(), False, True), "en", 2), here)
        live.join(Client("b", View(frozenset(), False, True), "en", 2), here)

    with pytest.raises(Refused, match="1 streams of events"):
        asyncio.run(join_two())


def test_who_may_see_more_is_told_what_was_looked_up_before_they_could(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look is for the farms of that moment: news between it and a new right would be lost."""
    live = Live(engine, LiveSettings(**(STILL | {"check_s": 1e-9})))
    here = Position(1, int(time.time()))
    one = LiveReading(1, 11, "a", None, "soil_moisture", None, None, NOW, 0.3, 0)
    facts = live_news.Facts([one._replace(farm_id=2)], [], [])
    asked_from = []

    def missed(client: Client, start: Position) -> Batch:
        asked_from.append((client.view.farms, start))
        return Batch(here, facts, farms={2}, everything=False)

    monkeypatch.setattr(live, "missed", missed)

    async def listened() -> bytes:
        client = Client("a", View(frozenset({1}), False, True), "en", 2)
        live.join(client, here)
        own = live_news.Facts([one], [], [])
        client.offer(Batch(Position(5, 1), own, farms={1}, everything=False))
        stream = live.stream(
            client,
            asked=None,
            here=here,
            check=lambda: View(frozenset({2}), False, True),
            seconds=0.2,
        )
        told = [piece async for piece in stream]
        live.leave(client)
        return b"".join(told)

    assert asyncio.run(listened()).count(b'"value"') == 2
    assert asked_from == [(frozenset({2}), Position(5, 1))]


@pytest.mark.parametrize("view", [View(frozenset({2}), False, True), View(frozenset(), True, True)])
def test_who_comes_while_others_affairs_are_looked_up_is_told_of_its_own(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, view: View
) -> None:
    """The look began without it, found nothing, and has gone past what happened meanwhile."""
    live = Live(engine, LiveSettings(**(STILL | {"every_s": 0.02, "check_s": 60})))
    here = Position(3, int(time.time()))
    one = LiveReading(1, 11, "a", None, "soil_moisture", None, None, NOW, 0.3, 0)
    nothing = live_news.Facts([], [], [])
    looks = iter([Batch(Position(9, 1), nothing, farms={1}, everything=False)])
    asked_from = []

    def missed(client: Client, start: Position) -> Batch:
        asked_from.append(start)
        facts = live_news.Facts([one._replace(farm_id=2)], [], [])
        return Batch(
            Position(10, 1), facts, farms=client.view.farms, everything=client.view.everything
        )

    def look() -> Batch:
        everything = Batch(Position(11, 1), nothing, farms=frozenset(), everything=True)
        return next(looks, everything)

    monkeypatch.setattr(live, "missed", missed)
    monkeypatch.setattr(live, "_look", look)

    async def listened() -> bytes:
        client = Client("a", view, "en", 2)
        live.join(client, here)
        stream = live.stream(client, asked=None, here=here, check=lambda: view, seconds=0.5)
        told = [piece async for piece in stream]
        live.leave(client)
        return b"".join(told)

    assert asyncio.run(listened()).count(b'"value"') == 1
    assert asked_from == [here]


def test_who_sees_the_same_is_told_the_same_bytes_made_once() -> None:
    one = LiveReading(1, 11, "a", None, "soil_moisture", None, None, NOW, 0.3, 0)
    facts = live_news.Facts([one, one._replace(farm_id=2)], [], [])
    batch = Batch(Position(7, 1), facts, farms=frozenset(), everything=True)
    first = batch.events(View(frozenset({1}), False, True), "en")
    again = batch.events(View(frozenset({1}), False, True), "en")
    both = batch.events(View(frozenset(), True, True), "en")

    assert first is again
    assert (first[0].count(b'"value"'), both[0].count(b'"value"')) == (1, 2)
    assert b"id: 7-1" in first[0]


def test_news_is_forgotten_after_an_hour(connection: sa.Connection) -> None:
    live_news.note_devices(connection, ["a"])
    now = dt.datetime.now(dt.UTC)
    live_news.prune(connection, now)
    assert connection.scalar(sa.text("SELECT count(*) FROM live_news")) == 1
    live_news.prune(connection, now + dt.timedelta(hours=1, minutes=1))
    assert connection.scalar(sa.text("SELECT count(*) FROM live_news")) == 0


def test_a_client_that_falls_behind_is_let_go(engine: sa.Engine) -> None:
    live = Live(engine, LiveSettings(**STILL))
    here = Position(1, int(time.time()))

    async def listened() -> list[bytes]:
        client = Client("a", View(frozenset({1}), False, True), "en", 2)
        live.join(client, here)
        for _ in range(3):
            client.offer(live_news_batch(here))
        told = [
            one
            async for one in live.stream(
                client, asked=None, here=here, check=lambda: client.view, seconds=60
            )
        ]
        live.leave(client)
        return told

    told = asyncio.run(listened())
    assert told[-1].startswith(b"event: ready")  # it ended at once, and may come again


def live_news_batch(here: Position) -> Any:
    return Batch(here, live_news.Facts([], [], []), farms=frozenset(), everything=True)


def test_who_takes_nothing_is_cut_off() -> None:
    async def content() -> Any:
        yield b": x\n\n"

    async def never(_message: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ConnectionAbortedError):
        asyncio.run(Events(content(), write_s=0.05).stream_response(never))
