"""One client's conversation with the embedded broker.

amqtt (0.12) reads and writes the packets; how messages are handed on is ours, because amqtt
forgets a QoS 1 message that is not acknowledged within five seconds, or when its subscriber
disconnects; starts several tasks a message; has no bound on what it queues; loses its place in the
stream after a malformed packet; and never ends a connection that fell silent.

Here a message stays in its subscriber's :class:`Outbox` until it is acknowledged, whatever happens
to the connection. The publisher hears PUBACK only when the message is in every outbox.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from typing import Any, NamedTuple, Protocol, TypeAlias

from amqtt.adapters import BufferReader, StreamReaderAdapter
from amqtt.errors import MQTTError, NoDataError
from amqtt.mqtt import packet as types
from amqtt.mqtt import packet_class
from amqtt.mqtt.packet import MQTTFixedHeader, MQTTPacket
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket
from amqtt.session import Session

OUTBOX = "dala.outbox"  # key in amqtt's Session.attributes
LARGEST_PACKET_ID = 65535
OVERHEAD_BYTES = 500  # a queued message beside its payload
LARGEST_HEADER = 2 + 65535 + 2  # bytes: a topic with its length, a packet id

Packet: TypeAlias = MQTTPacket[Any, Any, Any]

logger = logging.getLogger("dala.broker")


class Limits(NamedTuple):
    """What keeps the broker's memory bounded."""

    message_bytes: int = 4 * 2**20  # larger ones are read past, acknowledged, logged and dropped
    connections: int = 2000
    connect_s: float = 10.0  # from a connection's beginning to its CONNECT
    window_messages: int = 10_000  # sent to one subscriber and not yet acknowledged
    window_bytes: int = 16 * 2**20
    service_bytes: int = 64 * 2**20  # queued for ingest; then publishers wait for their PUBACK
    device_messages: int = 1000  # queued for a device; then its oldest receipt is dropped


class Delivery(NamedTuple):
    """A message on its way to one subscriber."""

    topic: str
    data: bytes
    qos: int

    @property
    def cost(self) -> int:
        """Bytes of memory it takes, about."""
        return len(self.data) + OVERHEAD_BYTES


class Outbox:
    """What one session has not acknowledged yet; it outlives connections."""

    def __init__(self) -> None:
        self.pending: deque[Delivery] = deque()
        self.inflight: OrderedDict[int, Delivery] = OrderedDict()  # by packet id, in order
        self.received: set[int] = set()  # QoS 2: packet ids taken and not yet released
        self.bytes = self.inflight_bytes = 0
        self.changed = asyncio.Event()  # set at every acknowledgement
        self._last_id = 0

    def put(self, delivery: Delivery) -> None:
        """Append a message."""
        self.pending.append(delivery)
        self.bytes += delivery.cost

    def drop_oldest(self) -> None:
        """Forget the message that has waited longest and was not sent."""
        self.bytes -= self.pending.popleft().cost

    def clear(self) -> None:
        """Forget everything: the session ended, and whoever waits for room may go on."""
        self.pending.clear()
        self.inflight.clear()
        self.bytes = self.inflight_bytes = 0
        self.changed.set()

    def take(self) -> tuple[int | None, Delivery]:
        """Move the next message in flight; one of QoS 0 is thereby done."""
        delivery = self.pending.popleft()
        if delivery.qos == 0:
            self.bytes -= delivery.cost
            return None, delivery
        while True:  # the window is smaller than the number of ids
            self._last_id = self._last_id % LARGEST_PACKET_ID + 1
            if self._last_id not in self.inflight:
                break
        self.inflight[self._last_id] = delivery
        self.inflight_bytes += delivery.cost
        return self._last_id, delivery

    def acknowledge(self, packet_id: int) -> None:
        """Forget a message that arrived; an unknown id is of an earlier life and means nothing."""
        if (delivery := self.inflight.pop(packet_id, None)) is not None:
            self.bytes -= delivery.cost
            self.inflight_bytes -= delivery.cost
            self.changed.set()


def outbox_of(session: Session) -> Outbox:
    """Return the session's outbox, made on first use."""
    outbox: Outbox | None = session.attributes.get(OUTBOX)
    if outbox is None:
        outbox = session.attributes[OUTBOX] = Outbox()
    return outbox


class Exchange(Protocol):
    """What a conversation asks of the broker."""

    async def publish(self, sender: Session, topic: str, data: bytes, qos: int) -> None:
        """Put a message in every subscriber's outbox; return when it is there."""

    async def subscribe(self, session: Session, topic_filter: str, qos: int) -> int:
        """Return the granted QoS, or 0x80 if refused."""

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """End a subscription."""


class Conversation:
    """A connected client: reads its packets in turn, and sends what is in its outbox."""

    def __init__(
        self,
        session: Session,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        exchange: Exchange,
        limits: Limits,
    ) -> None:
        self.session, self.outbox = session, outbox_of(session)
        self._reader, self._writer = streams
        self._exchange, self._limits = exchange, limits
        self._task = asyncio.current_task()
        self.ended_well = False

    async def run(self) -> None:
        """Converse until the client leaves, falls silent or breaks the protocol."""
        self._send_again()
        self.flush()
        # MQTT 3.1.1, 3.1.2.10: silent for one and a half times its own interval is gone
        patience = self.session.keep_alive * 1.5 or None
        while not self.ended_well:
            async with asyncio.timeout(patience):
                packet = await self._next_packet()
            if packet is not None:
                await self._answer(packet)
                await self._writer.drain()

    async def end(self) -> None:
        """End it at once, from another task, and wait until it has ended."""
        self._writer.transport.abort()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def send(self, packet: Packet) -> None:
        """Write a packet; the stream keeps what does not go out at once."""
        if not self._writer.is_closing():
            self._writer.write(packet.to_bytes())

    def flush(self) -> None:
        """Send from the outbox as far as the window allows."""
        outbox, limits = self.outbox, self._limits
        while (
            outbox.pending
            and len(outbox.inflight) < limits.window_messages
            and outbox.inflight_bytes < limits.window_bytes
            and not self._writer.is_closing()
        ):
            packet_id, delivery = outbox.take()
            self._send_delivery(packet_id, delivery)

    def _send_again(self) -> None:
        for packet_id, delivery in self.outbox.inflight.items():
            self._send_delivery(packet_id, delivery, again=True)

    def _send_delivery(
        self, packet_id: int | None, delivery: Delivery, *, again: bool = False
    ) -> None:
        topic, data, qos = delivery
        self.send(PublishPacket.build(topic, data, packet_id, again, qos, retain=False))

    async def _next_packet(self) -> Packet | None:
        """Read one packet whole, so that the next begins where it should; None if passed over."""
        header = await read_header(self._reader)
        if header.remaining_length <= self._limits.message_bytes + LARGEST_HEADER:
            body = await self._reader.readexactly(header.remaining_length)
            return await decode(header, body)
        if header.packet_type != types.PUBLISH:
            raise MQTTError(f"a packet of {header.remaining_length} bytes")
        await self._pass_over(header)
        return None

    async def _pass_over(self, header: MQTTFixedHeader) -> None:
        """Read past a message that is too large, keeping only its topic and id."""
        start = await self._reader.readexactly(LARGEST_HEADER)
        left = header.remaining_length - LARGEST_HEADER
        while left:
            left -= len(await self._reader.readexactly(min(left, 65536)))
        short = MQTTFixedHeader(header.packet_type, header.flags, LARGEST_HEADER)
        packet = await decode(short, start)
        assert isinstance(packet, PublishPacket)  # noqa: S101 - the caller looked
        self._log_too_large(packet, header.remaining_length)
        self._acknowledge(packet)

    def _log_too_large(self, packet: PublishPacket, length: int) -> None:
        logger.warning(
            "dropped a message of %d bytes on %.128r from %r: at most %d are taken",
            length,
            packet.topic_name,
            self.session.client_id,
            self._limits.message_bytes,
        )

    def _acknowledge(self, packet: PublishPacket) -> None:
        """Say that a message was dealt with, so that the client does not send it again."""
        if packet.packet_id is None:
            return
        answer = PubackPacket if packet.qos == 1 else PubrecPacket
        self.send(answer.build(packet.packet_id))

    async def _answer(self, packet: Packet) -> None:
        match packet:
            case PublishPacket():
                await self._take(packet)
            case PubackPacket():
                self.outbox.acknowledge(packet.packet_id)
                self.flush()
            case PubrelPacket():
                self.outbox.received.discard(packet.packet_id)
                self.send(PubcompPacket.build(packet.packet_id))
            case SubscribePacket():
                await self._subscribe(packet)
            case UnsubscribePacket():
                await self._unsubscribe(packet)
            case _ if packet.fixed_header.packet_type == types.PINGREQ:
                self.send(PingRespPacket.build())
            case _ if packet.fixed_header.packet_type == types.DISCONNECT:
                self.ended_well = True
            case _:
                raise MQTTError(f"an unexpected {type(packet).__name__}")

    async def _take(self, packet: PublishPacket) -> None:
        """Hand a message on, then acknowledge it."""
        topic, data, packet_id = packet.topic_name, packet.data or b"", packet.packet_id
        if not topic or topic.startswith("$") or any(sign in topic for sign in "+#\0"):
            raise MQTTError(f"a message on the topic {topic!r:.128}")
        if packet.qos not in (0, 1, 2) or (packet.qos and not packet_id):
            raise MQTTError(f"a message of QoS {packet.qos} with the packet id {packet_id}")
        if packet.qos != 2 or packet_id not in self.outbox.received:
            await self._exchange.publish(self.session, topic, data, packet.qos)
        if packet.qos == 2 and packet_id is not None:
            self.outbox.received.add(packet_id)
        self._acknowledge(packet)

    async def _subscribe(self, packet: SubscribePacket) -> None:
        topics = packet.payload.topics if packet.payload is not None else []
        if not topics:
            raise MQTTError("a subscription without a filter")
        granted = [await self._exchange.subscribe(self.session, *topic) for topic in topics]
        self.send(SubackPacket.build(_id_of(packet), granted))

    async def _unsubscribe(self, packet: UnsubscribePacket) -> None:
        for topic_filter in packet.payload.topics if packet.payload is not None else []:
            self._exchange.unsubscribe(self.session, topic_filter)
        self.send(UnsubackPacket.build(_id_of(packet)))


def _id_of(packet: Packet) -> int:
    return int(packet.variable_header.packet_id)


async def read_header(reader: asyncio.StreamReader) -> MQTTFixedHeader:
    """Read what begins every packet; raise NoDataError at the end of the stream."""
    header = await MQTTFixedHeader.from_stream(StreamReaderAdapter(reader))
    if header is None:
        raise NoDataError("the connection ended")
    return header


async def decode(header: MQTTFixedHeader, body: bytes) -> Packet:
    """Decode a packet's body; raise MQTTError, of whatever kind the mistake in it is."""
    try:
        kind: type[Packet] = packet_class(header)
        packet: Packet = await kind.from_stream(BufferReader(body), fixed_header=header)
    except Exception as error:
        raise MQTTError(f"a malformed packet of type {header.packet_type}: {error!r}") from error
    return packet
