"""A PostgreSQL server of our own: made, started, checked and stopped as a direct child.

It listens on a random port of 127.0.0.1 only and asks for a password. Nothing about durability is
relaxed: what was committed is there after ``kill -9`` or a power cut.

PostgreSQL refuses to run as root. Started by root, the server runs as an unprivileged user that
owns the data folder and nothing else; the folder may still lie where that user cannot go (below
/root, in a private folder of a test), because the server is handed an open descriptor of it and
enters through ``/proc/self/fd``.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from embedded.binaries import MAJOR_VERSION, server_programs
from embedded.children import Account, Child, ChildError, free_port, start
from embedded.home import Home

SUPERUSER, OWNER, DATABASE = "postgres", "dala", "dala"
# What the API may do is what its role may (storage.tenancy); it signs in under a login of its own.
API_ROLE, API_LOGIN = "dala_api", "dala_api_login"
DEFAULT_ACCOUNTS = ("dala", "nobody")
SPACE_NEEDED = 300 * 2**20  # bytes: a new cluster, its first write-ahead log and some readings
PORT_ATTEMPTS = 5

# For two cores and a few GB beside the service itself. What is not named keeps PostgreSQL's
# default: above all fsync, full_page_writes and synchronous_commit are on.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",  # two workers' hash tables must fit a container's /dev/shm of 64 MB
    "maintenance_work_mem": "96MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.2",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_checkpoints": "off",
}


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int


class PostgresServer:
    """A running server; :func:`start_postgres` makes one."""

    def __init__(self, child: Child, address: Address) -> None:
        self._child = child
        self.address = address
        self.pid = child.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exit_code()

    def stop(self) -> None:
        """Let running transactions go, write what is due, end: then the next start is quick."""
        self._child.stop(signal.SIGINT, signal.SIGQUIT)


def start_postgres(
    home: Home, embedded_user: str | None = None, *, port: int | None = None
) -> PostgresServer:
    """Make the data folder if there is none, start the server, wait until it answers queries.

    The caller holds the claim on the home's database, so any server still running on the data
    folder was left behind by a killed process: it is ended first. It listens on a free port, unless
    a port is given.

    Raises
    ------
    ChildError
        With what the server's log says, or what is wrong with the folder.
    """
    secrets = home.secrets()
    account = run_as(home.data, embedded_user)
    programs = server_programs(account)
    _end_leftovers(home.data)
    if not home.data.exists():
        _make_cluster(home, programs, account, secrets["postgres_password"])
    _check_version(home.data)
    server = _start(home, programs, account, secrets["postgres_password"], port)
    try:
        _make_database(server.address, secrets)
    except psycopg.Error as error:
        server.stop()
        raise ChildError(f"The database {DATABASE} could not be made: {error}") from error
    return server


def run_as(data: Path, embedded_user: str | None) -> Account | None:
    """Return the account that runs the server: None, meaning ourselves, unless we are root."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise ChildError(
                f"{data} belongs to another user (uid {data.stat().st_uid}): run as that user, or "
                "set DALA_HOME to a folder of your own."
            )
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        if embedded_user and Account.named(embedded_user).uid != owner.st_uid:
            raise ChildError(
                f"{data} belongs to uid {owner.st_uid}, DALA_EMBEDDED_USER is {embedded_user}: "
                f"unset it, or `chown -R {embedded_user} {data}` while the server is stopped."
            )
        return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    if embedded_user:
        account = Account.named(embedded_user)
        if account.uid == 0:
            raise ChildError("DALA_EMBEDDED_USER must not be root: PostgreSQL refuses to run so.")
        return account
    for name in DEFAULT_ACCOUNTS:
        with suppress(ChildError):
            return Account.named(name)
    raise ChildError("Set DALA_EMBEDDED_USER to an unprivileged user to run the database as.")


def connection_string(address: Address, user: str, password: str, database: str) -> str:
    """Return what psycopg connects with."""
    return make_conninfo(
        host=address.host,
        port=address.port,
        user=user,
        password=password,
        dbname=database,
        connect_timeout=5,
    )


@contextmanager
def _data_folder(data: Path, account: Account | None) -> Iterator[tuple[str, list[int]]]:
    """Give the name under which the server reaches its folder, and what must stay open for it."""
    if account is None:
        yield str(data), []
        return
    descriptor = os.open(data, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", [descriptor]
    finally:
        os.close(descriptor)


@contextmanager
def _password_file(password: str, account: Account | None) -> Iterator[int]:
    """Give the reading end of a pipe that holds the password: it never touches the disk."""
    reading, writing = os.pipe()
    try:
        if account is not None:
            os.fchown(reading, account.uid, account.gid)
        os.write(writing, f"{password}\n".encode())
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _environment() -> dict[str, str]:
    """The least that the server needs: nothing of ours (PGHOST, PGDATA, LD_…) steers it."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _make_cluster(home: Home, programs: Path, account: Account | None, password: str) -> None:
    """Run initdb beside the final place and rename, so a kill in the middle leaves no half."""
    draft = home.path / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    if (free := shutil.disk_usage(home.path).free) < SPACE_NEEDED:
        raise ChildError(
            f"{home.path} has {free / 2**20:.0f} MB free; the database needs "
            f"{SPACE_NEEDED / 2**20:.0f} MB to begin with. Free some, or set DALA_HOME."
        )
    draft.mkdir(mode=0o700)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
    with (
        _data_folder(draft, account) as (folder, keep_open),
        _password_file(password, account) as pipe,
    ):
        options = f"--pgdata={folder} --username={SUPERUSER} --pwfile=/dev/fd/{pipe}".split(" ")
        initdb = start(
            [programs / "initdb", *options, *_INITDB_OPTIONS],
            log=home.logs / "initdb.log",
            environment=_environment(),
            death_signal=signal.SIGKILL,
            account=account,
            keep_open=[*keep_open, pipe],
        )
        code = _wait(initdb, patience_s=120)
    if code != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise ChildError(f"The database could not be made in {home.path}:\n{initdb.log_tail()}")
    os.sync()  # initdb ran without: one sync at the end is faster than one for each file
    draft.rename(home.data)


_INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)


def _check_version(data: Path) -> None:
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise ChildError(
            f"{data} is not a database folder ({error.strerror}: PG_VERSION). Move it away, and "
            "the next start makes a new, empty one."
        ) from error
    if found != MAJOR_VERSION:
        raise ChildError(
            f"{data} was written by PostgreSQL {found}, this is PostgreSQL {MAJOR_VERSION}. Dump "
            "it with the version of Dala that wrote it, or move it away and begin anew."
        )


def _start(
    home: Home, programs: Path, account: Account | None, password: str, port: int | None
) -> PostgresServer:
    """Start until a port is ours: between choosing one and binding it another may take it."""
    for _ in range(PORT_ATTEMPTS):
        address = Address("127.0.0.1", port or free_port())
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with _data_folder(home.data, account) as (folder, keep_open):
            child = start(
                [programs / "postgres", "-D", folder, f"--port={address.port}", *options],
                log=_rotated(home.logs / "postgres.log"),
                environment=_environment(),
                death_signal=signal.SIGQUIT,  # at once: the next start recovers
                account=account,
                keep_open=keep_open,
            )
        try:
            _wait_until_it_answers(child, address, password, home)
        except _PortTaken:
            continue
        except BaseException:
            child.stop(signal.SIGINT, signal.SIGQUIT)
            raise
        return PostgresServer(child, address)
    raise ChildError(f"No free port on 127.0.0.1 for the database in {PORT_ATTEMPTS} attempts.")


class _PortTaken(Exception):
    pass


def _wait_until_it_answers(
    child: Child, address: Address, password: str, home: Home, *, patience_s: float = 300.0
) -> None:
    """Wait for a first answered query; recovery after a kill may take its time."""
    conninfo = connection_string(address, SUPERUSER, password, "postgres")
    give_up = time.monotonic() + patience_s
    reason: object = "no answer"
    while time.monotonic() < give_up:
        if (code := child.exit_code()) is not None:
            if "could not bind" in (tail := child.log_tail()):
                raise _PortTaken
            raise ChildError(
                f"The database in {home.data} ended with code {code}:\n{tail}\n{_hint(tail)}"
            )
        try:
            with psycopg.connect(conninfo) as connection:
                connection.execute("SELECT 1")
                return
        except psycopg.OperationalError as error:
            reason = error
            if "password authentication failed" in str(error):
                raise ChildError(
                    f"The database does not accept the password in {home.path / 'secrets'}: "
                    f"restore that file, or move {home.data} away and begin anew."
                ) from error
        time.sleep(0.03)
    raise ChildError(f"The database did not answer in {patience_s:.0f} s: {reason}")


def _hint(tail: str) -> str:
    if "No space left on device" in tail:
        return "The disk is full: free some space; nothing that was committed is lost."
    if "could not create shared memory" in tail or "could not resize shared memory" in tail:
        return "There is too little shared memory (/dev/shm): in a container, use --shm-size=256m."
    if "ermission denied" in tail:
        return "The server may not read its own folder: was it copied, or its owner changed?"
    return ""


def _make_database(address: Address, secrets: dict[str, str]) -> None:
    """Make the role that owns the database, those of the API, and the database.

    The passwords of the roles are kept in step with the secrets.
    """
    conninfo = connection_string(address, SUPERUSER, secrets["postgres_password"], "postgres")
    owner, role, login = (sql.Identifier(name) for name in (OWNER, API_ROLE, API_LOGIN))
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET log_statement = 'none'")
        for name, options, secret in (
            (OWNER, "LOGIN CREATEDB", "database_password"),
            (API_ROLE, "NOLOGIN", None),
            (API_LOGIN, "LOGIN", "api_password"),
        ):
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
            password = sql.Literal(None if secret is None else secrets[secret])
            connection.execute(
                sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                    sql.SQL("CREATE" if known is None else "ALTER"),
                    sql.Identifier(name),
                    sql.SQL(options),
                    password,
                )
            )
        connection.execute(sql.SQL("GRANT {} TO {}, {}").format(role, owner, login))
        found = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(found, [DATABASE]).fetchone() is None:
            made = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner)
            connection.execute(made)


def _end_leftovers(data: Path, *, patience_s: float = 60.0) -> None:
    """End every server process that still works in the data folder, and its stale lock file.

    Each of them has the folder as its working directory. Where there is no /proc, PostgreSQL's own
    lock file is all there is, and it says so.
    """
    if not data.exists() or not Path("/proc/self").exists():
        return
    give_up = time.monotonic() + patience_s
    while leftovers := processes_in(data):
        waited = patience_s - (give_up - time.monotonic())
        request = signal.SIGQUIT if waited < patience_s / 2 else signal.SIGKILL
        for pid in leftovers:
            with suppress(ProcessLookupError):
                os.kill(pid, request)
        if waited > patience_s:
            raise ChildError(f"An earlier database still runs in {data}: pids {leftovers}.")
        time.sleep(0.1)
    (data / "postmaster.pid").unlink(missing_ok=True)


def processes_in(folder: Path) -> list[int]:
    """Ids of the processes whose working directory is ``folder`` (Linux)."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):
                if (process / "cwd").samefile(folder):
                    found.append(int(process.name))
    return found


def _wait(child: Child, *, patience_s: float) -> int:
    give_up = time.monotonic() + patience_s
    while (code := child.exit_code()) is None:
        if time.monotonic() > give_up:
            return child.stop(signal.SIGTERM)
        time.sleep(0.01)
    return code


def _rotated(log: Path, *, limit: int = 8 * 2**20) -> Path:
    with suppress(FileNotFoundError):
        if log.stat().st_size > limit:
            log.replace(log.with_suffix(".log.1"))
    return log
