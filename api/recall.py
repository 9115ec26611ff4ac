"""Answers given again: who was told something is told it again while nothing of it has changed.

The whole path of such a request:

1. It was asked before, word for word and under the same credential, and answered the long way:
   guard, transaction, route. The route said what its answer rests on (``api.answers.tagged``), and
   we kept the answer's ETag and head beside the snapshot of before anything was looked at.
2. Now the database is asked one thing: is the credential still good, and has anything of what the
   answer rests on, or of its holder's rights, changed since that snapshot (``storage.changes``)?
   All who wait are asked for in one statement, on a thread with a connection of its own.
3. If all stands, the bytes of last time are sent, or 304; from then on they are of the new
   snapshot. If not, or if nobody knows, the request goes the long way.

So memory decides nothing: that a key was revoked, a role changed, or a result came, holds from the
next request on, in whatever order transactions commit. Rights and farms are looked at by the
database, the long way; here only the very caller who was shown something is shown it again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import Answers, Found, known_tags
from api.errors import Refused, from_refusal
from api.security import caller, tokens
from api.security.guard import AUDITED_READS, Door
from storage import changes, tenancy
from storage.changes import Relied

log = structlog.get_logger()

# What is remembered: a request counts as ten subjects, and each of its own; some 100 bytes apiece.
ROOM, OF_A_REQUEST = 200_000, 10
IDLE_S = 30.0  # after which the connection is closed
AT_ONCE = 64  # that are asked for in one statement
_LONGEST_S = changes.RELIED_ON.total_seconds()
# What an answer depends on beside its address. A route that looks at others must not say what its
# answer rests on.
HEADERS = frozenset({b"accept", b"accept-language", b"authorization", b"cookie", b"host"})
CREDENTIALS = frozenset({b"authorization", b"cookie"})


class _Kept:
    """An answer, and what it rests on."""

    __slots__ = ("body", "born", "counted", "head", "relied", "route", "tag", "until")

    def __init__(self, tag: str, body: str, counted: str, relied: Relied, until: float) -> None:
        self.tag, self.body = tag, body  # the latter is a name in Answers
        self.counted = counted  # the credential by which requests are counted
        self.relied, self.until = relied, until  # until: POSIX time
        self.born = time.monotonic()
        self.head: Sequence[tuple[bytes, bytes]] = ()
        self.route: Any = None

    @property
    def weight(self) -> int:
        """What it takes of the room."""
        return OF_A_REQUEST + len(self.relied.subjects)


class Recall:
    """What was answered to whom, and whether it stands."""

    def __init__(self, door: Door, answers: Answers) -> None:
        self.door, self._answers = door, answers
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()
        self._asking = _Asking(door.engine, door.settings.idle)

    def keep(self, request: Request, answer: Response, found: Found, *, body: str) -> None:
        """Remember an answer that a route is about to give, with the name of its bytes."""
        state = request.state
        key = getattr(state, "recall", None)
        shown = caller.credential(request, self.door.settings)
        ground = found.ground
        if ground is None or key is None or shown is None or state.demand.scope in AUDITED_READS:
            return
        who = state.caller
        # The token of the settings lasts as long as this process.
        lasts = who.credential == caller.BY_SETTINGS
        relied = Relied(
            None if lasts else tokens.digest(shown[1]).hex(),
            [*ground.subjects, *(() if lasts else (who.credential,))],
            state.snapshot,
        )
        until = math.inf if ground.until is None else ground.until.timestamp()
        kept = _Kept(found.tag, body, who.credential, relied, until)
        kept.head = [one for one in answer.raw_headers if one[0] != b"content-length"]
        kept.route = request.scope.get("route")
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._held += kept.weight
            while self._held > ROOM:
                self._drop(next(iter(self._kept)))  # what was not asked for the longest

    async def find(self, key: bytes) -> _Kept | None:
        """The answer to a request, if it stands this moment."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
        if time.time() < kept.until and time.monotonic() < kept.born + _LONGEST_S:
            snapshot = await self._asking.ask(kept.relied)
            if snapshot is not None:
                kept.relied = kept.relied._replace(snapshot=snapshot)
                return kept
        with self._lock:
            if self._kept.get(key) is kept:
                self._drop(key)
        return None

    def _drop(self, key: bytes) -> None:
        gone = self._kept.pop(key, None)
        self._held -= 0 if gone is None else gone.weight

    def body(self, kept: _Kept) -> bytes | None:
        """Its bytes, where they are still there."""
        return self._answers.get(kept.body)


class Recalling:
    """ASGI middleware: gives an answer again, or lets the request go the long way."""

    def __init__(self, app: ASGIApp, recall: Recall) -> None:
        self._app, self._recall = app, recall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        key = _key(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if key is not None:
            kept = await self._recall.find(key)
            try:
                if kept is not None and await self._send_again(kept, scope, send):
                    return
            except Refused as refusal:  # told here, where pages of other origins are heard
                await from_refusal(refusal)(scope, receive, send)
                return
            scope["state"]["recall"] = key
        await self._app(scope, receive, send)

    async def _send_again(self, kept: _Kept, scope: Scope, send: Send) -> bool:
        condition = next((v for k, v in scope["headers"] if k == b"if-none-match"), b"")
        known = known_tags(condition.decode("latin-1")) if condition else ()
        status, body = 304, b""
        if kept.tag not in known and "*" not in known:
            found = self._recall.body(kept)
            if found is None:
                return False
            status, body = 200, found
        scope["route"] = kept.route  # by which requests are counted
        scope["state"]["limits"] = self._recall.door.limiter.hit("default", kept.counted)
        if status == 200:
            head = [*kept.head, (b"content-length", b"%d" % len(body))]
        else:
            head = [one for one in kept.head if one[0] != b"content-type"]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})
        return True


def _key(scope: Scope) -> bytes | None:
    """What a request asks, and under which credential; None for one that shows none."""
    told = [(name, value) for name, value in scope["headers"] if name in HEADERS]
    if not any(name in CREDENTIALS for name, _ in told):
        return None
    asked = (scope["scheme"], scope["path"], scope["query_string"], told)
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).digest()


# --- asking the database --------------------------------------------------------------------------


class _Question(NamedTuple):
    relied: Relied
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[str | None]


class _Asking:
    """A thread that asks for all who wait; there is none while nobody asks."""

    def __init__(self, engine: sa.Engine, idle: dt.timedelta) -> None:
        self._engine, self._idle = engine, idle
        self._waiting: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    async def ask(self, relied: Relied) -> str | None:
        """The snapshot in which what is relied on stands; None where it does not, or who knows."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()
        with self._lock:
            self._waiting.put(_Question(relied, loop, answer))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="recall", daemon=True)
                thread.start()  # where there is no thread to be had, the next asks for one again
                self._thread = thread
        return await answer

    def _run(self) -> None:
        try:
            with self._engine.execution_options(
                isolation_level="AUTOCOMMIT"
            ).connect() as connection:
                connection.detach()  # not one of those that requests wait for
                tenancy.take_role(connection)
                while self._serve(connection):
                    pass
        except sa.exc.SQLAlchemyError as error:
            log.warning("answers are not given again", error=str(error).splitlines()[0])
        finally:
            self._end()

    def _serve(self, connection: sa.Connection) -> bool:
        """Answer those who wait; False once nobody came for a while."""
        asked = self._next(IDLE_S)
        if not asked:
            return False
        try:
            found = changes.standing(connection, [one.relied for one in asked], idle=self._idle)
        except BaseException:
            _tell(asked, [None] * len(asked))
            raise
        _tell(asked, [found.snapshot if stands else None for stands in found.stands])
        return True

    def _next(self, patience_s: float) -> list[_Question]:
        asked: list[_Question] = []
        try:
            asked.append(self._waiting.get(timeout=patience_s))
            while len(asked) < AT_ONCE:
                asked.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return asked

    def _end(self) -> None:
        with self._lock:  # who comes from now on has a new thread
            self._thread = None
            while left := self._next(0):  # all of them: nobody else would tell them
                _tell(left, [None] * len(left))


def _tell(asked: Sequence[_Question], answers: Sequence[str | None]) -> None:
    """Let each know, all of one loop at once."""
    of_each: dict[asyncio.AbstractEventLoop, list[tuple[_Question, str | None]]] = {}
    for one, answer in zip(asked, answers, strict=True):
        of_each.setdefault(one.loop, []).append((one, answer))
    for loop, told in of_each.items():
        with suppress(RuntimeError):  # a loop that has ended waits for nothing
            loop.call_soon_threadsafe(_settle, told)


def _settle(told: Sequence[tuple[_Question, str | None]]) -> None:
    for one, answer in told:
        if not one.answer.done():  # who went away has cancelled it
            one.answer.set_result(answer)
