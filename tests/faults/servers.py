"""The real processes: PostgreSQL on a small disk of its own, Mosquitto, `dala ingest`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa

from embedded.home import Home
from embedded.postgres import DATABASE, OWNER, PostgresServer, connection_string, start_postgres

ROOT = Path(__file__).resolve().parents[2]
DISK_BYTES = 1_000 * 2**20  # of the database: a cluster, its log of writes, some readings


def wait_until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mosquitto_program() -> str | None:
    return shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def small_disk(folder: Path) -> Iterator[str | None]:
    """Mount a file system that can be filled; gives why not, where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        problem = done.stderr.strip() if done.returncode else None
    except OSError as error:
        problem = str(error)
    try:
        yield problem
    finally:
        if problem is None:
            subprocess.run(["umount", "-l", str(folder)], check=False)


class Postgres:
    """A server of our own; it may be stopped at once and started on the same port."""

    def __init__(self, folder: Path) -> None:
        self._disk = folder
        self._home = Home(folder / "home")
        self._home.create()
        # What it says of a full disk is not to be lost for want of a page.
        logs = folder.with_name(f"{folder.name}-logs")
        logs.mkdir()
        shutil.rmtree(self._home.logs, ignore_errors=True)
        self._home.logs.symlink_to(logs)
        self._server: PostgresServer = start_postgres(self._home)
        self.port = self._server.address.port
        self._ballast = folder / "ballast"

    def url(self, port: int | None = None) -> str:
        password = self._home.secrets()["database_password"]
        made = sa.URL.create(
            "postgresql+psycopg", OWNER, password, "127.0.0.1", port or self.port, DATABASE
        )
        return made.render_as_string(hide_password=False)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """As the owner of the tables, past every proxy."""
        secrets = self._home.secrets()
        address = self._server.address
        return psycopg.connect(
            connection_string(address, OWNER, secrets["database_password"], DATABASE)
        )

    def checkpoint(self) -> None:
        """Let the log of writes go, so that a long run fits the small disk."""
        secrets = self._home.secrets()
        words = connection_string(
            self._server.address, "postgres", secrets["postgres_password"], DATABASE
        )
        with psycopg.connect(words, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def stop_at_once(self) -> None:
        """As `pg_ctl stop -m immediate`: nothing is written, the next start recovers."""
        os.kill(self._server.pid, signal.SIGQUIT)
        wait_until(lambda: self._server.exit_code() is not None, "the database's end")

    def start(self) -> None:
        self._server = start_postgres(self._home, port=self.port)

    @property
    def runs(self) -> bool:
        return self._server.exit_code() is None

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.Error), self.connect() as connection:
            connection.execute("SELECT 1")
            return True
        return False

    def said(self) -> str:
        return (self._home.logs / "postgres.log").read_text(errors="replace")

    def fill_disk(self) -> None:
        """Leave not a page: larger pieces first, then what is left of the last."""
        with self._ballast.open("ab") as file:
            for piece in (2**24, 2**20, 2**12):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)

    def free_disk(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        self._server.stop()


class Broker:
    """Mosquitto that keeps sessions on disk and drops nothing of a queue."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.before_kill: Callable[[], None] = lambda: None
        self.port = free_port()
        self._log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 2\n"
            "max_queued_messages 0\nmax_inflight_messages 0\n"
            "log_dest stdout\n" + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    def start(self) -> None:
        program = str(mosquitto_program())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self._config)], stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(self._answers, "mosquitto")

    def kill(self) -> None:
        self.before_kill()
        self._process.kill()
        self._process.wait(timeout=10)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Ingest:
    """`dala ingest`, started as often as it is killed."""

    def __init__(
        self, folder: Path, database_url: str, mqtt_url: str, *, worker: str = "1/1"
    ) -> None:
        folder.mkdir()
        self._folder, self._worker = folder, worker
        self._environment = os.environ | {
            "DALA_DATABASE_URL": database_url,
            "DALA_MQTT_URL": mqtt_url,
        }
        self.starts = 0
        self.peak_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.starts += 1
        self._log = self._folder / f"ingest-{self.starts}.log"
        command = [sys.executable, "-m", "dala", "ingest", "--worker", self._worker]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self, number: int = signal.SIGKILL) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        return process.wait(timeout=30)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def sample(self) -> None:
        """Note how much memory it takes now."""
        process = self._process
        if process is not None:
            with contextlib.suppress(psutil.Error):
                taken = psutil.Process(process.pid).memory_info().rss
                self.peak_bytes = max(self.peak_bytes, taken)

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_connected(self) -> None:
        wait_until(lambda: "connected" in self.said() or not self.runs, "ingest")
        if not self.runs:
            raise RuntimeError(f"dala ingest ended by itself:\n{self.said()[-3000:]}")
