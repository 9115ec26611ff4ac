"""Summaries that were answered a moment ago are answered again from memory.

A program that asks for the summaries of a country over and over, or a hundred of them at once, is
told for a second what it was told: the same key, the same address, the same form. Whoever wants to
be sure that everything is looked at anew says ``Cache-Control: no-cache``. Nothing is kept for
people who signed in, and any write forgets all. A key that was revoked reads for that second what
it has read already, in this process; a request of anything else is refused at once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.security.guard import Door

MOST = 512
MOST_BYTES = 256 * 1024  # of one answer
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_Key = tuple[str, ...]


class _Kept(NamedTuple):
    until: float
    credential: str
    start: Message
    body: Message


class Fresh:
    """ASGI middleware; inside of what sets headers for each request."""

    def __init__(self, app: ASGIApp, door: Door, seconds: float) -> None:
        self._app, self._door, self._seconds = app, door, seconds
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or let the application answer and remember it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] not in _SAFE:
            try:
                await self._app(scope, receive, send)
            finally:
                self._kept.clear()
            return
        key = _key(scope) if self._seconds > 0 else None
        if key is None:
            await self._app(scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        kept = self._kept.get(key)
        if kept is not None and kept.until > time.monotonic():
            state["limits"] = self._door.limiter.hit("default", kept.credential)
            await send(_copied(kept.start))
            await send(kept.body)
            return
        await self._answer(key, scope, receive, send)

    async def _answer(self, key: _Key, scope: Scope, receive: Receive, send: Send) -> None:
        said: list[Message] = []

        async def listening(message: Message) -> None:
            if len(said) < 3:
                said.append(_copied(message))
            await send(message)

        begun = time.monotonic()
        await self._app(scope, receive, listening)
        who = scope["state"].get("caller")
        if who is None or len(said) != 2 or said[0].get("status") not in {200, 304}:
            return
        if len(said[1].get("body", b"")) <= MOST_BYTES:
            self._kept[key] = _Kept(begun + self._seconds, who.credential, *said)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def _copied(message: Message) -> Message:
    """A message whose headers others may add to."""
    made = dict(message)
    if "headers" in made:
        made["headers"] = list(made["headers"])
    return made


def _key(scope: Scope) -> _Key | None:
    """What an answer depends on; None where none is kept."""
    if scope["method"] != "GET" or not scope["path"].endswith("/summary"):
        return None
    headers = Headers(scope=scope)
    shown = headers.get("authorization", "")
    if not shown.lower().startswith("bearer ") or "no-cache" in headers.get("cache-control", ""):
        return None
    query = scope.get("query_string", b"").decode("latin-1")
    accepts = ",".join(headers.getlist("accept"))
    return shown, scope["path"], query, accepts, headers.get("if-none-match", "")
