"""The verb that brings files of a farm into the database."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.registering import zone
from cli.speaking import AsJson, no_farm

# Of files that people keep of their farm; the others are of machines and sensors.
ENTERED = ("boundaries", "crop-zones", "irrigation-events", "adjustments", "devices")
Kind = Literal[
    "isoxml",
    "agleader",
    "yield",
    "weather",
    "irrigation",
    "loads",
    "boundaries",
    "crop-zones",
    "irrigation-events",
    "adjustments",
    "devices",
]


def import_files(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders and zip archives.")],
    farm: Annotated[str, typer.Option(help="The farm's short name, e.g. turkistan-01.")],
    field: Annotated[
        str | None, typer.Option(help="Of irrigation, and of loads that name none.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Whose points and readings these are; by default as named.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA zone of machines' clocks; the farm's by default.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="What the files are; told by default.")] = None,
    crs: Annotated[
        str | None, typer.Option(help="System of projected yield positions, as EPSG:32642.")
    ] = None,
    wind_height: Annotated[
        float, typer.Option(min=0.5, max=200, help="Of weather files' wind, m.")
    ] = 2.0,
    gps_epoch: Annotated[
        bool, typer.Option(help="Ag Leader times count from 1980-01-06, not from 1970.")
    ] = False,
    name_property: Annotated[
        str | None, typer.Option(help="Of boundaries: the attribute that names a field.")
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="Of devices: write their tokens here, CSV; they are not shown again."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Do all of it, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import files: boundaries, crops, task data, yield monitors, weather, water, loads, devices.

    Boundaries: GeoJSON, a zipped shapefile, KML; partfields of ISOXML with --kind boundaries.
    Tables are CSV, as Excel saves it, too: crops (field,season,crop,planted,harvested), water
    (field,started_at,ended_at,volume_m3), devices (id,kind,field). Each file is stored as a whole
    or not at all; --dry-run says what would become of each line.
    """
    from rich.console import Console
    from rich.progress import Progress

    from cli import importing_entered
    from ingest import imports
    from reports.printing_import import print_import
    from seeds.services import open_services
    from storage import farms
    from storage.database import NotFound

    with open_services("import") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                known = farms.get(connection, farm)
            except NotFound:
                no_farm(connection, farm)
        entered = importing_entered.chosen(paths, kind)
        rows = importing_entered.run(
            services, known, entered, tokens=tokens, name_property=name_property, dry=dry_run
        )
        others = [one for one in paths if one not in entered]
        clocks = zone(timezone) or known.timezone
        now_us = time.time_ns() // 1_000
        asked = imports.Asked(
            known, clocks, now_us, field, device, kind, crs, wind_height, gps_epoch
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Looking for files", total=None)

            def show(done: int, whole: int, name: str) -> None:
                bar.update(task, completed=done, total=whole, description=name)

            done = imports.run(services.engine, others, asked, dry=dry_run, progress=show)
    rows += [one.as_row() for one in done]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        print_import(rows, Console(), dry=dry_run)
    if not rows or any(one["state"] in {"refused", "partly"} for one in rows):
        raise typer.Exit(1)
