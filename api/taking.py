"""Answers that come in pieces: whoever asks takes each of them in time, or is cut off."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

log = structlog.get_logger()


class Taken(StreamingResponse):
    """A stream that a client must take; a plain one waits without end for who does not."""

    def __init__(
        self,
        content: AsyncIterable[bytes] | Iterable[bytes],
        *,
        write_s: float,
        headers: Mapping[str, str],
        media_type: str | None = None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """``over`` is called once nothing of it is sent any more, or where nothing ever is."""
        super().__init__(content, headers=headers, media_type=media_type)
        self._write_s = write_s
        self._over = weakref.finalize(self, over)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it, or as much as is taken."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()

    async def stream_response(self, send: Send) -> None:
        """Send the pieces, each within its time."""

        async def in_time(message: Any) -> None:
            async with asyncio.timeout(self._write_s):
                await send(message)

        try:
            await super().stream_response(in_time)
        except TimeoutError:
            log.warning("a client takes nothing: cut off", seconds=self._write_s)
            # The server cuts the connection; what was sent cannot be taken back.
            raise ConnectionAbortedError("who asked takes nothing") from None
