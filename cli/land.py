"""Verbs for the land: farms, their fields with boundaries, and what grows on them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.registering import farm_of, field_of
from cli.speaking import author, checked, enter, fail, no_farm, note, say, trouble

if TYPE_CHECKING:
    import sqlalchemy as sa

farm_app = typer.Typer(
    help="Farms: enter one, see what it has.",
    epilog="Begin with: dala farm add my-farm --name 'My farm' --at 43.3,68.25 --elevation 210",
    no_args_is_help=True,
)
field_app = typer.Typer(
    help="Fields of a farm, each with its boundary.",
    epilog="Many at once, from GeoJSON, a zipped shapefile, KML or ISOXML partfields: "
    "dala import FILE --farm FARM",
    no_args_is_help=True,
)
crop_app = typer.Typer(
    help="Crops: one crop on one field in one season, which every figure belongs to.",
    epilog="Many at once, from a table with field, season, crop, planted, harvested: "
    "dala import FILE.csv --farm FARM",
    no_args_is_help=True,
)

OfFarm = Annotated[str, typer.Option("--farm", help="Short name of the farm.")]
Planted = Annotated[
    dt.datetime, typer.Option(formats=["%Y-%m-%d", "%d.%m.%Y"], help="Sown, or planted.")
]


@farm_app.command("add")
def add_farm(
    slug: Annotated[
        str, typer.Argument(metavar="NAME", help="Short, for addresses and verbs: my-farm.")
    ],
    at: Annotated[str, typer.Option(help="Latitude and longitude, as 43.3,68.25.")],
    elevation: Annotated[float, typer.Option(help="Above the sea, m.")],
    name: Annotated[str | None, typer.Option(help="For people; NAME by default.")] = None,
    timezone: Annotated[str, typer.Option(help="Whose days are its days.")] = "Asia/Almaty",
    region: Annotated[str | None, typer.Option(help="ISO 3166-2, as KZ-61.")] = None,
) -> None:
    """Enter a farm; its position and elevation are those of its weather."""
    from entry import land
    from entry.models import FarmIn

    latitude, longitude = _position(at)
    asked = checked(
        FarmIn,
        "Not entered",
        slug=slug,
        name=name or slug,
        region_code=region,
        timezone=timezone,
        latitude_deg=latitude,
        longitude_deg=longitude,
        elevation_m=elevation,
    )

    def action(connection: sa.Connection) -> int:
        farm_id = land.enter_farm(connection, asked, by=author())
        note(connection, "farm.create", f"farm:{slug}", farm_id, asked.model_dump())
        return farm_id

    enter("farm", action, "Not entered")
    say(f"{slug} is entered. Next, its fields: dala field add NAME --farm {slug} --boundary FILE")


@farm_app.command("list")
def list_farms() -> None:
    """Print farms, with their fields and areas."""
    from rich.console import Console
    from rich.table import Table

    from seeds.services import open_services
    from storage import farms, fields

    table = Table("farm", "name", "region", "fields", "ha")
    with open_services("farm") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            for one in farms.page(connection, limit=10_000):
                of = fields.of_farm(connection, one.id)
                area = f"{sum(field.area_ha for field in of):,.1f}"
                table.add_row(one.slug, one.name, one.region_code or "—", str(len(of)), area)
    if table.row_count:
        Console().print(table)
    else:
        say("There is no farm yet: dala farm add")


@farm_app.command("show")
def show_farm(
    slug: Annotated[str, typer.Argument(metavar="NAME", help="As `dala farm list` has it.")],
) -> None:
    """Print a farm's fields with what grows on them, and its devices."""
    from rich.console import Console
    from rich.table import Table

    from seeds.services import open_services
    from storage import devices, farms, fields
    from storage.database import NotFound

    land = Table("field", "ha", "area from", "crops", title_justify="left")
    beside = Table("device", "kind", "field", "datastreams", title_justify="left")
    with open_services("farm") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                farm = farms.get(connection, slug)
            except NotFound:
                no_farm(connection, slug)
            names = {one.id: one.name for one in fields.of_farm(connection, farm.id)}
            grown: dict[int, list[str]] = {}
            for field, zone in fields.zones(connection, farm_id=farm.id):
                grown.setdefault(field.id, []).append(f"{zone.crop} {zone.season}")
            for one in fields.of_farm(connection, farm.id):
                crops = ", ".join(grown.get(one.id, [])) or "—"
                land.add_row(one.name, f"{one.area_ha:,.2f}", one.area_source, crops)
            for device in devices.of_farms(connection, [farm.id]):
                streams = devices.datastreams(connection, [device.id])
                said = ", ".join(devices.name_of(stream) for stream in streams) or "—"
                where = names.get(device.field_id or 0, "the farm")
                out = " (out of service)" if device.disabled else ""
                beside.add_row(device.id + out, device.kind, where, said)
    place = f"{farm.latitude_deg:g}, {farm.longitude_deg:g}, {farm.elevation_m:g} m"
    console = Console()
    console.print(f"{farm.name} ({slug}), {farm.region_code or 'no region'}, {place}")
    console.print(f"Its days are those of {farm.timezone}.")
    console.print(land if land.row_count else "It has no fields yet: dala field add")
    console.print(beside if beside.row_count else "It has no devices yet: dala register")


@field_app.command("add")
def add_field(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the field.")],
    farm: OfFarm,
    boundary: Annotated[
        Path | None,
        typer.Option(help="GeoJSON, zipped shapefile, KML or ISOXML with this one place."),
    ] = None,
    area: Annotated[
        float | None, typer.Option(help="As documents have it, ha; a boundary is compared with it.")
    ] = None,
    texture: Annotated[
        str | None, typer.Option(help="Of the soil, as loam, silt-loam, clay.")
    ] = None,
    official_id: Annotated[str | None, typer.Option(help="Of the cadastre.")] = None,
    pasture: Annotated[bool, typer.Option("--pasture", help="For grazing, not for crops.")] = False,
) -> None:
    """Enter a field: its boundary is checked, and its area taken from it."""
    from entry import land
    from entry.models import FieldIn

    asked = checked(
        FieldIn,
        "Not entered",
        name=name,
        geometry=None if boundary is None else _geometry(boundary),
        official_area_ha=area,
        official_field_id=official_id,
        soil={} if texture is None else {"texture": texture},
        land_use="pasture" if pasture else "arable",
    )
    told: list[str] = []

    def action(connection: sa.Connection) -> int:
        from storage import fields

        farm_id = farm_of(connection, farm)
        field_id, warnings = land.enter_field(connection, farm_id, asked, by=author())
        known = fields.get(connection, field_id)
        details = asked.model_dump(exclude={"geometry"}) | {"area_ha": known.area_ha}
        note(connection, "field.create", f"field:{field_id}", farm_id, details)
        told.append(f"{name} has {known.area_ha:,.2f} ha ({known.area_source}).")
        told.extend(f"Look at it: {name} {one}." for one in warnings)
        return field_id

    enter("field", action, "Not entered")
    for one in told:
        say(one)
    say(f"Next, what grows there: dala crop add CROP --farm {farm} --field {name!r} …")


@crop_app.command("add")
def add_crop(
    crop: Annotated[str, typer.Argument(metavar="CROP", help="For people, as cotton.")],
    farm: OfFarm,
    field: Annotated[str, typer.Option(help="Name of the field.")],
    planted: Planted,
    harvested: Annotated[
        dt.datetime,
        typer.Option(formats=["%Y-%m-%d", "%d.%m.%Y"], help="Or expected; its year is the season."),
    ],
    catalogue: Annotated[
        str | None,
        typer.Option(
            "--as", help="Name in the catalogue of FAO-56, as maize-grain; CROP by default."
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Of irrigation, as drip, furrow; none: rain-fed.")
    ] = None,
    area: Annotated[float | None, typer.Option(help="ha; the field's by default.")] = None,
    efficiency: Annotated[
        float | None, typer.Option(help="Of application, 0 to 1; the method's by default.")
    ] = None,
    flow: Annotated[float | None, typer.Option(help="Of the irrigation system, m³/h.")] = None,
) -> None:
    """Enter what grows on a field in a season."""
    from entry import records
    from entry.models import CropZoneIn

    def action(connection: sa.Connection) -> int:
        farm_id = farm_of(connection, farm)
        asked = checked(
            CropZoneIn,
            "Not entered",
            field_id=field_of(connection, farm_id, farm, field),
            season=harvested.year,
            crop=crop,
            planted=planted.date(),
            harvested=harvested.date(),
            area_ha=area,
            irrigation_method=method,
            application_efficiency=efficiency,
            system_flow_m3_h=flow,
            crop_parameters={"name": catalogue or crop},
        )
        zone_id, _ = records.enter_crop_zone(connection, asked, author())
        details = asked.model_dump(mode="json")
        note(connection, "crop-zone.create", f"crop-zone:{zone_id}", farm_id, details)
        return zone_id

    number = enter("crop", action, "Not entered")
    say(f"Crop zone {number} is entered: {crop} on {field}. Next: dala analyze --farm {farm}")


def _position(text: str) -> tuple[float, float]:
    try:
        latitude, longitude = (float(one) for one in text.split(","))
    except ValueError:
        fail(f"--at {text!r} is no position: write latitude,longitude, as 43.3,68.25")
    return latitude, longitude


def _geometry(file: Path) -> Any:
    """The one place of a file."""
    from analytics import boundary_files
    from analytics.boundary_files import BoundaryError

    try:
        found = boundary_files.read(file.read_bytes())
    except (BoundaryError, OSError) as error:
        fail(f"{file}: {trouble(error)}")
    if len(found.places) != 1:
        named = ", ".join(one.name or "(no name)" for one in found.places[:8])
        fail(
            f"{file} has {len(found.places)} places ({named}). "
            f"All of them at once: dala import {file} --farm FARM"
        )
    return json.loads(json.dumps(found.places[0].geometry))
