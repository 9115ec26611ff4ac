"""The command line of Dala: every verb, with its imports inside so that --help answers at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

app = typer.Typer(
    help="Telemetry for precision farming: readings in, audited water and yield figures out.",
    epilog="Servers come from DALA_DATABASE_URL and DALA_MQTT_URL. Where neither is set, an "
    "embedded PostgreSQL and broker are started, with their data in DALA_HOME. "
    "Begin with: dala demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Farm = Annotated[str, typer.Argument(help="The farm's short name, e.g. turkistan-01.")]
Season = Annotated[int | None, typer.Option(help="Year of harvest; the newest by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Farms = Annotated[int, typer.Option(min=1, max=5_000, help="How many simulated farms.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Of the API; 0 takes a free one.")]


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="End after the summary.")] = False,
    farms: Farms = 24,
    farm: Annotated[str, typer.Option(help="The farm to print.")] = "turkistan-01",
    port: Port = 0,
) -> None:
    """Run everything here: database, broker, simulated devices, ingest, analysis, API."""
    from seeds import demo as show

    show.run(once=once, count=farms, farm=farm, port=port)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date; safe to repeat."""
    import migrations
    from seeds.services import open_services

    with open_services("migrate") as services:
        applied = migrations.upgrade(services.engine)
    _say(f"Applied {', '.join(applied)}." if applied else "The database is up to date.")


@app.command()
def seed(farms: Farms = 24) -> None:
    """Add the simulated farms with their fields, crops and devices; safe to repeat."""
    from seeds import demo as show
    from seeds.services import open_services

    with open_services("seed") as services:
        services.migrate()
        show.seed(services, farms)
    _say(f"{farms} farms are in the database.")


@app.command()
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
    _say(show.delivery(delivered))


@app.command()
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
    _say(show.delivery(delivered))
    _say(f"Next: dala analyze && dala summary {slug} --season {season}")


@app.command()
def ingest(
    client_id: Annotated[
        str, typer.Option(help="Stable: the broker keeps its session.")
    ] = "dala-ingest",
) -> None:
    """Store what devices publish, until stopped; acknowledged only once it is committed."""
    import signal

    from ingest.subscriber import BrokerAddress, Subscriber
    from seeds.services import open_services

    with open_services("ingest", broker=True, hold_ingest=True) as services:
        services.check_migrated()
        address = BrokerAddress.parse(services.mqtt_url)
        subscriber = Subscriber(services.engine, address, client_id=client_id)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: subscriber.stop())
        subscriber.run()


@app.command()
def analyze(
    farm: Annotated[str | None, typer.Option(help="One farm; all by default.")] = None,
    season: Season = None,
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
                _no_farm(connection, farm or "")
    done = found.done
    _say(
        f"{done.results} of {done.zones} crop zones have a new result; "
        f"{done.days} days of their balances and {done.machine_days} of machines were stored."
    )
    for slug, reason in found.failed.items():
        _say(f"Not computed, {slug}: {reason}")
    if found.failed:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Other than loopback needs DALA_API_TOKEN.")
    ] = "127.0.0.1",
    port: Port = 8080,
) -> None:
    """Answer over REST, until stopped; described at /v1/openapi.json."""
    import uvicorn

    from api.app import make_app
    from api.dependencies import ApiSettings
    from seeds.services import open_services

    token = ApiSettings().api_token
    if token is None and host not in {"127.0.0.1", "::1", "localhost"}:
        _fail(f"Listening on {host} opens every farm to the network: set DALA_API_TOKEN first.")
    with open_services("serve") as services:
        services.check_migrated()
        services.announce_api(f"http://{host}:{port}")
        application = make_app(services.engine, token=token.get_secret_value() if token else None)
        uvicorn.run(application, host=host, port=port, log_level="warning", access_log=False)


@app.command()
def summary(
    farm: Farm,
    season: Season = None,
    as_json: AsJson = False,
) -> None:
    """Print what a season brought a farm: water, savings, yield, devices."""
    import datetime as dt

    from rich.console import Console

    from reports import printing
    from reports import summary as reports
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("summary") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                now = dt.datetime.now(dt.UTC)
                found = reports.of_farm(connection, farm, season=season, now=now)
            except NotFound:
                _no_farm(connection, farm)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        printing.print_summary(found, Console())


@app.command()
def advice(
    farm: Farm,
    day: Annotated[
        str | None, typer.Option(help="As 2025-07-01; the farm's today by default.")
    ] = None,
    forecast: Annotated[
        Path | None, typer.Option(help="Daily weather expected, CSV; wind at 10 m.")
    ] = None,
    language: Annotated[Literal["en", "ru", "kk"], typer.Option(help="Of the words.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Say whether, when and how much to irrigate each field this week, and why."""
    import datetime as dt

    from rich.console import Console

    from reports import advice as reports
    from reports.forecast_files import read_forecast
    from reports.printing_advice import print_advice
    from seeds.services import open_services
    from storage.database import NotFound

    given = None
    try:
        chosen = None if day is None else dt.date.fromisoformat(day)
        if forecast is not None:
            given = read_forecast(_lines(forecast), forecast.name)
    except (OSError, ValueError) as error:
        _fail(str(error))
    name = "" if forecast is None else forecast.name
    with open_services("advice") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            now = dt.datetime.now(dt.UTC)
            asked = reports.Question(now, chosen, forecast=given, forecast_name=name)
            try:
                found = reports.of_farm(connection, farm, asked)
            except reports.DayAhead as error:
                _fail(str(error))
            except NotFound:
                _no_farm(connection, farm)
    found = reports.in_words(found, language)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        print_advice(found, Console())


@app.command()
def work(
    farm: Farm,
    season: Annotated[
        int | None, typer.Option(help="Calendar year; that of the newest work by default.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day, as 2025-05-01; local to the farm.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    lsu: Annotated[
        float | None, typer.Option(min=0.001, help="Livestock units of one animal of the herd.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what machines, drones and herds did: work on fields, fuel, flights, grazing."""
    from rich.console import Console

    from reports import printing_work
    from reports import work as reports
    from seeds.services import open_services
    from storage.database import NotFound

    try:
        period = reports.period_of(first, last, season)
    except ValueError as error:
        _fail(str(error))
    with open_services("work") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            try:
                found = reports.of_farm(
                    connection, farm, period=period, season=season, livestock_units=lsu
                )
            except NotFound:
                _no_farm(connection, farm)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        printing_work.print_work(found, Console())


@app.command()
def forecast(
    farm: Farm,
    file: Annotated[Path, typer.Argument(help="Daily weather expected, CSV; wind at 10 m.")],
    source: Annotated[str, typer.Option(help="Who forecast it.")],
    issued_at: Annotated[str | None, typer.Option(help="RFC 3339; now by default.")] = None,
) -> None:
    """Keep a weather forecast for the farm's advice; each day takes the newest that has it."""

    from reports.forecast_files import import_forecast
    from seeds.services import open_services
    from storage import farms
    from storage.database import NotFound

    try:
        lines, issued = _lines(file), _moment("--issued-at", issued_at)
    except (OSError, ValueError) as error:
        _fail(str(error))
    with open_services("forecast") as services:
        services.check_migrated()
        with services.engine.begin() as connection:
            try:
                known = farms.get(connection, farm)
            except NotFound:
                _no_farm(connection, farm)
            try:
                days = import_forecast(
                    connection, known, lines, file.name, issued_at=issued, source=source
                )
            except ValueError as error:
                _fail(str(error))
    _say(f"{days} days of the forecast by {source} are kept, issued {issued:%Y-%m-%d %H:%M %Z}.")


@app.command()
def adjust(
    farm: Farm,
    field: Annotated[str, typer.Argument(help="Name of the field, e.g. field-1.")],
    season: Annotated[int, typer.Option(help="Year of harvest.")],
    reason: Annotated[str, typer.Option(help="What changed beside the practice that is judged.")],
    author: Annotated[str, typer.Option(help="Who says so.")],
    volume_m3: Annotated[
        float, typer.Option(help="Added to the adjusted baseline; negative lowers it.")
    ],
    u_m3: Annotated[float, typer.Option(min=0, help="Its standard uncertainty.")],
    crop: Annotated[
        str | None, typer.Option(help="Needed where the field has several in the season.")
    ] = None,
) -> None:
    """Enter a non-routine adjustment of a field's baseline, with its reason and author."""
    from reports import adjusting
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("adjust") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                number = adjusting.enter(
                    connection, farm, field, season=season, volume_m3=volume_m3, u_m3=u_m3,
                    reason=reason, author=author, crop=crop,
                )  # fmt: skip
        except (NotFound, ValueError) as error:
            _fail(f"Not entered: {error}")
    _say(f"Adjustment {number} is entered. Next: dala analyze --farm {farm}")


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(help="Of the adjustment, as `dala summary` has it.")],
    author: Annotated[str, typer.Option(help="Who withdraws it.")],
) -> None:
    """Withdraw a non-routine adjustment; it stays on record with who entered and withdrew it."""
    from reports import adjusting
    from seeds.services import open_services
    from storage.database import NotFound

    with open_services("withdraw") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                adjusting.withdraw(connection, number, author=author)
        except (NotFound, ValueError) as error:
            _fail(f"Not withdrawn: {error}")
    _say(f"Adjustment {number} is withdrawn. Next: dala analyze")


@app.command()
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
) -> None:
    """Show what the service makes of a payload: a JSON line per reading, or why it is refused."""
    from ingest import plausibility
    from ingest.codecs import decode as read
    from ingest.decoding import describe
    from ingest.messages import to_us

    try:
        payload = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        moment = _moment("--received-at", received_at)
    except (OSError, ValueError) as error:
        _fail(str(error))
    arrived = to_us(moment)
    decoded = read(topic, payload, received_at_us=arrived, profile=profile, timezone=timezone)
    for line in describe(plausibility.sift(decoded, arrived)):
        print(json.dumps(line, ensure_ascii=False))


@app.command()
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
        _fail(str(error))
    print(json.dumps(totals, indent=1))


@app.command()
def savings(
    file: Annotated[Path, typer.Argument(help="Baseline and reporting seasons, JSON.")],
) -> None:
    """Water saved against an adjusted baseline, with its interval, as JSON."""
    from analytics.savings_report import savings_report

    try:
        report = savings_report(json.loads(file.read_text()))
    except json.JSONDecodeError as error:
        _fail(f"{file}, line {error.lineno}, column {error.colno}: {error.msg}")
    except (OSError, ValueError) as error:
        _fail(f"{file}: {error}")
    print(json.dumps(report, indent=1))


@app.command("yield")
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
        _fail(str(error))
    print(json.dumps(report, indent=1))


@app.command()
def bench(
    name: Annotated[
        Literal["analytics", "store"], typer.Argument(help="What to measure.")
    ] = "store",
    rows: Annotated[int, typer.Option(min=1_000, help="Of store: readings in a run.")] = 400_000,
    zones: Annotated[
        int, typer.Option(min=0, help="Of analytics: crop zones of a nightly analysis; 0: none.")
    ] = 1_000,
    as_json: AsJson = False,
) -> None:
    """Measure, as ratios from one run on this machine."""
    from rich.console import Console

    from bench import analytics, store

    if name == "analytics":
        report = analytics.run(zones=zones)
        table = analytics.as_table(report)
    else:
        report = store.run(rows=rows)
        table = store.as_table(report)
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        Console().print(table)


@app.command()
def doctor() -> None:
    """Say what this machine has, what is missing and how to get it."""
    from seeds import checkup

    sys.exit(0 if checkup.print_report() else 1)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8-sig").splitlines()


def _moment(option: str, given: str | None) -> dt.datetime:
    """A time with its offset; now where none is given."""
    import datetime as dt

    if given is None:
        return dt.datetime.now(dt.UTC)
    moment = dt.datetime.fromisoformat(given)
    if moment.tzinfo is None:
        raise ValueError(f"{option} {given}: a time needs its offset, e.g. {given}Z")
    return moment


def _no_farm(connection: sa.Connection, slug: str) -> NoReturn:
    from storage import farms

    near = ", ".join(farms.slugs_like(connection, slug))
    _fail(f"There is no farm {slug!r}. " + (f"Try: {near}" if near else "Run `dala seed`."))


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _fail(text: str) -> NoReturn:
    _say(text)
    raise typer.Exit(1)


def main() -> None:
    """Run the command line; a fault that a person can mend is one sentence, not a trace."""
    from seeds.services import PEOPLE_CAN_MEND

    try:
        app()
    except PEOPLE_CAN_MEND as error:
        _say(f"dala: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
