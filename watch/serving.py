"""`dala watch` as a process: rules, reports, seals and messages when due, until it is stopped.

It is a process of its own. `dala ingest` must not wait for a rule, nor a rule for `dala analyze`,
which runs once a night; and a mail server that hangs is to hold up neither.
"""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from analytics.watching.rules import RULES, look
from storage import locks
from storage.watching import Watched
from watch.filing import Filed, file_due
from watch.sealing import Sealer
from watch.sending import Sent, send_due
from watch.settings import WatchSettings

log = structlog.get_logger()


class Done(NamedTuple):
    """What came of a look."""

    watched: Watched
    filed: Filed
    sent: Sent


class Watcher:
    """Looks at rules, files reports, sends messages; what it has done stands in the database."""

    def __init__(
        self,
        engine: sa.Engine,
        settings: WatchSettings | None = None,
        *,
        key_file: Path | None = None,
    ) -> None:
        self._engine, self._settings = engine, settings or WatchSettings()
        every = dt.timedelta(hours=self._settings.seal_every_h)
        self._sealer = Sealer(engine, every, key_file)
        self._key_file = key_file
        self._due: dict[str, dt.datetime] = {}
        self._stopped = threading.Event()

    def step(self, now: dt.datetime) -> Done:
        """Do what is due by now."""
        opened = cleared = 0
        for kind, rule in RULES.items():
            if rule.find is None or self._due.get(kind, now) > now:
                continue
            self._due[kind] = now + rule.every
            try:
                with self._engine.begin() as connection:
                    if locks.take(connection, f"dala rule {kind}"):
                        found = look(connection, rule, now)
                        opened, cleared = opened + found.opened, cleared + found.cleared
            except Exception as error:  # of one rule: the others are looked at all the same
                log.error("rule failed", rule=kind, error=f"{type(error).__name__}: {error}")
        try:
            self._sealer.step(now)
        except Exception as error:  # messages are sent all the same
            log.error("not sealed", error=f"{type(error).__name__}: {error}")
        filed = file_due(self._engine, self._key_file, now)
        return Done(Watched(opened, cleared), filed, send_due(self._engine, self._settings, now))

    def run(self) -> None:
        """Do what is due until :meth:`stop`."""
        while not self._stopped.is_set():
            try:
                done = self.step(dt.datetime.now(dt.UTC))
            except sa.exc.DBAPIError as error:
                log.error("database away", error=str(error).splitlines()[0])
            else:
                counts = {name: count for part in done for name, count in part._asdict().items()}
                if any(counts.values()):
                    log.info("watched", **counts)
            self._stopped.wait(self._settings.watch_every_s)

    def stop(self) -> None:
        """Let :meth:`run` end when it has done what it is doing."""
        self._stopped.set()
