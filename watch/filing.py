"""Reports that are due, filed: each due time once, however many processes watch."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from reports.statements import scheduled
from reports.statements.scheduled import CarriedOut
from reports.statements.signing import SigningKey
from storage import schedules
from storage.database import NotFound, take_time
from storage.schedules import Schedule

log = structlog.get_logger()

# Alerts and messages wait meanwhile: what is left is filed at the next look.
ENOUGH_S = 2.0


class Filed(NamedTuple):
    """What became of reports that were due."""

    filed: int
    unchanged: int  # it says the same as was filed before
    not_filed: int  # and will be tried again


def file_due(engine: sa.Engine, key_file: Path | None, now: dt.datetime) -> Filed:
    """File what is due by now; to be called again and again.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database is away; what was due still is.
    """
    total, enough = Filed(0, 0, 0), time.monotonic() + ENOUGH_S
    with engine.begin() as connection:
        standing = schedules.standing(connection)
    for one in standing:
        if not _waits(engine, one, now):
            continue
        if time.monotonic() > enough:
            break
        found = _carry_out(engine, key_file, one.id, now)
        total = Filed(*(sum(pair) for pair in zip(total, found, strict=True)))
    return total


def _waits(engine: sa.Engine, one: Schedule, now: dt.datetime) -> bool:
    try:
        return scheduled.waits_since(one, now) is not None
    except Exception as error:  # of one schedule, as a zone that this machine does not know
        log.exception("fault in a schedule", schedule=one.id)
        with engine.begin() as connection:
            schedules.note_failed(connection, one, _words(error), now)
        return False


def _carry_out(engine: sa.Engine, key_file: Path | None, number: int, now: dt.datetime) -> Filed:
    """File one in the transaction that notes it is done: neither stands without the other."""
    with engine.begin() as connection:
        take_time(connection)
        one = schedules.hold(connection, number)
        at = None if one is None else scheduled.waits_since(one, now)
        if one is None or at is None:  # another process did it, or does
            return Filed(0, 0, 0)
        told = {"schedule": number, "kind": one.kind, "of": one.farm or one.area_code}
        try:
            with connection.begin_nested():
                made, older = _file(connection, key_file, one, at, now)
        except Exception as error:  # of one report: the others are filed all the same
            if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
                raise
            words = _words(error)
            schedules.note_failed(connection, one, words, now)
            log.error("scheduled report not filed", **told, due=at.isoformat(), error=words)
            return Filed(0, 0, 1)
        schedules.note_done(connection, number, at, made.revision.id)
    told |= {"number": made.report.number, "revision": made.revision.revision}
    log.info("scheduled report filed", **told, due=at.isoformat(), is_news=made.is_news)
    if older:
        log.warning("scheduled report is of older figures", **told, why=older)
    return Filed(int(made.is_news), int(not made.is_news), 0)


def _file(
    connection: sa.Connection,
    key_file: Path | None,
    one: Schedule,
    at: dt.datetime,
    now: dt.datetime,
) -> CarriedOut:
    if key_file is None or not key_file.exists():
        where = "DALA_REPORT_KEY_FILE" if key_file is None else str(key_file)
        raise ValueError(f"there is no key to sign with ({where}): `dala report key` makes one")
    return scheduled.carry_out(connection, one, at, SigningKey.read(key_file), now)


def _words(error: Exception) -> str:
    if isinstance(error, NotFound):
        return f"there is no {error}"
    if isinstance(error, ValueError):
        return str(error)
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
