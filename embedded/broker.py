"""The embedded MQTT broker: amqtt in a child process, on a random port of 127.0.0.1.

It speaks MQTT 3.1.1. Sessions and what waits in them live in memory: they survive a client's
reconnect but not the broker's end, which is why devices keep what they sent until the receipt.
Retained messages are not kept. :func:`embedded.broker_server.start_broker` runs this module.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from amqtt.adapters import BufferReader, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import (
    BAD_USERNAME_PASSWORD,
    CONNECTION_ACCEPTED,
    IDENTIFIER_REJECTED,
    UNACCEPTABLE_PROTOCOL_VERSION,
    ConnackPacket,
)
from amqtt.mqtt.packet import CONNECT
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import SQLAlchemyError

from embedded.broker_access import ACCOUNT, FRESH_S, StoredCredentials, may_publish
from embedded.broker_delivery import (
    Conversation,
    Delivery,
    Limits,
    Outbox,
    decode,
    outbox_of,
    read_header,
)
from embedded.broker_server import INGEST
from embedded.launch import become, die_with_parent

LISTENER = "default"
PROTOCOL = b"\x00\x04MQTT"
LEVEL = 4  # MQTT 3.1.1
LARGEST_CONNECT = 2**17  # bytes
SESSION_EXPIRY_S = 7 * 24 * 3600
WATCH_S = 1.0  # between two looks for credentials that changed
RECHECK_S = 30.0  # between two looks at who is here, whatever changed
ROUTES_KEPT = 10_000
REFUSED = 0x80

logger = logging.getLogger("dala.broker")


class BrokerSettings(BaseSettings):
    """What the child is told, by its environment: command lines are public, environments not."""

    model_config = SettingsConfigDict(env_prefix="DALA_BROKER_")

    database_url: SecretStr
    ingest_password: SecretStr
    parent: int
    port: int = 0  # 0: a free one
    uid: int | None = None
    gid: int | None = None


class EmbeddedBroker(Broker):  # type: ignore[misc]
    """amqtt's broker with conversations of ours."""

    def __init__(
        self,
        config: BrokerConfig,
        limits: Limits,
        watch: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._watch = watch  # answers something else when credentials changed
        self._limits = limits
        self._conversations: dict[str, Conversation] = {}  # by client id
        self._connections = 0
        self._routes: dict[str, list[tuple[Session, int]]] = {}  # by topic, forgotten on change
        self._recheck_task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that was given to the listener."""
        sockets = self._servers[LISTENER].instance.sockets
        return int(next(iter(sockets)).getsockname()[1])

    async def start(self) -> None:
        """Listen."""
        await super().start()
        self._recheck_task = asyncio.create_task(self._recheck())

    async def shutdown(self) -> None:
        """End every conversation, then the broker."""
        if self._recheck_task is not None:
            self._recheck_task.cancel()
        self._connections = self._limits.connections  # nobody enters any more
        for conversation in list(self._conversations.values()):
            await conversation.end()
        await super().shutdown()

    # --- a connection's life

    async def stream_connected(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        listener_name: str,  # noqa: ARG002 - amqtt's signature
    ) -> None:
        """Serve one connection from its beginning to its end."""
        peer = writer.get_extra_info("peername")
        if self._connections >= self._limits.connections:
            logger.warning("refused %s: %d connections already", peer, self._connections)
            writer.close()
            return
        self._connections += 1
        try:
            await self._serve(reader, writer)
        except (MQTTError, AMQTTError) as error:
            logger.warning("closed the connection from %s: %s", peer, error)
        except TimeoutError:
            logger.warning("closed the connection from %s: no CONNECT", peer)
        except (NoDataError, asyncio.IncompleteReadError, ConnectionError):
            logger.debug("%s left before its CONNECT", peer)
        except asyncio.CancelledError:
            logger.debug("the conversation with %s was ended", peer)
        except Exception:
            logger.exception("closed the connection from %s", peer)
        finally:
            self._connections -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._limits.connect_s):
            handler, newcomer = await self._read_connect(reader, writer)
        if not await self._authenticate(newcomer, self.listeners_config[LISTENER]):
            writer.write(ConnackPacket.build(0, BAD_USERNAME_PASSWORD).to_bytes())
            return
        if not self._owns_client_id(newcomer):
            writer.write(ConnackPacket.build(0, IDENTIFIER_REJECTED).to_bytes())
            return
        session = await self._resume(newcomer)
        client_id = str(session.client_id)
        conversation = Conversation(session, (reader, writer), self, self._limits)
        self._sessions[client_id] = session, handler
        self._conversations[client_id] = conversation
        session.transitions.connect()
        conversation.send(ConnackPacket.build(session.parent, CONNECTION_ACCEPTED))
        try:
            await conversation.run()
        except (NoDataError, asyncio.IncompleteReadError, ConnectionError):
            logger.debug("%r left without a word", client_id)
        except TimeoutError:
            logger.warning("closed the connection of %r: silent for too long", client_id)
            writer.transport.abort()
        except MQTTError as error:
            logger.warning("closed the connection of %r: %s", client_id, error)
            writer.transport.abort()
        finally:
            del self._conversations[client_id]
            session.transitions.disconnect()
            if not conversation.ended_well and session.will_flag:
                await self._publish_will(session)

    async def _publish_will(self, session: Session) -> None:
        will = bytes(session.will_message or b"")
        with contextlib.suppress(TimeoutError):  # nobody is left to wait for room
            async with asyncio.timeout(1.0):
                await self.publish(session, session.will_topic or "", will, session.will_qos or 0)

    async def _read_connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Read the first packet, which must be a CONNECT of MQTT 3.1.1."""
        header = await read_header(reader)
        if header.packet_type != CONNECT or header.remaining_length > LARGEST_CONNECT:
            raise MQTTError("its first packet is not a CONNECT")
        body = await reader.readexactly(header.remaining_length)
        if body.startswith(PROTOCOL) and body[len(PROTOCOL) : len(PROTOCOL) + 1] != bytes([LEVEL]):
            # A client of MQTT 5 understands this answer and may fall back to 3.1.1.
            writer.write(ConnackPacket.build(0, UNACCEPTABLE_PROTOCOL_VERSION).to_bytes())
            raise MQTTError("it does not speak MQTT 3.1.1")
        await decode(header, body)  # raises for what init_from_connect would choke on
        packet = BufferReader(header.to_bytes() + body)
        handler, session = await BrokerProtocolHandler.init_from_connect(
            packet, StreamWriterAdapter(writer), self.plugins_manager
        )
        return handler, session

    def _owns_client_id(self, newcomer: Session) -> bool:
        """Whether no other account has a session under this client id."""
        earlier, _ = self._sessions.get(str(newcomer.client_id), (None, None))
        if earlier is None or earlier.attributes[ACCOUNT].name == newcomer.attributes[ACCOUNT].name:
            return True
        logger.warning(
            "refused %r: its client id %.64r is of %r",
            newcomer.username,
            newcomer.client_id,
            earlier.username,
        )
        return False

    async def _resume(self, newcomer: Session) -> Session:
        """Take over from an earlier connection of the client; find or begin its session."""
        client_id = str(newcomer.client_id)
        while (conversation := self._conversations.get(client_id)) is not None:
            logger.info("%r connects again; its earlier connection is closed", client_id)
            await conversation.end()
        earlier, _ = self._sessions.get(client_id, (None, None))
        if earlier is None or earlier.clean_session or newcomer.clean_session:
            await self._delete_session(client_id)
            newcomer.parent = 0
            return newcomer
        for name in ("keep_alive", "username", "password", "remote_address", "remote_port"):
            setattr(earlier, name, getattr(newcomer, name))
        for name in ("will_flag", "will_message", "will_topic", "will_qos"):
            setattr(earlier, name, getattr(newcomer, name))
        earlier.attributes[ACCOUNT] = newcomer.attributes[ACCOUNT]
        earlier.parent = 1
        return earlier

    async def _delete_session(self, client_id: str) -> None:
        session, _ = self._sessions.get(client_id, (None, None))
        await super()._delete_session(client_id)
        self._forget(session)

    async def _cleanup_session(self, client_id: str) -> None:
        session, _ = self._sessions.get(client_id, (None, None))
        await super()._cleanup_session(client_id)
        self._forget(session)

    def _forget(self, session: Session | None) -> None:
        self._routes.clear()
        if session is not None:
            outbox_of(session).clear()

    async def _recheck(self) -> None:
        """Cut off who may no longer be here, soon after anything about credentials changed."""
        known, looked = None, time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            state = None
            with contextlib.suppress(SQLAlchemyError):
                state = await asyncio.to_thread(self._watch)
            if state in (None, known) and time.monotonic() < looked + RECHECK_S:
                continue
            if known is not None:  # what was looked up just before the change is fresh for so long
                await asyncio.sleep(FRESH_S)
            known, looked = state, time.monotonic()
            for conversation in list(self._conversations.values()):
                listener = self.listeners_config[LISTENER]
                if not await self._authenticate(conversation.session, listener):
                    await conversation.end()

    # --- messages (the Exchange of a conversation)

    async def publish(self, sender: Session, topic: str, data: bytes, qos: int) -> None:
        """Put a message in every subscriber's outbox, waiting for room in that of a service."""
        account = sender.attributes[ACCOUNT]
        if not may_publish(account, topic):
            logger.warning(
                "dropped a message of %r: may not publish on %.128r", account.name, topic
            )
            return
        for session, granted in self._subscribers(topic):
            outbox, delivery = outbox_of(session), Delivery(topic, data, min(qos, granted))
            away = session.transitions.state != "connected"
            if away and (session.clean_session or not delivery.qos):
                continue
            if session.attributes[ACCOUNT].kind != INGEST:
                self._make_room(session, outbox)
            elif session is not sender:  # which would wait for itself
                await self._room(session, outbox)
            outbox.put(delivery)
            if (conversation := self._conversations.get(str(session.client_id))) is not None:
                conversation.flush()

    async def _room(self, session: Session, outbox: Outbox) -> None:
        """Wait until the outbox has room: the publisher gets no PUBACK and keeps its message."""
        if outbox.bytes < self._limits.service_bytes:
            return
        logger.warning(
            "%r is behind by %d MB: who publishes waits", session.client_id, outbox.bytes >> 20
        )
        while outbox.bytes >= self._limits.service_bytes:
            outbox.changed.clear()
            await outbox.changed.wait()

    def _make_room(self, session: Session, outbox: Outbox) -> None:
        """Drop the oldest receipt of a device that stays away: a later one says as much."""
        if len(outbox.pending) >= self._limits.device_messages:
            outbox.drop_oldest()
            logger.info("dropped the oldest of %r's messages", session.client_id)

    def _subscribers(self, topic: str) -> list[tuple[Session, int]]:
        """Sessions that a topic goes to, each once with its highest QoS."""
        if (found := self._routes.get(topic)) is None:
            by_client: dict[str | None, tuple[Session, int]] = {}
            for topic_filter, subscriptions in self._subscriptions.items():
                if self._matches(topic, topic_filter):
                    for session, qos in subscriptions:
                        _, known = by_client.get(session.client_id, (session, 0))
                        by_client[session.client_id] = session, max(qos, known)
            if len(self._routes) >= ROUTES_KEPT:
                self._routes.clear()
            found = self._routes[topic] = list(by_client.values())
        return found

    async def subscribe(self, session: Session, topic_filter: str, qos: int) -> int:
        """Subscribe with at most QoS 1; return the granted one, or 0x80 if refused."""
        if not topic_filter or qos not in (0, 1, 2):
            return REFUSED
        granted = int(await self.add_subscription((topic_filter, min(qos, 1)), session))
        if granted != REFUSED:  # a second time changes the QoS, without a gap
            self._subscriptions[topic_filter] = [
                (other, granted if other is session else known)
                for other, known in self._subscriptions[topic_filter]
            ]
        self._routes.clear()
        return granted

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """End a subscription, if there is one."""
        self._del_subscription(topic_filter, session)
        self._routes.clear()


# --- the child process


def configuration(settings: BrokerSettings) -> BrokerConfig:
    """Only these plugins: amqtt's own defaults would let anonymous clients in."""
    return BrokerConfig(
        listeners={LISTENER: ListenerConfig(bind=f"127.0.0.1:{settings.port}")},
        session_expiry_interval=SESSION_EXPIRY_S,
        plugins={
            "embedded.broker_access.AccountsPlugin": {
                "database_url": settings.database_url.get_secret_value(),
                "ingest_password": settings.ingest_password.get_secret_value(),
            },
            "embedded.broker_access.TopicsPlugin": {},
        },
    )


async def serve(settings: BrokerSettings) -> None:
    """Run until SIGTERM or SIGINT, or until the parent is gone; say the port on stdout."""
    stored = StoredCredentials(settings.database_url.get_secret_value())
    broker = EmbeddedBroker(configuration(settings), Limits(), stored.state)
    await broker.start()
    await asyncio.to_thread(_warm_up, stored)
    _drop_privileges(settings)
    ending = asyncio.Event()
    for request in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(request, ending.set)
    sys.stdout.write(f"{broker.port}\n")
    sys.stdout.flush()
    while not ending.is_set() and os.getppid() == settings.parent:  # where no kernel tells us
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), 1.0)
    await broker.shutdown()


def _warm_up(stored: StoredCredentials) -> None:
    """Ask the database once, so that every module on that way is loaded."""
    with contextlib.suppress(SQLAlchemyError):  # there may be no table yet
        stored("")


def _drop_privileges(settings: BrokerSettings) -> None:
    """Become an unprivileged user, who may be unable to read even Python's own modules."""
    if settings.uid is None or settings.gid is None:
        return
    become(settings.uid, settings.gid)
    die_with_parent(signal.SIGTERM, settings.parent)  # changing the user cleared it


def main() -> None:
    """Run the broker as its environment says."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for library in ("amqtt", "transitions"):
        logging.getLogger(library).setLevel(logging.ERROR)
    settings = BrokerSettings.model_validate({})
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
