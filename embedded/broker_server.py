"""Start and stop the embedded broker, without loading it into this process."""

import os
import select
import signal
import sys
from pathlib import Path

from embedded.children import Account, Child, ChildError, start
from embedded.home import Home

INGEST = "dala-ingest"  # the account of the service; any other user name is a device's id


class BrokerServer:
    """A running broker; :func:`start_broker` makes one."""

    def __init__(self, child: Child, port: int) -> None:
        self._child = child
        self.host, self.port = "127.0.0.1", port
        self.pid = child.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exit_code()

    def stop(self) -> None:
        """End it."""
        self._child.stop(signal.SIGTERM)


def start_broker(
    home: Home, database_url: str, account: Account | None, *, port: int = 0
) -> BrokerServer:
    """Start the broker, which asks the database about devices; wait until it listens.

    It listens on a free port, unless a port is given.
    """
    ours = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, ours)),
        "DALA_BROKER_DATABASE_URL": database_url,
        "DALA_BROKER_INGEST_PASSWORD": home.secrets()["ingest_password"],
        "DALA_BROKER_PORT": str(port),
        "DALA_BROKER_PARENT": str(os.getpid()),
    }
    if account is not None:
        environment |= {
            "DALA_BROKER_UID": str(account.uid),
            "DALA_BROKER_GID": str(account.gid),
        }
    child = start(
        [sys.executable, "-m", "embedded.broker"],
        log=home.logs / "broker.log",
        environment=environment,
        read_stdout=True,
    )
    try:
        return BrokerServer(child, _announced_port(child))
    except BaseException:
        child.stop()
        raise


def _announced_port(child: Child, *, patience_s: float = 60.0) -> int:
    if child.stdout is None:
        raise ChildError("The broker was started without a standard output.")
    ready, _, _ = select.select([child.stdout], [], [], patience_s)
    line = child.stdout.readline() if ready else b""
    if not line:
        raise ChildError(f"The broker did not start:\n{child.log_tail()}")
    return int(line)
