"""Device models: bytes and names to quantities."""

import json
from pathlib import Path

import pytest

from ingest.codecs.lorawan import MODELS, Uplink, counter_modulus, decode, memory_key
from storage.readings import Quality
from tests.ingest.codecs.uplinks import DEVICE, TIME_US, read, reasons, values


# Frames and their values are the makers' published examples: the decoders of Decentlab and the
# READMEs of Milesight's SensorDecoders, the codec file of Dragino's LSE01.
@pytest.mark.parametrize(
    ("profile", "frame", "expected"),
    [
        (
            "dragino-lse01",
            "CE2900F107A5099B6E2890",
            {
                ("battery_voltage",): 3.625,
                ("air_temperature",): 24.1,
                ("soil_moisture",): 0.1957,
                ("soil_temperature",): 24.59,
                ("soil_ec",): 28.2,  # 28200 µS/cm
            },
        ),
        (
            "decentlab-dl-trs12",
            "0210d3000346be813d00000c80",
            {
                ("soil_moisture",): 0.0068869,
                ("soil_temperature",): 31.7,
                ("soil_ec",): 0.0,
                ("battery_voltage",): 3.2,
            },
        ),
        ("decentlab-dl-trs12", "0210d300020c80", {("battery_voltage",): 3.2}),  # probe lost
        (
            "decentlab-dl-tbrg",
            "0202f8000300040258409a00000c54",
            {("rain",): 0.4, ("rain_total",): 1653.8, ("battery_voltage",): 3.156},
        ),
        (
            "decentlab-dl-atm41",
            "02035a0003800a8000800080008009812b8014810880b4a57c820c810980027fe88056800880040bf5",
            {
                ("solar_radiation",): 10.0,
                ("rain",): 0.0,
                ("wind_speed",): 0.09,
                ("wind_direction",): 29.9,
                ("air_temperature",): 26.4,
                ("air_pressure",): 95.96,
                ("relative_humidity",): 52.4,
                ("battery_voltage",): 3.061,
            },
        ),
        (
            "milesight-em500-smtc",
            "01756403671901046873057FF000",
            {
                ("battery_level",): 100.0,
                ("soil_temperature",): 28.1,
                ("soil_moisture",): 0.575,
                ("soil_ec",): 0.24,  # 240 µS/cm
            },
        ),
        (
            "milesight-em500-pp",
            "017564037B0A00",
            {("battery_level",): 100.0, ("water_pressure",): 10.0},
        ),
        (
            "milesight-uc511",
            "01755C03010004C805000000",
            {("battery_level",): 92.0, ("valve_open", 1): 0.0},
        ),
        (
            "milesight-wts506",
            "0175640367FF00046879",
            {("battery_level",): 100.0, ("air_temperature",): 25.5, ("relative_humidity",): 60.5},
        ),
        (
            "milesight-wts506",
            "0584BA0406734F270792010008777B0001",
            {
                ("wind_direction",): 121.0,
                ("air_pressure",): 100.63,  # 1006.3 hPa
                ("wind_speed",): 0.1,
                ("rain_total",): 1.23,
            },
        ),
        (
            "milesight-wts506-v2",
            "0584BA0406734F270792010008EC7B00000001",
            {
                ("wind_direction",): 121.0,
                ("air_pressure",): 100.63,
                ("wind_speed",): 0.1,
                ("rain_total",): 1.23,
            },
        ),
    ],
)
def test_bytes_of_a_known_model(profile, frame, expected):
    found = values(read(profile, hex_frame=frame))

    assert found == pytest.approx(expected, rel=1e-9)
    assert set(found) == set(expected)


def test_a_profile_probe_says_depths_and_missing_levels():
    # Decentlab's DL-SMTP example; -0.39 … 4.152 % and two levels of zero words.
    decoded = read(
        "decentlab-dl-smtp",
        hex_frame="020b50000309018a8c09438a9809278a920b3c8aa50c9c8a8c11e08aa500000000000000000b3b",
    )

    moisture = {r.depth_cm: r.value for r in decoded.readings if r.quantity == "soil_moisture"}
    warmth = {r.depth_cm: r.value for r in decoded.readings if r.quantity == "soil_temperature"}
    assert moisture == pytest.approx(
        {5: -0.0039, 15: -0.00258, 25: -0.00314, 35: 0.00752, 45: 0.01456, 55: 0.04152}
    )
    assert warmth == {5: 27.0, 15: 27.12, 25: 27.06, 35: 27.25, 45: 27.0, 55: 27.25}
    (missing,) = decoded.rejected
    assert missing.reason == "no-sensor"
    assert "soil_moisture_at_depth_6" in missing.detail
    assert "soil_temperature_at_depth_7" in missing.detail


def test_a_negative_soil_temperature_is_not_read_a_hundredth_too_high():
    # 0xFF38 = -200 hundredths; the maker's decoder says (0xFF38 - 0xFFFF) / 100 = -1.99.
    upstream = {"Bat": 3.6, "temp_SOIL": "-1.99", "water_SOIL": "19.57", "conduct_SOIL": 100}

    found = values(
        read("dragino-lse01", hex_frame="0E2900F107A5FF38006490", decoded=upstream, port=2)
    )

    assert found["soil_temperature",] == -2.0
    assert found["soil_moisture",] == pytest.approx(0.1957)


def test_an_unplugged_probe_reads_as_no_sensor():
    decoded = read("dragino-lse01", hex_frame="0E297FFF07A5099B006490")

    assert "air_temperature" not in {r.quantity for r in decoded.readings}
    assert reasons(decoded) == ["no-sensor"]


def test_the_makers_own_names_tell_the_model_and_its_bytes_go_first():
    # No profile: the decoded object is that of an LSE01, whose -1.99 is the maker's mistake.
    upstream = {"Bat": 3.6, "temp_SOIL": "-1.99", "water_SOIL": "19.57", "conduct_SOIL": 100}

    found = values(read(hex_frame="0E2900F107A5FF38006490", decoded=upstream, port=2))

    assert found["soil_temperature",] == -2.0


def test_another_port_carries_no_measurements():
    decoded = read("dragino-lse01", hex_frame="0E2900F107A5099B006490", port=5)

    assert reasons(decoded) == ["no-decoder"]
    assert "port 5" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    "decoded",
    [
        {"water_SOIL": "19.57", "temp_SOIL": "24.59", "conduct_SOIL": 28200, "Bat": 3.625},
        {
            "water_SOIL": "19.57 %",
            "temp_SOIL": "24.59 °C",
            "conduct_SOIL": "28200 uS/cm",
            "Bat": "3.625 V",
        },
    ],
)
def test_numbers_as_text_with_and_without_their_unit(decoded):
    # The older decoders of Dragino write the unit behind the number ("30.11 °C").
    assert values(read(decoded=decoded)) == pytest.approx(
        {
            ("soil_moisture",): 0.1957,
            ("soil_temperature",): 24.59,
            ("soil_ec",): 28.2,
            ("battery_voltage",): 3.625,
        }
    )


def test_values_that_carry_their_own_unit():
    decoded = {
        "volumetric_water_content": {"displayName": "VWC", "unit": "m³⋅m⁻³", "value": 0.31},
        "electrical_conductivity": {"unit": "µS⋅cm⁻¹", "value": 450},
        "atmospheric_pressure": {"unit": "kPa", "value": 95.96},
        "device_id": 4307,
    }

    assert values(read(decoded=decoded)) == pytest.approx(
        {("soil_moisture",): 0.31, ("soil_ec",): 0.45, ("air_pressure",): 95.96}
    )


def test_names_that_could_mean_two_things_need_a_profile():
    decoded = {"battery": 100, "temperature": 28.1, "moisture": 57.5, "ec": 240}

    unknown, known = read(decoded=decoded), read("milesight-em500-smtc", decoded=decoded)

    assert (unknown.readings, reasons(unknown)) == ([], ["no-decoder"])
    assert "temperature" in unknown.rejected[0].detail
    assert "milesight-em500-smtc" in unknown.rejected[0].detail
    assert values(known) == pytest.approx(
        {
            ("battery_level",): 100.0,
            ("soil_temperature",): 28.1,
            ("soil_moisture",): 0.575,
            ("soil_ec",): 0.24,
        }
    )


def test_the_same_names_mean_air_at_a_weather_station():
    found = values(read("milesight-wts506", decoded={"temperature": 25.5, "humidity": 60.5}))

    assert found == {("air_temperature",): 25.5, ("relative_humidity",): 60.5}


def test_a_profile_may_be_known_by_what_the_network_calls_it():
    assert values(read(None, "Milesight EM500-PP", hex_frame="037B0A00")) == {
        ("water_pressure",): 10.0
    }
    assert reasons(read(None, "dev-prof-Decentlab", hex_frame="0210d300020c80")) == ["no-decoder"]


def test_the_profile_here_goes_before_the_name_there():
    decoded = read("milesight-em500-pp", "milesight-uc511", decoded={"pressure": 10})

    assert values(decoded) == {("water_pressure",): 10.0}


@pytest.mark.parametrize(("written", "state"), [("open", 1.0), ("close", 0.0), (True, 1.0)])
def test_valves_are_open_or_closed(written, state):
    assert values(read(decoded={"valve_1": written})) == {("valve_open", 1): state}


def test_the_memory_of_a_device_keeps_its_own_time():
    # Milesight UC511: 20 ce, epoch seconds 1678352703, 0x17 = valve 2, open.
    decoded = read(
        "milesight-uc511",
        hex_frame="20CE3FA109641700000000",
        quality=int(Quality.SERVER_TIME),
    )

    (reading,) = decoded.readings
    assert (reading.quantity, reading.channel, reading.value) == ("valve_open", 2, 1.0)
    assert (reading.time, reading.time_source) == (1_678_352_703_000_000, "device")
    assert not reading.quality & Quality.SERVER_TIME


def test_pulses_mean_water_only_where_the_profile_says_how_much():
    # README of the UC511: battery 92 %, valve 1 closed, 5 pulses
    frame = "01755C03010004C805000000"

    metered = values(read("milesight-uc511;pulse_l=10", hex_frame=frame))
    counted = values(read("milesight-uc511", hex_frame=frame))

    assert metered["water_total", 1] == 0.05  # 5 x 10 L
    assert counted == {("battery_level",): 92.0, ("valve_open", 1): 0.0}


def test_pulses_of_the_past_are_counted_unless_the_input_is_a_switch():
    # 20 ce, 1678352703 s, state 0x11 (valve 2, open, counter) and 0x17 (a switch), 7 pulses
    profile = "milesight-uc511;pulse_l=2.5"
    counter = read(profile, hex_frame="20CE3FA109641107000000")
    switch = read(profile, hex_frame="20CE3FA109641707000000")

    assert values(counter) == {("valve_open", 2): 1.0, ("water_total", 2): 0.0175}
    assert {r.time for r in counter.readings} == {1_678_352_703_000_000}
    assert values(switch) == {("valve_open", 2): 1.0}


def test_pulses_of_a_decoded_object_are_the_same():
    found = values(read("milesight-uc511;pulse_l=10", decoded={"valve_1_pulse": 5}))

    assert found == {("water_total", 1): 0.05}


def test_a_weather_record_of_the_past():
    # README of the WTS506: 1692507109 s, 25.5 °C, 60.5 %, 1006.3 hPa, 121°, 5 m/s, 995.62 mm
    decoded = read("milesight-wts506-v2", hex_frame="21CEE59BE164FF00794F27BA043200EA840100")

    assert values(decoded) == pytest.approx(
        {
            ("air_temperature",): 25.5,
            ("relative_humidity",): 60.5,
            ("air_pressure",): 100.63,
            ("wind_direction",): 121.0,
            ("wind_speed",): 5.0,
            ("rain_total",): 995.62,
        }
    )
    assert {r.time for r in decoded.readings} == {1_692_507_109_000_000}


def test_the_normalized_payload_goes_first():
    # Units: lib/payload.json of the lorawan-devices repository; % of soil, hPa, litres.
    measurement = {
        "battery": 3.6,
        "soil": {"depth": 20, "moisture": 31.0, "temperature": 12.5, "ec": 0.45, "pH": 7},
        "air": {"temperature": 10, "relativeHumidity": 55, "pressure": 1013.25},
        "wind": {"speed": 9.002, "direction": 270},
        "rain": {"cumulative": 12.4, "intensity": 3},
        "metering": {"water": {"total": 1500}},
    }

    found = values(read(normalized=[measurement], decoded={"temp_SOIL": 50}))

    assert found == pytest.approx(
        {
            ("battery_voltage",): 3.6,
            ("soil_moisture", 20.0): 0.31,
            ("soil_temperature", 20.0): 12.5,
            ("soil_ec", 20.0): 0.45,
            ("air_temperature",): 10.0,
            ("relative_humidity",): 55.0,
            ("air_pressure",): 101.325,
            ("wind_speed",): 9.002,
            ("wind_direction",): 270.0,
            ("rain_total",): 12.4,
            ("water_total",): 1.5,
        }
    )


def test_a_normalized_measurement_may_have_its_own_time():
    (reading,) = read(
        normalized=[{"time": "2026-07-01T05:00:00Z", "air": {"temperature": 1}}]
    ).readings

    assert (reading.time, reading.time_source) == (1_782_882_000_000_000, "device")


def test_the_air_of_a_room_is_not_the_weather():
    decoded = read(normalized=[{"air": {"location": "indoor", "temperature": 21}, "battery": 3}])

    assert [r.quantity for r in decoded.readings] == ["battery_voltage"]


def test_counters_that_begin_again_say_where():
    assert counter_modulus("milesight-wts506", "rain_total") == 655.36  # uint16 x 0.01 mm
    assert counter_modulus("decentlab-dl-tbrg", "rain_total") == pytest.approx(429_496_729.6)
    assert counter_modulus("milesight-wts506", "air_temperature") is None
    assert counter_modulus(None, "rain_total") is None
    assert counter_modulus("no-such-model", "rain_total") is None
    # uint32 pulses of 10 L: 42,949,672.96 m³
    assert counter_modulus("milesight-uc511;pulse_l=10", "water_total", 2) == 42_949_672.96
    assert counter_modulus("milesight-uc511;pulse_l=10", "water_total", 3) is None
    assert counter_modulus("milesight-uc511", "water_total", 1) is None


def test_published_decoder_examples(shared: Path):
    path = shared / "samples" / "lorawan-decoders" / "decoded-examples.json"
    examples = json.loads(path.read_text())
    assert examples
    for example in examples:
        profile = f"{example['vendor']}-{example['model']}".lower()
        from_bytes = read(profile, hex_frame=example["hex"], port=example["f_port"])
        from_object = read(profile, decoded=example["decoded"])

        assert values(from_bytes) == pytest.approx(values(from_object))
        assert {r.time for r in from_bytes.readings} == {r.time for r in from_object.readings}
        for measurement in example.get("normalized", []):
            assert values(read(normalized=[measurement])) == pytest.approx(values(from_bytes))


def test_every_model_names_only_quantities_of_the_catalogue_in_units_they_can_have():
    for model in MODELS.values():
        assert set(model.modulus) <= {field.quantity for field in model.fields.values()}
        for name in model.fields:
            found = read(model.profile, decoded={name: 1.0})
            assert [r.reason for r in found.rejected] == [], (model.profile, name)


def test_a_model_that_only_the_network_knows_is_learned_once_for_its_counters():
    uplink = Uplink(DEVICE, TIME_US, "network", 0, [], {"rainfall_total": 1.5}, b"", None)

    first = decode(uplink, None, "Milesight WTS506")
    later = decode(uplink, None, "Milesight WTS506", memory=first.learned)
    listed = decode(uplink, "milesight-wts506", "Milesight WTS506")

    assert dict(first.learned) == {memory_key(DEVICE): "milesight-wts506"}
    assert (dict(later.learned), dict(listed.learned)) == ({}, {})
    assert first.readings == later.readings == listed.readings
