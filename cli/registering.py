"""Verbs that bring devices into service, take them out, and give them a token."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from cli.speaking import author, fail, no_farm, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from seeds.services import Services

DeviceId = Annotated[str, typer.Argument(metavar="ID", help="Its id, MQTT user and client id.")]
DeviceFarm = Annotated[str, typer.Option(help="Short name of the farm it belongs to.")]
DeviceKind = Annotated[
    str, typer.Option(help="As soil-probe, flow-meter, weather-station, tractor.")
]
DeviceField = Annotated[str | None, typer.Option(help="Name of the field it measures.")]
DeviceName = Annotated[str | None, typer.Option(help="For people.")]
DeviceProfile = Annotated[
    str | None, typer.Option(help="LoRaWAN model, where its network does not decode its bytes.")
]
DeviceTimezone = Annotated[
    str | None, typer.Option(help="IANA zone, of a device that sends local time.")
]


def register(
    device_id: DeviceId,
    farm: DeviceFarm,
    kind: DeviceKind,
    field: DeviceField = None,
    name: DeviceName = None,
    wire_id: Annotated[
        str | None, typer.Option(help="What its network calls it, as lora:a84041….")
    ] = None,
    profile: DeviceProfile = None,
    timezone: DeviceTimezone = None,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", help="Of a gateway, for the devices behind it, as application/+/device/#."
        ),
    ] = None,
) -> None:
    """Register a device; prints the token that it shows the broker, once."""
    from seeds.services import open_services
    from storage import audit, registering
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
                    topic_filters=topics or None,
                )
                audit.record(
                    connection,
                    actor=author(),
                    action="device.register",
                    object=f"device:{device_id}",
                    farm_id=farm_id,
                )
        except NotFound as error:
            fail(f"Not registered: there is no {error}.")
        except ValueError as error:
            fail(f"Not registered: {error}")
        say(f"{device_id} is registered. What it sends is stored from now on, 10 s later at most.")
        if wire_id is None or topics:
            _hand_out(services, device_id)


def token(
    device_id: DeviceId,
    overlap: Annotated[
        float,
        typer.Option(min=0, max=8_760, help="Hours that the old one stays good, if need be."),
    ] = 0.0,
) -> None:
    """Give a device a new token; the one it had is worth nothing then, or after the overlap."""
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("token") as services:
        services.check_migrated()
        try:
            _hand_out(services, device_id, overlap)
        except NotFound as error:
            fail(f"No token: there is no {error}.")


def change(
    device_id: DeviceId,
    name: DeviceName = None,
    profile: DeviceProfile = None,
    timezone: DeviceTimezone = None,
) -> None:
    """Change what is known of a device; what is left out stays as it is."""
    from seeds.services import open_services
    from storage import audit, registering
    from storage.database import NotFound

    given = {"name": name, "profile": profile, "timezone": timezone}
    if not any(given.values()):
        fail("Nothing to change: give --name, --profile or --timezone.")
    with open_services("change") as services:
        services.check_migrated()
        try:
            checked = {"name": name, "profile": profile, "timezone": zone(timezone)}
            values = {key: value for key, value in checked.items() if value is not None}
            with services.engine.begin() as connection:
                registering.change(connection, device_id, **values)
                audit.record(
                    connection,
                    actor=author(),
                    action="device.change",
                    object=f"device:{device_id}",
                    details=values,
                )
        except NotFound as error:
            fail(f"Not changed: there is no {error}.")
        except ValueError as error:
            fail(f"Not changed: {error}")
    say(
        f"{device_id} is changed, for what it sends from now on, 10 s later at most. "
        f"What it sent before: dala rejected retry --device {device_id}"
    )


def disable(device_id: DeviceId) -> None:
    """Take a device out of service: it is cut off and raises no alerts; nothing more is stored."""
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


def _hand_out(services: Services, device_id: str, overlap_h: float = 0.0) -> None:
    """Print a new token; only its hash is kept."""
    from storage import audit, credentials
    from storage.sealing import Seal

    seal = Seal.from_environment()
    if services.embedded is None and seal is None:
        say(
            f"No token for {device_id}: your broker would not know it. Set DALA_BROKER_KEY, and "
            "let the broker be told by dala ingest (DALA_MQTT_ADMIN_URL, dynamic security) or by "
            f"dala mosquitto (its password file); then: dala token {device_id}"
        )
        return
    with services.engine.begin() as connection:
        issued = credentials.issue(
            connection, device_id, overlap=dt.timedelta(hours=overlap_h), seal=seal
        )
        audit.record(
            connection, actor=author(), action="credential.issue", object=f"device:{device_id}"
        )
    if issued.replaced_until is not None:
        say(
            "The token that it has is good until it comes with the new one, or until "
            f"{issued.replaced_until:%Y-%m-%d %H:%M} UTC."
        )
    say(f"Its MQTT client id is {device_id}, its user {issued.username}; its token, shown once:")
    print(issued.token)


def _set_service(device_id: str, *, disabled: bool) -> None:
    from seeds.services import open_services
    from storage import audit, registering
    from storage.database import NotFound

    with open_services("disable" if disabled else "enable") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                registering.set_disabled(connection, device_id, disabled=disabled)
                audit.record(
                    connection,
                    actor=author(),
                    action="device.disable" if disabled else "device.enable",
                    object=f"device:{device_id}",
                )
        except NotFound as error:
            fail(f"Not changed: there is no {error}.")
