"""A device's connection to its broker: MQTT 5 where the broker speaks it, else 3.1.1.

Devices stand on the other side of the broker: nothing here is shared with ``ingest`` but the form
of an address. Everything happens in the thread that calls :meth:`Link.loop`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.subscriber import BrokerAddress

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 60
ANSWER_S = 20.0  # how long a broker may take to let us in
POLL_S = 0.05
CREDENTIALS_REFUSED = frozenset({"Bad user name or password", "Not authorized", "Banned"})


class Login(NamedTuple):
    """How a device shows who it is."""

    user: str
    password: str


class Dialect:
    """The protocol that a broker understood; devices of one broker may share what they learned."""

    def __init__(self) -> None:
        self.protocol: Any = mqtt.MQTTv5
        self.is_settled = False


class Link:
    """One connection; :meth:`open` makes it, and after it broke a new one is made."""

    def __init__(
        self,
        address: BrokerAddress,
        device_id: str,
        login: Login | None,
        *,
        dialect: Dialect,
        on_receipt: Callable[[bytes], None],
        on_acknowledged: Callable[[int], None],
        in_flight: int = 100,
    ) -> None:
        self._address, self._id, self._login = address, device_id, login
        self._dialect = dialect
        self._tell_receipt, self._tell_acknowledged = on_receipt, on_acknowledged
        self._in_flight = in_flight
        self._client: mqtt.Client | None = None
        self._refusal: str | None = None
        self._connected = self._subscribed = self._session_present = False

    def open(self, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Connect and subscribe to receipts; return whether the broker kept our session.

        Raises
        ------
        PermissionError
            If the broker does not let this device in, or not hear its receipts.
        OSError
            If there is no broker, or it does not answer.
        """
        protocol = self._dialect.protocol  # others may find out meanwhile that it is the wrong one
        client = self._client = self._make_client(protocol)
        self._refusal = None
        self._connected = self._subscribed = self._session_present = False
        options: dict[str, Any] = {"keepalive": KEEPALIVE_S}
        if protocol == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            options |= {"clean_start": False, "properties": properties}
        client.connect(self._address.host, self._address.port, **options)
        deadline = time.monotonic() + ANSWER_S
        while not self._subscribed and self._refusal is None:
            is_late = time.monotonic() > deadline or not is_wanted()
            if is_late or client.loop(timeout=POLL_S) != mqtt.MQTT_ERR_SUCCESS:
                break
        if not self._subscribed:
            self.close()
            return self._not_let_in(protocol, is_wanted)
        self._dialect.is_settled = True
        return self._session_present

    def publish(self, topic: str, payload: bytes) -> int:
        """Send with QoS 1; return the number by which the broker's acknowledgement is known."""
        if self._client is None:
            raise ConnectionError("not connected")
        return self._client.publish(topic, payload, qos=1).mid

    def loop(self, timeout_s: float = POLL_S) -> bool:
        """Read and write what there is; return whether the connection stands."""
        client = self._client
        if client is None or client.loop(timeout=timeout_s) != mqtt.MQTT_ERR_SUCCESS:
            return False
        return self._connected

    def close(self) -> None:
        """Say good-bye, if anybody listens."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop(timeout=POLL_S)

    def _not_let_in(self, protocol: Any, is_wanted: Callable[[], bool]) -> bool:
        """Why, and whether the older protocol may help."""
        refusal, dialect = self._refusal, self._dialect
        has_worked = dialect.is_settled and dialect.protocol == protocol
        may_be_protocol = protocol == mqtt.MQTTv5 and not has_worked
        if refusal in CREDENTIALS_REFUSED or (refusal and not may_be_protocol):
            raise PermissionError(f"the broker refused {self._id}: {refusal}")
        if may_be_protocol and not self._connected and is_wanted():
            dialect.protocol = mqtt.MQTTv311
            return self.open(is_wanted)
        raise ConnectionError(refusal or f"the broker does not answer {self._id}")

    def _make_client(self, protocol: Any) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._id,
            protocol=protocol,
            clean_session=None if protocol == mqtt.MQTTv5 else False,
            reconnect_on_failure=False,
        )
        if self._login is not None:
            client.username_pw_set(*self._login)
        if self._address.tls:
            client.tls_set()
        client.connect_timeout = ANSWER_S
        client.max_inflight_messages_set(self._in_flight)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._tell_receipt(
            bytes(message.payload)
        )
        client.on_publish = lambda _client, _data, mid, _reason, _more: self._tell_acknowledged(mid)
        return client

    def _on_connect(
        self, client: mqtt.Client, _data: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        self._connected, self._session_present = True, bool(flags.session_present)
        client.subscribe(f"dala/v1/{self._id}/receipt", qos=1)

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = f"may not subscribe to dala/v1/{self._id}/receipt"
        else:
            self._subscribed = True

    def _on_disconnect(self, *_: Any) -> None:
        self._connected = False
