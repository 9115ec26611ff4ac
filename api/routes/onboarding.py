"""Devices come into service, get tokens, are disabled, and are found where nobody knows them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response

from api import installer
from api.dependencies import Deeds, Transaction, WhoAsks
from api.entering import CHANGED, SECRET, IfMatch, check, said, secret
from api.errors import Refused, RequestProblem
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_onboarding import (
    ConfigurationOut,
    CredentialIn,
    CredentialOut,
    DeviceChange,
    DeviceDetailOut,
    DeviceIn,
    NewSecretOut,
    PlacementOut,
    RegisteredOut,
    UnknownOut,
)
from api.paging import LINK, Cursor, Limit, begin, following
from api.routes.devices import datastream_out
from api.security.caller import Caller
from api.security.guard import Diary, needs
from entry import devices as entry_devices
from storage import credentials, devices, farms, locks, placements, registering, unknown
from storage.credentials import Issued, Known
from storage.registering import GATEWAYS, AlreadyRegistered
from storage.sealing import Seal

router = APIRouter(tags=["devices"])

DeviceId = Annotated[str, Path(max_length=200, examples=["field-7-probe"])]


@router.post(
    "/devices",
    status_code=201,
    dependencies=[needs("write:devices")],
    response_model=RegisteredOut,
    responses=SECRET,
)
def register_device(
    asked: DeviceIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Register a device, or claim an unknown one by its wire_id; its token is shown this once.

    Sent again it is answered without the token, or with 409 where there is no Idempotency-Key:
    whoever lost it makes a new one.
    """

    def make() -> Response:
        device_id = _register(connection, asked, who, deeds)
        issued = None
        device = devices.get(connection, device_id)
        if entry_devices.speaks_itself(device):
            issued = credentials.issue(connection, device_id, seal=Seal.from_environment())
        return secret(
            RegisteredOut(
                device=_detail(connection, device_id),
                secret=None if issued is None else installer.secret(device, issued),
                configuration=_configuration(connection, device_id, issued),
            ),
            location=f"/v1/devices/{quote(device_id, safe='')}",
        )

    return once.answer(make, told_once="secret", beside=lambda told: _bare(connection, told))


def _register(connection: sa.Connection, asked: DeviceIn, who: Caller, deeds: Diary) -> str:
    farm = farms.get(connection, asked.farm)
    _check_gateway(who, asked.kind)
    try:
        device_id = entry_devices.register(connection, farm, asked)
    except AlreadyRegistered as error:
        raise Refused(409, f"{str(error).capitalize()}.", kind="already-registered") from error
    except ValueError as error:
        raise RequestProblem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    deeds.note(
        "device.register",
        f"device:{device_id}",
        farm_id=farm.id,
        details=asked.model_dump(mode="json", exclude_defaults=True),
    )
    return device_id


def _bare(connection: sa.Connection, told: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an answer with a secret: the configuration, without it."""
    bare = _configuration(connection, told["configuration"]["device_id"], None)
    return {"configuration": bare.model_dump(mode="json")}


@router.get(
    "/devices/{device_id}",
    dependencies=[needs("read:devices")],
    response_model=DeviceDetailOut,
    responses=JSON_ALONE.responses,
)
def get_device(
    device_id: DeviceId, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """A device, its datastreams, where it stood, and its credentials without what is secret."""
    body = _detail(connection, device_id)
    return answer(request, form, Content("device", DeviceDetailOut, [body], body))


@router.patch(
    "/devices/{device_id}",
    dependencies=[needs("write:devices")],
    response_model=DeviceDetailOut,
    responses=CHANGED,
)
def change_device(
    device_id: DeviceId,
    asked: DeviceChange,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change a device; a disabled one is cut off at once."""
    locks.wait(connection, f"change device {device_id}")
    device = devices.get(connection, device_id)
    check(if_match, _detail(connection, device_id))
    values = asked.model_dump(exclude_unset=True)
    for name in ("name", "kind", "disabled"):
        if name in values and values[name] is None:
            raise RequestProblem(f"{name} cannot be null.")
    before = registering.topic_filters(connection, device_id)
    kind = values.get("kind", device.kind)
    filters = values.get("topic_filters", before)
    _check_gateway(who, kind, device.kind)
    try:
        registering.check_topics(kind, filters)
        if values:
            registering.change(connection, device_id, **values)
    except ValueError as error:
        raise RequestProblem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    deeds.note("device.change", f"device:{device_id}", farm_id=device.farm_id, details=values)
    return said(_detail(connection, device_id))


@router.post(
    "/devices/{device_id}/credential",
    status_code=201,
    dependencies=[needs("write:devices")],
    response_model=NewSecretOut,
)
def rotate_credential(
    device_id: DeviceId,
    asked: CredentialIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """Make a device's next token, shown this once; the one before stays good for the overlap.

    With an overlap its MQTT user name changes, too. Sent again without an Idempotency-Key, it makes
    another token.
    """

    def make() -> Response:
        device = devices.get(connection, device_id)
        if not entry_devices.speaks_itself(device):
            raise RequestProblem(
                f"device {device_id!r} comes through its network, without a token."
            )
        _check_gateway(who, device.kind)
        issued = credentials.issue(
            connection,
            device_id,
            overlap=dt.timedelta(hours=asked.overlap_h),
            seal=Seal.from_environment(),
        )
        deeds.note(
            "credential.issue",
            f"device:{device_id}",
            farm_id=device.farm_id,
            details={"username": issued.username, "overlap_h": asked.overlap_h},
        )
        return secret(
            NewSecretOut(
                secret=installer.secret(device, issued),
                configuration=_configuration(connection, device_id, issued),
            )
        )

    return once.answer(make, told_once="secret", beside=lambda told: _bare(connection, told))


@router.get(
    "/devices/{device_id}/configuration",
    dependencies=[needs("read:devices")],
    response_model=ConfigurationOut,
    responses=JSON_ALONE.responses,
)
def get_configuration(
    device_id: DeviceId, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """How to set a device or its network up: files for the installer, without the secret."""
    body = _configuration(connection, device_id, None)
    return answer(request, form, Content("configuration", ConfigurationOut, [body], body))


@router.get(
    "/unknown-devices",
    dependencies=[needs("admin:access")],
    response_model=list[UnknownOut],
    responses=TABLES.responses_with(LINK),
)
def list_unknown(
    connection: Transaction,
    request: Request,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Who speaks without being registered, by identity; `POST /v1/devices` claims one."""
    (after,) = begin(request, cursor, [str]) or [""]
    page = unknown.page(connection, after=after, limit=limit + 1)
    key = (page[limit - 1].identity,) if len(page) > limit else None
    rows = [UnknownOut(**one._asdict()) for one in page[:limit]]
    content = Content("unknown-devices", UnknownOut, rows)
    return answer(request, form, content, headers=following(request, key))


def _check_gateway(who: Caller, *kinds: str) -> None:
    """A gateway speaks for devices of any farm, so it is for whoever sees them all."""
    if GATEWAYS.intersection(kinds) and not who.reach.everything:
        raise Refused(
            403,
            "A gateway speaks for devices of every farm: it is for who sees every farm.",
            kind="scope-missing",
        )


def _detail(connection: sa.Connection, device_id: str) -> DeviceDetailOut:
    device = devices.get(connection, device_id)
    of = farms.slugs(connection, [device.farm_id] if device.farm_id else [])
    return DeviceDetailOut(
        id=device.id,
        farm=of.get(device.farm_id or 0),
        field_id=device.field_id,
        kind=device.kind,
        name=device.name,
        wire_id=device.wire_id,
        profile=device.profile,
        timezone=device.timezone,
        sensor_height_m=device.sensor_height_m,
        topic_filters=list(registering.topic_filters(connection, device_id)),
        disabled=device.disabled,
        datastreams=[datastream_out(one) for one in devices.datastreams(connection, [device_id])],
        credentials=[_credential(one) for one in credentials.of_device(connection, device_id)],
        placements=[
            PlacementOut(**{key: one._asdict()[key] for key in PlacementOut.model_fields})
            for one in placements.of_devices(connection, [device_id])
        ],
    )


def _credential(known: Known) -> CredentialOut:
    values = known._asdict()
    told = "told" if values.pop("at_broker") else "to be told"
    return CredentialOut(**values, broker="failed" if known.failure else told)


def _configuration(
    connection: sa.Connection, device_id: str, issued: Issued | None
) -> ConfigurationOut:
    known = credentials.of_device(connection, device_id)
    return installer.configuration(
        devices.get(connection, device_id),
        devices.datastreams(connection, [device_id]),
        registering.topic_filters(connection, device_id),
        issued,
        known[0].username if known else None,
    )
