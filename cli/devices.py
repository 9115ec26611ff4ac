"""Verbs about devices: being one, those nobody knows, what needs an operator."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.registering import (
    DeviceFarm,
    DeviceField,
    DeviceId,
    DeviceKind,
    DeviceName,
    DeviceProfile,
    DeviceTimezone,
    farm_of,
    field_of,
    zone,
)
from cli.speaking import AsJson, author, enter, fail, no_farm, say


def device(
    device_id: DeviceId,
    buffer: Annotated[Path, typer.Option(help="File that keeps what has no receipt.")],
    mqtt: Annotated[str | None, typer.Option(help="Broker; DALA_MQTT_URL by default.")] = None,
    interval: Annotated[float, typer.Option(min=0, help="Seconds until a reading goes.")] = 60.0,
    size: Annotated[
        int, typer.Option("--bytes", min=100, max=60_000, help="Of a message, at most.")
    ] = 1_000,
    cbor: Annotated[bool, typer.Option("--cbor/--json", help="How messages are written.")] = True,
    source: Annotated[
        Path | None, typer.Option("--from", help="CSV; standard input by default.")
    ] = None,
    capacity: Annotated[
        int, typer.Option(min=1, max=16_384, help="Of the buffer file, MiB; it can only grow.")
    ] = 16,
    once: Annotated[bool, typer.Option(help="Give up after a minute without a receipt.")] = False,
) -> None:
    """Be a device: send readings, and keep each on disk until it is stored.

    A line is a reading: quantity, value, and if need be unit and time, as
    soil_moisture/20,0.284 or air_temperature,17.4,Cel,2026-06-21T05:00:00Z.
    """
    from seeds import gateway
    from seeds.reference_device import Packing

    packing = Packing(interval, size, cbor)
    sys.exit(
        gateway.run(
            device_id,
            buffer=buffer,
            mqtt=mqtt,
            packing=packing,
            source=source,
            once=once,
            capacity_bytes=capacity * 2**20,
        )
    )


def alerts(
    farm: Annotated[str | None, typer.Option(help="Of one farm; of all by default.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 200,
    language: Annotated[Literal["en", "ru", "kk"], typer.Option(help="Of the words.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Print what needs an operator: silent devices, gaps, messages that never came or are lost."""
    from rich.console import Console

    from reports import alert_words, printing_alerts
    from seeds.services import open_services
    from storage import alerts as kept
    from storage import farms
    from storage.database import NotFound

    with open_services("alerts") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                known = None if farm is None else farms.get(connection, farm)
            except NotFound:
                no_farm(connection, farm or "")
            found = kept.page(
                connection,
                farm_id=None if known is None else known.id,
                active=None if everything else True,
                limit=limit,
            )
            zones = kept.timezones(connection, found)
    if as_json:
        told = [
            alert_words.as_document(one, language, zones.get(one.farm_id, "UTC")) for one in found
        ]
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        printing_alerts.print_alerts(
            found, Console(), language=language, zones=zones, ever=everything, limit=limit
        )


def acknowledge(
    number: Annotated[int, typer.Argument(help="Of the alert, as `dala alerts` has it.")],
    by: Annotated[str, typer.Option(help="Who takes note.")],
    note: Annotated[str | None, typer.Option(help="What is done about it.")] = None,
) -> None:
    """Take note of an alert; one about what is lost for good ends with that."""
    from storage import alerts as kept

    now = dt.datetime.now(dt.UTC)
    enter(
        "acknowledge",
        lambda connection: kept.acknowledge(connection, number, by=by, now=now, note=note).id,
        "Not acknowledged",
    )
    say(f"Alert {number} is acknowledged by {by}.")


def unknown(as_json: AsJson = False) -> None:
    """Print who speaks without being registered; `dala claim` registers one."""
    from rich.console import Console

    from reports import printing_alerts
    from seeds.services import open_services
    from storage import unknown as strangers

    with open_services("unknown") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            found = strangers.page(connection, limit=1_000)
    if as_json:
        told = [printing_alerts.as_stranger(one) for one in found]
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        printing_alerts.print_unknown(found, Console())


def claim(
    identity: Annotated[str, typer.Argument(help="As `dala unknown` prints it.")],
    farm: DeviceFarm,
    kind: DeviceKind,
    field: DeviceField = None,
    name: DeviceName = None,
    profile: DeviceProfile = None,
    timezone: DeviceTimezone = None,
) -> None:
    """Register a device that speaks unregistered."""
    from seeds.services import open_services
    from storage import audit, rejected
    from storage import unknown as strangers
    from storage.database import NotFound

    with open_services("claim") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                farm_id = farm_of(connection, farm)
                claimed = strangers.claim(
                    connection,
                    identity,
                    farm_id=farm_id,
                    kind=kind,
                    field_id=None if field is None else field_of(connection, farm_id, farm, field),
                    name=name,
                    profile=profile,
                    timezone=zone(timezone),
                )
                unread, _ = rejected.count(connection, device=identity, reason="no-decoder")
                audit.record(
                    connection,
                    actor=author(),
                    action="device.register",
                    object=f"device:{claimed.device_id}",
                    farm_id=farm_id,
                )
        except NotFound as error:
            fail(f"Not claimed: there is no {error}. `dala unknown` lists who waits.")
        except ValueError as error:
            fail(f"Not claimed: {error}")
    say(f"Registered as {claimed.device_id}. What it sends is stored from now on.")
    if claimed.retriable:
        say(
            f"Of what it sent before, {claimed.retriable} messages are kept. To store them: "
            f"dala rejected retry --device {identity}"
        )
    if profile is None and unread:
        say(
            f"Its bytes have no decoder ({unread} messages). Let its network decode them, or name "
            f"its model: dala change {claimed.device_id} --profile PROFILE"
        )
