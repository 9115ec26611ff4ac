"""Packs of our own devices: names, units, numbering."""

import json

import cbor2
import pytest

from ingest.codecs import decode, senml_pack
from ingest.messages import Reading
from storage.quantities import CATALOGUE
from storage.readings import Quality

NOW_US = 1_800_000_000_000_000
TIME_S, TIME_US = 1_700_000_000, 1_700_000_000_000_000
LABELS = {label: number for number, label in senml_pack.CBOR_LABELS.items()}


def read(pack, device="probe-7"):
    payload = pack if isinstance(pack, bytes) else json.dumps(pack).encode()
    return decode(f"dala/v1/{device}/senml", payload, received_at_us=NOW_US)


def one(**record):
    """The only reading of a record dated by the device."""
    decoded = read([{"bt": TIME_S} | record])
    assert decoded.rejected == []
    (reading,) = decoded.readings
    return reading


def reason(**record):
    """Why the only record gave nothing."""
    decoded = read([{"bt": TIME_S} | record])
    assert decoded.readings == []
    (rejected,) = decoded.rejected
    assert rejected.detail
    return rejected.reason


def test_a_pack_becomes_readings_with_its_number():
    prefix = "urn:dev:dala:probe-7:"
    decoded = read(
        [
            {"bn": prefix, "bt": TIME_S, "n": "boot", "v": 3},
            {"n": "seq", "v": 18},
            {"n": "soil_moisture/20", "v": 0.31},
            {"n": "valve_open:1", "vb": True, "t": 60},
        ]
    )

    assert (decoded.device, decoded.boot, decoded.seq) == ("probe-7", 3, 18)
    assert decoded.rejected == []
    assert decoded.readings == [
        Reading("probe-7", "soil_moisture", 0.31, TIME_US, "device", 20.0, None, 0),
        Reading("probe-7", "valve_open", 1.0, TIME_US + 60_000_000, "device", None, 1, 0),
    ]


def test_cbor_says_the_same_as_json():
    pack = [
        {"bt": TIME_S, "n": "boot", "v": 3},
        {"n": "seq", "v": 18},
        {"n": "air_temperature", "u": "K", "v": 293.15},
        {"n": "valve_open", "vb": False},
    ]
    compact = cbor2.dumps([{LABELS[k]: v for k, v in record.items()} for record in pack])

    assert read(compact) == read(pack)
    assert len(read(compact).readings) == 2


@pytest.mark.parametrize(
    ("name", "depth_cm", "channel"),
    [
        ("soil_moisture", None, None),
        ("soil_moisture/7.5", 7.5, None),
        ("soil_moisture:2", None, 2),
        ("soil_moisture/30:2", 30.0, 2),
        ("urn:dev:dala:probe-7:soil_moisture/30:2", 30.0, 2),
    ],
)
def test_a_name_says_depth_and_channel(name, depth_cm, channel):
    reading = one(n=name, v=0.3)

    assert (reading.quantity, reading.depth_cm, reading.channel) == (
        "soil_moisture",
        depth_cm,
        channel,
    )


@pytest.mark.parametrize(
    ("name", "unit", "value", "stored"),
    [
        # RFC 8428: "%" is a ratio; RFC 8798: "/100" is per cent
        ("soil_moisture", "/", 0.31, 0.31),
        ("soil_moisture", "%", 0.31, 0.31),
        ("soil_moisture", "/100", 31.0, 0.31),
        ("relative_humidity", "%RH", 55.0, 55.0),
        ("relative_humidity", "/", 0.5, 50.0),
        ("battery_level", "%EL", 80.0, 80.0),
        ("air_temperature", "Cel", 23.1, 23.1),
        ("air_temperature", "K", 293.15, 20.0),
        ("soil_ec", "S/m", 0.03, 0.3),
        ("soil_ec", "mS/cm", 1.5, 1.5),
        ("air_pressure", "Pa", 101_325.0, 101.325),
        ("air_pressure", "hPa", 1013.25, 101.325),
        ("soil_water_potential", "Pa", -33_000.0, -33.0),
        ("wind_speed", "km/h", 36.0, 10.0),
        ("wind_direction", "rad", 3.141592653589793, 180.0),
        ("wind_direction", "deg", 270.0, 270.0),
        ("rain", "mm", 0.2, 0.2),
        ("rain", "m", 0.002, 2.0),
        ("water_total", "l", 1500.0, 1.5),
        ("water_flow", "m3/s", 0.01, 36.0),
        ("water_flow", "l/s", 10.0, 36.0),
        ("fuel_rate", "l/s", 0.005, 18.0),
        ("battery_voltage", "mV", 3300.0, 3.3),
        ("engine_speed", "1/min", 1800.0, 1800.0),
        ("engine_speed", "1/s", 30.0, 1800.0),
        ("yield_mass_flow", "kg/s", 7.5, 7.5),
        ("solar_radiation_sum", "J/m2", 24_500_000.0, 24.5),
    ],
)
def test_units_become_the_stored_one(name, unit, value, stored):
    assert one(n=name, u=unit, v=value).value == pytest.approx(stored, rel=1e-12)


def test_no_unit_means_the_stored_one():
    for name in CATALOGUE:
        assert one(n=name, v=0.5).value == 0.5


def test_the_unit_of_another_quantity_is_named_in_the_reason():
    decoded = read([{"n": "soil_moisture", "u": "Cel", "v": 20}])

    assert decoded.rejected[0].reason == "wrong-unit"
    assert "m³/m³" in decoded.rejected[0].detail
    assert "Cel" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"n": "soil_moisture", "u": "furlong", "v": 1}, "unknown-unit"),
        ({"n": "soil_moisture", "u": "%RH", "v": 1}, "wrong-unit"),
        ({"n": "soil_wetness", "v": 1}, "unknown-quantity"),
        ({"n": "soil_moisture/deep", "v": 1}, "unknown-quantity"),
        ({"n": "soil_moisture:1/20", "v": 1}, "unknown-quantity"),
        ({"n": "urn:dev:dala:probe-8:rain", "v": 1}, "foreign-device"),
        ({"n": "urn:dev:ow:10e2073a01080063", "v": 1}, "unknown-quantity"),
        ({"n": "soil moisture", "v": 1}, "bad-name"),
        ({"v": 1}, "bad-name"),
        ({"n": "rain"}, "no-value"),
        ({"n": "rain", "vs": "heavy"}, "not-a-number"),
        ({"n": "rain", "vd": "aGkgCg"}, "not-a-number"),
        ({"n": "rain", "vb": True}, "not-a-number"),
        ({"n": "rain", "v": 1, "vs": "1"}, "several-values"),
        ({"n": "water_total", "s": 12}, "sum-not-stored"),
        ({"n": "rain", "v": True}, "bad-record"),
        ({"n": "rain", "v": None}, "bad-record"),
        ({"n": 5, "v": 1}, "bad-record"),
        ({"n": "rain", "v": 1, "t": 1e300}, "time-out-of-range"),
        ({"n": "rain", "v": 1, "t": 260_000_000_000}, "time-out-of-range"),
        ({"n": "boot", "v": -1}, "bad-numbering"),
        ({"n": "seq", "v": 1.5}, "bad-numbering"),
        ({"n": "seq", "vs": "1"}, "bad-numbering"),
    ],
)
def test_a_record_that_cannot_be_stored_says_why(record, expected):
    assert reason(**record) == expected


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_value_that_is_not_finite_leaves_its_neighbours(literal):
    decoded = read(b'[{"n":"rain","v":%s},{"n":"air_temperature","v":20}]' % literal)

    assert [r.quantity for r in decoded.readings] == ["air_temperature"]
    assert [(r.reason, "record 0" in r.detail) for r in decoded.rejected] == [
        ("value-not-finite", True)
    ]


def test_nan_in_cbor_is_refused():
    # f9 7e00 is the half-precision NaN
    decoded = read(bytes.fromhex("81a2 00 64 7261696e 02 f97e00"))

    assert [r.reason for r in decoded.rejected] == ["value-not-finite"]


def test_a_value_beside_a_sum_is_stored_and_the_sum_reported():
    decoded = read([{"n": "water_total", "v": 5, "s": 7}])

    assert [r.value for r in decoded.readings] == [5.0]
    assert [r.reason for r in decoded.rejected] == ["sum-not-stored"]


def test_two_different_numbers_of_one_message_are_refused():
    decoded = read([{"n": "seq", "v": 1}, {"n": "seq", "v": 2}, {"n": "seq", "v": 1}])

    assert decoded.seq == 1
    assert [r.reason for r in decoded.rejected] == ["bad-numbering"]


def test_a_time_from_now_is_marked_as_the_servers():
    (reading,) = read([{"n": "rain", "v": 1, "t": -60}]).readings

    assert (reading.time, reading.time_source) == (NOW_US - 60_000_000, "server")
    assert reading.quality == Quality.SERVER_TIME


def test_implausible_values_are_not_the_codecs_business():
    assert one(n="soil_moisture", v=57.5).value == 57.5


def test_an_empty_pack_is_no_error():
    assert read([]) == read(b"\x80")
    assert read([]).rejected == []
