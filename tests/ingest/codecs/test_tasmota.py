"""Sensor messages of Tasmota."""

import json
from pathlib import Path

import pytest

from ingest.codecs import decode
from ingest.decoding import captured
from storage.readings import Quality

NOW_US = 1_782_882_060_000_000  # 2026-07-01T05:01:00Z
LOCAL = "2026-07-01T10:00:00"  # in Almaty, UTC+5
SECOND_US = 1_782_882_000_000_000  # 2026-07-01T05:00:00Z
AIR = {"Temperature": 22.6, "Humidity": 32.4, "DewPoint": 5.0}


def read(document, timezone="Asia/Almaty", received_at_us=NOW_US):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decode("tele/TH16/SENSOR", payload, received_at_us=received_at_us, timezone=timezone)


def values(decoded):
    assert decoded.rejected == []
    return {(r.quantity, r.channel): r.value for r in decoded.readings}


def reasons(decoded):
    return [r.reason for r in decoded.rejected]


def test_local_time_is_that_of_the_devices_zone():
    decoded = read({"Time": LOCAL, "AM2301": AIR, "TempUnit": "C"})

    assert decoded.device == "tasmota:TH16"
    assert values(decoded) == {
        ("air_temperature", None): 22.6,
        ("relative_humidity", None): 32.4,
    }
    assert {(r.time, r.time_source, r.quality) for r in decoded.readings} == {
        (SECOND_US, "device", 0)
    }


def test_without_a_zone_local_time_is_not_guessed():
    decoded = read({"Time": LOCAL, "AM2301": AIR}, timezone=None)

    assert (decoded.device, decoded.readings) == ("tasmota:TH16", [])
    assert reasons(decoded) == ["no-timezone"]


def test_a_time_with_its_offset_needs_no_zone():
    decoded = read({"Time": "2026-07-01T08:00:00+03:00", "AM2301": AIR}, timezone=None)

    assert {r.time for r in decoded.readings} == {SECOND_US}


def test_without_any_time_it_has_that_of_arrival_and_says_so():
    (reading,) = read({"BMP280": {"Pressure": 1013.25}}, timezone=None).readings

    assert (reading.time, reading.quality) == (NOW_US, Quality.SERVER_TIME)


# Europe/Berlin sets back on 2026-10-25 at 03:00 CEST (01:00Z): 02:30 comes at 00:30Z and 01:30Z.
@pytest.mark.parametrize(("arrived_s", "expected_s"), [(1_792_888_260, 1_792_888_200),
                                                       (1_792_891_860, 1_792_891_800)])  # fmt: skip
def test_of_an_hour_that_comes_twice_the_one_near_the_arrival_is_meant(arrived_s, expected_s):
    decoded = read(
        {"Time": "2026-10-25T02:30:00", "AM2301": {"Temperature": 5}},
        timezone="Europe/Berlin",
        received_at_us=arrived_s * 1_000_000,
    )

    assert [r.time for r in decoded.readings] == [expected_s * 1_000_000]


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("2026-03-29T02:30:00", "Europe/Berlin", "bad-time"),  # clocks went from 2 to 3
        ("1970-01-01T00:00:12", "Asia/Almaty", "bad-time"),  # never set: not yet 1970 in UTC
        ("2026-07-01", "Asia/Almaty", "bad-time"),
        ("soon", "Asia/Almaty", "bad-time"),
        (5, "Asia/Almaty", "bad-time"),
        (LOCAL, "Asia/Nowhere", "bad-timezone"),
        (LOCAL, "../../etc/passwd", "bad-timezone"),
    ],
)
def test_a_time_that_is_none_says_why(time, zone, expected):
    assert reasons(read({"Time": time, "AM2301": AIR}, timezone=zone)) == [expected]


@pytest.mark.parametrize(
    ("unit", "written", "expected"),
    [("C", 22.5, 22.5), ("F", 72.5, 22.5), ("F", 32, 0.0), (None, 22.5, 22.5)],
)
def test_temperatures_are_in_the_unit_that_the_message_names(unit, written, expected):
    document = {"Time": LOCAL, "SI7021": {"Temperature": written}}
    if unit is not None:
        document["TempUnit"] = unit

    assert values(read(document)) == {("air_temperature", None): expected}


def test_pressures_are_in_the_unit_that_the_message_names():
    sensor = {"BME280": {"Pressure": 750.0, "SeaPressure": 760.0}}

    metric = read({"Time": LOCAL, "PressureUnit": "hPa"} | sensor)
    mercury = read({"Time": LOCAL, "PressureUnit": "mmHg"} | sensor)

    assert values(metric) == {("air_pressure", None): 75.0}
    assert values(mercury) == pytest.approx({("air_pressure", None): 99.9918})  # x 0.133322 kPa


def test_several_sensors_of_a_kind_are_channels():
    document = {"Time": LOCAL, "BME280-76": {"Temperature": 1}, "AM2301-14": {"Temperature": 2},
                "BME280-7F": {"Temperature": 3}}  # fmt: skip

    assert values(read(document)) == {
        ("air_temperature", 76): 1.0,
        ("air_temperature", 14): 2.0,
        ("air_temperature", 127): 3.0,
    }


def test_two_sensors_of_one_quantity_without_channels_are_not_mixed():
    document = {"Time": LOCAL, "AM2301": {"Temperature": 1}, "BME280": {"Temperature": 2}}

    decoded = read(document)

    assert [r.value for r in decoded.readings] == [1.0]
    assert reasons(decoded) == ["ambiguous-sensor"]


def test_a_probe_may_hang_anywhere_so_it_is_not_the_air():
    probe = {"DS18B20": {"Id": "01", "Temperature": 12.5}}

    alone = read({"Time": LOCAL} | probe, timezone=None)
    beside = read({"Time": LOCAL, "AM2301": AIR} | probe)

    assert (alone.readings, reasons(alone)) == ([], ["unknown-sensor"])
    assert (len(beside.readings), reasons(beside)) == (2, ["unknown-sensor"])


def test_what_measures_nothing_of_a_farm_is_no_error():
    document = {"Time": LOCAL, "ENERGY": {"Power": 12}, "ANALOG": {"A0": 700}, "Switch1": "ON"}

    decoded = read(document, timezone=None)

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


def test_a_sensor_that_does_not_answer_leaves_its_neighbours():
    decoded = read({"Time": LOCAL, "AM2301": {"Temperature": None, "Humidity": 40}})

    assert [r.quantity for r in decoded.readings] == ["relative_humidity"]
    assert reasons(decoded) == ["no-sensor"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"x", "not-json"),
        (b"[]", "bad-message"),
        ({"Time": LOCAL, "AM2301": {"Temperature": "warm"}}, "not-a-number"),
        ({"Time": LOCAL, "AM2301": {"Temperature": 5}, "TempUnit": "R"}, "unknown-unit"),
        ({"Time": LOCAL, "AM2301": {"Temperature": 5}, "TempUnit": ["C"]}, "unknown-unit"),
        (b'{"AM2301": {"Temperature": NaN}}', "value-not-finite"),
    ],
)
def test_what_cannot_be_read_says_why(document, expected):
    decoded = read(document)

    assert (decoded.readings, reasons(decoded)) == ([], [expected])


def test_the_published_line(shared: Path):
    (payload,) = captured((shared / "samples/plain-json/tasmota-sensor.json").read_bytes())

    decoded = read(payload)

    assert values(decoded) == {
        ("air_temperature", None): 22.6,
        ("relative_humidity", None): 32.4,
    }
    # 2018-03-02T18:25:03 in Almaty, then UTC+6
    assert {r.time for r in decoded.readings} == {1_519_993_503_000_000}
