"""The servers a verb works on: those the environment names, else the embedded ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import sqlalchemy as sa
import structlog
from pydantic import ValidationError

import migrations
from api.settings import ApiSettings
from embedded import children
from embedded.children import Child, ChildError
from embedded.home import Claim, EmbeddedSettings
from embedded.stack import Servers, open_embedded
from ingest.subscriber import BrokerAddress, BrokerRefused, MqttSettings
from seeds.devices import Login, NoReceipt
from seeds.recording import RecordingError
from storage import credentials, database
from storage.database import DatabaseSettings

log = structlog.get_logger()


class MissingServer(RuntimeError):
    """A server that the verb needs is not named, not migrated, or not there."""


PEOPLE_CAN_MEND = (
    BrokerRefused,
    ChildError,
    ConnectionError,
    MissingServer,
    NoReceipt,
    PermissionError,
    RecordingError,
    ValidationError,
    psycopg.OperationalError,
    sa.exc.ArgumentError,
    sa.exc.OperationalError,
)


class Services:
    """A database, and a broker where one was asked for."""

    def __init__(self, database_url: str, mqtt_url: str | None, embedded: Servers | None) -> None:
        self.database_url, self.embedded = database_url, embedded
        self._mqtt_url = mqtt_url
        self._tokens: dict[str, str] = {}
        limits = DatabaseSettings()
        self.engine = database.make_engine(
            database_url,
            statement_timeout_s=limits.statement_timeout_s,
            idle_in_transaction_timeout_s=limits.idle_in_transaction_timeout_s,
        )

    @property
    def mqtt_url(self) -> str:
        """The broker's address, for the account of ingest."""
        if self._mqtt_url is None:
            raise MissingServer("this verb asked for no broker")
        return self._mqtt_url

    def api_engine(self, settings: ApiSettings) -> sa.Engine:
        """An engine for the API: under a login that reads nothing but views, where there is one."""
        limits = DatabaseSettings()
        if settings.api_database_url is not None:
            url = settings.api_database_url.get_secret_value()
        elif self.embedded is not None:
            url = self.embedded.api_database_url
        else:
            url = self.database_url
            log.warning(
                "the API takes on its role under the login of DALA_DATABASE_URL, which could step "
                "back: make it a login of its own and name it in DALA_API_DATABASE_URL"
            )
        return database.make_engine(
            url,
            statement_timeout_s=limits.api_statement_timeout_s,
            idle_in_transaction_timeout_s=limits.idle_in_transaction_timeout_s,
            pool_size=10,
            application="dala api",
        )

    def migrate(self) -> list[str]:
        """Bring the tables up to date."""
        return migrations.upgrade(self.engine)

    def check_migrated(self) -> None:
        """Migrate the embedded database; ask for it where the database is somebody's."""
        if self.embedded is not None:
            self.migrate()
            return
        with self.engine.connect() as connection:
            at, newest = migrations.current(connection), migrations.head()
        if at != newest:
            raise MissingServer(
                f"the database is at migration {at or 'none'}, this version needs {newest}: "
                "run `dala migrate` first."
            )

    def announce_api(self, address: str) -> None:
        """Let other verbs know where the API listens."""
        if self.embedded is not None:
            self.embedded.announce("api", address)

    def logins(self) -> Callable[[str], Login]:
        """Credentials of simulated devices.

        On the embedded broker each device gets a token of its own for this run; a broker that the
        environment names is spoken to with the account of DALA_MQTT_URL, since its accounts are
        not ours to make.
        """
        if self.embedded is None:
            address = BrokerAddress.parse(self.mqtt_url)
            return lambda _device: Login(address.user or "", address.password or "")

        def own(device_id: str) -> Login:
            if device_id not in self._tokens:
                with self.engine.begin() as connection:
                    token = credentials.issue(connection, device_id).token
                self._tokens[device_id] = token
            return Login(device_id, self._tokens[device_id])

        return own

    def start_verb(self, name: str, *arguments: str, **settings: str) -> Child:
        """Start another verb on these servers, as a child that dies with us."""
        if self.embedded is None:
            raise MissingServer("children are started beside the embedded servers only")
        environment = os.environ | {
            "DALA_DATABASE_URL": self.database_url,
            "DALA_API_DATABASE_URL": self.embedded.api_database_url,
            **settings,
        }
        if self._mqtt_url is not None:
            environment["DALA_MQTT_URL"] = self._mqtt_url
        command = [sys.executable, "-m", "dala", name, *arguments]
        log = self.embedded.home.logs / f"{name}.log"
        return children.start(command, log=log, environment=environment)


@contextmanager
def open_services(
    verb: str,
    *,
    broker: bool = False,
    ingest: bool = False,
    hold_ingest: bool = False,
    require_owner: bool = False,
) -> Iterator[Services]:
    """Open what a verb needs.

    Parameters
    ----------
    broker
        A broker is needed too.
    ingest
        Somebody must store what is published: on embedded servers an ingester is started unless
        one runs already. Elsewhere `dala ingest` is its operator's to start.
    hold_ingest
        This verb is the ingester.
    """
    database_url, mqtt_url = DatabaseSettings().database_url, MqttSettings().mqtt_url
    if database_url is not None and (mqtt_url is not None or not broker):
        address = None if mqtt_url is None else mqtt_url.get_secret_value()
        services = Services(database_url.get_secret_value(), address, None)
        try:
            yield services
        finally:
            services.engine.dispose()
        return
    if broker and (database_url is None) != (mqtt_url is None):
        unset = "DALA_MQTT_URL" if mqtt_url is None else "DALA_DATABASE_URL"
        raise MissingServer(
            f"`dala {verb}` needs a database and a broker: set {unset} too, or neither."
        )
    with ExitStack() as stack:
        servers = stack.enter_context(
            open_embedded(EmbeddedSettings(), verb=verb, broker=broker, require_owner=require_owner)
        )
        services = Services(servers.database_url, servers.mqtt_url if broker else None, servers)
        stack.callback(services.engine.dispose)
        if ingest or hold_ingest:
            claim = servers.home.claim("ingest")
            if claim is None and hold_ingest:
                raise MissingServer("an ingester already runs on this DALA_HOME.")
            if claim is not None:
                _take_ingest(services, claim, stack, start=ingest)
        yield services


def _take_ingest(services: Services, claim: Claim, stack: ExitStack, *, start: bool) -> None:
    stack.callback(claim.release)
    if start:
        services.migrate()
        child = services.start_verb("ingest")
        stack.callback(child.stop)
