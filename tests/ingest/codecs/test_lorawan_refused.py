"""Uplinks that are damaged, of another model, or of no measurement."""

import re

import pytest

from ingest.codecs.lorawan import counter_modulus
from tests.ingest.codecs.corpus import FRAMES
from tests.ingest.codecs.uplinks import read, reasons, values


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


def test_a_misspelt_profile_is_not_guessed_around():
    decoded = read("milesight-em500", hex_frame="037B0A00")

    assert reasons(decoded) == ["unknown-profile"]
    assert "milesight-em500-pp" in decoded.rejected[0].detail


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "2026-07-01 05:00", 5])
def test_a_normalized_measurement_with_a_time_of_no_calendar_is_refused(time):
    decoded = read(normalized=[{"time": time, "air": {"temperature": 1}}])

    assert (decoded.readings, reasons(decoded)) == ([], ["bad-time"])
