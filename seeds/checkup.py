"""What this machine has, what is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

import migrations
from embedded.home import EmbeddedSettings, Home
from ingest.subscriber import MqttSettings
from storage import database
from storage.database import DatabaseSettings


class Finding(NamedTuple):
    """One thing that was looked at; ``ok`` is None where its absence is no fault."""

    what: str
    ok: bool | None
    says: str


def findings() -> list[Finding]:
    """Look at everything a verb may need."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _home,
        _running,
        _database,
        _broker,
        _mosquitto,
        _node,
        _chromium,
    )
    return [check() for check in checks]


def print_report() -> bool:
    """Print the findings; return whether nothing that is needed is missing."""
    found = findings()
    table = Table(show_header=False, box=None, pad_edge=False)
    for one in found:
        mark = {True: "[green]ok", False: "[red]missing", None: "[dim]optional"}[one.ok]
        table.add_row(mark, one.what, one.says)
    Console().print(table)
    return all(one.ok is not False for one in found)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), f"{version} (3.11 or newer is needed)")


def _home() -> Finding:
    home = EmbeddedSettings().home
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    writable = os.access(nearest, os.W_OK)
    free = shutil.disk_usage(nearest).free / 1e9
    advice = f"{home}, {free:.1f} GB free" if writable else f"{home} cannot be written"
    return Finding("DALA_HOME", writable and free > 1, advice)


def _running() -> Finding:
    home = Home(EmbeddedSettings().home)
    lines = [
        f"{one.server} by `dala {one.verb}` (pid {one.pid})"
        for name in ("database", "broker")
        if (one := home.running(name)) is not None
    ]
    return Finding("Embedded servers", None, "; ".join(lines) or "none running; a verb starts them")


def _database() -> Finding:
    url = DatabaseSettings().database_url
    if url is None:
        return Finding("Database", None, "DALA_DATABASE_URL is not set: the embedded one is used")
    try:
        engine = database.make_engine(url.get_secret_value())
        with engine.connect() as connection:
            version = database.ping(connection)
            kind = "TimescaleDB" if database.has_timescale(connection) else "plain PostgreSQL"
            at, newest = migrations.current(connection), migrations.head()
    except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError) as error:
        return Finding("Database", False, str(error).splitlines()[0])
    state = "up to date" if at == newest else f"at migration {at}: run `dala migrate`"
    return Finding("Database", at == newest, f"{version}, {kind}, {state}")


def _broker() -> Finding:
    url = MqttSettings().mqtt_url
    text = "DALA_MQTT_URL is not set: the embedded one is used" if url is None else "set"
    return Finding("Broker", None, text)


def _mosquitto() -> Finding:
    return _program("mosquitto", "tests of MQTT 5 need it: apt-get install mosquitto", "/usr/sbin")


def _node() -> Finding:
    return _program("node", "tests of TimescaleDB need it: Node.js 20 or newer")


def _chromium() -> Finding:
    return _program("chromium", "tests of pages will need it: apt-get install chromium")


def _program(name: str, advice: str, *folders: str) -> Finding:
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *folders)))
    return Finding(name, None if path is None else True, str(Path(path)) if path else advice)
