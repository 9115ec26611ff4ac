"""Devices and their readings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, cast

import pyarrow as pa
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import as_json
from api.dependencies import Moment, Transaction
from api.errors import RequestProblem
from api.formats import (
    TABLES,
    Content,
    Form,
    Table,
    answer,
    exported,
    representation,
    streamed,
    tables,
)
from api.formats.units import with_unit
from api.models import DatastreamOut, DeviceOut, ReadingsOut
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from storage import devices, exports, farms, series
from storage.devices import Datastream
from storage.quantities import CATALOGUE
from storage.series import Bucket, Sample

router = APIRouter(tags=["devices"])

Resolution = Literal["raw", "hour", "day"]
MOST_ROWS = 100_000
MOST_EXPORTED = 2_000_000
MOST_OF_SHEET = 200_000
LONGEST: dict[Resolution, dt.timedelta] = {
    "raw": dt.timedelta(days=31),
    "hour": dt.timedelta(days=732),
    "day": dt.timedelta(days=7_400),
}
POINTS = 2_000  # more than a page has room to draw

DatastreamId = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]


@router.get(
    "/devices",
    dependencies=[needs("read:devices")],
    response_model=list[DeviceOut],
    responses=TABLES.responses_with(LINK),
)
def list_devices(
    connection: Transaction,
    request: Request,
    farm: Annotated[str | None, Query(max_length=200, examples=["turkistan-01"])] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Devices by id, with their datastreams."""
    farm_id = None if farm is None else farms.get(connection, farm).id
    (after,) = begin(request, cursor, [str]) or [""]
    page = devices.page(connection, farm_id=farm_id, after=after, limit=limit + 1)
    key = (page[limit - 1].id,) if len(page) > limit else None
    page = page[:limit]
    streams = devices.datastreams(connection, [device.id for device in page])
    rows = [
        DeviceOut(
            id=device.id,
            kind=device.kind,
            name=device.name,
            field_id=device.field_id,
            disabled=device.disabled,
            datastreams=[datastream_out(one) for one in streams if one.device_id == device.id],
        )
        for device in page
    ]
    content = Content("devices", DeviceOut, rows)
    return answer(request, form, content, headers=following(request, key))


@router.get(
    "/datastreams/{datastream_id}/readings",
    dependencies=[needs("read:devices")],
    response_model=ReadingsOut,
    responses=TABLES.responses,
)
def list_readings(
    datastream_id: DatastreamId,
    start: Annotated[Moment, Query(examples=["2025-07-01T00:00:00+05:00"])],
    end: Annotated[Moment, Query(examples=["2025-07-08T00:00:00+05:00"])],
    connection: Transaction,
    request: Request,
    resolution: Annotated[
        Resolution | None,
        Query(description="without it, the finest that has at most `points` points in the range"),
    ] = None,
    points: Annotated[int, Query(ge=10, le=MOST_ROWS)] = POINTS,
    form: Form = TABLES.asked,
) -> Response:
    """Readings in [start, end): as stored, or by hour, or by the farm's local day.

    As a table they come as stored unless `resolution` says otherwise, from years and up to two
    million rows, all of them as they stood at one moment.
    """
    stream = devices.get_datastream(connection, datastream_id)
    if form.name != "json" and resolution in {None, "raw"}:
        return _export(request, connection, form, stream, start, end)
    if resolution is None:
        _check_span(start, end, "day")
        resolution, found = _finest(connection, stream, start, end, points)
        most = points
    else:
        _check_span(start, end, resolution)
        most = MOST_ROWS
        found = _read(connection, stream, resolution, start, end, most + 1)
    if len(found) > most:
        raise RequestProblem(f"more than {most} rows; ask for a shorter range.")
    if form.name != "json":
        return streamed(form, _buckets(stream, resolution, cast("Sequence[Bucket]", found)))
    said = {
        "datastream_id": stream.id,
        "quantity": stream.quantity,
        "unit": CATALOGUE[stream.quantity].unit,
        "resolution": resolution,
        "readings": [one._asdict() for one in found],
    }
    return as_json(request, said, headers=representation(form, "readings"))


def _export(
    request: Request,
    connection: sa.Connection,
    form: Form,
    stream: Datastream,
    start: dt.datetime,
    end: dt.datetime,
) -> Response:
    if not dt.timedelta(0) < end - start <= LONGEST["day"]:
        raise RequestProblem(f"end must be after start, by at most {LONGEST['day'].days} days.")
    most = MOST_OF_SHEET if form.name == "xlsx" else MOST_EXPORTED
    if exports.has_more_readings(connection, stream.id, most, start=start, end=end):
        raise RequestProblem(
            f"more than {most} readings; ask for a shorter range, or for resolution=hour."
        )
    columns = [
        ("time", tables.TIME),
        (with_unit(stream.quantity), pa.float64()),
        ("quality", pa.int16()),
    ]
    schema = pa.schema(columns)

    def read(snapshot: sa.Connection) -> Iterator[Sequence[Any]]:
        return exports.readings(snapshot, stream.id, start=start, end=end)

    return exported(request, form, f"{stream.device_id}-{stream.quantity}", schema, read)


def _buckets(stream: Datastream, resolution: Resolution, found: Sequence[Bucket]) -> Table:
    parts = ("mean", "low", "high", "total", "last")
    schema = pa.schema(
        [("start", tables.TIME), ("samples", pa.int64())]
        + [(with_unit(stream.quantity, part), pa.float64()) for part in parts]
    )
    columns = list(zip(*found, strict=True)) or [()] * len(schema)
    arrays = [pa.array(one, kind) for one, kind in zip(columns, schema.types, strict=True)]
    name = f"{stream.device_id}-{stream.quantity}-by-{resolution}"
    return Table(name, schema, [pa.record_batch(arrays, schema=schema)])


def _check_span(start: dt.datetime, end: dt.datetime, resolution: Resolution) -> None:
    if not dt.timedelta(0) < end - start <= LONGEST[resolution]:
        raise RequestProblem(
            f"end must be after start, by at most {LONGEST[resolution].days} days for "
            f"resolution={resolution}; ask for a shorter range or a coarser resolution."
        )


def _finest(
    connection: sa.Connection, stream: Datastream, start: dt.datetime, end: dt.datetime, points: int
) -> tuple[Resolution, Sequence[Sample | Bucket]]:
    """The finest resolution that has at most so many points in [start, end), and those."""
    if end - start <= LONGEST["raw"]:
        found = _read(connection, stream, "raw", start, end, points + 1)
        if len(found) <= points:
            return "raw", found
    coarser: Resolution = "hour" if end - start <= points * dt.timedelta(hours=1) else "day"
    return coarser, _read(connection, stream, coarser, start, end, points + 1)


def _read(
    connection: sa.Connection,
    stream: Datastream,
    resolution: Resolution,
    start: dt.datetime,
    end: dt.datetime,
    limit: int,
) -> Sequence[Sample | Bucket]:
    if resolution == "raw":
        return series.raw(connection, stream.id, start=start, end=end, limit=limit)
    if resolution == "hour":
        return series.hourly(connection, stream.id, start=start, end=end, limit=limit)
    zone = devices.timezone_of(connection, stream.device_id)
    return series.daily(connection, stream.id, start=start, end=end, timezone=zone, limit=limit)


def datastream_out(stream: Datastream) -> DatastreamOut:
    """A datastream, as every route has it."""
    return DatastreamOut(
        id=stream.id,
        quantity=stream.quantity,
        unit=CATALOGUE[stream.quantity].unit,
        depth_cm=stream.depth_cm,
        channel=stream.channel,
        field_id=stream.field_id,
    )
