"""Simulated devices at work: each publishes its messages and keeps them until the receipt.

They stand on the other side of the broker, so they speak MQTT themselves and share no code with
``ingest`` but its address and client settings.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.subscriber import BrokerAddress
from seeds.messages import Outgoing, Sender, numbered

WINDOW = 200  # messages under way before a device waits for receipts
AT_ONCE = 6  # devices that publish at the same time
PATIENCE_S = 60.0  # without a receipt
RETRY_S = 3.0  # before what was not receipted is sent again


class NoReceipt(TimeoutError):
    """Messages were published, but nobody said that they are stored."""


class Login(NamedTuple):
    """How a device shows who it is."""

    user: str
    password: str


class Delivered(NamedTuple):
    """What the receipts of a device add up to."""

    messages: int
    stored: int
    duplicate: int
    rejected: dict[str, int]


class SimulatedDevice:
    """One device on one connection."""

    def __init__(self, address: BrokerAddress, device_id: str, login: Login, *, boot: int = 1):
        self._address, self._id, self._login, self._boot = address, device_id, login, boot
        self._news = threading.Condition()
        self._contiguous = 0
        self._sums = {"stored": 0, "duplicate": 0}
        self._rejected: dict[str, int] = {}
        self._refusal: str | None = None
        self._subscribed = False

    def deliver(
        self,
        messages: Sequence[Outgoing],
        *,
        first_seq: int = 1,
        on_receipt: Callable[[int], None] = lambda _count: None,
        patience_s: float = PATIENCE_S,
    ) -> Delivered:
        """Publish and wait until every message is receipted.

        Raises
        ------
        PermissionError
            If the broker refuses the device.
        NoReceipt
            If no receipt comes for ``patience_s``.
        """
        client = self._connect()
        try:
            self._until_receipted(client, messages, first_seq, on_receipt, patience_s)
        finally:
            client.disconnect()
            client.loop_stop()
        return Delivered(len(messages), **self._sums, rejected=self._rejected)

    def _until_receipted(
        self,
        client: mqtt.Client,
        messages: Sequence[Outgoing],
        first_seq: int,
        on_receipt: Callable[[int], None],
        patience_s: float,
    ) -> None:
        """Publish up to a window ahead of the receipts; go back to the last one when they stop.

        A broker's acknowledgement says nothing: a message that reached it before anybody had
        subscribed is gone, and only the missing receipt tells.
        """
        last = first_seq + len(messages) - 1
        sent = told = first_seq - 1
        heard_at, retry_s = time.monotonic(), RETRY_S
        while told < last:
            while sent < min(last, told + WINDOW):
                sent += 1
                message = messages[sent - first_seq]
                payload = numbered(message, self._id, self._boot, sent)
                client.publish(f"dala/v1/{self._id}/{message.kind}", payload, qos=1)
            reached = min(self._wait_beyond(told, retry_s), last)
            if reached > told:
                on_receipt(reached - told)
                told, heard_at, retry_s = reached, time.monotonic(), RETRY_S
            elif time.monotonic() - heard_at > patience_s:
                raise NoReceipt(
                    f"{self._id} published {sent} messages and had a receipt up to {told}, then "
                    f"none for {patience_s:.0f} s. Is `dala ingest` running on this broker?"
                )
            else:
                sent, retry_s = told, min(2 * retry_s, 20.0)

    def _wait_beyond(self, seq: int, patience_s: float) -> int:
        """The highest contiguous receipt, waiting for one beyond ``seq``."""
        with self._news:
            self._news.wait_for(lambda: self._contiguous > seq, timeout=patience_s)
            return self._contiguous

    def _connect(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._id,
            protocol=mqtt.MQTTv311,
            clean_session=False,
        )
        client.username_pw_set(*self._login)
        client.max_inflight_messages_set(100)
        if self._address.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_receipt
        client.connect(self._address.host, self._address.port, keepalive=60)
        client.loop_start()
        with self._news:
            ready = self._news.wait_for(lambda: self._subscribed or self._refusal, timeout=20)
        if not ready or self._refusal:
            client.loop_stop()
            raise PermissionError(
                f"the broker refused {self._id}: {self._refusal or 'no answer for 20 s'}"
            )
        return client

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            with self._news:
                self._refusal = str(reason)
                self._news.notify_all()
            return
        client.subscribe(f"dala/v1/{self._id}/receipt", qos=1)

    def _on_subscribe(self, *_: Any) -> None:
        with self._news:
            self._subscribed = True
            self._news.notify_all()

    def _on_receipt(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        if receipt["boot"] != self._boot:
            return
        with self._news:
            self._contiguous = max(self._contiguous, receipt["seq"])
            for name in self._sums:
                self._sums[name] += receipt[name]
            for reason, count in receipt["rejected"].items():
                self._rejected[reason] = self._rejected.get(reason, 0) + count
            self._news.notify_all()


def deliver_all(
    address: BrokerAddress,
    senders: Sequence[Sender],
    logins: Callable[[str], Login],
    *,
    on_receipt: Callable[[int], None],
    boot: int = 1,
    patience_s: float = PATIENCE_S,
) -> list[Delivered]:
    """Let many devices deliver, a few at a time."""

    def one(sender: Sender) -> Delivered:
        device = SimulatedDevice(address, sender.device_id, logins(sender.device_id), boot=boot)
        return device.deliver(sender.messages, on_receipt=on_receipt, patience_s=patience_s)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, senders))
