"""What changes, as it changes, to every page that is open: one reader of the news for all of them.

Once a second the news is read, how things stand is looked up once, and each client is given what
is of its farms (``api.live_events``). This is the one part of the service that is asynchronous: a
client waits for most of its time, and a thread for each would be too many.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import resource
from collections.abc import AsyncIterator, Callable, Sequence

import sqlalchemy as sa
import structlog
from fastapi.sse import format_sse_event
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.concurrency import run_in_threadpool

from api.errors import Refused
from api.live_events import Batch, View, event
from api.serving import SOCKETS
from api.taking import Taken
from reports.messages import Language
from storage import live_news, tenancy
from storage.live_news import Position
from storage.tenancy import Reach

log = structlog.get_logger()

RETRY_MS = 3_000  # after which a browser asks again
EVERYTHING = Reach(everything=True)
SPARE = 128  # sockets and files of this process for all but streams


class LiveSettings(BaseSettings):
    """Read from the environment, ``DALA_LIVE_EVERY_S`` and so on."""

    model_config = SettingsConfigDict(env_prefix="DALA_LIVE_", extra="ignore")

    every_s: float = Field(default=1, gt=0, description="between looks for what is new")
    heartbeat_s: float = Field(default=15, gt=0, description="of silence, then a comment is sent")
    check_s: float = Field(default=30, gt=0, description="between looks whether one still may")
    write_s: float = Field(default=20, gt=0, description="in which a client must take what it got")
    queue: int = Field(default=60, ge=1, description="looks that a client may be behind")
    per_credential: int = Field(default=10, ge=1, description="streams at a time")
    streams: int = Field(default=2_000, ge=1, description="of this process at a time")
    longest_s: float = Field(default=3_600, gt=0, description="then a client is to come again")


class Client:
    """A stream to somebody."""

    def __init__(self, credential: str, view: View, language: Language, room: int) -> None:
        self.credential, self.view, self.language = credential, view, language
        self.batches: asyncio.Queue[Batch] = asyncio.Queue(room)
        self.is_behind = False

    def offer(self, batch: Batch) -> None:
        """Give a batch to a client, unless it has too many that it did not take."""
        try:
            self.batches.put_nowait(batch)
        except asyncio.QueueFull:
            self.is_behind = True


class Live:
    """All streams of this process, and who reads the news for them."""

    def __init__(self, engine: sa.Engine, settings: LiveSettings | None = None) -> None:
        self._engine, self.settings = engine, settings or LiveSettings()
        self._clients: set[Client] = set()
        self._reader: asyncio.Task[None] | None = None
        self._start: Position | None = None
        self._seen: dict[int, int] = {}
        self._reached: Position | None = None  # what every client was offered

    def join(self, client: Client, start: Position) -> None:
        """Let a client in that has seen everything before a position.

        Raises
        ------
        Refused
            If its credential has too many streams already, or this process has.
        """
        most = min(self.settings.streams, _sockets() - SPARE)
        if len(self._clients) >= most:
            raise Refused(
                503,
                f"This server has {most} streams of events open, and takes no more.",
                kind="too-many-streams",
                headers={"Retry-After": "60"},
            )
        most = self.settings.per_credential
        if sum(one.credential == client.credential for one in self._clients) >= most:
            raise Refused(
                429,
                f"This credential has {most} streams of events open already.",
                kind="too-many-streams",
                headers={"Retry-After": "60"},
            )
        self._clients.add(client)
        if self._reader is None or self._reader.done():
            self._start, self._seen, self._reached = start, {}, None
            self._reader = asyncio.create_task(self._read())

    def leave(self, client: Client) -> None:
        """Let a client go; without any, nobody reads the news."""
        self._clients.discard(client)
        if not self._clients and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(self.settings.every_s)
            try:
                batch = await run_in_threadpool(self._look)
            except Exception as error:  # whoever listens listens on, and it is looked again
                # Of a database that is away one line a second is enough; any other is ours to find.
                away = isinstance(error, sa.exc.OperationalError)
                words = f"{type(error).__name__}: {error}".splitlines()[0]
                log.error("no news", error=words, exc_info=not away)
                continue
            for client in self._clients:
                if not (batch.is_empty and batch.covers(client.view)):
                    client.offer(batch)
            self._reached = batch.position

    def _look(self) -> Batch:
        assert self._start is not None  # noqa: S101 - set before the reader is
        farms: set[int] = set().union(*(one.view.farms for one in list(self._clients)))
        everything = any(one.view.everything for one in list(self._clients))
        with self._engine.begin() as connection:
            tenancy.enter(connection, EVERYTHING)
            here = live_news.here(connection)  # before the news: what comes between is seen twice
            news = live_news.since(connection, self._start, self._seen)
            facts = live_news.facts(
                connection, news, farm_ids=farms, everything=everything, now=_now()
            )
        self._start = here
        seen = self._seen | news.rows
        self._seen = {row: xact for row, xact in seen.items() if xact >= here.xact}
        return Batch(here, facts, farms=farms, everything=everything)

    def missed(self, client: Client, start: Position) -> Batch:
        """What a client missed since a position."""
        with self._engine.begin() as connection:
            tenancy.enter(connection, EVERYTHING)
            here = live_news.here(connection)
            news = live_news.since(connection, start)
            view = client.view
            facts = live_news.facts(
                connection, news, farm_ids=view.farms, everything=view.everything, now=_now()
            )
        return Batch(here, facts, farms=view.farms, everything=view.everything)

    async def stream(
        self,
        client: Client,
        *,
        asked: str | None,
        here: Position,
        check: Callable[[], View | None],
        seconds: float,
    ) -> AsyncIterator[bytes]:
        """Events of a client, as bytes, until it may see no more or is too far behind.

        ``asked`` is the position that the client says it has reached, ``here`` the one at which it
        joined; ``check`` finds out anew what it may see.
        """
        start = live_news.position(asked, here) if asked else here
        clock = asyncio.get_running_loop().time
        ends, checked = clock() + min(seconds, self.settings.longest_s), clock()
        yield f"retry: {RETRY_MS}\n\n".encode()
        if start is None:
            words = "too long ago to tell what was missed: read everything anew"
            yield event("reset", {"reason": words}, position=here)
        elif asked:
            for told in await self._missed_events(client, start):
                yield told
        yield event("ready", {}, position=here)
        told_to = here
        while not client.is_behind and (left := ends - clock()) > 0:
            try:
                wait = min(self.settings.heartbeat_s, left)
                batch = await asyncio.wait_for(client.batches.get(), wait)
            except TimeoutError:
                # Nobody's affairs changed: a client that comes again need not ask for this time.
                reached = self._reached if client.batches.empty() else None
                told_id = None if reached is None else str(reached)
                yield format_sse_event(comment="still here", id=told_id)
            else:
                if not batch.covers(client.view):  # it began before the client may see so much
                    batch = await run_in_threadpool(self.missed, client, told_to)
                for told in batch.events(client.view, client.language):
                    yield told
                told_to = batch.position
            if clock() - checked >= self.settings.check_s:
                view = await run_in_threadpool(check)
                if view is None:
                    yield event("end", {"reason": "this credential is no longer good"})
                    return
                checked = clock()
                if view != client.view:
                    # What was looked up for others by now has nothing of what it may see as well.
                    client.view = view
                    for told in await self._missed_events(client, told_to):
                        yield told

    async def _missed_events(self, client: Client, start: Position) -> Sequence[bytes]:
        batch = await run_in_threadpool(self.missed, client, start)
        return batch.events(client.view, client.language)


class Events(Taken):
    """A stream of events; FastAPI's own response for events makes it of a generator."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], *, write_s: float) -> None:
        # X-Accel-Buffering: a proxy before us would hold events back until it has many.
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        super().__init__(content, write_s=write_s, headers=headers)


def _sockets() -> int:
    """How many sockets and files this process may have open (``api.serving.make_room``)."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return SOCKETS if soft == resource.RLIM_INFINITY else soft


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
