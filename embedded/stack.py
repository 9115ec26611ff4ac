"""The embedded database and broker together: start what nobody runs, use what somebody does."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import NoReturn
from urllib.parse import quote

from embedded.broker_server import INGEST, start_broker
from embedded.children import ChildError
from embedded.home import AlreadyRunning, Claim, EmbeddedSettings, Home, Running, Server
from embedded.keeper import Keeper
from embedded.postgres import API_LOGIN, DATABASE, OWNER, run_as, start_postgres


class Servers:
    """The embedded servers, as :func:`open_embedded` gives them."""

    def __init__(
        self,
        *,
        home: Home,
        verb: str,
        database_url: str | None,
        api_database_url: str | None,
        mqtt_url: str | None,
        running: dict[str, Running],
        claims: list[Claim],
    ) -> None:
        self.home, self.running = home, running
        self.owner = bool(claims)  # of at least one of them
        self._verb, self._claims = verb, claims
        self._database_url, self._mqtt_url = database_url, mqtt_url
        self._api_database_url = api_database_url

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database, with its password."""
        if self._database_url is None:
            raise ChildError("The embedded database was not asked for.")
        return self._database_url

    @property
    def api_database_url(self) -> str:
        """The same for the API, which reads nothing but what the one who asks may see."""
        if self._api_database_url is None:
            raise ChildError("The embedded database was not asked for.")
        return self._api_database_url

    @property
    def mqtt_url(self) -> str:
        """``mqtt://user:password@host:port`` of the broker, for the account of ingest."""
        if self._mqtt_url is None:
            raise ChildError("The embedded broker was not asked for.")
        return self._mqtt_url

    def announce(self, name: str, address: str) -> None:
        """Let others know of one more address, e.g. that of the API."""
        for claim in self._claims:
            known = self.running[claim.server]
            self.running[claim.server] = claim.announce(
                verb=self._verb, addresses=known.addresses | {name: address}
            )


@contextmanager
def open_embedded(
    settings: EmbeddedSettings | None = None,
    *,
    verb: str,
    database: bool = True,
    broker: bool = True,
    require_owner: bool = False,
) -> Iterator[Servers]:
    """Start the embedded servers that are asked for, or attach to those that run; stop ours after.

    The broker asks the database about devices, so asking for the broker starts both. SIGTERM and
    SIGHUP end the block like Ctrl-C does, so that the servers are stopped in their order; should
    this process be killed, they die with it. To be called from the main thread.

    A server of ours that ends unasked is started again on the same port.

    Raises
    ------
    AlreadyRunning
        With ``require_owner``, when another process runs one of them.
    ChildError
        When a server cannot be started; the message says why.
    """
    settings = settings or EmbeddedSettings()
    home = Home(settings.home)
    home.create()
    with _signals_as_interrupts(), ExitStack() as stack:
        started = _Starting(home, settings, verb, stack, require_owner=require_owner)
        if database or broker:
            started.database()
        if broker:
            started.broker()
        yield started.servers()


class _Starting:
    """What is up so far; the stack stops each server that we start, last one first."""

    def __init__(
        self,
        home: Home,
        settings: EmbeddedSettings,
        verb: str,
        stack: ExitStack,
        *,
        require_owner: bool,
    ) -> None:
        self._home, self._settings, self._verb = home, settings, verb
        self._stack, self._require_owner = stack, require_owner
        self._claims: list[Claim] = []
        self._keeper = Keeper()
        self._running: dict[str, Running] = {}
        self._secrets = home.secrets()
        self._database_url: str | None = None
        self._api_database_url: str | None = None
        self._mqtt_url: str | None = None

    def database(self) -> None:
        claim = self._claim_or_attach("database")
        if claim is not None:
            server = start_postgres(self._home, self._settings.embedded_user)
            host, port = server.address
            again = partial(start_postgres, self._home, self._settings.embedded_user, port=port)
            self._keeper.keep("database", server, again)
            self._announce(claim, "database", f"{host}:{port}")
        self._database_url = self._url_of(OWNER, "database_password")
        self._api_database_url = self._url_of(API_LOGIN, "api_password")

    def broker(self) -> None:
        claim = self._claim_or_attach("broker")
        if claim is not None:
            account = run_as(self._home.data, self._settings.embedded_user)
            begin = partial(start_broker, self._home, str(self._database_url), account)
            server = begin()
            self._keeper.keep("broker", server, partial(begin, port=server.port))
            self._announce(claim, "broker", f"{server.host}:{server.port}")
        password = quote(self._secrets["ingest_password"], safe="")
        self._mqtt_url = f"mqtt://{INGEST}:{password}@{self._running['broker'].addresses['broker']}"

    def _url_of(self, user: str, secret: str) -> str:
        password = quote(self._secrets[secret], safe="")
        address = self._running["database"].addresses["database"]
        return f"postgresql+psycopg://{user}:{password}@{address}/{DATABASE}"

    def servers(self) -> Servers:
        return Servers(
            home=self._home,
            verb=self._verb,
            database_url=self._database_url,
            api_database_url=self._api_database_url,
            mqtt_url=self._mqtt_url,
            running=self._running,
            claims=self._claims,
        )

    def _claim_or_attach(self, server: Server) -> Claim | None:
        found = self._home.claim_or_find(server)
        if isinstance(found, Claim):
            self._stack.callback(found.release)
            self._stack.callback(self._keeper.stop)  # before that; and once is enough
            return found
        if self._require_owner:
            raise AlreadyRunning(found, self._home.path)
        self._running[server] = found
        return None

    def _announce(self, claim: Claim, server: Server, address: str) -> None:
        self._claims.append(claim)
        self._running[server] = claim.announce(verb=self._verb, addresses={server: address})


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that every ``finally`` runs."""
    earlier = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            earlier[number] = signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    # One is enough: another, as `timeout` and service managers send, must not cut the stopping.
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
