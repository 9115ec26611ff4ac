"""What was sent arrives once it may: in order, after a kill, to its own receiver, in bounds."""

import threading
import time

from tests.embedded.broker.clients import log_of


def test_what_was_not_acknowledged_comes_again_in_order_after_the_subscriber_is_killed(
    client, ingest
):
    device = client("probe-1", "t0")
    killed = ingest(client_id="worker", keep=True, manual=True)
    killed.subscribe("dala/v1/+/senml")
    for number in range(300):
        device.publish("dala/v1/probe-1/senml", str(number))
    for message in killed.receive(300)[:100]:
        killed.paho.ack(message.mid, message.qos)
    killed.paho.subscribe("dala/v1/+/track", 1)  # its answer says that the acks were read
    killed.answers.get(timeout=10)
    killed.lose_connection()
    for number in range(300, 400):  # while nobody listens
        device.publish("dala/v1/probe-1/senml", str(number))

    again = ingest(client_id="worker", keep=True)

    received = again.receive(300)
    assert again.flags.session_present
    assert [int(m.payload) for m in received] == list(range(100, 400))
    assert [m.dup for m in received] == [True] * 200 + [False] * 100


def test_a_wrong_password_cannot_take_what_waits_for_another(client, ingest):
    service = ingest(client_id="patient", keep=True)
    service.subscribe("dala/v1/probe-2/senml")
    service.lose_connection()
    client("probe-2", "t1").publish("dala/v1/probe-2/senml", b"waiting")

    intruder = client("dala-ingest", "guessed", client_id="patient")  # a clean session

    assert intruder.code.is_failure
    again = ingest(client_id="patient", keep=True)
    assert [m.payload for m in again.receive(1)] == [b"waiting"]


def test_a_second_connection_of_a_client_takes_over(client):
    first = client("probe-1", "t0")
    ended = threading.Event()
    first.paho.on_disconnect = lambda *_: ended.set()

    second = client("probe-1", "t0")

    assert not second.code.is_failure
    assert ended.wait(5)


def test_messages_are_not_retained(client, ingest):
    client("probe-1", "t0").publish("dala/v1/probe-1/senml", b"old", retain=True)
    late = ingest()
    late.subscribe("dala/v1/probe-1/senml")

    client("probe-2", "t1")  # some later event
    time.sleep(0.2)

    assert late.messages.empty()


def test_a_message_that_is_too_large_is_dropped_with_its_reason_and_the_line_goes_on(
    servers, client, ingest
):
    listener, device = ingest(), client("probe-1", "t0")
    listener.subscribe("#")

    device.publish("dala/v1/probe-1/senml", bytes(5_000_000))
    device.publish("dala/v1/probe-1/senml", bytes(2_000_000))

    assert [len(m.payload) for m in listener.receive(1)] == [2_000_000]
    assert "dropped a message of 50000" in log_of(servers)
    assert "on 'dala/v1/probe-1/senml' from 'probe-1'" in log_of(servers)
