"""Reports that file themselves: what, when, for whom, and what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Transaction, WhoAsks
from api.entering import CREATED, made, of_row, placed, wrong
from api.errors import Refused
from api.formats import TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_report_orders import ReportScheduleIn, ReportScheduleOut
from api.security.caller import Caller
from api.security.guard import needs
from reports.statements import scheduled
from reports.statements.due import Cadence
from storage import schedules
from storage.schedules import Schedule

router = APIRouter(tags=["reports"])

MOST = 500  # that stand: each is looked at every few seconds


@router.get(
    "/report-schedules",
    dependencies=[needs("write:reports")],
    response_model=list[ReportScheduleOut],
    responses=TABLES.responses,
)
def list_report_schedules(
    connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """What is filed by itself, when next, and what became of it last."""
    rows = [_shown(one) for one in schedules.standing(connection)]
    return answer(request, form, Content("report-schedules", ReportScheduleOut, rows))


@router.post(
    "/report-schedules",
    status_code=201,
    dependencies=[needs("write:reports")],
    response_model=ReportScheduleOut,
    responses=CREATED,
)
def add_report_schedule(
    asked: ReportScheduleIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """File a report by itself, from what is due now on, as long as one may.

    That of an area is for who sees every farm, as when it is filed by hand.
    """

    def make() -> Response:
        cadence = _cadence(asked)
        farm_id = placed(connection, asked.farm, asked.area)
        if farm_id is None:
            _check_everything(who)
        if len(schedules.standing(connection)) >= MOST:
            raise Refused(409, f"There are {MOST} schedules: end some first.")
        added = schedules.add(
            connection,
            kind=asked.kind,
            farm_id=farm_id,
            area_code=asked.area,
            season=str(asked.season),
            **scheduled.as_columns(cadence),
            behalf=who.behalf,
            by=who.actor,
        )
        object_ = f"report-schedule:{added.id}"
        details = asked.model_dump()
        deeds.note("report-schedule.create", object_, farm_id=farm_id, details=details)
        return made(_shown(added), f"/v1/report-schedules/{added.id}")

    return once.answer(make)


@router.delete(
    "/report-schedules/{schedule_id}", status_code=204, dependencies=[needs("write:reports")]
)
def end_report_schedule(
    schedule_id: Annotated[int, Path(ge=1, le=2**63 - 1, examples=[3])],
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
) -> None:
    """File it no more; what it filed stays."""
    ended = _of(connection, schedule_id, who)
    schedules.end(connection, ended.id, by=who.actor)
    deeds.note("report-schedule.end", f"report-schedule:{ended.id}", farm_id=ended.farm_id)


def _cadence(asked: ReportScheduleIn) -> Cadence:
    """How often; refused where that is never."""
    at = dt.time.fromisoformat(asked.at)
    timing = (asked.every, at, asked.timezone, asked.on, asked.first_day, asked.last_day)
    cadence = Cadence(*timing)
    try:
        cadence.check()
    except ValueError as error:
        raise wrong("every", str(error)) from error
    return cadence


def _of(connection: sa.Connection, number: int, who: Caller) -> Schedule:
    found = schedules.get(connection, number)
    if found.farm_id is None:
        _check_everything(who)
    return found


def _check_everything(who: Caller) -> None:
    if not who.reach.everything:
        raise Refused(
            403, "An area's report is filed by who sees every farm.", kind="scope-missing"
        )


def _shown(one: Schedule) -> ReportScheduleOut:
    row = one._asdict() | {
        "area": one.area_code,
        "on": one.on_day,
        "at": f"{one.at:%H:%M}",
        "next_due_at": scheduled.next_due(one),
        "next_attempt_at": one.not_before,
    }
    return of_row(ReportScheduleOut, row)
