"""The front door: routing, limits, and that nothing a device sends makes it fall over."""

import json
from base64 import b64encode

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import topics
from ingest.codecs import BUILT_IN, MAX_BYTES, REMEMBERED, Registry, Route, decode, nobody
from ingest.codecs import track as track_codec
from ingest.codecs.lorawan import MODELS
from ingest.decoding import describe
from ingest.messages import LATEST_TIME_US
from storage.quantities import CATALOGUE

NOW_US = 1_800_000_000_000_000
EUI = "a840411234567890"
TOPICS = (
    "dala/v1/probe-7/senml",
    "dala/v1/probe-7/track",
    f"application/a/device/{EUI}/event/up",
    f"application/a/device/{EUI}/event/status",
    "v3/farm/devices/probe-7/up",
    "v3/farm/devices/probe-7/join",
)


def check(topic, payload, profile=None):
    """Whatever came in, what goes out is well formed, and something goes out."""
    decoded = decode(topic, payload, received_at_us=NOW_US, profile=profile)
    assert "codec-failed" not in [r.reason for r in decoded.rejected]
    for reading in decoded.readings:
        assert reading.quantity in CATALOGUE
        assert type(reading.value) is float
        assert abs(reading.value) < float("inf")
        assert type(reading.time) is int
        assert 0 <= reading.time <= LATEST_TIME_US
    for rejected in decoded.rejected:
        assert rejected.reason
        assert rejected.detail
    json.dumps(describe(decoded), allow_nan=False)
    return decoded


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
NUMBER = st.integers() | st.floats() | st.booleans() | st.text(max_size=8) | st.none()
SENML_RECORD = st.fixed_dictionaries(
    {},
    optional={
        "bn": st.sampled_from(["urn:dev:dala:probe-7:", "urn:dev:dala:x:", "", "é"]) | NUMBER,
        "bt": st.floats() | st.sampled_from([0, -5, 2**28, 1.7e9]) | NUMBER,
        "bu": st.sampled_from(["Cel", "%RH", "/", "?"]) | NUMBER,
        "bv": NUMBER,
        "bs": NUMBER,
        "bver": NUMBER,
        "n": st.sampled_from(["soil_moisture/20", "valve_open:1", "boot", "seq", "x/1:2"]) | JSON,
        "u": st.sampled_from(["Cel", "K", "/100", "Pa", ""]) | NUMBER,
        "v": NUMBER | JSON,
        "vs": NUMBER,
        "vb": NUMBER,
        "vd": NUMBER,
        "s": NUMBER,
        "t": NUMBER,
        "ut": NUMBER,
        "x_": NUMBER,
    },
)
TIME = st.sampled_from(
    ["2026-07-01T05:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:60-23:59", "x"]
)
DECODED = st.dictionaries(
    st.sampled_from(
        [name for model in MODELS.values() for name in model.fields] + ["history", "other"]
    ),
    JSON | st.lists(st.fixed_dictionaries({"timestamp": NUMBER, "valve_1": NUMBER}), max_size=2),
    max_size=6,
)
NORMALIZED = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "time": TIME | JSON,
            "soil": st.dictionaries(st.sampled_from(["depth", "moisture"]), NUMBER) | JSON,
            "air": st.dictionaries(st.sampled_from(["location", "temperature"]), NUMBER) | JSON,
            "metering": JSON,
        },
    )
    | JSON,
    max_size=3,
)
TRACK = st.fixed_dictionaries(
    {
        "points": st.lists(
            st.fixed_dictionaries(
                {"time": TIME | JSON, "lat": NUMBER, "lon": NUMBER},
                optional={"work_state": NUMBER, "speed_m_s": NUMBER},
            )
            | JSON,
            max_size=4,
        )
    },
    optional={"boot": NUMBER, "seq": NUMBER},
)
CHIRPSTACK = st.fixed_dictionaries(
    {"deviceInfo": st.just({"devEui": EUI}) | JSON},
    optional={
        "time": TIME | JSON,
        "rxInfo": st.lists(st.fixed_dictionaries({"gwTime": TIME}) | JSON, max_size=2) | JSON,
        "object": DECODED | JSON,
        "data": st.sampled_from(["A3sKAA==", "qg==", "*"]) | JSON,
        "fPort": NUMBER,
        "batteryLevel": NUMBER,
    },
)
TTN = st.fixed_dictionaries(
    {"end_device_ids": st.just({"dev_eui": EUI, "device_id": "probe-7"}) | JSON},
    optional={
        "received_at": TIME | JSON,
        "simulated": NUMBER,
        "uplink_message": st.fixed_dictionaries(
            {},
            optional={
                "received_at": TIME | JSON,
                "decoded_payload": DECODED | JSON,
                "normalized_payload": NORMALIZED | JSON,
                "frm_payload": st.sampled_from(["A3sKAA==", "qg==", "*"]) | JSON,
                "f_port": NUMBER,
                "rx_metadata": JSON,
                "version_ids": JSON,
                "attributes": JSON,
            },
        )
        | JSON,
    },
)
EMPTY_PACKS = {b"[]", b"\x80"}  # nothing said, nothing wrong
PROFILE = st.none() | st.sampled_from(sorted(MODELS)) | st.text(max_size=8)


@given(st.sampled_from(TOPICS) | st.text(max_size=40), st.binary(max_size=80), PROFILE)
def test_any_bytes_on_any_topic_end_in_readings_or_a_reason(topic, payload, profile):
    decoded = check(topic, payload, profile)

    assert decoded.readings or decoded.rejected or decoded.ignored or payload.strip() in EMPTY_PACKS


@given(st.sampled_from(TOPICS), JSON, PROFILE)
def test_any_json_on_any_topic_ends_in_readings_or_a_reason(topic, document, profile):
    check(topic, json.dumps(document).encode(), profile)


@given(st.lists(SENML_RECORD, max_size=5))
def test_any_pack_ends_in_readings_or_reasons(pack):
    check(TOPICS[0], json.dumps(pack).encode())


@given(st.lists(st.dictionaries(st.integers(-8, 10) | st.text(max_size=3), NUMBER), max_size=4))
def test_any_cbor_pack_ends_in_readings_or_reasons(pack):
    check(TOPICS[0], cbor2.dumps(pack))


@given(TRACK)
def test_any_track_ends_in_points_or_reasons(message):
    check(TOPICS[1], json.dumps(message).encode())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TOPICS[2:4]), CHIRPSTACK, PROFILE)
def test_any_chirpstack_event_ends_in_readings_or_reasons(topic, document, profile):
    check(topic, json.dumps(document).encode(), profile)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TTN, PROFILE)
def test_any_things_stack_message_ends_in_readings_or_reasons(document, profile):
    check(TOPICS[4], json.dumps(document).encode(), profile)


@given(st.sampled_from(sorted(MODELS)), st.binary(max_size=60))
def test_any_frame_of_any_model_ends_in_readings_or_reasons(profile, frame):
    document = {"deviceInfo": {"devEui": EUI}, "data": b64encode(frame).decode()}
    check(TOPICS[2], json.dumps(document).encode(), profile)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_message_too_large_is_not_opened(topic):
    decoded = decode(topic, b"[" * (MAX_BYTES + 1), received_at_us=NOW_US)

    assert [r.reason for r in decoded.rejected] == ["too-large"]
    assert str(MAX_BYTES) in decoded.rejected[0].detail


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("dala/v1/probe-7/senml", "probe-7"),
        ("dala/v1/probe-7/track", "probe-7"),
        ("dala/v1/датчик 7/track", "датчик 7"),
        ("thing/product//osd", None),
        ("tele//SENSOR", None),
        ("efdi//time_log", None),
        ("mavlink/", None),
        ("spBv1.0/g//n", None),
        (f"application/a/device/{EUI.upper()}/event/up", f"lora:{EUI}"),
        ("application/a/device/5/event/up", None),
        ("v3/farm/devices/probe-7/up", None),
        ("elsewhere", None),
    ],
)
def test_a_refused_message_names_the_device_of_its_topic(topic, device):
    assert decode(topic, b"\x00", received_at_us=NOW_US).device == device


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "dala/v1/probe-7",
        "dala/v1/probe-7/senml/x",
        "dala/v1/probe-7/senml/",
        "/dala/v1/probe-7/senml",
        "dala/v1/a/b/senml",
        "dala/v2/a/senml",
        "DALA/v1/a/senml",
        "dala/v1//senml",  # of nobody
        "dala/v1//track",
        "dala/v1/a/receipt",  # which we write
        "$share/g/dala/v1/a/senml",  # a way to subscribe, never a topic
        "$SYS/broker/uptime",
        "mavlink",
    ],
)
def test_a_topic_nobody_reads_is_named(topic):
    decoded = decode(topic, b"[]", received_at_us=NOW_US)

    assert [r.reason for r in decoded.rejected] == ["unknown-topic"]


@pytest.mark.parametrize(
    ("pattern", "topic", "levels"),
    [
        ("a/+/c", "a/b/c", ("b",)),
        ("a/+/c", "a//c", ("",)),
        ("a/+/c", "a/b", None),
        ("a/+/c", "a/b/c/d", None),
        ("a/#", "a/b/c", ("b/c",)),
        ("a/+/#", "a/b/c/d", ("b", "c/d")),
        ("+", "a/b", None),
        ("a/#", "a", ("",)),  # the level above, too
        ("#", "a/b", ("a/b",)),
        ("+/a", "$SYS/a", None),  # MQTT 5 section 4.7.2: the broker's own
        ("#", "$SYS/a", None),
        ("$SYS/#", "$SYS/a", ("a",)),
        ("a/+", "a/$b", ("$b",)),
        ("a/+", "a/+", ("+",)),
        ("a/b", "a/B", None),
        ("a/+", "a/é 水", ("é 水",)),
        ("é/+", "e\u0301/x", None),  # the same letter in two characters is another topic
    ],
)
def test_patterns_give_what_they_leave_open(pattern, topic, levels):
    assert topics.match(pattern, topic) == levels


def test_topics_without_end_are_not_remembered():
    registry = Registry()
    for number in range(3):
        assert registry.route(f"spBv1.0/{'g' * REMEMBERED}/NDATA/{number}") is not None
        assert registry.route(f"spBv1.0/g/NDATA/{number}") is not None

    assert registry._find.cache_info().currsize == 3


def test_a_pattern_of_the_operator_takes_no_topic_of_the_broker():
    registry = Registry(own=[Route("+/+", track_codec.decode, nobody)])

    assert registry.route("$SYS/load") is None
    assert registry.route("any/load") is not None


def test_every_subscription_has_a_reader():
    for subscription in BUILT_IN.subscriptions:
        topic = subscription.replace("+", "a0")
        (rejected, *_) = decode(topic, b"\x00", received_at_us=NOW_US).rejected
        assert rejected.reason != "unknown-topic"


def test_a_decoded_message_is_told_in_lines():
    pack = [
        {"bt": 1_700_000_000.5, "n": "soil_moisture/20", "u": "/100", "v": 31},
        {"n": "rain", "v": "heavy"},
    ]
    decoded = decode(TOPICS[0], json.dumps(pack).encode(), received_at_us=NOW_US)

    assert describe(decoded) == [
        {
            "device": "probe-7",
            "quantity": "soil_moisture",
            "value": 0.31,
            "unit": "m³/m³",
            "time": "2023-11-14T22:13:20.500000Z",
            "time_source": "device",
            "depth_cm": 20.0,
            "channel": None,
            "quality": 0,
        },
        {
            "rejected": "bad-record",
            "detail": decoded.rejected[0].detail,
            "device": "probe-7",
        },
    ]


def test_a_point_is_told_with_what_it_says():
    message = {"points": [{"time": "2026-07-01T05:00:00Z", "lat": 51.1, "lon": 71.4}]}
    decoded = decode(TOPICS[1], json.dumps(message).encode(), received_at_us=NOW_US)

    assert describe(decoded) == [
        {"device": "probe-7", "time": "2026-07-01T05:00:00Z", "lat": 51.1, "lon": 71.4}
    ]


def test_a_message_with_nothing_to_store_is_told_too():
    decoded = decode("v3/f/devices/d/join", b'{"join_accept": {}}', received_at_us=NOW_US)

    assert describe(decoded) == [{"ignored": "join_accept: no uplink", "device": None}]
