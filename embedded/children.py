"""Direct children that never outlive this process.

On Linux the kernel itself signals a child when its parent dies (``PR_SET_PDEATHSIG``), so not even
``kill -9`` leaves a server behind. Three traps shape the code:

- the signal is bound to the *thread* that forked: a child started from a worker thread dies when
  that thread ends, so :func:`start` refuses all but the main one and a :class:`LastingThread`;
- changing the user clears it, so it is asked for after that, by :mod:`embedded.launch`;
- the parent may die before the call, so the child compares its parent afterwards.

Other systems have no such signal: there a child is stopped when the program ends, by Ctrl-C or by
SIGTERM, but a ``kill -9`` of the parent can leave the database running until the next start, which
stops it first.
"""

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

LAUNCHER = Path(__file__).with_name("launch.py")


class ChildError(RuntimeError):
    """A server could not be started or did not answer; the message says why and what to do."""


class Account(NamedTuple):
    """The system account that a child runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Account":
        """Look an account up; raise ChildError if there is none of that name."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise ChildError(
                f"There is no system user {name!r} to run the database as: create it, or set "
                "DALA_EMBEDDED_USER to an existing unprivileged user."
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


class LastingThread(threading.Thread):
    """A thread that promises to live as long as the children that it starts."""


class Child:
    """A running server process, with its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, log_start: int) -> None:
        self._process = process
        self._log, self._log_start = log, log_start
        self.pid = process.pid
        self.stdout: IO[bytes] | None = process.stdout

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def log_tail(self, lines: int = 12) -> str:
        """The last lines that this run wrote to its log."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return b"\n".join(log.read().splitlines()[-lines:]).decode(errors="replace")

    def stop(self, *signals: int, patience_s: float = 15.0) -> int:
        """Ask it to end with each signal in turn, waiting for a while; at last kill it."""
        for request in (*(signals or (signal.SIGTERM,)), signal.SIGKILL):
            if self.exit_code() is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(request)
            try:
                code = self._process.wait(timeout=patience_s)
            except subprocess.TimeoutExpired:
                continue
            if self.stdout is not None:
                self.stdout.close()
            return code
        raise ChildError(f"Process {self.pid} cannot be ended, not even by SIGKILL.")


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    death_signal: int = signal.SIGTERM,
    account: Account | None = None,
    keep_open: Sequence[int] = (),
    read_stdout: bool = False,
) -> Child:
    """Start a child that dies with us.

    It leads its own session, so that a Ctrl-C in the terminal reaches only us and the servers stop
    in their order. Standard error, and standard output unless ``read_stdout``, go to ``log``.

    Raises
    ------
    ChildError
        Called from a thread that may end before the child.
    """
    thread = threading.current_thread()
    if thread is not threading.main_thread() and not isinstance(thread, LastingThread):
        raise ChildError("A server is not started from a passing thread: it would die with it.")
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    launch = [sys.executable, "-I", "-S", LAUNCHER, int(death_signal), os.getpid(), uid, gid]
    with open(log, "ab", opener=_private) as output:
        log_start = output.tell()
        process = subprocess.Popen(
            [str(word) for word in (*launch, *command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if read_stdout else output,
            stderr=output,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            pass_fds=keep_open,
        )
    return Child(process, log, log_start)


def free_port() -> int:
    """A port of loopback that nobody listens on, for a child that must be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_listens(child: Child, port: int, *, name: str, patience_s: float) -> None:
    """Wait for a child to listen on a port of loopback.

    Raises
    ------
    ChildError
        If it ends, or does not listen in time.
    """
    until = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if child.exit_code() is not None or time.monotonic() > until:
            raise ChildError(f"{name} did not start:\n{child.log_tail()}")
        time.sleep(0.02)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
