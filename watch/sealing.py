"""The tree of evidence, sealed while the service runs: after midnight UTC, or more often."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
import structlog

from reports.statements import sealing
from reports.statements.signing import KeyUnknown, SigningKey
from storage import evidence, tree_heads
from storage.database import take_time

log = structlog.get_logger()

LOOK_EVERY = dt.timedelta(minutes=1)
AUTHOR = "service:watch"


class Sealer:
    """Seals what waits, once in each stretch of time; what it has done stands in the database."""

    def __init__(self, engine: sa.Engine, every: dt.timedelta, key_file: Path | None) -> None:
        self._engine, self._every, self._key_file = engine, every, key_file
        self._next_look = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._told: str | None = None  # why nothing is sealed: said once

    def step(self, now: dt.datetime) -> sealing.Sealed | None:
        """Seal, if the stretch that goes on has no head yet and something waits."""
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_EVERY
        with self._engine.begin() as connection:
            newest = tree_heads.newest(connection)
            began, ends = self._began(now), self._began(now) + self._every
            # One of a time to come is of a clock that was put right since: it holds up nothing.
            if newest is not None and began <= newest.sealed_at < ends:
                self._next_look = ends
                return None
            if not (waiting := evidence.waiting(connection).batches):
                return None
            key = self._key(waiting)
            if key is None:
                return None
            take_time(connection)
            try:
                sealed = sealing.seal(connection, key, author=AUTHOR)
            except KeyUnknown as error:  # nothing was taken: of any other all is taken back
                self._tell(str(error), waiting)
                return None
        self._told = None
        if sealed is not None:
            self._next_look = ends
            told = {"entries": sealed.entries, "batches": sealed.batches, "rows": sealed.rows}
            log.info("sealed", seal=sealed.newest.seal, size=sealed.newest.size, **told)
        return sealed

    def _began(self, now: dt.datetime) -> dt.datetime:
        """When the stretch that goes on began; those of a day begin at midnight UTC."""
        epoch = dt.datetime.fromtimestamp(0, dt.UTC)
        return epoch + (now - epoch) // self._every * self._every

    def _key(self, waiting: int) -> SigningKey | None:
        if self._key_file is None:
            return None
        try:
            return SigningKey.read(self._key_file)
        except FileNotFoundError:
            self._tell(f"there is no key at {self._key_file}: `dala report key` makes it", waiting)
        except (OSError, ValueError) as error:
            self._tell(str(error), waiting)
        return None

    def _tell(self, why: str, waiting: int) -> None:
        if self._told != why:
            self._told = why
            log.warning("batches wait to be sealed", why=why, batches=waiting)
