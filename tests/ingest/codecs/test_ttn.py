"""Messages of The Things Stack 3."""

import json
from pathlib import Path

import pytest

from ingest.codecs import decode
from storage.readings import Quality

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_782_882_000_000_000  # 2026-07-01T05:00:00Z
IDS = {"device_id": "probe-7", "dev_eui": "70B3D57BA0000BCE"}
DEVICE = "lora:70b3d57ba0000bce"


def read(document, event="up", profile=None, device_id="probe-7"):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    topic = f"v3/farm@tenant/devices/{device_id}/{event}"
    return decode(topic, payload, received_at_us=NOW_US, profile=profile)


def uplink(outer=(), **message):
    """An uplink with a decoded payload; zero values are left out by the server."""
    body = {"received_at": "2026-07-01T05:00:00Z", "decoded_payload": {"soil_temperature": 12.5}}
    return {"end_device_ids": IDS, "uplink_message": body | message} | dict(outer)


def reasons(decoded):
    assert decoded.readings == []
    return [r.reason for r in decoded.rejected]


def test_an_uplink_becomes_readings_of_the_device_at_the_networks_time():
    decoded = read(uplink())

    (reading,) = decoded.readings
    assert decoded.device == reading.device == DEVICE
    assert (reading.quantity, reading.value) == ("soil_temperature", 12.5)
    assert (reading.time, reading.time_source, reading.quality) == (SECOND_US, "network", 0)


@pytest.mark.parametrize(
    ("message", "outer", "expected"),
    [
        ({"received_at": "2026-07-01T05:00:01.5Z"}, {}, SECOND_US + 1_500_000),
        ({"received_at": None}, {"received_at": "2026-07-01T05:00:02Z"}, SECOND_US + 2_000_000),
        (
            {
                "received_at": None,
                # timestamp is the counter of a concentrator, no time
                "rx_metadata": [{"timestamp": 2463457000}, {"time": "2026-07-01T05:00:03Z"}],
            },
            {},
            SECOND_US + 3_000_000,
        ),
    ],
)
def test_times_are_looked_for_in_order(message, outer, expected):
    (reading,) = read(uplink(outer, **message)).readings

    assert (reading.time, reading.time_source) == (expected, "network")


def test_without_any_time_it_has_that_of_arrival_and_says_so():
    (reading,) = read(uplink(received_at=None, rx_metadata=[{"timestamp": 246345700}])).readings

    assert (reading.time, reading.time_source) == (NOW_US, "server")
    assert reading.quality == Quality.SERVER_TIME


@pytest.mark.parametrize(
    ("names", "others", "outer"),
    [
        ({"session_key_id": "AYf", "f_cnt": 7}, {"session_key_id": "AYf", "f_cnt": 8}, {}),
        ({"session_key_id": "AYf"}, {"session_key_id": "AYf", "f_cnt": 1}, {}),  # zero: left out
        ({"session_key_id": "AYf", "f_cnt": 7}, {"session_key_id": "AYg", "f_cnt": 7}, {}),
        ({"session_key_id": "AYf"}, {"session_key_id": "AYf"}, {"simulated": True}),
    ],
)
def test_without_any_time_a_repeat_has_that_of_the_first_arrival(names, others, outer):
    memory = {}

    def hear(document, later_us):
        payload, topic = json.dumps(document).encode(), "v3/farm/devices/probe-7/up"
        arrival_us = NOW_US + later_us
        decoded = decode(topic, payload, received_at_us=arrival_us, memory=memory)
        memory.update(json.loads(json.dumps(dict(decoded.learned))))
        (reading,) = decoded.readings
        return reading.time - NOW_US

    first = uplink(received_at=None, **names)
    other = uplink(outer, received_at=None, **others)
    assert [hear(first, 0), hear(other, 5), hear(first, 9), hear(other, 10)] == [0, 5, 0, 5]


def test_the_normalized_payload_goes_before_the_decoded_one():
    # The fragment of the documentation: decoded 50, normalized 10 and 9.002.
    decoded = read(
        uplink(
            decoded_payload={"air_temperature": 50, "windSpeed": 17.5},
            normalized_payload=[{"air": {"temperature": 10}, "wind": {"speed": 9.002}}],
        )
    )

    assert {r.quantity: r.value for r in decoded.readings} == {
        "air_temperature": 10.0,
        "wind_speed": 9.002,
    }


def test_a_simulated_uplink_is_marked_in_every_reading():
    decoded = read(
        uplink(
            {"simulated": True},
            decoded_payload={
                "soil_temperature": 1,
                "history": [{"timestamp": 1_700_000_000, "valve_1": "open"}],
            },
        )
    )

    assert len(decoded.readings) == 2
    assert all(r.quality & Quality.SIMULATED for r in decoded.readings)


def test_the_same_uplink_said_again_normalized_is_not_read_twice():
    decoded = read(uplink(), "up/normalized")

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored.startswith("up/normalized")


def test_bytes_are_read_by_the_profile_given_or_the_version_known():
    bare = {"decoded_payload": None, "frm_payload": "A3sKAA=="}  # 03 7b 0a00: 10 kPa
    version = {"brand_id": "milesight", "model_id": "em500-pp"}

    by_profile = read(uplink(**bare), profile="milesight-em500-pp")
    by_version = read(uplink(**bare, version_ids=version))

    assert [(r.quantity, r.value) for r in by_profile.readings] == [("water_pressure", 10.0)]
    assert by_version.readings == by_profile.readings
    assert reasons(read(uplink(**bare))) == ["no-decoder"]


BATTERY = {"value": 88.5, "f_cnt": 17, "received_at": "2026-07-01T04:00:00Z"}


def test_the_last_battery_level_has_the_time_of_its_own_answer():
    decoded = read(uplink(last_battery_percentage=BATTERY))

    level = next(r for r in decoded.readings if r.quantity == "battery_level")
    assert (level.value, level.time) == (88.5, SECOND_US - 3_600_000_000)
    assert len(decoded.readings) == 2


def test_a_battery_level_is_read_beside_bytes_that_nobody_knows():
    decoded = read(
        uplink(decoded_payload=None, frm_payload="qg==", last_battery_percentage=BATTERY)
    )

    assert [r.quantity for r in decoded.readings] == ["battery_level"]
    assert [r.reason for r in decoded.rejected] == ["no-decoder"]


@pytest.mark.parametrize(
    "battery",
    [{"value": 88.5}, {"received_at": "2026-07-01T04:00:00Z"}, {**BATTERY, "value": "high"}, 88.5],
)
def test_a_battery_level_without_time_or_number_is_not_one_more_each_time(battery):
    assert len(read(uplink(last_battery_percentage=battery)).readings) == 1


def test_the_places_on_file_are_not_where_the_device_is_now():
    places = {"user": {"latitude": 37.97, "longitude": 23.72, "source": "SOURCE_REGISTRY"}}

    assert read(uplink(locations=places)).points == []


def test_a_solved_location_is_a_place_of_the_device():
    solved = {"service": "x", "location": {"latitude": 51.1, "longitude": 71.4, "altitude": 350}}
    document = {
        "end_device_ids": IDS,
        "received_at": "2026-07-01T05:00:00Z",
        "location_solved": solved,
    }

    decoded = read(document, "location/solved")
    (point,) = decoded.points

    assert decoded.device == DEVICE
    assert (point.time, point.lat, point.lon, point.elevation_m) == (SECOND_US, 51.1, 71.4, 350.0)
    assert read({**document, "simulated": True}, "location/solved").points == []


def test_an_uplink_without_data_is_no_error():
    decoded = read(uplink(decoded_payload=None))

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


@pytest.mark.parametrize(
    ("event", "member"),
    [
        ("join", "join_accept"),
        ("down/ack", "downlink_ack"),
        ("down/failed", "downlink_failed"),
        ("down/push", "downlinks"),
        ("location/solved", "location_solved"),
    ],
)
def test_messages_that_are_no_uplinks_are_no_errors(event, member):
    decoded = read({"end_device_ids": IDS, member: {}}, event)

    assert (decoded.device, decoded.readings, decoded.rejected) == (DEVICE, [], [])
    assert decoded.ignored.startswith(member)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", "not-json"),
        (b"[]", "bad-message"),
        ({}, "bad-message"),
        ({"uplink_message": 5}, "bad-message"),
        ({"uplink_message": {}, "end_device_ids": {"dev_eui": "12"}}, "bad-message"),
        ({"uplink_message": {}, "end_device_ids": {"device_id": "probe-7"}}, "bad-message"),
        (uplink(frm_payload="*"), "bad-message"),
        (uplink(frm_payload=[1]), "bad-message"),
    ],
)
def test_what_is_no_message_says_why(document, expected):
    assert reasons(read(document)) == [expected]


@pytest.mark.parametrize("name", ["down_ack", "down_failed", "down_push", "join"])
def test_documented_messages_that_are_no_uplinks(shared: Path, name):
    payload = (shared / "samples" / "ttn" / f"docs-{name}.json").read_bytes()

    decoded = read(payload, name.replace("_", "/"), device_id="dev1")

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


def test_documented_uplinks_of_unknown_devices_say_what_to_do(shared: Path):
    folder = shared / "samples" / "ttn"
    for name in ("docs-up.json", "docs-mqtt-up-no-fcnt-no-received_at.json"):
        decoded = read((folder / name).read_bytes(), device_id="dev1")

        assert decoded.device.startswith("lora:")
        assert reasons(decoded) == ["no-decoder"]
        assert "profile" in decoded.rejected[0].detail


def test_the_documented_uplink_without_received_at_has_the_time_of_its_gateway(shared: Path):
    name = "docs-mqtt-up-no-fcnt-no-received_at.json"
    document = json.loads((shared / "samples" / "ttn" / name).read_text())
    document["uplink_message"]["decoded_payload"] = {"soil_temperature": 0.0}

    (reading,) = read(document, device_id="dev1").readings

    assert reading.time == 1_548_766_954_981_000  # 2019-01-29T13:02:34.981Z


def test_the_documented_normalized_payload(shared: Path):
    name = "docs-normalized_payload-fragment.json"
    fragment = json.loads((shared / "samples" / "ttn" / name).read_text())

    decoded = read({"end_device_ids": IDS, "uplink_message": fragment})

    assert [(r.quantity, r.value) for r in decoded.readings] == [
        ("air_temperature", 10.0),
        ("wind_speed", 9.002),
    ]


@pytest.mark.parametrize(
    ("model", "device_id", "expected"),
    [
        (
            "decentlab-dl-tbrg",
            "03022",
            {"rain": 0.4, "rain_total": 1653.8, "battery_voltage": 3.156},
        ),
        (
            "decentlab-dl-trs12",
            "03022",
            {
                "soil_moisture": 0.0068869,
                "soil_temperature": 31.7,
                "soil_ec": 0.0,
                "battery_voltage": 3.2,
            },
        ),
        (
            "milesight-em500-smtc",
            "eui-1000000000000001",
            # the converter's 57 lost the half per cent of the device's README
            {
                "battery_level": 100.0,
                "soil_temperature": 28.1,
                "soil_moisture": 0.575,
                "soil_ec": 0.24,
            },
        ),
    ],
)
def test_published_uplinks(shared: Path, model, device_id, expected):
    payload = (shared / "samples" / "ttn" / f"up-{model}.json").read_bytes()

    decoded = read(payload, profile=model, device_id=device_id)

    assert decoded.rejected == []
    assert {r.quantity: r.value for r in decoded.readings} == pytest.approx(expected)
