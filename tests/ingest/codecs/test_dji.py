"""Aircraft and docks on the DJI Cloud API."""

import json
from pathlib import Path

import pytest

from ingest.codecs import decode
from storage.readings import Quality

NOW_US = 1_800_000_000_000_000
SENT_MS = 1_782_882_000_123  # 2026-07-01T05:00:00.123Z
FLYING = {
    "latitude": 51.1,
    "longitude": 71.4,
    "height": 412.5,
    "elevation": 30.0,
    "horizontal_speed": 7.5,
    "attitude_head": -90.0,
    "position_state": {"is_fixed": 2, "quality": 5},
}


def read(document, kind="osd", sn="1581F5BKD225D00BP891"):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decode(f"thing/product/{sn}/{kind}", payload, received_at_us=NOW_US)


def osd(data, **envelope):
    return {"tid": "t", "bid": "b", "timestamp": SENT_MS, "data": data} | envelope


def values(decoded):
    return {(r.quantity, r.channel): r.value for r in decoded.readings}


def test_an_aircraft_with_a_fix_leaves_a_point():
    decoded = read(osd(FLYING))

    (point,) = decoded.points
    assert decoded.device == "dji:1581F5BKD225D00BP891"
    assert point.time == SENT_MS * 1000
    assert (point.lat, point.lon, point.elevation_m) == (51.1, 71.4, 412.5)  # not above take-off
    assert (point.speed_m_s, point.heading_deg) == (7.5, 270.0)  # ±180 becomes 0 to 360


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": 0, "longitude": 0},  # what it says without a fix
        {"position_state": {"is_fixed": 0}},
        {"position_state": {"is_fixed": 1}},
        {"position_state": {"is_fixed": 3}},
        {"latitude": None},
        {"longitude": 32767},
    ],
)
def test_without_a_fix_there_is_no_point_and_no_complaint(change):
    decoded = read(osd(FLYING | change | {"battery": {"capacity_percent": 90}}))

    assert (decoded.points, decoded.rejected) == ([], [])
    assert values(decoded) == {("battery_level", None): 90.0}


def test_a_message_that_says_the_place_alone_has_a_point_of_that_much():
    (point,) = read(osd({"latitude": 51.1, "longitude": 71.4})).points

    assert (point.elevation_m, point.speed_m_s, point.heading_deg) == (None, None, None)


def test_a_place_that_is_not_on_earth_is_refused():
    assert [r.reason for r in read(osd(FLYING | {"latitude": 91})).rejected] == [
        "position-out-of-range"
    ]


def test_each_battery_is_a_channel_and_32767_is_unknown():
    batteries = [
        {"index": 0, "capacity_percent": 95, "voltage": 24303, "temperature": 33.3},
        {"index": 1, "capacity_percent": 32767, "voltage": 24311},
        {"index": 2, "capacity_percent": 50, "voltage": 32767},
    ]

    found = values(read(osd({"battery": {"capacity_percent": 90, "batteries": batteries}})))

    assert found == {
        ("battery_level", None): 90.0,
        ("battery_level", 0): 95.0,
        ("battery_voltage", 0): 24.303,  # mV
        ("battery_voltage", 1): 24.311,
        ("battery_level", 2): 50.0,
    }


def test_the_wind_that_an_aircraft_reckons_is_not_measured():
    assert values(read(osd(FLYING | {"wind_speed": 40, "wind_direction": 3}))) == {}


def test_a_dock_measures_weather_but_its_rainfall_is_a_class():
    data = FLYING | {"environment_temperature": 24, "wind_speed": 2.5, "rainfall": 3}

    decoded = read(osd(data | {"temperature": 24.9, "humidity": 62}))  # those inside the dock

    assert values(decoded) == {("air_temperature", None): 24.0, ("wind_speed", None): 2.5}
    assert decoded.points == []  # it stands where the map has it


@pytest.mark.parametrize("kind", ["osd", "state"])
def test_a_part_with_nothing_measured_is_no_error(kind):
    data = {"52-0-0": {"version": 1}, "distance_limit_status": {"state": 1}, "99-0-7": None}

    decoded = read(osd(data), kind)

    assert (decoded.readings, decoded.points, decoded.rejected) == ([], [], [])
    assert decoded.ignored == f"{kind}: nothing measured"


def test_events_measure_nothing():
    decoded = read(osd({"latitude": 5, "longitude": 5}, method="flighttask_progress"), "events")

    assert decoded.points == []
    assert "flighttask_progress" in decoded.ignored


def test_without_a_time_of_sending_it_has_that_of_arrival_and_says_so():
    (reading,) = read(osd({"battery": {"capacity_percent": 9}}, timestamp=None)).readings

    assert (reading.time, reading.time_source) == (NOW_US, "server")
    assert reading.quality == Quality.SERVER_TIME


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"\x00", "not-json"),
        (b"[]", "bad-message"),
        ({}, "bad-message"),
        ({"data": []}, "bad-message"),
        (osd({}, timestamp="soon"), "bad-time"),
        (osd({}, timestamp=-1), "bad-time"),
        (osd({}, timestamp=1e300), "bad-time"),
        (osd({"battery": {"capacity_percent": "full"}}), "not-a-number"),
        (osd({"battery": {"capacity_percent": True}}), "not-a-number"),
        (osd({"battery": {"capacity_percent": 10**400}}), "value-not-finite"),
        (b'{"data": {"battery": {"capacity_percent": NaN}}}', "value-not-finite"),
    ],
)
def test_what_cannot_be_read_says_why(document, expected):
    decoded = read(document)

    assert (decoded.readings, [r.reason for r in decoded.rejected]) == ([], [expected])


def test_a_topic_without_a_serial_number_has_no_sender():
    decoded = read(osd(FLYING), sn="")

    assert (decoded.device, [r.reason for r in decoded.rejected]) == (None, ["bad-message"])


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (
            "osd-aircraft-m30",
            "osd",
            {
                ("battery_level", None): 90.0,
                ("battery_level", 0): 95.0,
                ("battery_voltage", 0): 24.303,
                ("battery_level", 1): 85.0,
                ("battery_voltage", 1): 24.311,
            },
        ),
        ("osd-dock1-part1-power", "osd", {("battery_voltage", None): 26.631}),
        ("osd-dock1-part2-link", "osd", {}),
        (
            "osd-dock1-part3-environment",
            "osd",
            {("air_temperature", None): 24.0, ("wind_speed", None): 0.0},
        ),
        ("state-aircraft", "state", {}),
    ],
)
def test_documented_messages(shared: Path, name, kind, expected):
    payload = (shared / "samples" / "dji" / f"{name}.json").read_bytes()

    decoded = read(payload, kind)

    assert (values(decoded), decoded.points, decoded.rejected) == (expected, [], [])
    assert {r.time for r in decoded.readings} <= {json.loads(payload)["timestamp"] * 1000}
