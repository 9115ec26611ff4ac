"""A report that files itself: of which season, by whose right, and why it says something else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfoNotFoundError

import sqlalchemy as sa

from reports import freshness
from reports.statements import due, filing
from reports.statements.due import Cadence, Every
from reports.statements.filing import Filing
from reports.statements.signing import SigningKey
from reports.statements.statement import Asked, CannotBeFiled
from storage import audit, behalf
from storage.schedules import Schedule

_YEARS_BACK = {"this-year": 0, "last-year": 1}


def cadence_of(one: Schedule) -> Cadence:
    """How often it is due."""
    every = cast("Every", one.every)
    return Cadence(every, one.at, one.timezone, one.on_day, one.first_day, one.last_day)


def as_columns(cadence: Cadence) -> dict[str, Any]:
    """A cadence as a schedule keeps it."""
    names = {"on": "on_day"}
    return {names.get(name, name): value for name, value in cadence._asdict().items()}


def waits_since(one: Schedule, now: dt.datetime) -> dt.datetime | None:
    """When it was due last and is not done; None where nothing waits, or its attempt does.

    However often it came due meanwhile, once is enough: what is filed is how things stand now.
    """
    if one.not_before is not None and now < one.not_before:
        return None
    return due.last_due(cadence_of(one), one.done_until, now)


def next_due(one: Schedule) -> dt.datetime | None:
    """When it is due next; a time that is past is one that is not done yet.

    None for what never comes, or by clocks that this machine does not know.
    """
    try:
        return due.next_due(cadence_of(one), one.done_until)
    except ZoneInfoNotFoundError:
        return None


def season_of(rule: str, day: dt.date) -> int:
    """The season that is filed on a day: by its year, or one that is named."""
    return day.year - _YEARS_BACK[rule] if rule in _YEARS_BACK else int(rule)


class CarriedOut(NamedTuple):
    """What was filed, or stood, and that its figures are older than what is below them."""

    filing: Filing
    older: str  # which farms were not computed since something came, in a sentence; empty: none


def carry_out(
    connection: sa.Connection, one: Schedule, at: dt.datetime, key: SigningKey, now: dt.datetime
) -> CarriedOut:
    """File what was due at a time, as it stands now, if its author still may.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm or area any more.
    ValueError
        If it cannot be filed; the message says why.
    """
    rights = behalf.rights(connection, one.behalf)
    region = one.area_code or one.region_code
    if not rights.allow("write:reports", farm_id=one.farm_id, region=region, everything=True):
        raise CannotBeFiled(f"{one.created_by}, who made this schedule, may not file it any more")
    day = due.day_of(cadence_of(one), at)
    asked = Asked(one.kind, season_of(one.season, day), one.farm, one.area_code)
    older = freshness.told(
        freshness.unseen(connection, season=asked.season, now=now, farm=asked.farm, area=asked.area)
    )
    made = filing.file(
        connection,
        asked,
        key,
        author=f"{one.created_by}, schedule {one.id}",
        reason=partial(reason_of, day),
    )
    if made.is_news:
        details = {"schedule": one.id, "due_at": at.isoformat()}
        _note(connection, one, made, details | ({"older": older} if older else {}))
    return CarriedOut(made, older)


def _note(
    connection: sa.Connection, one: Schedule, made: Filing, details: Mapping[str, Any]
) -> None:
    said = {"revision": made.revision.revision, "reason": made.revision.reason}
    audit.record(
        connection,
        actor=one.created_by,
        action="report.file",
        object=f"report:{made.report.number}",
        farm_id=one.farm_id,
        details={**said, **details},
    )


def reason_of(day: dt.date, difference: Mapping[str, Any]) -> str:
    """Why a revision that nobody gave a reason for says something else."""
    count = len(difference["observations"])
    if count:
        what = f"{count} figure{'s' if count > 1 else ''} changed"
    else:
        what = f"no figure changed, but {', '.join(difference['members'])}"
    return f"scheduled filing of {day}: {what}"
