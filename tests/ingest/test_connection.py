"""What the connection takes from paho, and what a broker may say that Mosquitto here does not."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest.client import Client
from ingest.connection import BrokerRefused, Connection, Handlers, NoGreeting
from ingest.settings import BrokerAddress

Script = list[bytes]
GREETING = b"\x20\x03\x00\x00\x00"  # CONNACK: no session, success, no properties
TAKEN = b"\x90\x04\x00\x01\x00\x01"  # SUBACK of message 1: no properties, QoS 1


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], BrokerAddress]]:
    """A broker that answers each packet of the client with the next bytes of a script."""
    listeners: list[socket.socket] = []

    def start(script: Script) -> BrokerAddress:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def play() -> None:
            client, _ = listener.accept()
            with client:
                for answer in script:
                    if not client.recv(65_536):
                        return
                    client.sendall(answer)
                while client.recv(65_536):
                    pass

        threading.Thread(target=play, daemon=True).start()
        return BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)

    yield start
    for listener in listeners:
        listener.close()


class Heard:
    """What a connection hands on."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str, bytes]] = []
        self.confirmed: list[int] = []

    @property
    def handlers(self) -> Handlers:
        return Handlers(lambda *message: self.messages.append(message), self.confirmed.append)


def connection(address: BrokerAddress, heard: Heard, *, mqtt5: bool = True) -> Connection:
    made = Connection(address, "us", heard.handlers, mqtt5=mqtt5, receive_maximum=10)
    made.open()
    return made


def until(holds: Callable[[], object], made: Connection) -> None:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        made.serve(0.05)
    assert holds()


def publish(body: bytes, *, qos: int = 1, properties: bytes = b"\x00") -> bytes:
    """A PUBLISH of topic `t` in MQTT 5; message 7 where the QoS numbers it."""
    rest = b"\x00\x01t" + (b"\x00\x07" if qos else b"") + properties + body
    return bytes([0x30 | qos << 1, len(rest)]) + rest


def test_every_member_of_paho_that_is_overridden_is_still_there() -> None:
    # Were one renamed, messages would silently take paho's own way: slower, and not ours.
    for name in (
        "_sock_recv",
        "_sock_send",
        "_handle_publish",
        "_handle_on_message",
        "_handle_pubackcomp",
    ):
        assert callable(getattr(mqtt.Client, name))
    for name in ("_packet_read", "_loop_rc_handle", "_packet_queue"):
        assert callable(getattr(mqtt.Client, name))


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (publish(b"plain"), (7, "t", b"plain")),
        (publish(b""), (7, "t", b"")),
        (publish(b"\x00zero"), (7, "t", b"\x00zero")),
        (publish(b"undated", properties=b"\x02\x01\x01"), (7, "t", b"undated")),  # format: text
        (publish(b"lost if lost", qos=0), (0, "t", b"lost if lost")),
        (b"\x32\x09\x00\x02\xff\xfe\x00\x07\x00\x68\x69", (7, "\ufffd\ufffd", b"hi")),
    ],
    ids=["plain", "empty", "zero", "with properties", "QoS 0", "topic is no UTF-8"],
)
def test_a_message_is_handed_on_as_it_was_published(
    scripted: Callable[[Script], BrokerAddress], packet: bytes, expected: tuple[int, str, bytes]
) -> None:
    heard = Heard()
    made = connection(scripted([GREETING, TAKEN + packet]), heard)
    made.subscribe(["t"])

    until(lambda: heard.messages, made)

    assert heard.messages == [expected]
    assert all(
        type(one) is type(other) for one, other in zip(expected, heard.messages[0], strict=True)
    )
    made.abandon()


def test_a_message_cut_in_pieces_by_the_network_is_put_together() -> None:
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        packet = publish(b"x" * 100)

        def play() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                for byte in GREETING + packet + packet:
                    client.sendall(bytes([byte]))
                    time.sleep(0.001)
                client.recv(65_536)

        threading.Thread(target=play, daemon=True).start()
        address = BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)
        made = connection(address, heard)
        until(lambda: len(heard.messages) == 2, made)

    assert heard.messages == [(7, "t", b"x" * 100)] * 2
    made.abandon()


def test_acknowledgements_leave_in_order_and_none_for_qos_0() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)
        received = bytearray()

        def play() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                client.sendall(GREETING)
                while data := client.recv(65_536):
                    received.extend(data)

        threading.Thread(target=play, daemon=True).start()
        made = connection(address, Heard())
        assert made.acknowledge([3, 0, 65_535, 1]) == 3
        made.close()
        until(lambda: received.endswith(b"\xe0\x00"), made)

    # PUBACK, length 2, message number; then DISCONNECT.
    assert received == b"\x40\x02\x00\x03\x40\x02\xff\xff\x40\x02\x00\x01\xe0\x00"


def test_what_is_gathered_leaves_in_order_before_what_follows() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)
        received = bytearray()

        def play() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                client.sendall(GREETING)
                while data := client.recv(65_536):
                    received.extend(data)

        threading.Thread(target=play, daemon=True).start()
        heard = Heard()
        made = connection(address, heard)
        with made.gathering():
            assert made.publish("t", "a", qos=1) == 1
            assert made.publish("t", "b", qos=1) == 2
        made.acknowledge([9])
        made.close()
        until(lambda: received.endswith(b"\xe0\x00"), made)

    # PUBLISH with QoS 1: topic t, message number, no properties, payload; then PUBACK, DISCONNECT.
    first, second = (b"\x32\x07\x00\x01t\x00%c\x00%c" % pair for pair in ((1, b"a"), (2, b"b")))
    assert received == first + second + b"\x40\x02\x00\x09\xe0\x00"


@pytest.mark.parametrize(
    ("size", "length"),
    # Four bytes for the topic and its length, two of the message number and one of no properties.
    [(120, b"\x7f"), (121, b"\x80\x01"), (16_376, b"\xff\x7f"), (16_377, b"\x80\x80\x01")],
)
def test_a_long_message_tells_its_length_in_as_many_bytes_as_it_needs(
    size: int, length: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)
        received = bytearray()

        def play() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                client.sendall(GREETING)
                while data := client.recv(65_536):
                    received.extend(data)

        threading.Thread(target=play, daemon=True).start()
        made = connection(address, Heard())
        assert made.publish("т", b"x" * size, qos=1, retain=True) == 1
        made.close()
        until(lambda: received.endswith(b"\xe0\x00"), made)

    head = b"\x33" + length + b"\x00\x02" + "т".encode() + b"\x00\x01\x00"
    assert received == head + b"x" * size + b"\xe0\x00"


def test_each_message_of_ours_is_confirmed_once_whatever_the_broker_says_of_it(
    scripted: Callable[[Script], BrokerAddress],
) -> None:
    # PUBACK of 1; of 2 with "no matching subscribers" and no properties; of 1 again; of 3, unknown.
    answers = b"\x40\x02\x00\x01\x40\x04\x00\x02\x10\x00\x40\x02\x00\x01\x40\x02\x00\x03"
    heard = Heard()
    made = connection(scripted([GREETING, answers, b"\xd0\x00"]), heard)
    with made.gathering():
        made.publish("t", "a", qos=1)
        made.publish("t", "b", qos=1)

    until(lambda: len(heard.confirmed) >= 2, made)

    assert heard.confirmed == [1, 2]
    assert made.serve(0.05)


def test_a_broker_that_allows_few_messages_under_way_is_heeded(
    scripted: Callable[[Script], BrokerAddress],
) -> None:
    greeting = b"\x20\x06\x00\x00\x03\x21\x00\x05"  # receive maximum 5

    assert connection(scripted([greeting]), Heard()).most_in_flight == 5


def test_a_broker_without_shared_subscriptions_says_so(
    scripted: Callable[[Script], BrokerAddress],
) -> None:
    greeting = b"\x20\x05\x00\x00\x02\x2a\x00"  # shared subscription available: no

    assert not connection(scripted([greeting]), Heard()).shares
    assert connection(scripted([GREETING]), Heard()).shares
    assert not connection(scripted([b"\x20\x02\x00\x00"]), Heard(), mqtt5=False).shares


def test_a_session_that_another_takes_over_is_known_for_that(
    scripted: Callable[[Script], BrokerAddress],
) -> None:
    made = connection(scripted([GREETING, TAKEN + b"\xe0\x02\x8e\x00"]), Heard())
    made.subscribe(["t"])

    until(lambda: not made.is_open, made)

    assert made.was_taken_over


@pytest.mark.parametrize(
    ("answer", "error", "too_old"),
    [
        (b"\x20\x02\x00\x01", NoGreeting, True),  # 3.1.1: unacceptable protocol version
        (b"\x20\x03\x00\x84\x00", NoGreeting, True),  # 5: unsupported protocol version
        (b"\x20\x03\x00\x89\x00", NoGreeting, False),  # busy: not its age
        (b"\x20\x03\x00\x86\x00", BrokerRefused, None),  # bad user name or password
        (b"\x20\x03\x00\x87\x00", BrokerRefused, None),  # not authorized
    ],
)
def test_why_a_broker_refuses_decides_what_is_tried_next(
    scripted: Callable[[Script], BrokerAddress],
    answer: bytes,
    error: type[Exception],
    too_old: bool | None,
) -> None:
    with pytest.raises(error) as caught:
        connection(scripted([answer]), Heard())

    assert getattr(caught.value, "too_old", None) is too_old


def test_a_broker_that_hangs_up_on_the_greeting_says_nothing_of_its_age() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = BrokerAddress("127.0.0.1", listener.getsockname()[1], None, None, tls=False)

        def hang_up() -> None:
            listener.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(NoGreeting) as caught:
            connection(address, Heard())

    assert caught.value.too_old is None


def test_topics_that_are_refused_are_told_and_all_of_them_is_the_end(
    scripted: Callable[[Script], BrokerAddress],
) -> None:
    partly = connection(scripted([GREETING, b"\x90\x05\x00\x01\x00\x01\x87"]), Heard())
    assert partly.subscribe(["yes", "no"]) == ["no"]

    with pytest.raises(BrokerRefused, match="lets us in but not subscribe to no, never"):
        connection(scripted([GREETING, b"\x90\x05\x00\x01\x00\x87\x87"]), Heard()).subscribe(
            ["no", "never"]
        )


def test_a_line_on_which_nothing_comes_is_kept_up(
    scripted: Callable[[Script], BrokerAddress], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pings go out of paho's `loop_misc`; without them a broker ends a quiet line after 90 s.
    made = connection(scripted([GREETING]), Heard())
    looked_after: list[int] = []
    monkeypatch.setattr(made._client, "loop_misc", lambda: looked_after.append(1))

    made.serve(0.01)  # reads to the end of what is there
    looked_after.clear()
    made.serve(0.01)

    assert looked_after
    made.abandon()


# Messages of every kind that a broker may send, and what becomes of each: usual ones, repeated and
# retained ones, QoS 0, with properties, without payload, with lengths of one to three bytes.
LONG, LONGER = b"x" * 200, b"y" * 20_000


def framed(head: int, rest: bytes) -> bytes:
    size, length = len(rest), bytearray()
    while size > 127:
        length.append(size % 128 + 128)
        size //= 128
    return bytes([head, *length, size]) + rest


def mixed(properties: bytes) -> tuple[bytes, list[tuple[int, str, bytes]]]:
    """A stream of messages, and what is heard of it; ``properties`` is how none are written."""
    topic, none = b"\x00\x03a/b", properties
    stream = [
        framed(0x32, topic + b"\x00\x07" + none + b"usual"),
        framed(0x30, topic + none + b"QoS 0"),
        framed(0x3A, topic + b"\x01\x00" + none + b"again"),
        framed(0x33, topic + b"\xff\xff" + none + LONG),
        framed(0x32, b"\x00\x01\xff" + b"\x00\x09" + none),
        framed(0x32, topic + b"\x00\x0a" + none + LONGER),
        framed(0x32, topic + b"\x00\x0b" + none + b"\x00nul"),
    ]
    heard = [
        (7, "a/b", b"usual"), (0, "a/b", b"QoS 0"), (256, "a/b", b"again"), (65_535, "a/b", LONG),
        (9, "\ufffd", b""), (10, "a/b", LONGER), (11, "a/b", b"\x00nul"),
    ]  # fmt: skip
    if none:
        stream.insert(1, framed(0x32, topic + b"\x00\x08\x02\x01\x01" + b"with properties"))
        heard.insert(1, (8, "a/b", b"with properties"))
    return b"".join(stream), heard


@pytest.mark.parametrize("properties", [b"\x00", b""], ids=["MQTT 5", "MQTT 3.1.1"])
@given(cuts=st.lists(st.integers(0, 600), max_size=12))
def test_messages_arrive_whole_wherever_the_network_cuts_them(
    properties: bytes, cuts: list[int]
) -> None:
    protocol = mqtt.MQTTv5 if properties else mqtt.MQTTv311
    client = Client(CallbackAPIVersion.VERSION2, protocol=protocol, manual_ack=True)
    heard: list[tuple[int, str, bytes]] = []
    client.take = client.take_again = lambda *message: heard.append(message)
    stream, expected = mixed(properties)
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        client._sock = ours
        for begin, end in zip([0, *ends], ends, strict=False):
            theirs.sendall(stream[begin:end])
            while client.read_packet() or not client.ran_dry:
                pass
        client._sock = None

    assert heard == expected
