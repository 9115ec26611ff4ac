"""How the devices of a farm are, and what of theirs is missing or was refused."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from analytics.weather import local_days
from api.dependencies import FarmSlug, Now, Transaction
from api.errors import RequestProblem
from api.formats import TABLES, Content, Form, answer
from api.models_devices import DeviceStateOut, HeardDayOut, HeardDaysOut, RefusalOut, State
from api.paging import LINK, Cursor, Limit, begin, following
from api.routes.onboarding import DeviceId
from api.security.guard import needs
from reports.summary import SILENT_AFTER
from storage import device_states, devices, farms
from storage.device_states import DeviceState, Refusal

router = APIRouter(tags=["devices"])

MOST_DAYS = 92
Day = Annotated[
    dt.date,
    Query(ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31), examples=["2025-07-01"]),
]


@router.get(
    "/farms/{farm}/devices",
    dependencies=[needs("read:devices")],
    response_model=list[DeviceStateOut],
    responses=TABLES.responses_with(LINK),
)
def list_device_states(
    farm: FarmSlug,
    connection: Transaction,
    request: Request,
    now: Now,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """How each device of a farm is, by id."""
    farm_id = farms.get(connection, farm).id
    (after,) = begin(request, cursor, [str]) or [""]
    page = device_states.page(connection, farm_id, after=after, limit=limit + 1)
    key = (page[limit - 1].id,) if len(page) > limit else None
    rows = [_state_out(one, now) for one in page[:limit]]
    content = Content(f"{farm}-devices", DeviceStateOut, rows)
    return answer(request, form, content, headers=following(request, key))


@router.get(
    "/devices/{device_id}/days",
    dependencies=[needs("read:devices")],
    response_model=HeardDaysOut,
    responses=TABLES.responses,
)
def list_heard_days(
    device_id: DeviceId,
    connection: Transaction,
    request: Request,
    start: Day,
    end: Day,
    form: Form = TABLES.asked,
) -> Response:
    """How much was measured on each of the farm's days of [start, end): where gaps are."""
    device = devices.get(connection, device_id)
    if not 0 < (end - start).days <= MOST_DAYS:
        raise RequestProblem(f"end must be after start, by at most {MOST_DAYS} days.")
    zone = devices.timezone_of(connection, device.id)
    asked = local_days(start, end - dt.timedelta(days=1), zone)
    first, last = (
        dt.datetime.fromtimestamp(int(us) / 1e6, dt.UTC)
        for us in (asked.edges_us[0], asked.edges_us[-1])
    )
    found = {
        one.day: one
        for one in device_states.days(connection, device.id, start=first, end=last, timezone=zone)
    }
    rows = [
        HeardDayOut(**found[day]._asdict())
        if day in found
        else HeardDayOut(day=day, readings=0, points=0)
        for day in asked.dates
    ]
    body = HeardDaysOut(
        device_id=device.id,
        readings_a_day=device_states.readings_a_day(connection, device.id),
        days=rows,
    )
    return answer(request, form, Content(f"{device.id}-days", HeardDayOut, rows, body))


@router.get(
    "/devices/{device_id}/rejected-messages",
    dependencies=[needs("read:devices")],
    response_model=list[RefusalOut],
    responses=TABLES.responses,
)
def list_refusals(
    device_id: DeviceId, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """Why messages of a device could not be stored, the latest reason first."""
    device = devices.get(connection, device_id)
    rows = [_refusal_out(one) for one in device_states.refusals(connection, device.id)]
    return answer(request, form, Content(f"{device.id}-rejected-messages", RefusalOut, rows))


def _state_out(one: DeviceState, now: dt.datetime) -> DeviceStateOut:
    values = one._asdict()
    del values["disabled"]
    return DeviceStateOut(state=_state(one, now), **values)


def _state(one: DeviceState, now: dt.datetime) -> State:
    """As the farm's summary counts devices, and machines that rest apart."""
    if one.disabled:
        return "disabled"
    if one.heard_at is None:
        return "never"
    if one.heard_at > now - SILENT_AFTER:
        return "reporting"
    return "resting" if one.kind in devices.RESTING_KINDS else "silent"


def _refusal_out(one: Refusal) -> RefusalOut:
    payload = None if one.payload is None else _legible(bytes(one.payload))
    return RefusalOut(**one._asdict() | {"payload": payload})


def _legible(payload: bytes) -> str:
    """Text as it is; anything else in hex. What was cut within a letter is still text."""
    text = payload.decode(errors="ignore")
    is_whole = len(text.encode()) >= len(payload) - 3
    is_plain = all(one.isprintable() or one in "\t\r\n" for one in text)
    return text if is_whole and is_plain else payload.hex(" ")
