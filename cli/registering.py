"""Verbs that bring devices into service, take them out, and give them a token."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from cli.speaking import fail, no_farm, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from seeds.services import Services

DeviceId = Annotated[str, typer.Argument(metavar="ID", help="Its id, MQTT user and client id.")]


def register(
    device_id: DeviceId,
    farm: Annotated[str, typer.Option(help="Short name of the farm it belongs to.")],
    kind: Annotated[str, typer.Option(help="As soil-probe, flow-meter, weather-station, tractor.")],
    field: Annotated[str | None, typer.Option(help="Name of the field it measures.")] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    wire_id: Annotated[
        str | None, typer.Option(help="What its network calls it, as lora:a84041….")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="LoRaWAN model, where its network does not decode its bytes.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA zone, of a device that sends local time.")
    ] = None,
) -> None:
    """Register a device; prints the token that it shows the embedded broker, once."""
    from seeds.services import open_services
    from storage import registering
    from storage.database import NotFound

    with open_services("register") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                farm_id = farm_of(connection, farm)
                registering.register(
                    connection,
                    device_id,
                    farm_id=farm_id,
                    field_id=None if field is None else field_of(connection, farm_id, farm, field),
                    kind=kind,
                    name=name or device_id,
                    wire_id=wire_id,
                    profile=profile,
                    timezone=zone(timezone),
                )
        except NotFound as error:
            fail(f"Not registered: there is no {error}.")
        except ValueError as error:
            fail(f"Not registered: {error}")
        say(f"{device_id} is registered. What it sends is stored from now on, 10 s later at most.")
        if wire_id is None:
            _hand_out(services, device_id)


def token(device_id: DeviceId) -> None:
    """Give a device a new token for the embedded broker; the one it had is worth nothing then."""
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("token") as services:
        services.check_migrated()
        try:
            _hand_out(services, device_id)
        except NotFound as error:
            fail(f"No token: there is no {error}.")


def disable(device_id: DeviceId) -> None:
    """Take a device out of service: it raises no alerts, and what it sends is not stored."""
    _set_service(device_id, disabled=True)
    say(f"{device_id} is out of service. Back again: dala enable {device_id}")


def enable(device_id: DeviceId) -> None:
    """Bring a device back into service."""
    _set_service(device_id, disabled=False)
    say(
        f"{device_id} is in service. What it sent meanwhile is kept: "
        f"dala rejected retry --device {device_id}"
    )


def zone(name: str | None) -> str | None:
    """The name of a time zone, if there is such a one."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"--timezone {name!r} is no IANA time zone, as Asia/Almaty is one")


def farm_of(connection: sa.Connection, slug: str) -> int:
    """The farm of a short name; ends where there is none."""
    from storage import farms
    from storage.database import NotFound

    try:
        return farms.get(connection, slug).id
    except NotFound:
        no_farm(connection, slug)


def field_of(connection: sa.Connection, farm_id: int, farm: str, name: str) -> int:
    """The field of a name; ends where there is none."""
    from storage import fields

    of = {one.name: one.id for one in fields.of_farm(connection, farm_id)}
    if name not in of:
        there_are = ", ".join(sorted(of)[:10]) or "none"
        fail(f"There is no field {name!r} of {farm}. There are: {there_are}")
    return of[name]


def _hand_out(services: Services, device_id: str) -> None:
    """Print a new token; only its hash is kept."""
    from seeds.load import hash_token
    from storage import devices

    if services.embedded is None:
        say(
            "Your broker decides who may connect: give it an account there, such as "
            f"mosquitto_passwd FILE {device_id}"
        )
        return
    made = secrets.token_hex(32)
    with services.engine.begin() as connection:
        devices.set_credential(connection, device_id, hash_token(made))
    say(f"Its MQTT user and client id are {device_id}; its token, which nobody can show again:")
    print(made)


def _set_service(device_id: str, *, disabled: bool) -> None:
    from seeds.services import open_services
    from storage import registering
    from storage.database import NotFound

    with open_services("disable" if disabled else "enable") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                registering.set_disabled(connection, device_id, disabled=disabled)
        except NotFound as error:
            fail(f"Not changed: there is no {error}.")
