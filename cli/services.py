"""Verbs that run the service or a part of it, and those that look after it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.speaking import AsJson, Farms, Port, fail, no_farm, say

if TYPE_CHECKING:
    from analytics.daily import Analysis


def demo(
    once: Annotated[bool, typer.Option(help="End after the summary.")] = False,
    farms: Farms = 24,
    farm: Annotated[str, typer.Option(help="The farm to print.")] = "turkistan-01",
    port: Port = 0,
) -> None:
    """Run everything here: database, broker, simulated devices, ingest, analysis, API."""
    from ingest import logs
    from seeds import demo as show

    logs.configure(logs.LogSettings(log_level="warning"))  # the demo speaks to people
    show.run(once=once, count=farms, farm=farm, port=port)


def migrate() -> None:
    """Bring the database's tables up to date; safe to repeat."""
    import migrations
    from seeds.services import open_services

    with open_services("migrate") as services:
        applied = migrations.upgrade(services.engine, on_note=say)
    say(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")


def seed(
    farms: Farms = 24,
    season: Annotated[
        bool,
        typer.Option(help="Also store what devices said in the season, and compute it."),
    ] = True,
) -> None:
    """Add simulated farms with fields, crops, devices and a computed season; safe to repeat."""
    from seeds import demo as show
    from seeds.services import open_services

    with open_services("seed") as services:
        services.migrate()
        seeded = show.seed(services, farms)
        if not season:
            say(f"Farms in the database: {farms}; none of their devices has said anything.")
            return
        stored = show.live_through(services, seeded)
        found = show.analyze(services)
    say(f"Farms in the database: {farms}; {stored} readings and track points were new.")
    _tell(found)


def simulate(
    farms: Farms = 24,
    truth: Annotated[Path | None, typer.Option(help="Write the true season here, as JSON.")] = None,
) -> None:
    """Let simulated devices publish a whole season through the broker; safe to repeat."""
    from seeds import demo as show
    from seeds.services import open_services

    with open_services("simulate", broker=True, ingest=True) as services:
        services.migrate()
        season = show.seed(services, farms)
        delivered = show.publish(services, season.senders)
        if truth is not None:
            truth.write_text(json.dumps(show.truth(season), indent=1))
    say(show.delivery(delivered))


def replay(
    folder: Annotated[
        Path, typer.Argument(help="A recording: season.toml, readings.csv, irrigation.csv.")
    ],
) -> None:
    """Publish a recorded season through the broker with its own times; safe to run twice."""
    from seeds import demo as show
    from seeds import recording
    from seeds.services import open_services

    recorded = recording.read(folder)
    with open_services("replay", broker=True, ingest=True) as services:
        services.migrate()
        with services.engine.begin() as connection:
            recording.register(connection, recorded)
        delivered = show.publish(services, recorded.senders)
    slug, season = recorded.season["farm"]["slug"], recorded.season["season"]["end"].year
    say(show.delivery(delivered))
    say(f"Next: dala analyze && dala summary {slug} --season {season}")


def ingest(
    client_id: Annotated[
        str, typer.Option(help="Stable: the broker keeps its session.")
    ] = "dala-ingest",
    worker: Annotated[
        str, typer.Option(help="Which of how many, as 2/3; several share the topics (Mosquitto).")
    ] = "1/1",
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Answer /metrics there; 0: a free port.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Where /metrics listens.")] = "127.0.0.1",
    retire: Annotated[
        bool, typer.Option(help="Store what waits for this worker, give its session up, end.")
    ] = False,
) -> None:
    """Store what devices publish, until stopped; acknowledged only once it is committed."""
    from ingest import serving
    from ingest.mapping import MappingError, registry
    from ingest.settings import BrokerAddress, Worker
    from seeds.services import open_services

    try:
        routes, part = registry(), Worker.parse(worker)
    except (MappingError, ValueError) as error:
        fail(str(error))
    with open_services("ingest", broker=True, hold_ingest=True) as services:
        services.check_migrated()
        serving.serve(
            services.engine,
            BrokerAddress.parse(services.mqtt_url),
            client_id=client_id,
            worker=part,
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            retire=retire,
            registry=routes,
        )


def analyze(
    farm: Annotated[str | None, typer.Option(help="One farm; all by default.")] = None,
    season: Annotated[int | None, typer.Option(help="Year of harvest; all by default.")] = None,
) -> None:
    """Compute what is new: water balances, savings and yields of what was stored since."""
    from seeds import demo as show
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("analyze") as services:
        services.check_migrated()
        try:
            found = show.analyze(services, farm=farm, season=season)
        except NotFound:
            with services.engine.connect() as connection:
                no_farm(connection, farm or "")
    _tell(found)


def _tell(found: Analysis) -> None:
    """Say what was computed; end with 1 where something could not be.

    Raises
    ------
    typer.Exit
        If a farm was not computed.
    """
    done = found.done
    say(
        f"{done.results} of {done.zones} crop zones have a new result; "
        f"{done.days} days of their balances and {done.machine_days} of machines were stored."
    )
    for slug, reason in found.failed.items():
        say(f"Not computed, {slug}: {reason}")
    if found.failed:
        raise typer.Exit(1)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8080,
    everybody: Annotated[
        bool, typer.Option("--open", help="Nobody signs in, all may read; on loopback only.")
    ] = False,
) -> None:
    """Answer over REST, until stopped; described at /v1/openapi.json."""
    from api import serving
    from api.app import make_app
    from api.settings import ApiSettings
    from cli.reporting import key_file
    from ingest import logs
    from seeds.services import open_services

    logs.configure()
    settings = ApiSettings()
    settings.report_key_file = key_file()
    settings.api_open = settings.api_open or everybody
    is_near = host in {"127.0.0.1", "::1", "localhost"}
    if settings.api_open and not is_near:
        fail(f"Listening on {host} without sign-in opens every farm to the network.")
    is_ours_alone = is_near and settings.public_url is None and settings.api_token is None
    settings.public_url = settings.public_url or f"http://{host}:{port}"
    with open_services("serve") as services:
        services.check_migrated()
        # A new farm looks at its first figures before anybody has an account.
        settings.api_open_at_first = is_ours_alone and services.embedded is not None
        services.announce_api(f"http://{host}:{port}")
        engine = services.api_engine(settings)
        serving.run(make_app(engine, settings), host=host, port=port)
        engine.dispose()


def bench(
    name: Annotated[
        Literal["analytics", "api", "ingest", "query", "storage", "store"],
        typer.Argument(help="What to measure."),
    ] = "store",
    rows: Annotated[int, typer.Option(min=1_000, help="Of store: readings in a run.")] = 160_000,
    messages: Annotated[int, typer.Option(min=1_000, help="Of ingest: in each run.")] = 50_000,
    devices: Annotated[int, typer.Option(min=1, help="Of ingest: that messages come from.")] = 200,
    backlog: Annotated[
        int, typer.Option(min=0, help="Of ingest: messages that wait for its process; 0: none.")
    ] = 100_000,
    latency_seconds: Annotated[
        float, typer.Option(min=0, help="Of ingest: at 2,000 messages/s; 0: not at all.")
    ] = 30.0,
    zones: Annotated[
        int, typer.Option(min=0, help="Of analytics: crop zones of a nightly analysis; 0: none.")
    ] = 1_000,
    farms: Annotated[int, typer.Option(min=1, help="Of query: farms with a season.")] = 200,
    readings: Annotated[
        list[int] | None,
        typer.Option(min=1_000, help="Of query: in the table; may be given again, for growth."),
    ] = None,
    requests: Annotated[int, typer.Option(min=10, help="Of query: of each kind.")] = 300,
    database_url: Annotated[
        str | None,
        typer.Option(help="Of storage, store, query: a server, for a database of its own."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Of query: a folder that keeps the embedded database for the next run, which "
            "asks it again where it asks for as many farms and readings.",
            file_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure, as ratios from one run on this machine."""
    from rich.console import Console

    from bench import analytics, api, ingest, query, query_table, storage, storage_table, store
    from ingest import logs

    logs.configure(logs.LogSettings(log_level="warning"))  # to standard error: JSON goes elsewhere
    if name == "analytics":
        report = analytics.run(zones=zones)
        table = analytics.as_table(report)
    elif name == "api":
        report = api.run()
        table = api.as_table(report)
    elif name == "ingest":
        report = ingest.run(
            messages=messages, device_count=devices, waiting=backlog, latency_s=latency_seconds
        )
        table = ingest.as_table(report)
    elif name == "query":
        sizes = sorted(set(readings or query.READINGS))
        report = query.run(
            farms=farms, readings=sizes, requests=requests, database_url=database_url, keep=keep
        )
        table = query_table.as_table(report)
    elif name == "storage":
        report = storage.run(database_url=database_url)
        table = storage_table.as_table(report)
    else:
        report = store.run(rows=rows, database_url=database_url)
        table = store.as_table(report)
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        # Into a file goes the whole table, however narrow the terminal was said to be.
        Console(width=None if sys.stdout.isatty() else 160).print(table)


def doctor() -> None:
    """Say what this machine has, what is missing and how to get it."""
    from seeds import checkup

    sys.exit(0 if checkup.print_report() else 1)
