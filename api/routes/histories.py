"""Where devices stood and how their datastreams were calibrated, each with its time."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, made
from api.errors import RequestProblem
from api.formats import TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_onboarding import CalibrationIn, CalibrationOut, PlacementIn, PlacementOut
from api.routes.devices import DatastreamId
from api.routes.onboarding import DeviceId
from api.security.guard import needs
from storage import calibrations, devices, placements
from storage.calibrations import Calibration
from storage.placements import Placement

router = APIRouter(tags=["devices"])

PlacementId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]
CalibrationId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]
AHEAD = dt.timedelta(minutes=5)  # that a clock may be fast
SINCE_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@router.get(
    "/devices/{device_id}/placements",
    dependencies=[needs("read:devices")],
    response_model=list[PlacementOut],
    responses=TABLES.responses,
)
def list_placements(
    device_id: DeviceId, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """Where a device stood, in order of time; none: always where it is."""
    devices.get(connection, device_id)
    rows = [_placement(one) for one in placements.of_devices(connection, [device_id])]
    return answer(request, form, Content(f"{device_id}-placements", PlacementOut, rows))


@router.post(
    "/devices/{device_id}/placements",
    status_code=201,
    dependencies=[needs("write:devices")],
    response_model=PlacementOut,
    responses=CREATED,
)
def place_device(
    device_id: DeviceId,
    asked: PlacementIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    now: Now,
    once: Once,
) -> Response:
    """Say where a device measures from a moment on; said of the same moment again, this counts.

    What it measured before stays with the field that it stood on, and both are computed again.
    """

    def make() -> Response:
        _check(asked.valid_from, now)
        device = devices.get(connection, device_id)
        placed = placements.place(connection, device_id, by=who.actor, **asked.model_dump())
        deeds.note(
            "device.place",
            f"device:{device_id}",
            farm_id=device.farm_id,
            details=asked.model_dump(mode="json"),
        )
        return made(_placement(placed), f"/v1/devices/{quote(device_id, safe='')}/placements")

    return once.answer(make)


@router.delete(
    "/devices/{device_id}/placements/{placement_id}",
    status_code=204,
    dependencies=[needs("write:devices")],
)
def withdraw_placement(
    device_id: DeviceId, placement_id: PlacementId, connection: Transaction, deeds: Deeds
) -> None:
    """Take back a placement that was a mistake; the one before it holds on."""
    device = devices.get(connection, device_id)
    gone = placements.withdraw(connection, device_id, placement_id)
    deeds.note(
        "device.unplace",
        f"device:{device_id}",
        farm_id=device.farm_id,
        details=_placement(gone).model_dump(mode="json"),
    )


@router.get(
    "/datastreams/{datastream_id}/calibrations",
    dependencies=[needs("read:devices")],
    response_model=list[CalibrationOut],
    responses=TABLES.responses,
)
def list_calibrations(
    datastream_id: DatastreamId,
    connection: Transaction,
    request: Request,
    form: Form = TABLES.asked,
) -> Response:
    """How a datastream was calibrated, in order of time; none: readings are what they say."""
    devices.get_datastream(connection, datastream_id)
    found = calibrations.of_streams(connection, [datastream_id])
    rows = [_calibration(one) for one in found.get(datastream_id, [])]
    content = Content(f"datastream-{datastream_id}-calibrations", CalibrationOut, rows)
    return answer(request, form, content)


@router.post(
    "/datastreams/{datastream_id}/calibrations",
    status_code=201,
    dependencies=[needs("write:devices")],
    response_model=CalibrationOut,
    responses=CREATED,
)
def calibrate(
    datastream_id: DatastreamId,
    asked: CalibrationIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    now: Now,
    once: Once,
) -> Response:
    """Say how readings from a moment on are to be understood; they stay as they came.

    Said of the same moment again, this counts. What was computed of them is computed again.
    """

    def make() -> Response:
        _check(asked.valid_from, now)
        stream = devices.get_datastream(connection, datastream_id)
        device = devices.get(connection, stream.device_id)
        entered = calibrations.calibrate(
            connection, datastream_id, by=who.actor, **asked.model_dump()
        )
        deeds.note(
            "datastream.calibrate",
            f"datastream:{datastream_id}",
            farm_id=device.farm_id,
            details=asked.model_dump(mode="json"),
        )
        return made(_calibration(entered), f"/v1/datastreams/{datastream_id}/calibrations")

    return once.answer(make)


@router.delete(
    "/datastreams/{datastream_id}/calibrations/{calibration_id}",
    status_code=204,
    dependencies=[needs("write:devices")],
)
def withdraw_calibration(
    datastream_id: DatastreamId,
    calibration_id: CalibrationId,
    connection: Transaction,
    deeds: Deeds,
) -> None:
    """Take back a calibration that was a mistake; the one before it holds on."""
    stream = devices.get_datastream(connection, datastream_id)
    device = devices.get(connection, stream.device_id)
    gone = calibrations.withdraw(connection, datastream_id, calibration_id)
    deeds.note(
        "datastream.uncalibrate",
        f"datastream:{datastream_id}",
        farm_id=device.farm_id,
        details=_calibration(gone).model_dump(mode="json"),
    )


def _check(valid_from: dt.datetime, now: dt.datetime) -> None:
    if not SINCE_EVER <= valid_from <= now + AHEAD:
        raise RequestProblem("valid_from must lie between 1970 and now.")


def _placement(one: Placement) -> PlacementOut:
    return PlacementOut(**{key: one._asdict()[key] for key in PlacementOut.model_fields})


def _calibration(one: Calibration) -> CalibrationOut:
    return CalibrationOut(**{key: one._asdict()[key] for key in CalibrationOut.model_fields})
