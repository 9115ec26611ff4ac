"""Machine work, and the tracks it was made of."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from api.dependencies import FarmSlug, Moment, Transaction
from api.errors import RequestProblem
from api.models_work import TrackOut, TrackPointOut, WorkOut
from api.routes.farms import AsOf
from api.security.guard import needs
from reports import work
from reports.work import Period
from storage import devices, tracks
from storage.tracks import TrackPoint

router = APIRouter(tags=["machines"])

MOST_DAYS = 400
MOST_POINTS = 50_000  # a day of a machine that sends one every two seconds
LONGEST_TRACK = dt.timedelta(days=366)

DeviceId = Annotated[str, Path(max_length=200, examples=["turkistan-01-tractor"])]
Day = Annotated[
    dt.date | None,
    Query(ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31), examples=["2025-05-01"]),
]


@router.get("/farms/{farm}/work", dependencies=[needs("read:farms")])
def get_work(
    farm: FarmSlug,
    connection: Transaction,
    start: Day = None,
    end: Day = None,
    as_of: AsOf = None,
    livestock_units: Annotated[
        float | None,
        Query(gt=0, le=10, description="of one animal, to state grazing in livestock units too"),
    ] = None,
) -> WorkOut:
    """What machines, drones and herds did on the farm's days from start up to end, end excluded.

    Without both, the calendar year of the newest work.
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
    return WorkOut(**found)


GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}
}


@router.get(
    "/devices/{device_id}/track",
    dependencies=[needs("read:devices")],
    response_model=TrackOut,
    responses=GEOJSON,
)
def get_track(
    device_id: DeviceId,
    start: Annotated[Moment, Query(examples=["2025-05-15T00:00:00+05:00"])],
    end: Annotated[Moment, Query(examples=["2025-05-16T00:00:00+05:00"])],
    connection: Transaction,
    form: Annotated[
        Literal["json", "geojson"],
        Query(alias="format", description="points with all they said, or one GeoJSON line"),
    ] = "json",
) -> TrackOut | Response:
    """Points of a machine, drone or collar in [start, end)."""
    device = devices.get(connection, device_id)
    if not dt.timedelta(0) < end - start <= LONGEST_TRACK:
        raise RequestProblem(f"end must be after start, by at most {LONGEST_TRACK.days} days.")
    points = tracks.of_device(connection, device.id, start=start, end=end, limit=MOST_POINTS + 1)
    if len(points) > MOST_POINTS:
        raise RequestProblem(
            f"more than {MOST_POINTS} points before {points[-1].time:%Y-%m-%dT%H:%M:%SZ}; "
            "ask for a shorter range."
        )
    if form == "geojson":
        return JSONResponse(_line(device.id, points), media_type="application/geo+json")
    return TrackOut(
        device_id=device.id,
        kind=device.kind,
        points=[TrackPointOut(**point._asdict()) for point in points],
    )


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
