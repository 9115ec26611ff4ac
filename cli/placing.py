"""Verbs that say where a device stands and how it is calibrated, each from a moment on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.registering import DeviceId, field_of
from cli.speaking import author, checked, enter, fail, note, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from storage.farms import Farm

Since = Annotated[
    str | None,
    typer.Option(help="2026-06-14 or '2026-06-14 09:30' by the farm's clock; now by default."),
]
Stream = Annotated[
    str | None, typer.Option("--datastream", help="This one alone, as soil_moisture/20.")
]


def place(
    device_id: DeviceId,
    field: Annotated[str | None, typer.Option(help="Name of the field it measures.")] = None,
    whole_farm: Annotated[
        bool, typer.Option("--whole-farm", help="It measures no field of its own, as a station.")
    ] = False,
    since: Since = None,
    datastream: Stream = None,
    take_back: Annotated[
        int | None, typer.Option(help="Number of a placement that was a mistake.")
    ] = None,
) -> None:
    """Say where a device measures from a moment on; without options, print where it stood.

    What it measured before stays with the field that it stood on.
    """
    chosen = [field is not None, whole_farm, take_back is not None]
    if sum(chosen) > 1 or (not any(chosen) and (since or datastream)):
        fail("Give one of --field, --whole-farm and --take-back.")
    if take_back is not None:
        number = take_back
        enter("place", lambda c: _displace(c, device_id, number), "Not taken back")
        say(f"Placement {number} is taken back; the one before it holds. Next: dala analyze")
    elif any(chosen):
        enter("place", lambda c: _place(c, device_id, field, since, datastream), "Not placed")
        say(f"{device_id} measures {field or 'the whole farm'}. Next: dala analyze")
    else:
        enter("place", lambda c: _print_placements(c, device_id), "Not printed")


def calibrate(
    device_id: DeviceId,
    datastream: Annotated[
        str | None, typer.Argument(metavar="DATASTREAM", help="As soil_moisture/20.")
    ] = None,
    slope: Annotated[float | None, typer.Option(help="Times the reading.")] = None,
    intercept: Annotated[
        float, typer.Option(help="Added, in the datastream's unit; of a counter it means nothing.")
    ] = 0.0,
    reference: Annotated[
        str | None, typer.Option(help="How it was found, as 'certificate KZ-17-204'.")
    ] = None,
    since: Since = None,
    take_back: Annotated[
        int | None, typer.Option(help="Number of a calibration that was a mistake.")
    ] = None,
) -> None:
    """Say how readings are to be understood from a moment on; without options, print how.

    What was measured is slope x reading + intercept. Readings stay as they came.
    """
    if take_back is not None:
        number = take_back
        if datastream is None:
            fail("Name the datastream, too, as soil_moisture/20.")
        name = datastream
        enter("calibrate", lambda c: _uncalibrate(c, device_id, name, number), "Not taken back")
        say(f"Calibration {number} is taken back; the one before it holds. Next: dala analyze")
    elif slope is not None:
        if datastream is None or reference is None:
            fail("Name the datastream, as soil_moisture/20, and the --reference.")
        said = {"slope": slope, "intercept": intercept, "reference": reference}
        name = datastream
        enter("calibrate", lambda c: _calibrate(c, device_id, name, since, said), "Not calibrated")
        say(f"{name} of {device_id} is calibrated. Next: dala analyze")
    elif reference is not None or since is not None or intercept:
        fail("Give the --slope, too; 1 where the intercept alone is corrected.")
    else:
        enter("calibrate", lambda c: _print_calibrations(c, device_id, datastream), "Not printed")


def _place(
    connection: sa.Connection,
    device_id: str,
    field: str | None,
    since: str | None,
    name: str | None,
) -> int:
    from storage import devices, placements

    farm = _farm_of(connection, device_id)
    stream = None if name is None else devices.named(connection, device_id, name).id
    field_id = None if field is None else field_of(connection, farm.id, farm.slug, field)
    at = _moment(since, farm)
    placed = placements.place(
        connection, device_id, field_id, valid_from=at, by=author(), datastream_id=stream
    )
    details = {"field": field, "valid_from": at.isoformat(), "datastream_id": stream}
    note(connection, "device.place", f"device:{device_id}", farm.id, details)
    return placed.id


def _displace(connection: sa.Connection, device_id: str, number: int) -> int:
    from storage import placements

    farm = _farm_of(connection, device_id)
    gone = placements.withdraw(connection, device_id, number)
    details = {"placement": number, "valid_from": gone.valid_from.isoformat()}
    note(connection, "device.unplace", f"device:{device_id}", farm.id, details)
    return number


def _calibrate(
    connection: sa.Connection, device_id: str, name: str, since: str | None, said: dict[str, Any]
) -> int:
    from api.models_onboarding import CalibrationIn
    from storage import calibrations, devices

    farm = _farm_of(connection, device_id)
    stream = devices.named(connection, device_id, name)
    asked = checked(CalibrationIn, "Not calibrated", valid_from=_moment(since, farm), **said)
    made = calibrations.calibrate(connection, stream.id, by=author(), **asked.model_dump())
    details = asked.model_dump(mode="json")
    note(connection, "datastream.calibrate", f"datastream:{stream.id}", farm.id, details)
    return made.id


def _uncalibrate(connection: sa.Connection, device_id: str, name: str, number: int) -> int:
    from storage import calibrations, devices

    farm = _farm_of(connection, device_id)
    stream = devices.named(connection, device_id, name)
    gone = calibrations.withdraw(connection, stream.id, number)
    details = {"calibration": number, "valid_from": gone.valid_from.isoformat()}
    note(connection, "datastream.uncalibrate", f"datastream:{stream.id}", farm.id, details)
    return number


def _print_placements(connection: sa.Connection, device_id: str) -> int:
    from rich.console import Console
    from rich.table import Table

    from storage import devices, fields, placements

    farm = _farm_of(connection, device_id)
    names = {one.id: one.name for one in fields.of_farm(connection, farm.id)}
    streams = {one.id: devices.name_of(one) for one in devices.datastreams(connection, [device_id])}
    found = placements.of_devices(connection, [device_id])
    if not found:
        where = names.get(devices.get(connection, device_id).field_id or 0, "the whole farm")
        say(f"{device_id} has always measured {where}.")
        return 0
    table = Table("number", "since", "measures", "datastream", "entered by")
    for one in found:
        measures = names.get(one.field_id or 0, "the whole farm")
        which = "all" if one.datastream_id is None else streams[one.datastream_id]
        table.add_row(str(one.id), _shown(one.valid_from, farm), measures, which, one.created_by)
    Console().print(table)
    return 0


def _print_calibrations(connection: sa.Connection, device_id: str, name: str | None) -> int:
    from rich.console import Console
    from rich.table import Table

    from storage import calibrations, devices

    farm = _farm_of(connection, device_id)
    chosen = devices.datastreams(connection, [device_id])
    if name is not None:
        chosen = [devices.named(connection, device_id, name)]
    found = calibrations.of_streams(connection, [one.id for one in chosen])
    table = Table("number", "datastream", "since", "slope", "intercept", "reference", "entered by")
    for stream in chosen:
        for one in found.get(stream.id, []):
            numbers = f"{one.slope:g}", f"{one.intercept:g}"
            since = _shown(one.valid_from, farm)
            table.add_row(
                str(one.id), devices.name_of(stream), since, *numbers, one.reference, one.created_by
            )
    if table.row_count:
        Console().print(table)
    else:
        said = ", ".join(map(devices.name_of, chosen)) or "it has said nothing yet"
        say(f"No calibration: readings are what they say. Datastreams: {said}")
    return 0


def _farm_of(connection: sa.Connection, device_id: str) -> Farm:
    from storage import devices, farms

    device = devices.get(connection, device_id)
    if device.farm_id is None:
        raise ValueError(f"{device_id} belongs to no farm")
    return farms.of_id(connection, device.farm_id)


def _moment(since: str | None, farm: Farm) -> dt.datetime:
    """A moment by the farm's clock; a day begins at its midnight."""
    from analytics import spreadsheet

    now = dt.datetime.now(dt.UTC)
    if since is None:
        return now
    day = spreadsheet.day_of(since)
    at = dt.datetime.combine(day, dt.time()) if day else spreadsheet.moment_of(since)
    if at is None:
        raise ValueError(f"--since {since!r} is no time: write 2026-06-14 or '2026-06-14 09:30'")
    at = spreadsheet.by_clock(at, ZoneInfo(farm.timezone))
    if not dt.datetime(1970, 1, 1, tzinfo=dt.UTC) <= at <= now:
        raise ValueError(f"--since {since} must lie between 1970 and now")
    return at


def _shown(at: dt.datetime, farm: Farm) -> str:
    if at.year <= 1970:
        return "ever"
    return f"{at.astimezone(ZoneInfo(farm.timezone)):%Y-%m-%d %H:%M}"
