"""What surrounds every request and answer: its id, headers for browsers, bounds on bodies."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import bodies
from api.addresses import EVENTS
from api.errors import Refused, from_refusal, problem
from api.metrics import Metrics
from api.settings import ApiSettings

log = structlog.get_logger()

REQUEST_ID = "X-Request-ID"
_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The API answers data: nothing in an answer is to be run, framed, or guessed to be a page. A route
# that serves pages sets its own.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Envelope:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: ApiSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._headers = HEADERS | (TLS_ONLY if settings.secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; whatever goes wrong, it is answered and logged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        is_head = scope["method"] == "HEAD" and scope["path"] != EVENTS
        if is_head:  # the same as GET, but for the body; the server keeps a scope of its own
            scope = {**scope, "method": "GET"}
        headers = Headers(scope=scope)
        asked = headers.get(REQUEST_ID, "")
        request_id = asked if _USABLE_ID.fullmatch(asked) else uuid.uuid4().hex
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        def note(status: int) -> None:
            self._metrics.note(scope, status, begun)

        own = self._headers | {REQUEST_ID: request_id}
        sender = _Sender(_without_body(send) if is_head else send, own, state, note)
        try:
            _check_length(headers, bodies.room(scope, self._settings))
            await self._app(scope, _bounded(receive, scope, headers, self._settings), sender)
        except Refused as refusal:
            await _answer(from_refusal(refusal), scope, receive, sender)
        except (ClientDisconnect, ConnectionAbortedError):  # nobody is there to be answered
            if sender.started:
                raise ConnectionAbortedError("an answer broke off") from None
        except Exception as error:
            log.exception("unexpected error", path=scope["path"], error=repr(error))
            words = "Something went wrong on our side; it was logged under the request_id."
            await _answer(problem(500, words), scope, receive, sender)


async def _answer(answer: ASGIApp, scope: Scope, receive: Receive, sender: _Sender) -> None:
    if sender.started:
        raise ConnectionAbortedError("an answer broke off")  # the server cuts the connection
    await answer(scope, receive, sender)


def _without_body(send: Send) -> Send:
    async def sender(message: Message) -> None:
        await send({**message, "body": b""} if "body" in message else message)

    return sender


class _Sender:
    """Adds headers to the beginning of an answer; those that a route set stay."""

    def __init__(
        self,
        send: Send,
        headers: dict[str, str],
        state: MutableMapping[str, Any],
        note: Callable[[int], None],
    ) -> None:
        self._send, self._headers, self._state, self._note = send, headers, state, note
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._note(message["status"])
            sent = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in self._headers.items():
                sent.setdefault(name, value)
            if (count := self._state.get("limits")) is not None:
                for name, value in count.headers().items():
                    sent.setdefault(name, value)
        await self._send(message)


def _check_length(headers: Headers, room: int) -> None:
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) > room:
        raise _too_large(room)


def _bounded(
    receive: Receive, scope: Scope, headers: Headers, settings: ApiSettings
) -> Callable[[], Any]:
    """Receive a body up to its end, which must come in time and below the bound of its route."""
    taken, whole = 0, False
    deadline = time.monotonic() + settings.body_s

    async def bounded() -> Message:
        nonlocal taken, whole
        if whole:
            return await receive()
        room = bodies.room(scope, settings)  # whoever reads a body knows its route
        _check_length(headers, room)
        try:
            message = await asyncio.wait_for(receive(), max(deadline - time.monotonic(), 0.001))
        except TimeoutError:
            whole = True
            raise Refused(
                408,
                f"The body did not come within {settings.body_s:g} s.",
                headers={"Connection": "close"},
            ) from None
        taken += len(message.get("body", b""))
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        if taken > room:
            raise _too_large(room)
        return message

    return bounded


def _too_large(room: int) -> Refused:
    return Refused(
        413,
        f"A body has at most {room} bytes here.",
        headers={"Connection": "close"},
    )
