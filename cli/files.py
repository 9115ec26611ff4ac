"""Verbs that read a file and print what is in it; they need no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.registering import zone
from cli.speaking import fail, moment, trouble


def decode(
    topic: Annotated[str, typer.Argument(help="As published, e.g. dala/v1/probe-7/senml.")],
    file: Annotated[Path, typer.Argument(help="The payload; - reads standard input.")],
    profile: Annotated[
        str | None, typer.Option(help="LoRaWAN device model, e.g. decentlab-dl-trs12.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA zone of a device that sends local time.")
    ] = None,
    received_at: Annotated[str | None, typer.Option(help="RFC 3339; now by default.")] = None,
    mappings: Annotated[
        Path | None, typer.Option(help="An operator's mapping of topics, TOML.")
    ] = None,
) -> None:
    """Show what the service makes of a payload: a JSON line per reading, or why it is refused."""
    from ingest import plausibility
    from ingest.decoding import captured, describe
    from ingest.mapping import MappingError, MappingSettings, registry
    from ingest.messages import to_us

    if set("+#") & set(topic):
        fail(f"{topic!r} is a filter of topics: give the topic that the payload came on.")
    timezone = zone(timezone)
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        arrived = to_us(moment("--received-at", received_at))
        routes = registry(MappingSettings(mappings=mappings) if mappings else None)
    except (OSError, ValueError, MappingError) as error:
        fail(trouble(error))
    for payload in captured(content):
        decoded = routes.decode(
            topic, payload, received_at_us=arrived, profile=profile, timezone=timezone
        )
        possible = plausibility.sift(decoded, arrived)
        for line in describe(plausibility.with_range_flags(possible)):
            print(json.dumps(line, ensure_ascii=False))


def balance(
    weather: Annotated[Path, typer.Option(help="Daily weather, CSV.")],
    scenario: Annotated[Path, typer.Option(help="Site, season, crop and soil, TOML.")],
    irrigation: Annotated[Path | None, typer.Option(help="Applications, CSV: gross depth.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the days here, CSV.")] = None,
) -> None:
    """Daily water balance of one field; the season's totals as JSON."""
    from analytics import scenario as scenarios

    try:
        totals, days = scenarios.run_files(scenario, weather, irrigation)
        if out is not None:
            out.write_text(days)
    except (OSError, ValueError) as error:
        fail(trouble(error))
    print(json.dumps(totals, indent=1))


def savings(
    file: Annotated[Path, typer.Argument(help="Baseline and reporting seasons, JSON.")],
) -> None:
    """Water saved against an adjusted baseline, with its interval, as JSON."""
    from analytics.savings_report import savings_report
    from analytics.text_files import read_text

    try:
        report = savings_report(json.loads(read_text(file)))
    except json.JSONDecodeError as error:
        fail(f"{file}, line {error.lineno}, column {error.colno}: {error.msg}")
    except RecursionError:
        fail(f"{file}: is nested deeper than any case is")
    except (OSError, ValueError) as error:
        fail(f"{file}: {error}")
    print(json.dumps(report, indent=1))


def clean_yield(
    file: Annotated[Path, typer.Argument(help="Ag Leader text, ISOXML time log, or CSV; .gz too.")],
    file_format: Annotated[
        str | None, typer.Option("--format", help="agleader, isoxml or csv; found out by default.")
    ] = None,
    standard_moisture: Annotated[
        float | None, typer.Option(help="State the mass at this moisture, % of the wet mass.")
    ] = None,
    flow_delay: Annotated[
        str, typer.Option(help="From cutting to the mass sensor: seconds, or auto to fit it.")
    ] = "auto",
    moisture_delay: Annotated[
        float | None, typer.Option(help="Of the moisture sensor, s; that of the flow by default.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="Of telling outliers: local, spatial; auto is by the file.")
    ] = "auto",
    crs: Annotated[
        str | None, typer.Option(help="System of projected positions, as EPSG:32642.")
    ] = None,
    crop: Annotated[
        str | None, typer.Option(help="As spring-wheat: for the map's legend and for checks.")
    ] = None,
    weighed_kg: Annotated[float | None, typer.Option(help="Wet mass of all weighed loads.")] = None,
    sown_ha: Annotated[float | None, typer.Option(help="Area sown, beside that harvested.")] = None,
    impurity: Annotated[
        float | None, typer.Option(help="Impurity of the bunker weight, %: clean weight, too.")
    ] = None,
    base_impurity: Annotated[float, typer.Option(help="That clean weight may have, %.")] = 0.0,
    boundary: Annotated[
        Path | None, typer.Option(help="The field as GeoJSON: points outside are flagged.")
    ] = None,
    grid: Annotated[Path | None, typer.Option(help="Write the yield map here, GeoJSON.")] = None,
    cell_m: Annotated[float, typer.Option(help="Side of the map's cells.")] = 20.0,
) -> None:
    """Clean a yield-monitor file: points flagged with reasons, totals and yield as JSON."""
    from analytics.yield_monitor import Filters, Harvest, clean_to_map, delay_of

    harvest = Harvest(standard_moisture, weighed_kg, sown_ha, impurity, base_impurity, crop)
    try:
        report, drawn = clean_to_map(
            file,
            format=file_format,
            crs=crs,
            harvest=harvest,
            filters=Filters(moisture_delay_s=moisture_delay, method=method),
            flow_delay_s=delay_of(flow_delay),
            boundary=boundary,
            cell_m=None if grid is None else cell_m,
        )
        if grid is not None:
            grid.write_text(json.dumps(drawn))
    except (OSError, ValueError) as error:
        fail(trouble(error))
    print(json.dumps(report, indent=1))
