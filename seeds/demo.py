"""The main job, on one machine: seed, publish, store, analyse, answer."""

from __future__ import annotations

import datetime as dt
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analytics import daily
from embedded.children import Child, ChildError
from ingest.storing import Line
from ingest.subscriber import BrokerAddress
from reports import printing
from reports import summary as reports
from seeds import demo_alerts, devices, load, messages, past
from seeds.farms import SEASON, catalogue
from seeds.messages import Sender
from seeds.season import TrueSeason, simulate_all
from seeds.services import Services, open_services
from storage import farms

console = Console(stderr=True)


class SimulatedSeason(NamedTuple):
    """The season's truth, and the devices that will tell of it."""

    fields: list[TrueSeason]
    senders: list[Sender]


def run(*, once: bool, count: int, farm: str, port: int) -> None:
    """The demo, from nothing to the summary, then on until Ctrl-C."""
    started = time.monotonic()
    listener = demo_alerts.Listener()
    with _step("Starting database and broker"):
        opened = open_services("demo", broker=True, ingest=True, require_owner=True)
        services = opened.__enter__()
    try:
        with _step(f"Seeding {count} farms"):
            services.migrate()
            season = seed(services, count)
            demo_alerts.subscribe(services.engine, farm, listener)
        delivered = publish(services, season.senders)
        console.print(delivery(delivered))
        analyze(services)
        api = _serve(services, port)
        try:
            _print_summary(services, farm)
            _run_low(services, season, farm)
            demo_alerts.show(services.engine, farm, listener, Console())
            address = api.address
            console.print(f"From nothing to here in {time.monotonic() - started:.0f} s.")
            out = Console(soft_wrap=True)  # addresses must be copied whole
            out.print(f"API: {address}/v1/farms/{farm}/summary")
            out.print(f"Description of the API: {address}/v1/openapi.json")
            if not once:
                watch = services.start_verb("watch", DALA_WEBHOOK_PRIVATE="true")
                try:
                    _live(services, season, api.child)
                finally:
                    watch.stop()
        finally:
            api.child.stop()
    except KeyboardInterrupt:
        console.print("Stopping.")
    finally:
        opened.__exit__(None, None, None)
        listener.close()


def seed(services: Services, count: int) -> SimulatedSeason:
    """Put the simulated farms into the database."""
    fields = simulate_all(catalogue(count))
    senders = list(messages.senders(fields))
    with services.engine.begin() as connection:
        load.load(connection, fields, senders)
    return SimulatedSeason(fields, senders)


def live_through(services: Services, season: SimulatedSeason) -> int:
    """Store what the devices said while the season went on; return how many values were new."""
    until = dt.datetime(SEASON + 1, 1, 1, tzinfo=dt.UTC)
    with _step("Writing what devices said"):
        said = past.of(season.senders)
    with _progress() as progress:
        task = progress.add_task("Messages stored", total=len(said.messages))
        return past.store(
            Line(services.engine),
            said,
            None,
            until,
            advance=lambda count: progress.advance(task, count),
        )


def publish(services: Services, senders: Sequence[Sender]) -> list[devices.Delivered]:
    """Let devices publish through the broker until everything is receipted."""
    total = sum(len(sender.messages) for sender in senders)
    address = BrokerAddress.parse(services.mqtt_url)
    with _progress() as progress:
        task = progress.add_task(f"{len(senders)} devices publishing, messages stored", total=total)
        return devices.deliver_all(
            address,
            senders,
            services.logins(),
            on_receipt=lambda count: progress.advance(task, count),
        )


def delivery(delivered: Sequence[devices.Delivered]) -> str:
    """What the receipts say, in one line."""
    stored = sum(one.stored for one in delivered)
    repeated = sum(one.duplicate for one in delivered)
    rejected: dict[str, int] = {}
    for one in delivered:
        for reason, count in one.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
    sent = sum(one.messages for one in delivered)
    return (
        f"{sent} messages receipted: {stored} readings and track points stored, "
        f"{repeated} were there already, {refused or 'none'} rejected."
    )


def analyze(
    services: Services,
    *,
    farm: str | None = None,
    season: int | None = None,
    now: dt.datetime | None = None,
) -> daily.Analysis:
    """Compute what is new about every farm, or one; return what that came to."""
    with services.engine.connect() as connection:
        chosen = [farms.get(connection, farm)] if farm else farms.page(connection, limit=100_000)
    with _progress() as progress:
        task = progress.add_task("Analysing farms", total=len(chosen))
        return daily.analyze(
            services.engine,
            chosen,
            now=now or dt.datetime.now(dt.UTC),
            season=season,
            on_farms=lambda count: progress.advance(task, count),
        )


def truth(season: SimulatedSeason) -> dict[str, Any]:
    """The true season by farm and field, to compare the service's figures with."""
    farms: dict[str, Any] = {}
    for one in season.fields:
        farms.setdefault(one.farm.slug, {})[one.field.name] = {
            "crop": one.field.crop_name,
            "area_ha": one.field.area_ha,
            "applied_m3": one.applied_m3,
            "baseline_m3": one.baseline_m3,
            "apparent_savings_m3": one.saving_m3,
            "consumptive_savings_m3": one.consumptive_saving_m3,
            "eta_mm": one.eta_mm,
            "yield_kg_ha": one.yield_kg_ha,
        }
    return farms


class _Api(NamedTuple):
    child: Child
    address: str


def _serve(services: Services, port: int) -> _Api:
    chosen = port or _free_port(preferred=8080)
    address = f"http://127.0.0.1:{chosen}"
    with _step("Starting the API"):
        child = services.start_verb("serve", "--open", "--port", str(chosen))
        deadline = time.monotonic() + 60
        while not _answers(f"{address}/v1/readyz"):
            if child.exit_code() is not None or time.monotonic() > deadline:
                raise ChildError(f"The API did not start:\n{child.log_tail()}")
            time.sleep(0.1)
        services.announce_api(address)
    return _Api(child, address)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port(*, preferred: int) -> int:
    """The preferred port, or any free one where something listens there already."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ChildError("There is no free port on 127.0.0.1 for the API.")


def _print_summary(services: Services, farm: str) -> None:
    with services.engine.connect() as connection:
        now = dt.datetime.now(dt.UTC)
        printing.print_summary(reports.of_farm(connection, farm, now=now), Console())


def _run_low(services: Services, season: SimulatedSeason, farm: str) -> None:
    """Let a probe of the farm say that its battery runs low: there is to be something amiss."""
    probe = next(
        (
            one
            for one in season.senders
            if one.device_id.startswith(f"{farm}-") and one.device_kind == "soil-probe"
        ),
        None,
    )
    if probe is None:
        return
    now = int(time.time())
    low = messages.Outgoing("senml", [{"bt": now, "n": "battery_level", "u": "%EL", "v": 12}])
    devices.deliver_all(
        BrokerAddress.parse(services.mqtt_url),
        [probe._replace(messages=[low])],
        services.logins(),
        on_receipt=lambda _count: None,
        boot=now,
    )


def _live(services: Services, season: SimulatedSeason, api: Child) -> None:
    """Let the stations go on speaking, until Ctrl-C."""
    console.print("Stations go on publishing every 10 s. Ctrl-C stops everything.")
    stations = [one for one in season.senders if one.device_kind == "weather-station"]
    boot = int(time.time())
    while api.exit_code() is None:
        now = int(time.time())
        body = [{"bt": now, "n": "battery_voltage", "u": "V", "v": 12.6}]
        pulse = [messages.Outgoing("senml", body)]
        fresh = [one._replace(messages=pulse) for one in stations]
        try:
            devices.deliver_all(
                BrokerAddress.parse(services.mqtt_url),
                fresh,
                services.logins(),
                on_receipt=lambda _count: None,
                boot=boot,
            )
        except (OSError, devices.NoReceipt) as error:
            console.print(f"Stations wait for the service: {error}")  # it is being started again
        boot = max(boot + 1, int(time.time()))
        time.sleep(10)
    raise ChildError(f"The API ended:\n{api.log_tail()}")


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    begun = time.monotonic()
    with console.status(f"{name} …"):
        yield
    console.print(f"{name}: {time.monotonic() - begun:.1f} s")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
