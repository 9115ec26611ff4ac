"""Machines day by day, and the ground that they covered."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import FarmSlug, Transaction
from api.errors import RequestProblem
from api.formats import PLACES, TABLES, Content, Form, answer
from api.models_machines import CoveredFeature, MachineDayOut, WorkDaysOut, WorkMapOut
from api.routes.work import MOST_DAYS, Day, DeviceId
from api.security.guard import needs
from reports import work_days, work_map
from reports.work import Period

router = APIRouter(tags=["machines"])

MOST_DRAWN = 31  # days that are laid over one another

AnyDay = Annotated[
    dt.date,
    Query(ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31), examples=["2025-05-15"]),
]


@router.get(
    "/farms/{farm}/work-days",
    dependencies=[needs("read:farms")],
    response_model=WorkDaysOut,
    responses=TABLES.responses,
)
def list_work_days(
    farm: FarmSlug,
    connection: Transaction,
    request: Request,
    start: Day = None,
    end: Day = None,
    form: Form = TABLES.asked,
) -> Response:
    """Each day of each machine, drone and herd from start up to end, end excluded.

    Without both, the calendar year of the newest. As a table: a line for each of them.
    """
    period = None
    if start is not None and end is not None:
        period = Period(start, _end(start, end, MOST_DAYS))
    elif start is not None or end is not None:
        raise RequestProblem("give both start and end, or neither.")
    body = WorkDaysOut(**work_days.of_farm(connection, farm, period=period))
    return answer(request, form, Content(f"{farm}-work-days", MachineDayOut, body.days, body))


@router.get(
    "/devices/{device_id}/work-map",
    dependencies=[needs("read:devices")],
    response_model=WorkMapOut,
    responses=PLACES.responses,
)
def get_work_map(
    device_id: DeviceId,
    connection: Transaction,
    request: Request,
    start: AnyDay,
    end: AnyDay,
    field_id: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="of this field alone", examples=[1])
    ] = None,
    form: Form = PLACES.asked,
) -> Response:
    """Ground covered once, more than once and left out, on the farm's days of [start, end).

    Drawn from the points when it is asked for. Of a drone: its flights, and what each saw. JSON is
    GeoJSON with further members; a table has a line for each part, with its geometry as GeoJSON.
    """
    try:
        found = work_map.of_device(
            connection,
            device_id,
            start=start,
            end=_end(start, end, MOST_DRAWN),
            field_id=field_id,
        )
    except work_map.TooManyPoints as error:
        raise RequestProblem(f"{error}; ask for fewer days.") from error
    body = WorkMapOut(**found)
    as_json = form._replace(name="json") if form.name == "geojson" else form
    content = Content(f"{device_id}-work-map", CoveredFeature, body.features, body)
    made = answer(request, as_json, content)
    if form.name == "geojson":
        made.headers["Content-Type"] = form.media_type
    return made


def _end(start: dt.date, end: dt.date, most: int) -> dt.date:
    if not 0 < (end - start).days <= most:
        raise RequestProblem(
            f"end must be after start, by at most {most} days; ask for a shorter range."
        )
    return end
