"""The protocol at the socket: malformed packets, another version, silence."""

import queue
import socket
import time
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest

from tests.embedded.broker.clients import log_of

# Of probe-1: MQTT 3.1.1, a clean session with user name and password, keep alive 60 s.
CONNECT = bytes.fromhex("1020 0004 4d515454 04 c2 003c") + (
    b"\x00\x07probe-1\x00\x07probe-1\x00\x02t0"
)


@pytest.mark.parametrize(
    "packet",
    [
        "32 07 0003 612f2b 0001",  # a wildcard in the topic of a message
        "32 07 0003 240062 0001",  # a topic that begins with $
        "32 05 0003 610062",  # no packet id
        "32 04 00ff 6161",  # a topic longer than the packet
        "36 05 0001 61 0001",  # QoS 3
        "32 05 0001 61 0000",  # packet id 0
        "82 03 000100",  # a subscription without a filter
        "f0 00",  # a packet type that does not exist
        "20 02 0000",  # what only a broker may say
        "32 ff ff ff ff 7f",  # a length of five bytes
        "82 ff ff ff 7f",  # a subscription of 256 MB
        "10 0c 0004 4d515454 04 02 003c 0000",  # a second CONNECT
    ],
)
def test_a_malformed_packet_ends_its_own_connection_only(servers, client, packet):
    url = urlsplit(servers.mqtt_url)
    other = client("probe-2", "t1")
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        raw.sendall(CONNECT)
        assert raw.recv(4) == bytes.fromhex("20020000")

        raw.sendall(bytes.fromhex(packet))

        assert _read_to_the_end(raw) == b""
    other.publish("dala/v1/probe-2/senml", b"goes on")
    assert other.paho.is_connected()


def _read_to_the_end(raw):
    try:
        return raw.recv(100)
    except ConnectionResetError:
        return b""


def test_a_client_of_mqtt_5_hears_that_it_should_speak_3_1_1(servers):
    url = urlsplit(servers.mqtt_url)
    codes = queue.Queue()
    paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    paho.username_pw_set(url.username, url.password)
    paho.on_connect = lambda *args: codes.put(str(args[3]))
    paho.connect(url.hostname, url.port)
    paho.loop_start()

    assert codes.get(timeout=10) == "Unsupported protocol version"
    paho.disconnect()
    paho.loop_stop()


def test_a_client_that_falls_silent_is_let_go(servers):
    url = urlsplit(servers.mqtt_url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        raw.sendall(CONNECT[:10] + b"\x00\x01" + CONNECT[12:])  # keep alive: one second
        assert raw.recv(4) == bytes.fromhex("20020000")
        began = time.monotonic()

        assert _read_to_the_end(raw) == b""

    assert 1.0 < time.monotonic() - began < 5.0
    assert "silent for too long" in log_of(servers)
