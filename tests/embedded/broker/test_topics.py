"""Who is heard, and who hears, on which topics."""

import pytest

from tests.embedded.broker.clients import log_of


def test_a_device_is_heard_on_its_own_topics_only(servers, client, ingest):
    listener, device = ingest(), client("probe-1", "t0")
    listener.subscribe("#")
    for topic in (
        "dala/v1/probe-2/senml",
        "dala/v1/probe-1/receipt",
        "dala/v1/probe-1/senml/x",
        "application/1/device/2/event/up",
        "anything",
        "dala/v1/probe-1/senml",
        "dala/v1/probe-1/track",
    ):
        device.publish(topic, b"x")

    assert [m.topic for m in listener.receive(2)] == [
        "dala/v1/probe-1/senml",
        "dala/v1/probe-1/track",
    ]
    assert listener.messages.empty()
    assert "dropped a message of 'probe-1': may not publish on 'anything'" in log_of(servers)


@pytest.mark.parametrize(
    "topic_filter", ["#", "+/v1/probe-1/receipt", "dala/v1/probe-2/receipt", "$SYS/#", "dala/#"]
)
def test_a_device_may_not_listen_to_others(client, topic_filter):
    device = client("probe-1", "t0")

    assert device.subscribe(topic_filter)


def test_a_device_hears_its_receipts_and_ingest_publishes_nothing_else(client, ingest):
    service, device = ingest(), client("probe-1", "t0")
    assert not device.subscribe("dala/v1/probe-1/receipt")
    service.subscribe("#")

    service.publish("dala/v1/probe-1/senml", b"not mine to say")
    service.publish("dala/v1/probe-1/receipt", b"stored")

    assert [m.payload for m in device.receive(1)] == [b"stored"]
    assert [m.payload for m in service.receive(1)] == [b"stored"]


def test_a_network_server_may_speak_for_its_devices(client, ingest):
    listener, gateway = ingest(), client("gateway", "t2")
    listener.subscribe("#")

    gateway.publish("application/1/device/2/event/up", b"chirpstack")
    gateway.publish("v3/app@tenant/devices/2/up", b"ttn")

    assert [m.payload for m in listener.receive(2)] == [b"chirpstack", b"ttn"]


def test_a_sparkplug_node_hears_the_commands_of_the_service(client, ingest):
    service, node = ingest(), client("gateway", "t2")
    service.subscribe("spBv1.0/#")
    assert not node.subscribe("spBv1.0/Farm 1/NCMD/pump/#")

    node.publish("spBv1.0/Farm 1/NDATA/pump", b"by number")
    (heard,) = service.receive(1)
    service.publish("spBv1.0/Farm 1/NCMD/pump", b"be born again")

    assert heard.payload == b"by number"
    assert [m.payload for m in node.receive(1)] == [b"be born again"]
