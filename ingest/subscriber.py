"""The service's MQTT client: nothing is acknowledged before it is committed.

One thread does everything in turn: read from the broker, and, when a batch is due, store it,
acknowledge its messages in order, send receipts. While it stores it does not read, so a slow
database slows the broker down instead of filling memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import psycopg
import sqlalchemy as sa
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest import topics
from ingest.codecs import BUILT_IN, Registry
from ingest.storing import Line, Message, Receipt, is_away

log = structlog.get_logger()

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 60
POLL_S = 0.05
CREDENTIALS_REFUSED = frozenset({"Bad user name or password", "Not authorized", "Banned"})
DEVICES_KEPT_S = 10.0  # how long a change of a device may go unnoticed


class MqttSettings(BaseSettings):
    """Read from the environment: ``DALA_MQTT_URL`` and how batches are cut."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    mqtt_url: SecretStr | None = None  # mqtt://user:password@host:1883, mqtts:// for TLS
    batch_messages: int = Field(default=2_000, ge=1)
    batch_age_s: float = Field(default=0.2, gt=0)
    receive_maximum: int = Field(default=4_000, ge=1, le=65_535)


class BadAddress(ConnectionError, ValueError):
    """The broker's address cannot be read. It may hold a password, so it is not repeated."""

    def __init__(self) -> None:
        super().__init__(
            "the broker's address in DALA_MQTT_URL must look like mqtt://user:password@host:1883"
        )


class BrokerAddress(NamedTuple):
    """Where a broker listens, and as whom to speak to it."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Read ``mqtt[s]://[user[:password]@]host[:port]``; BadAddress says what is wrong."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadAddress from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadAddress
        tls = parts.scheme == "mqtts"
        user, password = (
            None if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        return cls(parts.hostname, port or (8883 if tls else 1883), user, password, tls)


class BrokerRefused(ConnectionError):
    """The broker is there and will not have us; the message says why."""


def make_client(
    address: BrokerAddress, client_id: str, *, protocol: Any, manual_ack: bool
) -> mqtt.Client:
    """A client whose session outlives its connection (``clean_start=False``)."""
    version_5 = protocol == mqtt.MQTTv5
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=protocol,
        clean_session=None if version_5 else False,
        manual_ack=manual_ack,
        reconnect_on_failure=False,
    )
    if address.user is not None:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set()
    return client


class Subscriber:
    """Receives, stores, acknowledges, until told to stop."""

    def __init__(
        self,
        engine: sa.Engine,
        address: BrokerAddress,
        *,
        client_id: str = "dala-ingest",
        settings: MqttSettings | None = None,
        on_batch: Callable[[int, int, int], None] | None = None,
        registry: Registry = BUILT_IN,
    ) -> None:
        self._line = Line(engine, registry)
        self._subscriptions = registry.subscriptions
        self._address = address
        self._client_id = client_id
        self._settings = settings or MqttSettings()
        self._on_batch = on_batch
        self._protocol: Any = mqtt.MQTTv5
        self._client: mqtt.Client | None = None
        self._waiting: list[tuple[int, Message]] = []
        self._first_waits_since = 0.0
        self._refusal: str | None = None
        self._connected = False
        self._subscribed = False
        self._protocol_settled = False  # it has worked once with this broker
        self._stopping = False
        self._devices_looked_up = time.monotonic()

    def stop(self) -> None:
        """Let :meth:`run` store what is waiting, and return. Safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Serve until :meth:`stop`; a lost broker or database is waited for.

        Raises
        ------
        BrokerRefused
            If the broker refuses the user name and password, or every topic: waiting would not
            help.
        """
        pause = 0.2
        while not self._stopping:
            try:
                self._serve()
                pause = 0.2
            except BrokerRefused:
                raise
            except (OSError, ConnectionError) as error:
                log.warning(
                    "broker away",
                    broker=f"{self._address.host}:{self._address.port}",
                    error=str(error),
                )
            if not self._stopping:
                time.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _serve(self) -> None:
        """Keep one connection until it breaks."""
        client = self._connect()
        try:
            while not self._stopping and self._connected:
                if client.loop(timeout=POLL_S) != mqtt.MQTT_ERR_SUCCESS:
                    break
                if self._is_due(time.monotonic()):
                    self._flush()
            if self._stopping and self._connected:
                self._flush()
                client.disconnect()
                client.loop(timeout=POLL_S)
        finally:
            # An acknowledgement on a new connection could hit another message: what was not
            # committed comes again, so it is dropped here.
            self._waiting.clear()
            self._client = None

    def _connect(self) -> mqtt.Client:
        client = make_client(
            self._address, self._client_id, protocol=self._protocol, manual_ack=True
        )
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.max_inflight_messages_set(1_000)
        self._client, self._refusal = client, None
        self._connected = self._subscribed = False
        options: dict[str, Any] = {"keepalive": KEEPALIVE_S}
        if self._protocol == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = self._settings.receive_maximum
            options |= {"clean_start": False, "properties": properties}
        client.connect(self._address.host, self._address.port, **options)
        deadline = time.monotonic() + 15
        while not self._subscribed and self._refusal is None and time.monotonic() < deadline:
            if client.loop(timeout=POLL_S) != mqtt.MQTT_ERR_SUCCESS or self._stopping:
                break
        if not self._subscribed and not self._stopping:
            self._give_up_connecting()
        self._protocol_settled = True
        return client

    def _give_up_connecting(self) -> None:
        refusal = self._refusal
        if refusal in CREDENTIALS_REFUSED:
            raise BrokerRefused(
                f"the broker at {self._address.host}:{self._address.port} refused us: {refusal}. "
                "Check the user and password in DALA_MQTT_URL."
            )
        if self._connected and refusal is not None:
            raise BrokerRefused(
                f"the broker at {self._address.host}:{self._address.port} lets us in but not "
                f"{refusal}. Give the user in DALA_MQTT_URL the right to read what devices send."
            )
        if self._protocol == mqtt.MQTTv5 and not self._connected and not self._protocol_settled:
            self._protocol = mqtt.MQTTv311
            log.info("broker does not speak MQTT 5; using 3.1.1")
            raise ConnectionError(refusal or "closed the connection on an MQTT 5 greeting")
        raise ConnectionError(refusal or "the broker did not answer")

    def _on_connect(
        self, client: mqtt.Client, _data: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        self._connected = True
        client.subscribe([(topic, 1) for topic in self._subscriptions])
        log.info(
            "connected",
            broker=f"{self._address.host}:{self._address.port}",
            session_present=flags.session_present,
        )

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any
    ) -> None:
        answers = zip(self._subscriptions, reasons, strict=True)
        refused = [topic for topic, reason in answers if reason.is_failure]
        if len(refused) == len(self._subscriptions):
            self._refusal = f"subscribe to {', '.join(refused)}"
            return
        if refused:  # an operator may give us a part; it must not look like silent devices
            log.warning("not allowed to subscribe", topics=refused)
        self._subscribed = True

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self._connected and not self._stopping:
            log.warning("connection lost", reason=str(reason), dropped=len(self._waiting))
        self._connected = False
        self._waiting.clear()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if not self._waiting:
            self._first_waits_since = time.monotonic()
        received = time.time_ns() // 1_000
        self._waiting.append(
            (message.mid, Message(message.topic, bytes(message.payload), received))
        )

    def _is_due(self, now: float) -> bool:
        full = len(self._waiting) >= self._settings.batch_messages
        old = now - self._first_waits_since >= self._settings.batch_age_s
        return bool(self._waiting) and (full or old)

    def _flush(self) -> None:
        """Store what waits; without a database, keep trying and acknowledge nothing."""
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        client = self._client
        if client is None:
            return
        pause = 0.2
        while True:
            try:
                self._forget_devices_in_time()
                outcome = self._line.store([message for _, message in batch])
                break
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                if not is_away(error) and not self._worth_another_try(error):
                    raise
                log.warning("database away", error=str(error).splitlines()[0], waiting=len(batch))
                self._line.forget()
            if self._stopping or not self._stay_connected(client, pause):
                return  # not acknowledged: the broker sends the batch again
            pause = min(pause * 2, 5.0)
        # Receipts go first: killed between the two, we store the batch again and say so again;
        # the other way round it would be acknowledged and its devices never told.
        for receipt in outcome.receipts:
            client.publish(topics.receipt_topic(receipt.device), _receipt(receipt), qos=1)
        for request in outcome.requests:
            client.publish(request.topic, request.payload, qos=0)
        for mid, _ in batch:
            if mid:  # QoS 0 has none
                client.ack(mid, 1)
        if self._on_batch is not None:
            self._on_batch(outcome.stored, outcome.duplicate, outcome.rejected)

    def _worth_another_try(self, error: Exception) -> bool:
        """Time-outs, locks, a full disk: not the data's fault, so nothing may be given up."""
        log.error("database failed", error=str(error).splitlines()[0])
        return True

    def _stay_connected(self, client: mqtt.Client, seconds: float) -> bool:
        """Wait, but answer the broker; what arrives meanwhile waits up to two batches long."""
        until = time.monotonic() + seconds
        while self._connected and (left := until - time.monotonic()) > 0:
            if self._stopping:
                break
            if len(self._waiting) >= self._settings.batch_messages - 1:
                time.sleep(min(left, POLL_S))  # read no more: the broker keeps the rest
                client.loop_misc()
            else:
                client.loop(timeout=min(left, POLL_S))
        return self._connected

    def _forget_devices_in_time(self) -> None:
        if time.monotonic() - self._devices_looked_up > DEVICES_KEPT_S:
            self._line.forget()
            self._devices_looked_up = time.monotonic()


def _receipt(receipt: Receipt) -> str:
    fields = receipt._asdict()
    del fields["device"]
    return json.dumps(fields)
