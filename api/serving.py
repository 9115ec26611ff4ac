"""How the application is served: heads of requests come to an end, and streams have room."""

from __future__ import annotations

import contextlib
import resource
from asyncio import TimerHandle
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 2**10
HEAD_S = 10.0
SOCKETS = 65_536


class BoundedHeads(HttpToolsProtocol):
    """HTTP/1.1 whose heads have a bound and a time, which uvicorn leaves to a proxy before it.

    Whoever sends an endless head, or half of one, would else take memory and sockets for nothing;
    so would headers behind a body (trailers). Bodies are bounded in ``api.envelope``.
    """

    _loose_bytes = 0  # that came since a head was whole, or some of a body was there
    _got_on = False
    _late: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client is there, and is to say what it wants."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        self._got_on = False
        super().data_received(data)
        self._loose_bytes = 0 if self._got_on else self._loose_bytes + len(data)
        if self._loose_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._got_on = True
        self._forget_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of a body is there."""
        self._got_on = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        """The client has its answer, and may ask again."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget_head()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._forget_head()
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _forget_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def config(app: Any, *, host: str, port: int, **more: Any) -> uvicorn.Config:
    """Of a server for the application."""
    ours: dict[str, Any] = {
        "http": BoundedHeads,
        "ws": "none",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 5,  # streams of events have no end of their own
    }
    return uvicorn.Config(app, host=host, port=port, **(ours | more))


def run(app: Any, *, host: str, port: int) -> None:
    """Serve until stopped."""
    make_room()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config(app, host=host, port=port)).run()


def make_room() -> int:
    """Let this process have as many sockets as it may, for streams of events; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = SOCKETS if hard == resource.RLIM_INFINITY else min(hard, SOCKETS)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)
