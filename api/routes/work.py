"""Machine work, and the tracks it was made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import as_json
from api.dependencies import FarmSlug, Moment, Transaction
from api.errors import RequestProblem
from api.formats import (
    PLACES,
    TABLES,
    Content,
    Form,
    answer,
    exported,
    representation,
    tables,
)
from api.models_work import FieldOperationOut, TrackOut, WorkOut
from api.routes.farms import AsOf
from api.security.guard import needs
from reports import work
from reports.work import Period
from storage import devices, exports, tracks
from storage.tracks import TrackPoint

router = APIRouter(tags=["machines"])

MOST_DAYS = 400
MOST_EXPORTED, MOST_OF_SHEET = 2_000_000, 100_000
MOST_POINTS = 50_000  # a day of a machine that sends one every two seconds
LONGEST_TRACK = dt.timedelta(days=366)

DeviceId = Annotated[str, Path(max_length=200, examples=["turkistan-01-tractor"])]
Day = Annotated[
    dt.date | None,
    Query(ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31), examples=["2025-05-01"]),
]


@router.get(
    "/farms/{farm}/work",
    dependencies=[needs("read:farms")],
    response_model=WorkOut,
    responses=TABLES.responses,
)
def get_work(
    farm: FarmSlug,
    connection: Transaction,
    request: Request,
    start: Day = None,
    end: Day = None,
    as_of: AsOf = None,
    livestock_units: Annotated[
        float | None,
        Query(gt=0, le=10, description="of one animal, to state grazing in livestock units too"),
    ] = None,
    form: Form = TABLES.asked,
) -> Response:
    """What machines, drones and herds did on the farm's days from start up to end, end excluded.

    Without both, the calendar year of the newest work. As a table: a line for each operation.
    """
    period = None
    if start is not None and end is not None:
        if not 0 < (end - start).days <= MOST_DAYS:
            raise RequestProblem(
                f"end must be after start, by at most {MOST_DAYS} days; ask for a shorter range."
            )
        period = Period(start, end)
    elif start is not None or end is not None:
        raise RequestProblem("give both start and end, or neither.")
    found = work.of_farm(
        connection, farm, period=period, as_of=as_of, livestock_units=livestock_units
    )
    body = WorkOut(**found)
    rows = [operation for field in body.fields for operation in field.operations]
    content = Content(f"{farm}-work", FieldOperationOut, rows, body)
    return answer(request, form, content)


@router.get(
    "/devices/{device_id}/track",
    dependencies=[needs("read:devices")],
    response_model=TrackOut,
    responses=PLACES.responses,
)
def get_track(
    device_id: DeviceId,
    start: Annotated[Moment, Query(examples=["2025-05-15T00:00:00+05:00"])],
    end: Annotated[Moment, Query(examples=["2025-05-16T00:00:00+05:00"])],
    connection: Transaction,
    request: Request,
    form: Form = PLACES.asked,
) -> Response:
    """Points of a machine, drone or collar in [start, end).

    GeoJSON is one line with the times of its points; a table has up to two million points.
    """
    device = devices.get(connection, device_id)
    if not dt.timedelta(0) < end - start <= LONGEST_TRACK:
        raise RequestProblem(f"end must be after start, by at most {LONGEST_TRACK.days} days.")
    if form.name not in {"json", "geojson"}:
        return _export(request, connection, form, device.id, start, end)
    points = tracks.of_device(connection, device.id, start=start, end=end, limit=MOST_POINTS + 1)
    if len(points) > MOST_POINTS:
        raise RequestProblem(
            f"more than {MOST_POINTS} points before {points[-1].time:%Y-%m-%dT%H:%M:%SZ}; "
            "ask for a shorter range."
        )
    said = (
        _line(device.id, points)
        if form.name == "geojson"
        else {
            "device_id": device.id,
            "kind": device.kind,
            "points": [point._asdict() for point in points],
        }
    )
    headers = representation(form, device.id)
    return as_json(request, said, media_type=form.media_type, headers=headers)


def _export(
    request: Request,
    connection: sa.Connection,
    form: Form,
    device_id: str,
    start: dt.datetime,
    end: dt.datetime,
) -> Response:
    most = MOST_OF_SHEET if form.name == "xlsx" else MOST_EXPORTED
    if exports.has_more_points(connection, device_id, most, start=start, end=end):
        raise RequestProblem(f"more than {most} points; ask for a shorter range.")
    kinds = {"time": tables.TIME, "work_state": pa.int16()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in exports.POINT_COLUMNS])

    def read(snapshot: sa.Connection) -> Iterator[Sequence[Any]]:
        return map(_known, exports.points(snapshot, device_id, start=start, end=end))

    return exported(request, form, f"{device_id}-track", schema, read)


def _known(part: Sequence[Any]) -> list[Any]:
    """The columns of a part, where an unknown work state is none."""
    *columns, states = part
    return [*columns, np.ma.masked_less(states, 0)]


def _line(device_id: str, points: list[TrackPoint]) -> dict[str, Any]:
    """A GeoJSON feature: a line, a point where there is one alone, nothing where there is none."""
    places = [[point.longitude_deg, point.latitude_deg] for point in points]
    geometry: dict[str, Any] | None = {"type": "LineString", "coordinates": places}
    if len(places) == 1:
        geometry = {"type": "Point", "coordinates": places[0]}
    elif not places:
        geometry = None
    times = [point.time.isoformat().replace("+00:00", "Z") for point in points]
    states = [point.work_state for point in points]
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"device_id": device_id, "times": times, "work_states": states},
    }
