"""The transaction of a request: opened on one thread, and ended on the one that used it.

To hand a request from one thread to another takes longer than many a question to the database, so
an answer that needs nothing more ends its transaction itself. Whoever waits for a connection
waits among the door's own threads: those that have one are then never kept from going on.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import anyio
import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool

THREADS = 20  # as many as an engine of ten connections opens at most


class Work:
    """One transaction; it is rolled back unless it is finished."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._stack = ExitStack()
        self.is_open = False

    async def begin(self, pool: ThreadPoolExecutor, first: Callable[[sa.Connection], None]) -> None:
        """Open it, and do what comes first, on a thread of the pool."""
        context = contextvars.copy_context()

        def begin() -> None:
            connection = self._stack.enter_context(self._engine.begin())
            self.is_open = True
            try:
                first(connection)
            except BaseException as error:
                self._roll_back(error)
                raise

        begun = asyncio.get_running_loop().run_in_executor(pool, context.run, begin)
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            # A thread cannot be stopped: what it opens is waited for, and then ended.
            with anyio.CancelScope(shield=True):
                await asyncio.wait([begun])
            if not begun.cancelled():
                begun.exception()  # nobody is there to be told
            raise

    def finish(self) -> None:
        """Commit, once."""
        if self.is_open:
            self.is_open = False
            self._stack.close()

    async def give_up(self, error: BaseException) -> None:
        """Roll back after an error; of what was committed nothing is left to undo."""
        if self.is_open:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._roll_back, error)

    def _roll_back(self, error: BaseException) -> None:
        self.is_open = False
        self._stack.__exit__(type(error), error, error.__traceback__)
