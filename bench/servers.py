"""Databases to measure on: embedded, of our own on a server, or compiled to WebAssembly."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

import migrations
from embedded.children import ChildError
from seeds.own_database import STATEMENT_TIMEOUT_S, open_own
from storage.database import has_timescale, make_engine

WASM_FOLDER = Path(__file__).resolve().parents[1] / "tests" / "timescale"
HOW_TO_GET = (
    "bytes in the columnstore are measured on TimescaleDB: give --database-url of a server that "
    "has it, or install Node.js and run `npm ci` in tests/timescale for the one compiled to "
    "WebAssembly."
)


def engine_on(database_url: str) -> sa.Engine:
    """An engine for measurements."""
    return make_engine(
        database_url, statement_timeout_s=STATEMENT_TIMEOUT_S, application="dala bench"
    )


@contextmanager
def plain(folder: Path | None = None) -> Iterator[sa.Engine]:
    """An engine on an embedded database that is migrated, and gone afterwards."""
    with open_own("bench", folder=folder) as engine:
        yield engine


@contextmanager
def database_url_on(server_url: str, prefix: str = "dala_bench") -> Iterator[str]:
    """URL of a database beside those that are on the server: nothing of theirs is touched."""
    name = f"{prefix}_{secrets.token_hex(4)}"
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    outside = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with outside.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        own = url.set(database=name, drivername="postgresql")
        yield own.render_as_string(hide_password=False)
    finally:
        with outside.connect() as connection:
            connection.execute(_END_OTHERS, {"name": name})
            connection.execute(sa.text(f"DROP DATABASE {name}"))


# DROP ends a worker of autovacuum by itself; WITH (FORCE) would ask for the right to, which a role
# that is no superuser lacks.
_END_OTHERS = sa.text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = :name AND backend_type <> 'autovacuum worker'
""")


@contextmanager
def on(server_url: str) -> Iterator[sa.Engine]:
    """An engine on a migrated database of our own on this server."""
    with database_url_on(server_url) as url:
        engine = engine_on(url)
        try:
            migrations.upgrade(engine)
            yield engine
        finally:
            engine.dispose()


def is_wasm_there() -> bool:
    """Tell whether the TimescaleDB compiled to WebAssembly can be started."""
    return shutil.which("node") is not None and (WASM_FOLDER / "node_modules").is_dir()


@contextmanager
def timescale(server_url: str | None) -> Iterator[sa.Engine]:
    """An engine on a migrated TimescaleDB: this server's, or the one compiled to WebAssembly.

    Raises
    ------
    embedded.children.ChildError
        If it cannot be started, or the server that was named has no TimescaleDB.
    """
    with wasm() if server_url is None else on(server_url) as engine:
        with engine.connect() as connection:
            if not has_timescale(connection):
                raise ChildError("the server of --database-url has no TimescaleDB")
        yield engine


def timescale_version(connection: sa.Connection) -> str | None:
    """Version of the extension in this database, if it is there."""
    query = sa.text("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    version: str | None = connection.scalar(query)
    return version


@contextmanager
def wasm() -> Iterator[sa.Engine]:
    """The TimescaleDB that is compiled to WebAssembly, migrated."""
    process = subprocess.Popen(
        [str(shutil.which("node")), "server.mjs"],
        cwd=WASM_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    assert process.stdout is not None  # noqa: S101
    try:
        if not (port := process.stdout.readline().strip()):
            raise ChildError("TimescaleDB compiled to WebAssembly did not start")
        # It serves one connection alone.
        engine = sa.create_engine(
            f"postgresql+psycopg://postgres:any@127.0.0.1:{port}/postgres?sslmode=disable",
            poolclass=StaticPool,
        )
        try:
            migrations.upgrade(engine)
            yield engine
        finally:
            engine.dispose()
    finally:
        process.stdin.close()  # at which it ends
        process.wait(timeout=20)
        process.stdout.close()


def drop_from_cache(home: Path) -> None:
    """Ask the system to forget the files of a stopped database; others' stay where they are."""
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)  # what is not on the disk yet cannot be dropped
                if hasattr(os, "posix_fadvise"):  # not on macOS
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
