"""The folder of the embedded servers: who runs them, their secrets, their data and logs.

::

    DALA_HOME/            0700
      postgres/           the database's data folder
      secrets             0600, JSON: passwords, made once
      logs/
      database.lock       held (flock) by the process that runs the database; broker.lock likewise
      database.json       0600: who that is and where it listens; broker.json likewise
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.children import ChildError

Server = Literal["database", "broker", "ingest"]
SECRETS = ("postgres_password", "database_password", "ingest_password")
LATER_SECRETS = ("api_password",)  # a home that was made before has them not


def default_home() -> Path:
    """/var/lib/dala for root, else dala in the user's data folder (XDG base directories)."""
    if os.geteuid() == 0:
        return Path("/var/lib/dala")
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "dala"


class EmbeddedSettings(BaseSettings):
    """DALA_HOME, DALA_EMBEDDED_USER."""

    model_config = SettingsConfigDict(env_prefix="DALA_")

    home: Path = Field(default_factory=default_home, description="folder of the embedded servers")
    embedded_user: str | None = Field(
        default=None, description="user that runs the database when started by root"
    )


class Running(NamedTuple):
    """A server that some process runs, as that process told."""

    server: Server
    pid: int
    verb: str
    since: datetime
    addresses: dict[str, str]  # what listens where: {"database": "127.0.0.1:40123", …}


class AlreadyRunning(ChildError):
    """Another process runs a server of this home."""

    def __init__(self, running: Running, home: Path) -> None:
        self.running = running
        since = running.since.astimezone().isoformat(sep=" ", timespec="seconds")
        where = ", ".join(f"{name} {address}" for name, address in running.addresses.items())
        super().__init__(
            f"dala {running.verb} already runs the {running.server} of {home} "
            f"(pid {running.pid}, since {since}; {where}). Stop it with Ctrl-C in its terminal or "
            f"`kill {running.pid}`, or set DALA_HOME to another folder."
        )


class Claim:
    """The right to run one server of a home; given back by :meth:`release` or by dying."""

    def __init__(self, home: "Home", server: Server, descriptor: int) -> None:
        self._home, self.server, self._descriptor = home, server, descriptor

    def announce(self, *, verb: str, addresses: Mapping[str, str]) -> Running:
        """Tell the other processes who runs the server, and where it listens."""
        running = Running(self.server, os.getpid(), verb, datetime.now(UTC), dict(addresses))
        record = running._asdict() | {"since": running.since.isoformat()}
        _write_private(self._home.record(self.server), json.dumps(record))
        return running

    def release(self) -> None:
        """Let another process run it."""
        self._home.record(self.server).unlink(missing_ok=True)
        os.close(self._descriptor)


class Home:
    """DALA_HOME, made on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.data = self.path / "postgres"
        self.logs = self.path / "logs"

    def create(self) -> None:
        """Make the folder; raise ChildError if it cannot be written."""
        try:
            for folder in (self.path, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch(0o600)
            probe.unlink()
        except OSError as error:
            raise ChildError(
                f"{self.path} cannot be written ({error.strerror}). Set DALA_HOME to a folder that "
                "belongs to you."
            ) from error

    def record(self, server: Server) -> Path:
        """The file that says who runs the server."""
        return self.path / f"{server}.json"

    def secrets(self) -> dict[str, str]:
        """The passwords of the servers, made once: 256 random bits each."""
        path = self.path / "secrets"
        if not path.exists():
            names = (*SECRETS, *LATER_SECRETS)
            fresh = json.dumps({name: secrets.token_urlsafe(32) for name in names})
            _write_private(path, fresh, replace=False)
        kept: dict[str, str] = json.loads(path.read_text())
        if missing := [name for name in SECRETS if name not in kept]:
            raise ChildError(f"{path} lacks {', '.join(missing)}; restore it from a backup.")
        if later := [name for name in LATER_SECRETS if name not in kept]:
            kept |= {name: secrets.token_urlsafe(32) for name in later}
            _write_private(path, json.dumps(kept))
        return kept

    def claim(self, server: Server) -> Claim | None:
        """Become the one that runs the server; None if another process is."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path / f"{server}.lock", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        self.record(server).unlink(missing_ok=True)  # of one that was killed
        return Claim(self, server, descriptor)

    def running(self, server: Server) -> Running | None:
        """Who runs the server; None if nobody does, or if it is still starting."""
        with suppress(FileNotFoundError, ProcessLookupError):
            record = json.loads(self.record(server).read_text())
            record["since"] = datetime.fromisoformat(record["since"])
            running = Running(**record)
            with suppress(PermissionError):  # alive, of another user
                os.kill(running.pid, 0)
            return running
        return None

    def claim_or_find(self, server: Server, *, patience_s: float = 60.0) -> Claim | Running:
        """Become the one that runs the server, or learn who is, waiting while that one starts."""
        give_up = time.monotonic() + patience_s
        while time.monotonic() < give_up:
            if (claim := self.claim(server)) is not None:
                return claim
            if (running := self.running(server)) is not None:
                return running
            time.sleep(0.05)
        raise ChildError(
            f"Another process has been starting the {server} of {self.path} for {patience_s:.0f} s."
            f" See {self.logs}, or find it with `fuser {self.path / server}.lock`."
        )


def _write_private(path: Path, content: str, *, replace: bool = True) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    if replace:
        draft.replace(path)
        return
    with suppress(FileExistsError):  # another process was first; its content stands
        path.hardlink_to(draft)
    draft.unlink()
