"""Paho's client, without its costliest habits on the way of a message and of a receipt."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTErrorCode

READ_BYTES = 64 * 1024
PUBLISH_QOS_1, PUBLISH_MASK, DUP = 0x32, 0xF6, 0x08  # whatever DUP and RETAIN are
SMALLEST_PUBLISH = 9  # bytes: two of head, a topic of one, a number, and what could follow
LARGEST_AHEAD = 0x3FFF  # bytes that two digits of a length can tell


class Client(mqtt.Client):
    """Paho without its costliest habits: three system calls and a hundred objects a message.

    The members overridden here are not promised by paho; tests/ingest/test_connection.py says
    when a new version has changed them.
    """

    _ahead = b""
    _at = 0
    ran_dry = False
    _gathered: bytearray | None = None
    take: Callable[[int, str, bytes], None]
    take_again: Callable[[int, str, bytes], None]
    confirmed: Callable[[int], None]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._told: set[int] = set()  # what we published that the broker has not confirmed

    def read_packet(self) -> bool:
        """Read a packet; False when there is none, or none any more."""
        self.ran_dry = False
        if self._in_packet["command"] == 0 and self._take_ahead():
            return True
        result = self._packet_read()
        if result > 0:
            self._loop_rc_handle(result)
            return False
        return not self.ran_dry and self._sock is not None

    def _take_ahead(self) -> bool:
        """Hand on the next packet, if it is the usual message and all of it has been read.

        That is a PUBLISH with QoS 1, a topic and no properties, below 16 KiB (MQTT 5 section 3.3).
        Whatever else is there, or not all there, is left to paho.
        """
        ahead, at = self._ahead, self._at
        if len(ahead) - at < SMALLEST_PUBLISH or ahead[at] & PUBLISH_MASK != PUBLISH_QOS_1:
            return False
        size, start = ahead[at + 1], at + 2
        if size > 127:
            size, start = size & 127 | ahead[start] << 7, start + 1
        end = start + size
        topic = start + 2
        number = topic + (ahead[start] << 8 | ahead[start + 1])
        body = number + (3 if self._protocol == mqtt.MQTTv5 else 2)
        if size > LARGEST_AHEAD or end > len(ahead) or body > end or number == topic:
            return False
        mid = ahead[number] << 8 | ahead[number + 1]
        if mid == 0 or (self._protocol == mqtt.MQTTv5 and ahead[body - 1]):
            return False
        self._at = end
        take = self.take_again if ahead[at] & DUP else self.take
        take(mid, _text(ahead[topic:number]), ahead[body:end])
        return True

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages in one piece: a system call for all, not one for each."""
        packets = b"".join(struct.pack("!BBH", mqtt.PUBACK, 2, mid) for mid in mids)
        self._packet_queue(mqtt.PUBACK, packets, 0, 1)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Let what is published meanwhile leave in one piece."""
        self._gathered = bytearray()
        try:
            yield
        finally:
            packets, self._gathered = self._gathered, None
            if packets:
                self._packet_queue(mqtt.PUBLISH, packets, 0, 1)

    def tell(self, topic: bytes, payload: bytes, *, retain: bool = False) -> int | None:
        """Publish at QoS 1; the broker's confirmation goes to ``confirmed``.

        Paho keeps every message to send it again on its next connection. Here the next connection
        is another client, and what was not confirmed is made anew.
        """
        if self._sock is None:
            return None
        mid = self._mid_generate()
        self._told.add(mid)
        properties = b"\x00" if self._protocol == mqtt.MQTTv5 else b""
        size = 4 + len(topic) + len(properties) + len(payload)
        head = (b"\x33" if retain else b"\x32") + _length(size) + len(topic).to_bytes(2)
        packet = b"".join((head, topic, mid.to_bytes(2), properties, payload))
        if self._gathered is None:
            self._packet_queue(mqtt.PUBLISH, packet, 0, 1)
        else:
            self._gathered += packet
        return mid

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        """Whatever the broker says of a message, it has taken or given up what we told."""
        packet = self._in_packet["packet"]
        mid = int.from_bytes(packet[:2])
        if cmd != "PUBACK" or len(packet) < 2 or mid not in self._told:
            return super()._handle_pubackcomp(cmd)
        self._told.remove(mid)
        self.confirmed(mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _sock_send(self, buf: bytes | bytearray) -> int:
        if self._gathered is None or self._sock is None:
            return super()._sock_send(buf)
        self._gathered += buf
        return len(buf)

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at == len(self._ahead):
            try:
                self._ahead, self._at = super()._sock_recv(READ_BYTES), 0
                self._last_bytes_received = time.monotonic()  # for the keep-alive
            except BlockingIOError:
                self.ran_dry = True
                raise
        piece = self._ahead[self._at : self._at + bufsize]
        self._at += len(piece)
        return piece

    def _handle_publish(self) -> MQTTErrorCode:
        """Most messages have no properties, just their length, 0, in front of the payload."""
        if self._protocol == mqtt.MQTTv5:
            arrived = self._in_packet
            found = _packet.decode_publish(arrived["command"], arrived["packet"], mqtt.MQTTv311)
            if found.qos == 1 and found.payload[:1] == b"\x00":
                take = self.take_again if found.dup else self.take
                take(found.mid, _text(found.topic), bytes(found.payload[1:]))
                return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super()._handle_publish()

    def _handle_on_message(self, message: mqtt.MQTTMessage) -> None:
        take = self.take_again if message.dup else self.take
        take(message.mid, _text(message._topic), bytes(message.payload))


def _length(size: int) -> bytes:
    """The length of a packet, seven bits a byte, the lowest first (MQTT 5 section 1.5.5)."""
    made = bytearray()
    while size > 127:
        made.append(size & 127 | 128)
        size >>= 7
    made.append(size)
    return bytes(made)


def _text(topic: bytes) -> str:
    # No broker should let another encoding pass; if one does, the message is kept with a reason.
    return topic.decode(errors="replace")
