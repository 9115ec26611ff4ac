"""Tells Mosquitto of devices' credentials, as the database has them; beside ingest, in a thread.

The database says what is to be, and of each credential whether the broker was told: what could not
be told waits there, in order, however long the broker is away. A broker that forgot (its file was
lost) is told again, but for tokens: nobody knows those, and what needs a new one is said.
"""

from __future__ import annotations

import threading
import time

import psycopg
import sqlalchemy as sa
import structlog

from ingest.connection import BrokerRefused
from ingest.dynamic_security import (
    SERVICE_ROLE,
    Administration,
    CommandRefused,
    State,
    commands_for,
    commands_for_service,
    role_of,
)
from ingest.settings import BrokerAddress
from storage import credentials
from storage.credentials import Change
from storage.sealing import CannotOpen, Seal

log = structlog.get_logger()

LOOK_S = 0.3  # between two looks at the database: a disabled device is cut off about so soon
COMPARE_S = 3_600.0  # between two comparisons of all that the broker knows
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
AT_ONCE = 100


class BrokerAccess:
    """Keeps a broker's dynamic security in step with the database, until it is stopped."""

    def __init__(
        self,
        engine: sa.Engine,
        admin: BrokerAddress,
        *,
        service: BrokerAddress | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._engine, self._admin, self._service, self._seal = engine, admin, service, seal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.run, name="broker-access", daemon=True)
        self._used: set[str] = set()
        self._ready = threading.Event()

    def start(self, *, patience_s: float = 0.0) -> None:
        """Begin, in a thread of its own; wait at most so long until ingest may come."""
        self._thread.start()
        self._ready.wait(patience_s)

    def stop(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def run(self) -> None:
        """Keep a connection to the broker, and another when that one breaks."""
        pause = FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                self._serve()
            except (BrokerRefused, CommandRefused) as error:
                log.error("broker's accounts not kept", error=str(error))
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                log.warning("database away", error=str(error).splitlines()[0])
            except OSError as error:
                log.warning("broker away", broker=self._admin.place, error=str(error))
            except Exception:  # a fault of ours; without this thread no device is let in anew
                log.exception("broker's accounts not kept")
            else:
                pause = FIRST_PAUSE_S
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _serve(self) -> None:
        """One connection, or so long until all that the broker knows is compared again."""
        administration = Administration(self._admin)
        try:
            state = administration.open()
            if self._service is not None:
                administration.tell(commands_for_service(self._service, state))
            self._ready.set()
            self._compare(administration, state)
            log.info("broker's accounts", known=len(state.devices))
            until = time.monotonic() + COMPARE_S
            while not self._stop.is_set() and time.monotonic() < until:
                administration.serve(LOOK_S)
                self._note_used(administration.take_came())
                while self._tell(administration, state):
                    pass
        finally:
            administration.close()

    def _compare(self, administration: Administration, state: State) -> None:
        """Take away who is no device of ours any more, and tell again who the broker forgot."""
        with self._engine.begin() as connection:
            wanted = credentials.usernames(connection)
            credentials.tell_again(connection, wanted - state.devices)
        gone = sorted(state.devices - wanted)
        kept = {role_of(credentials.device_of(one)) for one in wanted} | {SERVICE_ROLE}
        administration.tell(
            [{"command": "deleteClient", "username": one} for one in gone]
            + [{"command": "deleteRole", "rolename": one} for one in sorted(state.roles - kept)]
        )
        state.clients -= set(gone)
        state.devices -= set(gone)
        state.roles &= kept

    def _note_used(self, names: list[str]) -> None:
        """Whose new token was used has no old one any more."""
        fresh = set(names) - self._used
        if fresh:
            with self._engine.begin() as connection:
                for name in sorted(fresh):
                    credentials.note_used(connection, name, if_told=True)
            self._used |= fresh

    def _tell(self, administration: Administration, state: State) -> int:
        """Tell the broker of what changed; how many changes there were."""
        with self._engine.begin() as connection:
            found = credentials.changes(connection, limit=AT_ONCE)
        for change in found:
            failure = self._tell_one(administration, state, change)
            with self._engine.begin() as connection:
                credentials.applied(connection, change, failure)
            if failure is not None:
                log.error("device not known to broker", device=change.device_id, error=failure)
        return len(found)

    def _tell_one(self, administration: Administration, state: State, change: Change) -> str | None:
        """Tell of one; why it cannot be, if it cannot."""
        try:
            administration.tell(commands_for(change, state, self._token(change)))
        except (CommandRefused, CannotOpen) as error:
            return str(error)
        if change.is_over:
            state.clients.discard(change.username)
            state.devices.discard(change.username)
            self._used.discard(change.username)
        else:
            state.clients.add(change.username)
            state.devices.add(change.username)
            state.roles.add(role_of(change.device_id))
        if change.sealed_token is not None:
            self._used.discard(change.username)  # the name is the same, and the token another
        return None

    def _token(self, change: Change) -> str | None:
        if change.sealed_token is None:
            return None
        if self._seal is None:
            raise CannotOpen(
                "DALA_BROKER_KEY is not set for dala ingest: its token cannot be opened"
            )
        return self._seal.open(change.username, change.sealed_token)
