"""What this machine has, what is missing, and how to get it."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import queue
import shutil
import socket
import sys
from pathlib import Path
from typing import ClassVar, NamedTuple

import paho.mqtt.client as mqtt
import psycopg
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

import migrations
from api.settings import ApiSettings
from embedded.home import EmbeddedSettings, Home
from ingest.settings import BrokerAddress, MqttSettings
from reports.statements import scheduled
from reports.statements.signing import KEY_FILE
from storage import accounts, database, evidence, schedules, tree_heads
from storage.database import DatabaseSettings
from storage.sealing import SealingSettings
from watch.settings import WatchSettings

CLOCKS_MAY_DIFFER_S = 5.0
BROKER_ANSWERS_S = 10.0
OVERDUE = dt.timedelta(minutes=15)
UNSEALED = dt.timedelta(days=2)  # twice the longest that `dala watch` leaves batches waiting
NOT_SYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


class Finding(NamedTuple):
    """One thing that was looked at; ``ok`` is None where its absence is no fault."""

    what: str
    ok: bool | None
    says: str


def findings() -> list[Finding]:
    """Look at everything a verb may need."""
    return [
        _python(),
        _home(),
        _clock(),
        _running(),
        *_database(),
        _broker(),
        *_broker_accounts(),
        *_addresses(),
        _mail(),
        _mosquitto(),
        _node(),
        _chromium(),
    ]


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
    return Finding(
        "DALA_HOME", writable and free > 1, advice + ("" if free > 1 else ": 1 GB is needed")
    )


def _running() -> Finding:
    home = Home(EmbeddedSettings().home)
    lines = [
        f"{one.server} by `dala {one.verb}` (pid {one.pid})"
        for name in ("database", "broker")
        if (one := home.running(name)) is not None
    ]
    return Finding("Embedded servers", None, "; ".join(lines) or "none running; a verb starts them")


def _database() -> list[Finding]:
    url = DatabaseSettings().database_url
    if url is None:
        return [Finding("Database", None, "DALA_DATABASE_URL is not set: the embedded one is used")]
    try:
        engine = database.make_engine(url.get_secret_value())
        try:
            with engine.connect() as connection:
                return _of_database(connection)
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, psycopg.Error, ValueError) as error:
        return [Finding("Database", False, f"DALA_DATABASE_URL: {str(error).splitlines()[0]}")]


def _of_database(connection: sa.Connection) -> list[Finding]:
    version = database.ping(connection)
    at, newest = migrations.current(connection), migrations.head()
    state = "up to date" if at == newest else f"at migration {at}: run `dala migrate`"
    found = [Finding("Database", at == newest, f"PostgreSQL {version}, {state}")]
    has = database.has_timescale(connection)
    words = "in use" if has else "not in this database: from a million readings a day on, use it"
    found.append(Finding("TimescaleDB", True if has else None, words))
    off = abs((database.clock(connection) - dt.datetime.now(dt.UTC)).total_seconds())
    right = off < CLOCKS_MAY_DIFFER_S
    found.append(Finding("Its clock", right, f"{off:.0f} s from the one of this machine"))
    if at == newest:
        found += [_people(connection), _schedules(connection), _evidence(connection)]
    return found


def _people(connection: sa.Connection) -> Finding:
    able = [
        one.login
        for one in accounts.page(connection, limit=10_000)
        if one.role == "administrator" and not one.disabled
    ]
    advice = "nobody yet: dala account create --login NAME --role administrator"
    return Finding("Administrator", True if able else None, ", ".join(able[:5]) or advice)


def _schedules(connection: sa.Connection) -> Finding:
    """Whether reports that file themselves are filed."""
    what, now = "Scheduled reports", database.clock(connection)
    standing = schedules.standing(connection)
    if not standing:
        return Finding(what, None, "none: dala report schedule harvest --region KZ")
    amiss, due = [], []
    for one in standing:
        named, at = f"{one.kind} of {one.farm or one.area_code}", scheduled.next_due(one)
        if one.last_error is not None:
            amiss.append(f"{named}: {one.last_error}")
        elif at is None:
            amiss.append(f"{named}: the clocks of {one.timezone} are not known here")
        elif at < now - OVERDUE:
            amiss.append(f"{named} was due at {at:%Y-%m-%d %H:%M} UTC: is `dala watch` running?")
        else:
            due.append(at)
    key = _report_key()
    if not amiss and not key.exists():
        amiss = [f"there is no key to sign with at {key}: dala report key"]
    if amiss:
        return Finding(what, False, "; ".join(amiss[:5]))
    return Finding(what, True, f"{len(standing)}, the next at {min(due):%Y-%m-%d %H:%M} UTC")


def _evidence(connection: sa.Connection) -> Finding:
    """Whether what is stored is sealed: until then its owner may change it unseen."""
    what, newest = "Evidence", tree_heads.newest(connection)
    waiting = evidence.waiting(connection)
    if waiting.since is None:
        words = "nothing was stored yet that could be sealed"
        if newest is not None:
            words = f"all is sealed, the last at {newest.sealed_at:%Y-%m-%d %H:%M} UTC"
        return Finding(what, None if newest is None else True, words)
    words = f"batches that wait: {waiting.batches}, since {waiting.since:%Y-%m-%d %H:%M} UTC"
    key = _report_key()
    if not key.exists():
        return Finding(what, None, f"{words}, which are sealed with a key: dala report key")
    if waiting.since < database.clock(connection) - UNSEALED:
        return Finding(what, False, f"{words}: is `dala watch` running?")
    return Finding(what, True, words)


def _report_key() -> Path:
    return ApiSettings().report_key_file or EmbeddedSettings().home / KEY_FILE


def _broker() -> Finding:
    url = MqttSettings().mqtt_url
    if url is None:
        return Finding("Broker", None, "DALA_MQTT_URL is not set: the embedded one is used")
    try:
        address = BrokerAddress.parse(url.get_secret_value())
    except ValueError as error:
        return Finding("Broker", False, f"DALA_MQTT_URL {error}")
    return _lets_in("Broker", "DALA_MQTT_URL", address)


def _broker_accounts() -> list[Finding]:
    """Who keeps the accounts of devices: dynamic security, or a password file by hand."""
    what = "Broker's accounts"
    settings = MqttSettings()
    if settings.mqtt_url is None:
        return []
    try:
        key = SealingSettings().broker_key
    except ValidationError as error:
        return [Finding(what, False, f"DALA_BROKER_KEY {error.errors()[0]['msg']}")]
    admin = settings.mqtt_admin_url
    if key is None and admin is None:
        advice = "its password file decides; kept by Dala with DALA_BROKER_KEY, DALA_MQTT_ADMIN_URL"
        return [Finding(what, None, advice)]
    if key is None or admin is None:
        unset = "DALA_BROKER_KEY" if key is None else "DALA_MQTT_ADMIN_URL"
        return [Finding(what, False, f"{unset} is not set, and the other is: set both, or none")]
    try:
        address = BrokerAddress.parse(admin.get_secret_value())
    except ValueError as error:
        return [Finding(what, False, f"DALA_MQTT_ADMIN_URL {error}")]
    return [_lets_in(what, "DALA_MQTT_ADMIN_URL", address)]


def _lets_in(what: str, setting: str, address: BrokerAddress) -> Finding:
    """Whether a broker lets its account in; under a name of our own, and nothing is left there."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"dala-doctor-{os.getpid()}",
        reconnect_on_failure=False,
    )
    client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set()
    answers: queue.Queue[str] = queue.Queue()
    client.on_connect = lambda *args: answers.put(str(args[3]))
    try:
        client.connect(address.host, address.port)
        client.loop_start()
        answer = answers.get(timeout=BROKER_ANSWERS_S)
    except queue.Empty:
        answer = "no answer"
    except OSError as error:
        answer = error.strerror or str(error)
    finally:
        client.disconnect()
        client.loop_stop()
    let_in = answer == "Success"
    words = f"{address.place} lets {address.user or 'anybody'} in"
    return Finding(what, let_in, words if let_in else f"{setting}, {address.place}: {answer}")


def _addresses() -> list[Finding]:
    """What an installation that others reach has to be told."""
    wanted = {
        "DALA_PUBLIC_URL": "where people reach the API, https://…; for cookies and sign-in",
        "DALA_PUBLIC_MQTT_URL": "where devices reach the broker; for what installers take along",
    }
    if DatabaseSettings().database_url is not None:
        wanted["DALA_API_DATABASE_URL"] = "a login of the API that reads no tables (docs/access.md)"
    return [
        Finding(name, True, "set") if os.environ.get(name) else Finding(name, None, why)
        for name, why in wanted.items()
    ]


def _mail() -> Finding:
    settings = WatchSettings()
    if settings.smtp_host is None:
        return Finding("Mail", None, "DALA_SMTP_HOST is not set: alerts go by webhook alone")
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with socket.create_connection((settings.smtp_host, settings.smtp_port), timeout=5):
            return Finding("Mail", True, f"{place} answers ({settings.smtp_security})")
    except OSError as error:
        return Finding("Mail", False, f"DALA_SMTP_HOST, {place}: {error.strerror or error}")


class _Timex(ctypes.Structure):
    """`struct timex` of Linux; nothing is set where `modes` is 0."""

    _fields_: ClassVar = [("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 512)]


def _clock() -> Finding:
    """Whether something keeps this machine's clock: readings more than 5 min ahead are refused."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(_Timex()))
    except (OSError, AttributeError):
        state = -1
    if 0 <= state < NOT_SYNCHRONISED:
        return Finding("Clock", True, "kept by NTP")
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Finding("Clock", None, f"{now}; nothing is seen to keep it: chrony, or timesyncd")


def _mosquitto() -> Finding:
    return _program("mosquitto", "tests of MQTT 5 need it: apt-get install mosquitto", "/usr/sbin")


def _node() -> Finding:
    return _program("node", "tests of TimescaleDB need it: Node.js 20 or newer")


def _chromium() -> Finding:
    return _program("chromium", "tests of pages will need it: apt-get install chromium")


def _program(name: str, advice: str, *folders: str) -> Finding:
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *folders)))
    return Finding(name, None if path is None else True, str(Path(path)) if path else advice)
