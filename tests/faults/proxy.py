"""A TCP proxy that can be a bad network: frozen, cut, slow, or stopped around a COMMIT."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # PostgreSQL's simple query, as psycopg sends it
BINARY_COPY = b"PGCOPY\n\xff\r\n\x00"  # a transaction with it stores a batch
CHUNK_BYTES = 64 * 1024

Side = Literal["before", "after"]


class _Pair:
    """One connection through the proxy."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self._writers = writers
        self.copied = self.answers_held = False
        self.tail = b""  # what the client sent last: a marker may lie across two chunks

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Proxy:
    """Relays from a free port of 127.0.0.1 to ``target``; a thread of its own does the work."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pairs: set[_Pair] = set()
        self._is_cut = False
        self._bytes_per_s: float | None = None
        self._trap: Side | None = None
        self._to_pass = 0
        self.trapped = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Relay nothing; connections stand, and nobody is told."""
        self._in_loop(self._flow.clear)

    def thaw(self) -> None:
        self._in_loop(self._flow.set)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._is_cut = True
        self._in_loop(self._abort_all)

    def mend(self) -> None:
        """Be a good network again."""
        self._is_cut, self._bytes_per_s = False, None
        self.thaw()

    def throttle(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s

    def reset(self) -> None:
        """Reset every connection; new ones may come."""
        self._in_loop(self._abort_all)

    def set_trap(self, side: Side, *, after: int = 0) -> None:
        """Stop a transaction that stores a batch, ``after`` some: its COMMIT, or the answer."""
        self.trapped.clear()
        self._trap, self._to_pass = side, after

    def release(self) -> None:
        """Disarm the trap and reset what is in it."""
        self._trap = None
        self.reset()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            self._flow.set()
            self._abort_all()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # transports say that they are closed

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- in the loop

    async def _listen(self) -> asyncio.Server:
        self._flow, self._never = asyncio.Event(), asyncio.Event()
        self._flow.set()
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            there, thither = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair((writer, thither))
        if self._is_cut:  # meanwhile
            pair.abort()
            return
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._pump(reader, thither, lambda data: self._on_request(pair, data)),
                self._pump(there, writer, lambda data: self._on_answer(pair, data)),
            )
        except (OSError, asyncio.CancelledError):
            pass  # either side left, or we end
        finally:
            pair.abort()
            self._pairs.discard(pair)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        watch: Callable[[bytes], Awaitable[None]],
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flow.wait()
            await watch(data)
            if self._bytes_per_s is not None:
                await asyncio.sleep(len(data) / self._bytes_per_s)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError  # one side has closed: so does the other

    async def _on_request(self, pair: _Pair, data: bytes) -> None:
        seen = pair.tail + data
        pair.tail = seen[-len(COMMIT) + 1 :]
        pair.copied = pair.copied or BINARY_COPY in seen
        if COMMIT not in seen:
            return
        stores, pair.copied = pair.copied, False
        if stores and self._to_pass > 0:
            self._to_pass -= 1
        elif stores and self._trap == "before":
            self._trap = None
            self.trapped.set()
            await self._never.wait()
        elif stores and self._trap == "after":
            self._trap, pair.answers_held = None, True

    async def _on_answer(self, pair: _Pair, _data: bytes) -> None:
        if pair.answers_held:
            self.trapped.set()
            await self._never.wait()

    def _abort_all(self) -> None:
        for pair in self._pairs:
            pair.abort()

    # --- from other threads

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def _in_loop(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # closed already
            self._loop.call_soon_threadsafe(work)
