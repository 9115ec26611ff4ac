"""Events of ChirpStack 4."""

import json
from pathlib import Path

import pytest

from ingest.codecs import decode
from ingest.codecs.repeats import KEPT
from storage.readings import Quality

NOW_US = 1_800_000_000_000_000
EUI = "a840411234567890"
TIME = "2026-07-01T05:00:00.123456789+00:00"
TIME_US = 1_782_882_000_123_456


def read(document, event="up", profile=None, eui=EUI):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    topic = f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{eui}/event/{event}"
    return decode(topic, payload, received_at_us=NOW_US, profile=profile)


def uplink(**fields):
    """An uplink with a decoded object; the least that a server sends."""
    base = {"deviceInfo": {"devEui": EUI}, "time": TIME, "object": {"soil_temperature": 12.5}}
    return base | fields


def reasons(decoded):
    assert decoded.readings == []
    return [r.reason for r in decoded.rejected]


def test_an_uplink_becomes_readings_of_the_device_at_the_networks_time():
    decoded = read(uplink())

    (reading,) = decoded.readings
    assert decoded.device == reading.device == f"lora:{EUI}"
    assert (reading.quantity, reading.value) == ("soil_temperature", 12.5)
    assert (reading.time, reading.time_source, reading.quality) == (TIME_US, "network", 0)


def test_a_dev_eui_in_capitals_is_the_same_device():
    assert read(uplink(deviceInfo={"devEui": EUI.upper()})).device == f"lora:{EUI}"


@pytest.mark.parametrize(
    ("gateways", "expected_us"),
    [
        ([{"gwTime": "2026-07-01T05:00:02Z", "nsTime": "2026-07-01T05:00:01Z"}], 1),
        ([{"rssi": -30}, {"gwTime": "2026-07-01T05:00:02Z"}], 2),
        ([{"time": "2026-07-01T05:00:03Z"}], 3),  # early version 4
    ],
)
def test_without_its_own_time_an_event_has_that_of_a_gateway(gateways, expected_us):
    (reading,) = read(uplink(time=None, rxInfo=gateways)).readings

    assert reading.time == 1_782_882_000_000_000 + expected_us * 1_000_000
    assert reading.time_source == "network"


@pytest.mark.parametrize("broken", [None, "", "2026-07-01T05:00:00", "soon", 5, []])
def test_without_any_time_it_has_that_of_arrival_and_says_so(broken):
    (reading,) = read(uplink(time=broken, rxInfo=[{"gwTime": broken}, 7])).readings

    assert (reading.time, reading.time_source) == (NOW_US, "server")
    assert reading.quality == Quality.SERVER_TIME


def hear(memory, document, received_at_us, event="up"):
    """As ingest does: what is learned is kept as JSON."""
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    topic = f"application/a/device/{EUI}/event/{event}"
    decoded = decode(topic, payload, received_at_us=received_at_us, memory=memory)
    memory |= json.loads(json.dumps(dict(decoded.learned)))
    (reading,) = decoded.readings
    assert reading.time_source == "server"
    return reading.time - NOW_US


@pytest.mark.parametrize(
    ("names", "others"),
    [
        ({"deduplicationId": "3ac7e3c4"}, {"deduplicationId": "3ac7e3c5"}),
        ({"devAddr": "01ab", "fCnt": 7}, {"devAddr": "01ab", "fCnt": 8}),
        ({"devAddr": "01ab"}, {"devAddr": "01ab", "fCnt": 1}),  # a zero that was left out
        ({"devAddr": "01ab", "fCnt": 7}, {"devAddr": "02ab", "fCnt": 7}),  # it joined anew
        ({"devAddr": "1", "fCnt": 7, "data": "AQ=="}, {"devAddr": "1", "fCnt": 7, "data": "Ag=="}),
    ],
)
def test_without_any_time_a_repeat_has_that_of_the_first_arrival(names, others):
    memory = {}
    first, other = (uplink(time=None, **more) for more in (names, others))

    assert hear(memory, first, NOW_US) == 0
    assert hear(memory, other, NOW_US + 5) == 5
    assert hear(memory, first, NOW_US + 9) == 0
    assert hear(memory, other, NOW_US + 10) == 5


def test_without_a_time_and_a_name_each_arrival_is_its_own():
    memory = {}

    assert [hear(memory, uplink(time=None), NOW_US + n) for n in range(3)] == [0, 1, 2]
    assert memory == {}


def test_a_status_without_a_time_is_told_from_its_repeat_too():
    memory = {}
    status = {"deviceInfo": {"devEui": EUI}, "batteryLevel": 50.0, "deduplicationId": "3ac7"}

    assert [hear(memory, status, NOW_US + n, "status") for n in range(3)] == [0, 0, 0]


def test_what_identifies_uplinks_is_remembered_of_the_last_ones_only():
    memory = {}
    for number in range(100):
        hear(memory, uplink(time=None, deduplicationId=str(number) * 200), NOW_US + number)

    (kept,) = memory.values()
    assert len(kept) == KEPT
    assert len(json.dumps(kept)) < 3_000
    assert hear(memory, uplink(time=None, deduplicationId="99" * 100), NOW_US + 200) == 99


def test_the_place_of_a_gateway_is_not_read():
    gateway = {"location": {"latitude": 51.1, "longitude": 71.4}}
    decoded = read(uplink(rxInfo=[gateway]))

    assert (len(decoded.readings), decoded.points) == (1, [])


def test_bytes_are_read_by_the_profile_given():
    document = uplink(object=None, data="A3sKAA==")  # 03 7b 0a00: a pressure of 10 kPa

    (reading,) = read(document, profile="milesight-em500-pp").readings

    assert (reading.quantity, reading.value) == ("water_pressure", 10.0)


@pytest.mark.parametrize(
    "info",
    [
        {"deviceProfileName": "Milesight EM500-PP"},
        {"deviceProfileName": "house profile", "tags": {"profile": "milesight-em500-pp"}},
    ],
)
def test_bytes_are_read_by_what_the_server_calls_the_device(info):
    document = uplink(deviceInfo={"devEui": EUI} | info, object=None, data="A3sKAA==")

    assert [r.quantity for r in read(document).readings] == ["water_pressure"]


def test_bytes_of_an_unknown_model_are_not_guessed():
    decoded = read(uplink(object=None, data="A3sKAA=="))

    assert decoded.device == f"lora:{EUI}"
    assert reasons(decoded) == ["no-decoder"]


def test_an_uplink_without_data_is_no_error():
    decoded = read(uplink(object=None))

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored.startswith("up")


def test_nan_that_became_null_leaves_its_neighbours():
    decoded = read(uplink(object={"soil_temperature": None, "battery_voltage": 3.2}))

    assert [r.quantity for r in decoded.readings] == ["battery_voltage"]
    assert [r.reason for r in decoded.rejected] == ["value-not-finite"]


def test_a_status_says_the_battery():
    document = {"deviceInfo": {"devEui": EUI}, "time": TIME, "margin": 10, "batteryLevel": 88.3}

    (reading,) = read(document, "status").readings

    assert (reading.quantity, reading.value, reading.time) == ("battery_level", 88.3, TIME_US)


@pytest.mark.parametrize(
    "status",
    [
        {"batteryLevel": 0, "batteryLevelUnavailable": True},
        {"batteryLevel": 0, "externalPowerSource": True},
        {"margin": 10},
    ],
)
def test_a_status_without_a_battery_is_no_reading(status):
    decoded = read({"deviceInfo": {"devEui": EUI}, "time": TIME} | status, "status")

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


@pytest.mark.parametrize("event", ["join", "ack", "txack", "log", "location", "integration"])
def test_events_that_measure_nothing_are_no_errors(event):
    decoded = read({"deviceInfo": {"devEui": EUI}, "object": {"soil_temperature": 5}}, event)

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored.startswith(event)


def location(**place):
    return {"deviceInfo": {"devEui": EUI}, "time": TIME, "location": place}


def test_a_location_is_where_the_device_is():
    decoded = read(location(latitude=51.1, longitude=71.4), "location")

    (point,) = decoded.points
    assert (decoded.device, decoded.readings) == (f"lora:{EUI}", [])
    assert (point.time, point.lat, point.lon, point.elevation_m) == (TIME_US, 51.1, 71.4, None)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"latitude": 0, "longitude": 0, "altitude": 300}, "no-fix"),
        ({"altitude": 300}, "no-fix"),  # zeros are left out
        ({"latitude": 95.0, "longitude": 71.4}, "position-out-of-range"),
        ({"latitude": "51", "longitude": 71.4}, "position-out-of-range"),
        ({"latitude": 10**400, "longitude": 71.4}, "position-out-of-range"),
    ],
)
def test_a_location_that_is_no_place_says_why(place, expected):
    decoded = read(location(**place), "location")

    assert (decoded.points, reasons(decoded)) == ([], [expected])


@pytest.mark.parametrize("count", [None, 0, 41])
def test_readings_do_not_hang_on_the_frame_counter(count):
    # older servers leave out fCnt where it is 0
    document = uplink() if count is None else uplink(fCnt=count)

    assert [r.time for r in read(document).readings] == [TIME_US]


def test_a_model_with_a_counter_known_to_the_network_alone_is_learned():
    info = {"devEui": EUI, "deviceProfileName": "Milesight WTS506"}
    decoded = read(uplink(deviceInfo=info, object={"rainfall_total": 12.3}))

    assert dict(decoded.learned) == {f"lorawan/lora:{EUI}": "milesight-wts506"}


def test_version_3_is_recognised():
    # devEUI in base64, objectJSON as text: the shape of the old application server
    document = {
        "applicationID": "123",
        "devEUI": "qEBBEjRWeJA=",
        "objectJSON": '{"soil_temperature": 12}',
        "data": "A3sKAA==",
        "fPort": 5,
    }

    decoded = read(document, profile="milesight-em500-pp")

    assert reasons(decoded) == ["legacy-chirpstack-v3"]
    assert "version 4" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x0a\x24\x38\x35", "not-protobuf"),
        (b"", "bad-message"),
        (b'["up"]', "not-protobuf"),
        (b'{"deviceInfo":', "not-json"),
        (b'{"a":' + b"[" * 100_000, "not-json"),
        (b"{}", "bad-message"),
        (b'{"deviceInfo": {"devEui": "5"}}', "bad-message"),
        (b'{"deviceInfo": {"devEui": "ffffffffffffffff"}}', "foreign-device"),
        (b'{"deviceInfo": {"devEui": "%s"}, "data": "*"}' % EUI.encode(), "bad-message"),
        (b'{"deviceInfo": {"devEui": "%s"}, "data": 5}' % EUI.encode(), "bad-message"),
    ],
)
def test_what_is_no_event_says_why(payload, expected):
    assert reasons(read(payload)) == [expected]


def test_an_event_that_does_not_exist_says_so():
    assert reasons(read(uplink(), "dance")) == ["unknown-event"]


SAMPLE_QUANTITIES = {  # the converter's names: ours, and our unit for each of theirs
    "solar_radiation": ("solar_radiation", 1),
    "precipitation": ("rain", 1),
    "cumulative_precipitation": ("rain_total", 1),
    "wind_speed": ("wind_speed", 1),
    "wind_direction": ("wind_direction", 1),
    "air_temperature": ("air_temperature", 1),
    "atmospheric_pressure": ("air_pressure", 1),
    "relative_humidity": ("relative_humidity", 1),
    "battery_voltage": ("battery_voltage", 1),
    "battery": ("battery_level", 1),
    "temperature": ("soil_temperature", 1),
    "ec": ("soil_ec", 0.001),
}


@pytest.mark.parametrize(
    "model",
    ["decentlab-dl-atm41", "decentlab-dl-smtp", "decentlab-dl-tbrg", "milesight-em500-smtc"],
)
def test_published_uplinks_agree_with_another_converter(shared: Path, model):
    folder = shared / "samples" / "chirpstack"
    document = json.loads((folder / f"up-{model}.json").read_text())
    expected = json.loads((folder / f"up-{model}.expected-thingsboard.json").read_text())
    theirs = expected["telemetry"][0]["values"]

    decoded = read(document, profile=model, eui=document["deviceInfo"]["devEui"])

    for name, (quantity, factor) in SAMPLE_QUANTITIES.items():
        if name in theirs:
            (ours,) = [r.value for r in decoded.readings if r.quantity == quantity]
            assert ours == pytest.approx(theirs[name] * factor)
    for level in range(6):
        if f"soil_moisture_at_depth_{level}" in theirs:
            depth = [r for r in decoded.readings if r.depth_cm == 5 + 10 * level]
            assert {r.quantity: r.value for r in depth} == pytest.approx(
                {
                    "soil_moisture": theirs[f"soil_moisture_at_depth_{level}"] / 100,
                    "soil_temperature": theirs[f"soil_temperature_at_depth_{level}"],
                }
            )


def test_the_half_per_cent_that_the_converter_lost(shared: Path):
    document = (shared / "samples" / "chirpstack" / "up-milesight-em500-smtc.json").read_bytes()

    decoded = read(document, profile="milesight-em500-smtc", eui="1000000000000001")

    assert [r.value for r in decoded.readings if r.quantity == "soil_moisture"] == [0.575]


@pytest.mark.parametrize("event", ["ack", "integration", "join", "log", "txack"])
def test_documented_events_are_no_errors(shared: Path, event):
    payload = (shared / "samples" / "chirpstack" / f"docs-{event}.json").read_bytes()
    eui = json.loads(payload)["deviceInfo"]["devEui"]

    decoded = read(payload, event, eui=eui)

    assert (decoded.device, decoded.rejected) == (f"lora:{eui}", [])
    assert decoded.ignored


def test_the_documented_location_is_a_place_of_the_device(shared: Path):
    payload = (shared / "samples" / "chirpstack" / "docs-location.json").read_bytes()

    (point,) = read(payload, "location", eui="0101010101010101").points

    assert (point.lat, point.lon, point.elevation_m) == (37.344214, -8.839375, 2.0)
    assert point.time == 1_658_138_111_059_481  # 2022-07-18T09:55:11.059481003Z


def test_documented_version_3_is_recognised(shared: Path):
    name = "v3-legacy-up-decentlab-dl-atm41.json"
    payload = (shared / "samples" / "chirpstack" / name).read_bytes()

    decoded = read(payload, profile="decentlab-dl-atm41", eui="0202020202020202")

    assert reasons(decoded) == ["legacy-chirpstack-v3"]
