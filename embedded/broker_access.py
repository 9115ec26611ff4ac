"""Who may speak to the embedded broker, and about what; as plugins of amqtt.

Two kinds of account: the service that ingests, whose password the broker is started with, and
devices, which the database knows. A device's client id is its id, its user name the id or, of a
token that replaces another in its own time, the other name of the device; its password is a random
token of 256 bits, of which only the SHA-256 is stored: nothing to guess, so a fast hash is right.
"""

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from embedded.broker_server import INGEST
from storage import credentials
from storage.credentials import Credential, Token, device_of
from storage.database import make_engine
from storage.registering import GATEWAYS

ACCOUNT = "dala.account"  # key in amqtt's Session.attributes
FRESH_S = 1.0  # a changed or disabled credential counts after this long
# What the service says: receipts, and commands to Sparkplug nodes (to be born again).
ANSWER = re.compile(r"dala/v1/[^/]+/receipt|spBv1\.0/[^/]+/(?:NCMD/[^/]+|DCMD/[^/]+/[^/]+)")
# What a network server, gateway or bridge says for the devices behind it may be on any topic, as an
# operator's mapping reads any; but not in the name of our own devices, nor of the broker.
NOT_OF_NETWORKS = ("dala/", "$")
# What it hears: the commands to its nodes, and whether the service is there.
COMMAND_FILTER = re.compile(r"spBv1\.0/(?:[^/#]+/[ND]CMD/.+|STATE/.+)")

logger = logging.getLogger("dala.broker")


class Account(NamedTuple):
    """Who is at the other end of a connection."""

    name: str  # INGEST, or the id of a device
    kind: str  # INGEST, or the kind of a device
    topic_filters: tuple[str, ...] = ()  # that a gateway may use; none: all but those of ours


class AccessDenied(Exception):
    """A client is refused; the message says why and never holds a secret."""


def may_publish(account: Account, topic: str) -> bool:
    """Whether the account may publish on a topic."""
    if account.kind == INGEST:
        return ANSWER.fullmatch(topic) is not None
    own = f"dala/v1/{account.name}/"
    if topic in (f"{own}senml", f"{own}track"):
        return True
    if account.kind not in GATEWAYS or topic.startswith(NOT_OF_NETWORKS):
        return False
    return not account.topic_filters or any(covers(one, topic) for one in account.topic_filters)


def may_subscribe(account: Account, topic_filter: str) -> bool:
    """Whether the account may subscribe to a topic filter."""
    if account.kind == INGEST or topic_filter == f"dala/v1/{account.name}/receipt":
        return True
    if account.kind not in GATEWAYS:
        return False
    if account.topic_filters:
        return any(covers(one, topic_filter) for one in account.topic_filters)
    return COMMAND_FILTER.fullmatch(topic_filter) is not None


def covers(allowed: str, asked: str) -> bool:
    """Whether every topic of the filter asked for, which may be a topic, is one of the allowed."""
    levels, wanted = allowed.split("/"), asked.split("/")
    for number, level in enumerate(levels):
        if level == "#":
            return True
        if number >= len(wanted) or wanted[number] == "#":
            return False
        if level not in ("+", wanted[number]):
            return False
    return len(levels) == len(wanted)


class CredentialBook:
    """Credentials looked up off the event loop, and remembered.

    An answer is fresh for ``fresh_s``; an older one still serves while the database is away, so
    that a device may reconnect during an outage.
    """

    def __init__(
        self,
        look_up: Callable[[str], Credential | None],
        *,
        fresh_s: float = FRESH_S,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[str], None] = lambda _username: None,
    ) -> None:
        self._look_up, self._fresh_s, self._clock = look_up, fresh_s, clock
        self._used = used
        self._known: dict[str, tuple[float, Credential]] = {}

    async def find(self, device_id: str, *, anew: bool = False) -> Credential | None:
        """Return the device's credential; raise AccessDenied if nobody can tell.

        ``anew`` asks the database even where an answer is fresh.
        """
        looked_up, known = self._known.get(device_id, (0.0, None))
        if known is not None and not anew and self._clock() < looked_up + self._fresh_s:
            return known
        try:
            found = await asyncio.to_thread(self._look_up, device_id)
        except Exception as error:  # whatever keeps the database away must not stop the broker
            if known is None:
                raise AccessDenied(f"no database to ask: {type(error).__name__}") from error
            logger.warning("database away, %r enters by what was known of it", device_id)
            return known
        if found is None:
            self._known.pop(device_id, None)
        else:
            self._known[device_id] = self._clock(), found
        return found

    async def note_used(self, username: str) -> None:
        """A device first came with its newest token: the one before is worth nothing now."""
        try:
            await asyncio.to_thread(self._used, username)
        except Exception as error:  # as above; the old one then ends with its time
            logger.warning("not noted that %r was used: %s", username, type(error).__name__)
        self._known.pop(device_of(username), None)


async def admit(session: Session, book: CredentialBook, ingest_password: str) -> Account:
    """Say who a client is by its user name and password; raise AccessDenied if it is refused."""
    name, password = session.username, session.password
    if not name or not password:
        raise AccessDenied("anonymous; a user name and a password are needed")
    if name == INGEST:
        if not hmac.compare_digest(password.encode(), ingest_password.encode()):
            raise AccessDenied("wrong password")
        return Account(INGEST, INGEST)
    device_id = device_of(name)
    if session.client_id != device_id:
        raise AccessDenied("the client id is not the id of the device")
    if any(sign in name for sign in "/+#"):
        raise AccessDenied("a device id with one of / + #")
    credential = await book.find(device_id)
    if credential is None or not credential.tokens:
        raise AccessDenied("no such device, or it has no credential")
    shown = _token_of(credential, password)
    if shown is None or len(credential.tokens) > 1:
        # It may have been given a new one, or have used that, since it was last looked up.
        credential = await book.find(device_id, anew=True)
        shown = None if credential is None else _token_of(credential, password)
        if credential is None or shown is None:
            raise AccessDenied("wrong token")
    if credential.disabled:
        raise AccessDenied("the device is disabled")
    if credential.kind == INGEST:
        raise AccessDenied(f"a device cannot be of kind {INGEST}")
    if not shown.is_old and not shown.is_used:
        await book.note_used(shown.username)
    return Account(device_id, credential.kind, tuple(credential.topic_filters))


def _token_of(credential: Credential, password: str) -> Token | None:
    """The token that was shown, of those that are good."""
    digest = credentials.hash_token(password)
    good = [one for one in credential.tokens if hmac.compare_digest(digest, one.token_hash.lower())]
    return good[0] if good else None


class StoredCredentials:
    """The credentials in the database; it connects at the first question."""

    def __init__(self, database_url: str) -> None:
        self._engine = make_engine(
            database_url, statement_timeout_s=5, pool_size=2, application="dala broker"
        )

    def __call__(self, device_id: str) -> Credential | None:
        """Look a device up."""
        with self._engine.connect() as connection:
            return credentials.find(connection, device_id)

    def state(self) -> object:
        """Something else than before, once a credential changed or was over.

        Whoever asks the database need not be told: what stands there is noted as told.
        """
        with self._engine.begin() as connection:
            state = credentials.state(connection)
            credentials.all_applied(connection)
            return state

    def note_used(self, username: str) -> None:
        """A device came with its newest token."""
        with self._engine.begin() as connection:
            credentials.note_used(connection, username)


class AccountsPlugin(BaseAuthPlugin):  # type: ignore[misc]
    """amqtt asks it whether a session may begin, and again from time to time."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        stored = StoredCredentials(self.config.database_url)
        self._book = CredentialBook(stored, used=stored.note_used)

    async def authenticate(self, *, session: Session) -> bool:
        """Admit or refuse; a refusal is logged with its reason."""
        try:
            session.attributes[ACCOUNT] = await admit(
                session, self._book, self.config.ingest_password
            )
        except AccessDenied as reason:
            logger.warning(
                "refused %.64r as %.64r from %s: %s",
                session.client_id,
                session.username,
                session.remote_address,
                reason,
            )
            return False
        return True

    @dataclass(repr=False)
    class Config:
        """Set by the broker's start-up."""

        database_url: str
        ingest_password: str


class TopicsPlugin(BaseTopicPlugin):  # type: ignore[misc]
    """amqtt asks it about every subscription."""

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Apply the rules above; a refusal is logged."""
        account = session.attributes.get(ACCOUNT) if session else None
        if account is None or topic is None:
            return False
        rule = may_publish if action == Action.PUBLISH else may_subscribe
        if action == Action.RECEIVE or rule(account, topic):
            return True
        logger.warning("refused %r: may not %s %.128r", account.name, action, topic)
        return False
