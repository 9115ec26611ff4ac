"""Events of ChirpStack 4 in protobuf, written here byte by byte with the numbers of its schema."""

import json
import struct

import pytest

from ingest.codecs import decode

NOW_US = 1_800_000_000_000_000
EUI = "a840411234567890"
TIME_US = 1_782_882_000_123_456  # 2026-07-01T05:00:00.123456(789)Z


def read(payload, event="up", profile=None):
    topic = f"application/17c82e96/device/{EUI}/event/{event}"
    return decode(topic, payload, received_at_us=NOW_US, profile=profile)


def varint(number):
    number &= 2**64 - 1
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def single(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def timestamp(seconds, nanos=0):
    return number(1, seconds) + (number(2, nanos) if nanos else b"")


def tag(key, value):
    return chunk(9, chunk(1, key) + chunk(2, value))


INFO = chunk(1, "52f14cd4") + chunk(7, "probe") + chunk(8, EUI)
HEAD = (
    chunk(1, "3ac7e3c4-4401-4b8d-9386-a5c902f9202d")
    + chunk(2, timestamp(1_782_882_000, 123_456_789))
    + chunk(3, INFO)
)


def member_of_struct(key, value):
    return chunk(1, chunk(1, key) + chunk(2, value))


def test_an_uplink_has_the_same_readings_as_in_json():
    values = member_of_struct("soil_temperature", double(2, 12.5)) + member_of_struct(
        "electrical_conductivity", chunk(5, member_of_struct("value", double(2, 450.0)))
    )
    payload = HEAD + number(7, 20) + number(8, 2) + chunk(10, b"\xaa") + chunk(11, values)
    document = {
        "deviceInfo": {"devEui": EUI},
        "time": "2026-07-01T05:00:00.123456789+00:00",
        "data": "qg==",
        "object": {"soil_temperature": 12.5, "electrical_conductivity": {"value": 450}},
    }

    decoded = read(payload)

    assert decoded == read(json.dumps(document).encode())
    assert [(r.quantity, r.value) for r in decoded.readings] == [
        ("soil_temperature", 12.5),
        ("soil_ec", 0.45),
    ]
    assert {(r.device, r.time, r.time_source) for r in decoded.readings} == {
        (f"lora:{EUI}", TIME_US, "network")
    }


def test_the_strongest_gateway_tells_the_signal_as_in_json():
    values = chunk(11, member_of_struct("soil_temperature", double(2, 12.5)))
    silent = number(2, 7)  # an uplink's number, and no strength
    rssi = [chunk(12, number(6, dbm)) for dbm in (-97, -61, -112)]  # int32, of ten bytes below zero
    broken = number(6, -161) + number(6, 21)

    assert read(HEAD + values + chunk(12, silent) + b"".join(rssi)).signal_dbm == -61.0
    assert read(HEAD + values + chunk(12, silent)).signal_dbm is None
    assert read(HEAD + values + chunk(12, broken)).signal_dbm is None


def test_bytes_are_read_by_the_profile_or_the_servers_name_of_it():
    data = chunk(10, bytes.fromhex("037b0a00"))  # 10 kPa
    named = chunk(3, INFO + chunk(6, "Milesight EM500-PP"))
    tagged = chunk(3, INFO + chunk(6, "house profile") + tag("profile", "milesight-em500-pp"))

    for decoded in (read(HEAD + data, profile="milesight-em500-pp"), read(named + data),
                    read(tagged + data)):  # fmt: skip
        assert [(r.quantity, r.value) for r in decoded.readings] == [("water_pressure", 10.0)]


def test_null_and_nan_leave_their_neighbours():
    values = (
        member_of_struct("soil_temperature", number(1, 0))  # null
        + member_of_struct("air_temperature", double(2, float("nan")))
        + member_of_struct("battery_voltage", double(2, 3.2))
        + member_of_struct("valve_1", chunk(3, "open"))
        + member_of_struct("valve_2", number(4, 0))  # false
    )

    decoded = read(HEAD + chunk(11, values))

    assert [(r.quantity, r.channel, r.value) for r in decoded.readings] == [
        ("battery_voltage", None, 3.2),
        ("valve_open", 1, 1.0),
        ("valve_open", 2, 0.0),
    ]
    assert [r.reason for r in decoded.rejected] == ["value-not-finite", "value-not-finite"]


def test_the_history_of_a_device_is_a_list_of_structures():
    record = member_of_struct("timestamp", double(2, 1_678_352_703.0)) + member_of_struct(
        "valve_2", chunk(3, "open")
    )
    values = member_of_struct("history", chunk(6, chunk(1, chunk(5, record))))

    (reading,) = read(HEAD + chunk(11, values)).readings

    assert (reading.quantity, reading.channel, reading.time) == (
        "valve_open", 2, 1_678_352_703_000_000,
    )  # fmt: skip


def test_without_its_own_time_an_event_has_that_of_a_gateway_and_not_its_place():
    values = member_of_struct("soil_temperature", double(2, 12.5))
    place = double(1, 51.1) + double(2, 71.4)
    gateway = (
        chunk(3, timestamp(1_782_882_002)) + chunk(12, place) + chunk(17, timestamp(1_782_882_001))
    )

    decoded = read(chunk(3, INFO) + chunk(11, values) + chunk(12, gateway))

    assert [r.time for r in decoded.readings] == [1_782_882_001_000_000]
    assert decoded.points == []


def test_a_status_says_the_battery():
    (reading,) = read(HEAD + number(5, 10) + single(8, 88.3), "status").readings

    assert (reading.quantity, reading.value, reading.time) == ("battery_level", 88.3, TIME_US)


@pytest.mark.parametrize(
    ("said", "word"),
    [(number(6, 1), "external power"), (number(7, 1), "cannot measure"), (b"", "no battery level")],
)
def test_a_status_without_a_level_says_why(said, word):
    decoded = read(HEAD + number(5, 10) + said, "status")

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert word in decoded.ignored


def test_a_location_is_a_place_of_the_device():
    place = double(1, 37.344214) + double(2, -8.839375) + double(3, 2.0)

    (point,) = read(HEAD + chunk(4, place), "location").points

    assert (point.time, point.lat, point.lon, point.elevation_m) == (
        TIME_US, 37.344214, -8.839375, 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("event", ["join", "ack", "integration"])
def test_events_that_measure_nothing_are_no_errors(event):
    decoded = read(HEAD + chunk(4, "00189440"), event)

    assert (decoded.device, decoded.rejected) == (f"lora:{EUI}", [])
    assert decoded.ignored.startswith(event)


def test_events_whose_first_fields_are_others_are_read_by_their_own_numbers():
    # txack begins with a number; log has time and device one place earlier
    txack = number(1, 3461958127) + chunk(2, timestamp(1_782_882_000)) + chunk(3, INFO)
    log = chunk(1, timestamp(1_782_882_000)) + chunk(2, INFO) + chunk(5, "MIC is invalid")

    assert read(txack, "txack").ignored.startswith("txack")
    assert read(log, "log").ignored.startswith("log")


def test_version_3_is_recognised():
    # as.integration.UplinkEvent: 1 application id, 2 and 3 names, 4 the eight bytes of the DevEUI
    payload = number(1, 123) + chunk(2, "app") + chunk(3, "sensor") + chunk(4, bytes.fromhex(EUI))

    decoded = read(payload)

    assert (decoded.readings, [r.reason for r in decoded.rejected]) == (
        [],
        ["legacy-chirpstack-v3"],
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x0a\xff\xff", "not-protobuf"),
        (chunk(1, "an id"), "bad-message"),
        (chunk(3, chunk(8, "5")), "bad-message"),
        (chunk(3, chunk(8, "ffffffffffffffff")), "foreign-device"),
        (chunk(3, chunk(8, b"\xff" * 16)), "bad-message"),  # not even text
    ],
)
def test_what_is_no_event_says_why(payload, expected):
    assert [r.reason for r in read(payload).rejected] == [expected]


def test_without_any_time_a_repeat_has_that_of_the_first_arrival_as_in_json():
    values = chunk(11, member_of_struct("soil_temperature", double(2, 12.5)))
    counted = chunk(3, INFO) + chunk(4, "01ab12cd") + number(7, 20)
    named = chunk(1, "3ac7e3c4-4401-4b8d-9386-a5c902f9202d") + chunk(3, INFO)
    for head in (named, counted):
        first = read(head + values)
        payload = head + values
        topic = f"application/a/device/{EUI}/event/up"
        again = decode(topic, payload, received_at_us=NOW_US + 5, memory=dict(first.learned))

        assert [one.time for one in (*first.readings, *again.readings)] == [NOW_US, NOW_US]
