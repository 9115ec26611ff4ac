"""Device models: bytes and names to quantities."""

import json
import re
from pathlib import Path

import pytest

from ingest.codecs.lorawan import MODELS, Uplink, counter_modulus, decode, memory_key
from storage.readings import Quality
from tests.ingest.codecs.corpus import FRAMES

TIME_US = 1_700_000_000_000_000
DEVICE = "lora:a840411234567890"


def read(profile=None, *names, hex_frame="", decoded=None, normalized=(), port=None, quality=0):
    uplink = Uplink(
        DEVICE,
        TIME_US,
        "network",
        quality,
        list(normalized),
        decoded,
        bytes.fromhex(hex_frame),
        port,
    )
    return decode(uplink, profile, *names)


def values(decoded):
    """Quantity (with depth or channel) → value of readings that came without complaint."""
    assert decoded.rejected == []
    return {
        (r.quantity, *[x for x in (r.depth_cm, r.channel) if x is not None]): r.value
        for r in decoded.readings
    }


def reasons(decoded):
    return [r.reason for r in decoded.rejected]


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


def test_a_misspelt_profile_is_not_guessed_around():
    decoded = read("milesight-em500", hex_frame="037B0A00")

    assert reasons(decoded) == ["unknown-profile"]
    assert "milesight-em500-pp" in decoded.rejected[0].detail


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


@pytest.mark.parametrize(
    "profile",
    [
        "milesight-uc511;pulse_l=0",
        "milesight-uc511;pulse_l=-1",
        "milesight-uc511;litres=10",
        "milesight-uc511;",
        "milesight-em500-pp;pulse_l=10",  # counts no pulses
    ],
)
def test_a_profile_that_promises_what_the_model_has_not_is_refused(profile):
    decoded = read(profile, hex_frame="01755C")

    assert (decoded.readings, reasons(decoded)) == ([], ["unknown-profile"])
    assert counter_modulus(profile, "water_total", 1) is None


def test_history_in_a_decoded_object_keeps_its_own_time():
    history = [{"timestamp": 1678352703, "valve_2": "open", "mode": "gpio"}]

    (reading,) = read(decoded={"history": history}).readings

    assert reading.time == 1_678_352_703_000_000


@pytest.mark.parametrize("timestamp", [0, 86_400, None, "1678352703", True, 1e300, float("nan")])
def test_history_of_a_device_whose_clock_was_never_set_is_refused(timestamp):
    decoded = read(decoded={"valve_1": "open", "history": [{"timestamp": timestamp, "valve_1": 1}]})

    assert len(decoded.readings) == 1
    assert reasons(decoded) == ["time-out-of-range"]


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


def test_a_broken_probe_is_no_sensor_but_frost_is_a_temperature():
    frost = read("milesight-em500-smtc", hex_frame="0367FFFF04CAB004057FF000")
    broken = read("milesight-em500-smtc", hex_frame="04CAFFFF057FFDFF")

    altogether = read("milesight-em500-smtc", hex_frame="0367FFFF04CAFFFF057FFFFF")

    assert values(frost)["soil_temperature",] == -0.1
    assert (broken.readings, reasons(broken)) == ([], ["no-sensor"])
    assert (altogether.readings, reasons(altogether)) == ([], ["no-sensor"])


@pytest.mark.parametrize(
    ("profile", "frame"),
    [
        ("decentlab-dl-trs12", "0110d300020c80"),  # protocol 1
        ("decentlab-dl-trs12", "0210d3000346be813d"),  # ends early
        ("decentlab-dl-trs12", "02"),
        ("dragino-lse01", "CE29"),
        ("milesight-em500-pp", "037B0A"),  # ends inside a value
        ("milesight-em500-pp", "777B0A00"),  # a channel of another model
        ("decentlab-dl-trs12", FRAMES["decentlab-dl-smtp"]),  # whose flags mean other words
        ("decentlab-dl-tbrg", FRAMES["decentlab-dl-trs12"]),
        ("decentlab-dl-atm41", FRAMES["decentlab-dl-smtp"]),
        ("decentlab-dl-trs12", "0210d300040c80"),  # a sensor that this model has not
    ],
)
def test_bytes_of_another_model_are_refused(profile, frame):
    decoded = read(profile, hex_frame=frame)

    assert (decoded.readings, reasons(decoded)) == ([], ["bad-frame"])


@pytest.mark.parametrize("profile", sorted(FRAMES))
def test_a_frame_that_is_cut_off_says_where(profile):
    whole = bytes.fromhex(FRAMES[profile])
    ends = {0, len(whole)}  # of entries: a row of a Milesight device may be of any number of them
    for end in range(1, len(whole)):
        decoded = read(profile, hex_frame=whole[:end].hex())
        refused = reasons(decoded)
        if refused == ["bad-frame"]:
            assert re.search(rf"byte \d+|\b{end} bytes|not {end}", decoded.rejected[0].detail)
            assert decoded.readings == []
        else:
            assert profile.startswith("milesight")
            ends.add(end)
    assert len(ends) < len(whole) / 2


@pytest.mark.parametrize("profile", sorted(FRAMES))
@pytest.mark.parametrize("rest", ["00", "0000", "ab" * 7])
def test_bytes_behind_a_frame_are_no_measurements(profile, rest):
    decoded = read(profile, hex_frame=FRAMES[profile] + rest)

    assert (decoded.readings, reasons(decoded)) == ([], ["bad-frame"])
    assert re.search(r"byte \d+|\d+ bytes|not \d+", decoded.rejected[0].detail)


def test_what_a_valve_says_of_its_tasks_is_stepped_over():
    # 0b f5: an alarm of the pipe's pressure (always, above, 0 and 500 kPa, now 612 kPa, raised);
    # 0e af: the first valve's task; f8 a5: an answer, and nothing behind it is a measurement.
    frame = "030101" + "0BF5" + "0002" + "0000" + "F401" + "6402" + "01" + "0EAF010101" + "F8A50000"

    assert values(read("milesight-uc511", hex_frame=frame)) == {
        ("valve_open", 1): 1.0,
        ("water_pressure",): 612.0,
    }


@pytest.mark.parametrize(
    ("profile", "frame"),
    [
        ("decentlab-dl-trs12", "0210d30000"),  # flags of no sensor
        ("milesight-em500-pp", "FF0B01FF166412345678901234"),  # switched on, and its number
        ("milesight-em500-pp", "FE033C00"),  # the answer to a command: the interval is 60 s
        ("milesight-uc511", "0301FF"),  # how a delayed command went
    ],
)
def test_a_frame_that_measures_nothing_says_so(profile, frame):
    decoded = read(profile, hex_frame=frame)

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored == "up: nothing measured"


def test_history_beyond_what_an_uplink_can_hold_is_refused():
    records = [{"timestamp": 1_700_000_000 + n, "valve_1": "open"} for n in range(1_001)]

    decoded = read("milesight-uc511", decoded={"history": records})

    assert len(decoded.readings) == 1_000
    assert reasons(decoded) == ["too-many-records"]


def test_the_description_of_a_device_is_stepped_over():
    # ff 01 01 (IPSO version) and ff 09 03 10 (hardware) before the pressure
    assert values(read("milesight-em500-pp", hex_frame="FF0101FF090310037B0A00")) == {
        ("water_pressure",): 10.0
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, "value-not-finite"),  # what a server makes of NaN
        (float("nan"), "value-not-finite"),
        ("NaN", "value-not-finite"),
        (10**400, "value-not-finite"),
        ("wet", "not-a-number"),
        (True, "not-a-number"),
        ([1], "not-a-number"),
        ("3 furlongs", "unknown-unit"),
        ({"value": 3, "unit": "kPa"}, "wrong-unit"),
    ],
)
def test_a_value_that_is_none_says_why_and_leaves_its_neighbour(written, expected):
    decoded = read(decoded={"temp_SOIL": written, "water_SOIL": 20})

    assert [r.quantity for r in decoded.readings] == ["soil_moisture"]
    assert reasons(decoded) == [expected]
    assert "temp_SOIL" in decoded.rejected[0].detail


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


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "2026-07-01 05:00", 5])
def test_a_normalized_measurement_with_a_time_of_no_calendar_is_refused(time):
    decoded = read(normalized=[{"time": time, "air": {"temperature": 1}}])

    assert (decoded.readings, reasons(decoded)) == ([], ["bad-time"])


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
