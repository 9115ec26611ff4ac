"""One connection to the broker. Only this module and its client speak MQTT.

Nothing here runs by itself: who calls :meth:`Connection.serve` reads and writes what is there.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.client import Client
from ingest.settings import BrokerAddress

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 60
ANSWER_S = 15.0  # that a broker may take to greet us or to take a subscription
POLL_S = 0.05
PACKETS_AT_ONCE = 1_000  # before timers are looked at
IN_FLIGHT = 1_000  # receipts, unless the broker allows fewer
CREDENTIALS_REFUSED = frozenset({"Bad user name or password", "Not authorized", "Banned"})
TOO_OLD = "Unsupported protocol version"
TAKEN_OVER = "Session taken over"


class BrokerRefused(ConnectionError):
    """The broker is there and will not have us; the message says why."""


class NoGreeting(ConnectionError):
    """The broker did not accept the connection.

    ``too_old``: it does not speak MQTT 5; None: it said nothing, which may mean the same.
    """

    def __init__(self, words: str, *, too_old: bool | None) -> None:
        super().__init__(words)
        self.too_old = too_old


class Handlers(NamedTuple):
    """Who is told of what arrives, while :meth:`Connection.serve` runs."""

    message: Callable[[int, str, bytes], None]  # what the broker calls it (QoS 0: 0), topic, bytes
    confirmed: Callable[[int], None]  # the broker has taken a message of ours
    again: Callable[[int, str, bytes], None] | None = None  # a message that was sent before


class Connection:
    """A connection whose session outlives it."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        handlers: Handlers,
        *,
        mqtt5: bool,
        receive_maximum: int,
        will: tuple[str, bytes] | None = None,  # topic and payload
    ) -> None:
        self._address = address
        self._mqtt5 = mqtt5
        self._receive_maximum = receive_maximum
        self._client = self._make_client(client_id, handlers)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._answers: list[Any] | None = None  # reasons, one for each topic filter
        self._refusal: str | None = None
        self._ended: str | None = None  # why the broker or the network ended it
        self._greeting: Any = None
        self.is_open = False
        self.session_present = False

    def _make_client(self, client_id: str, handlers: Handlers) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5 if self._mqtt5 else mqtt.MQTTv311,
            clean_session=None if self._mqtt5 else False,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set()
        # How many are under way is ours to limit, by what the broker allows: paho does not ask it,
        # and looks through all that wait with each confirmation.
        client.max_inflight_messages_set(0)
        client.take = handlers.message
        client.take_again = handlers.again or handlers.message
        client.confirmed = handlers.confirmed
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_answer
        return client

    @property
    def most_in_flight(self) -> int:
        """How many messages of ours the broker lets be unconfirmed."""
        return min(IN_FLIGHT, getattr(self._greeting, "ReceiveMaximum", IN_FLIGHT))

    @property
    def shares(self) -> bool:
        """Whether the broker knows shared subscriptions."""
        return self._mqtt5 and bool(getattr(self._greeting, "SharedSubscriptionAvailable", 1))

    @property
    def was_taken_over(self) -> bool:
        """Whether another client came with our client id."""
        return self._ended == TAKEN_OVER

    def open(self) -> None:
        """Connect and be greeted.

        Raises
        ------
        BrokerRefused
            If the broker refuses the user name and password: waiting would not help.
        NoGreeting, OSError
            If the broker is not there, or does not accept us now or in this protocol.
        """
        options: dict[str, Any] = {"keepalive": KEEPALIVE_S}
        if self._mqtt5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = self._receive_maximum
            options |= {"clean_start": False, "properties": properties}
        self._client.connect(self._address.host, self._address.port, **options)
        self._wait(lambda: self._greeting is not None or self._refusal is not None)
        if self._refusal in CREDENTIALS_REFUSED:
            raise BrokerRefused(
                f"the broker at {self._address.place} refused us: {self._refusal}. "
                "Check the user and password in DALA_MQTT_URL."
            )
        if self._greeting is None:
            words = self._refusal or self._ended or "the broker did not answer"
            raise NoGreeting(
                words, too_old=None if self._refusal is None else self._refusal == TOO_OLD
            )

    def subscribe(self, filters: Sequence[str]) -> list[str]:
        """Ask for topics at QoS 1; answer those that the broker refused.

        Raises
        ------
        BrokerRefused
            If it refused them all.
        """
        # Retained messages come with a new subscription, not with each connection.
        options = SubscribeOptions(qos=1, retainHandling=1)
        asked: list[Any] = [(one, options if self._mqtt5 else 1) for one in filters]
        answers = self._ask(lambda: self._client.subscribe(asked))
        refused = [one for one, reason in zip(filters, answers, strict=True) if reason.is_failure]
        if len(refused) == len(filters):
            raise BrokerRefused(
                f"the broker at {self._address.place} lets us in but not subscribe to "
                f"{', '.join(refused)}. Give the user in DALA_MQTT_URL the right to read what "
                "devices send."
            )
        return refused

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ask for these topics no more; what is queued already still comes."""
        self._ask(lambda: self._client.unsubscribe(list(filters)))

    def serve(self, timeout: float, has_room: Callable[[], bool] = lambda: True) -> bool:
        """Read and write what is there, waiting at most ``timeout`` for it; False: it broke."""
        client = self._client
        if client.ran_dry and not self._wait_for_socket(timeout):
            return self.keep_alive()  # a line on which nothing comes has to be kept up, too
        for _ in range(PACKETS_AT_ONCE):
            if not has_room() or not client.read_packet():
                break
        return self.keep_alive()

    @property
    def has_caught_up(self) -> bool:
        """Whether all that the broker has sent so far was read."""
        return self._client.ran_dry

    def keep_alive(self) -> bool:
        """Write what waits and answer in time, but read nothing; False: it broke."""
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        return self.is_open

    def publish(
        self, topic: str, payload: str | bytes, qos: int, *, retain: bool = False
    ) -> int | None:
        """Publish; answer what confirms it later, or None if it could not go out."""
        if qos == 1:
            body = payload.encode() if isinstance(payload, str) else payload
            return self._client.tell(topic.encode(), body, retain=retain)
        sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        return sent.mid if sent.rc == mqtt.MQTT_ERR_SUCCESS else None

    def gathering(self) -> AbstractContextManager[None]:
        """Let what is published meanwhile leave in one piece: a system call for all of it."""
        return self._client.gathering()

    def acknowledge(self, mids: Sequence[int]) -> int:
        """Acknowledge messages in this order; answer how many wanted it (QoS 0 does not)."""
        wanted = [mid for mid in mids if mid]
        if wanted:
            self._client.acknowledge(wanted)
        return len(wanted)

    def close(self, *, end_session: bool = False) -> None:
        """Write what waits, say goodbye and wait until it is out; or end the session, too."""
        properties = None
        if end_session and self._mqtt5:
            properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0
        until = time.monotonic() + ANSWER_S
        line = self._second_hold()
        self._client.disconnect(properties=properties)
        while self.is_open and time.monotonic() < until:
            self._wait_for_socket(POLL_S)
            self.keep_alive()
        if line is not None:
            _hear_out(line, until)

    def _second_hold(self) -> socket.socket | None:
        """Another handle on the connection: paho lets go of its own with the goodbye."""
        opened = self._client.socket()
        return None if opened is None else socket.socket(fileno=os.dup(opened.fileno()))

    def abandon(self) -> None:
        """Hang up, without goodbye unless it is said: what is not acknowledged comes again."""
        self.is_open = False
        if (opened := self._client.socket()) is not None:
            opened.close()

    def _ask(self, request: Callable[[], Any]) -> list[Any]:
        self._answers = None
        request()
        self._wait(lambda: self._answers is not None)
        if self._answers is None:
            raise ConnectionError(self._ended or "the broker did not answer")
        return self._answers

    def _wait(self, answered: Callable[[], bool]) -> None:
        until = time.monotonic() + ANSWER_S
        while not answered() and self._ended is None and time.monotonic() < until:
            if self._client.ran_dry:
                self._wait_for_socket(POLL_S)
            self._client.read_packet()
            self._client.loop_misc()

    def _wait_for_socket(self, timeout: float) -> bool:
        """Whether there is something to read, or room for what is to be written."""
        opened = self._client.socket()
        if opened is None:
            return False
        writing = [opened] if self._client.want_write() else []
        try:
            return any(select.select([opened], writing, [], timeout))
        except (OSError, ValueError):  # closed under us
            return True

    def _on_connect(
        self, _client: mqtt.Client, _data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        self.is_open, self.session_present = True, flags.session_present
        self._greeting = properties

    def _on_answer(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any
    ) -> None:
        self._answers = reasons

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self.is_open = False
        self._ended = self._ended or str(reason)  # paho tells of the socket's end as well

    @property
    def ended(self) -> str | None:
        """Why the connection broke; None while it stands."""
        return self._ended


def _hear_out(line: socket.socket, until: float) -> None:
    """Read and forget until the broker hangs up.

    A connection closed with unread messages in it is reset, and the broker then throws away what
    it had not read of ours: the last acknowledgements, and the goodbye.
    """
    with line, contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_WR)
        while (left := until - time.monotonic()) > 0:
            line.settimeout(left)
            if not line.recv(65_536):
                return
