"""Servers that are started again when they end unasked."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from embedded.children import ChildError, LastingThread

LOOK_EVERY_S = 0.5
LONGEST_PAUSE_S = 30.0

logger = logging.getLogger("dala.embedded")


class Server(Protocol):
    """What is kept running."""

    def exit_code(self) -> int | None:
        """None while it runs."""

    def stop(self) -> object:
        """End it in order."""


class Keeper:
    """Watches servers from a thread of its own, which starts those again that ended.

    The kernel's signal at a parent's death is bound to the thread that forked, so this thread
    lives until the servers are stopped.
    """

    def __init__(self) -> None:
        self._servers: list[tuple[str, Server, Callable[[], Server]]] = []
        self._lock = threading.Lock()
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._thread = LastingThread(target=self._watch, name="dala-keeper", daemon=True)

    def keep(self, name: str, server: Server, again: Callable[[], Server]) -> None:
        """Watch one more server; ``again`` starts it where it was."""
        with self._lock:
            self._servers.append((name, server, again))
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        """Stop the servers, the last one first, and the watching."""
        self._stopping.set()
        with self._lock:  # a start that is under way is let finish
            while self._servers:
                _, server, _ = self._servers.pop()
                server.stop()
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        pause = LOOK_EVERY_S
        while not self._stopping.wait(pause):
            with self._lock:
                well = [self._look_after(place) for place in range(len(self._servers))]
            pause = LOOK_EVERY_S if all(well) else min(2 * pause, LONGEST_PAUSE_S)
        self._stopped.wait()  # what this thread started would die with it

    def _look_after(self, place: int) -> bool:
        name, server, again = self._servers[place]
        if (code := server.exit_code()) is None or self._stopping.is_set():
            return True
        logger.warning("the %s ended with code %d; it is started again", name, code)
        try:
            self._servers[place] = name, again(), again
        except ChildError as error:
            logger.error("the %s does not start: %s", name, error)
            return False
        return True
