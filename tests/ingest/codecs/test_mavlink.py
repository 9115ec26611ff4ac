"""MAVLink: frames and mavlink2rest to points and battery readings, uptimes to times."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import decode, mavlink_frames
from ingest.decoding import describe
from ingest.messages import TrackPoint, iso
from storage.quantities import CATALOGUE
from storage.readings import Quality
from tests.ingest.codecs.mavlink_bytes import battery, clock, frames, logged, message, place
from tests.ingest.codecs.vehicle import (
    DEVICE,
    HOUR_US,
    MINUTE_US,
    NOW_US,
    TOPIC,
    Service,
    reasons,
    times,
)


def test_a_position_becomes_a_point_in_si_units(service):
    service.hear(clock(60_000, NOW_US - MINUTE_US))

    decoded = service.hear(place(61_500))

    # 3 m/s north and 4 m/s west are 5 m/s; 0.01 degrees; millimetres.
    assert decoded.device == DEVICE
    assert decoded.points == [
        TrackPoint(
            NOW_US - MINUTE_US + 1_500_000,
            51.25,
            71.45,
            elevation_m=347.5,
            speed_m_s=5.0,
            heading_deg=270.5,
        )
    ]
    assert (decoded.readings, decoded.rejected) == ([], [])


@pytest.mark.parametrize(("written", "heading"), [(65_535, None), (0, 0.0), (36_000, 0.0)])
def test_an_unknown_heading_is_none(service, written, heading):
    assert service.hear(place(1_000, hdg=written)).points[0].heading_deg == heading


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lat": 0, "lon": 0}, "no-fix"),
        ({"lat": 2**31 - 1}, "position-out-of-range"),
        ({"lat": 51.25}, "bad-record"),
        ({"lon": True}, "bad-record"),
        ({"hdg": -1}, "bad-record"),
        ({"vx": 2**15}, "bad-record"),
        ({"time_boot_ms": -1}, "bad-record"),
        ({"time_boot_ms": None}, "bad-record"),
    ],
)
def test_a_position_that_cannot_be_read_leaves_its_neighbour(service, changes, reason):
    decoded = service.hear(place(1_000, **changes), place(2_000))

    assert reasons(decoded) == [reason]
    assert len(decoded.points) == 1


# --- batteries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "more", "volts"),
    [
        ((12_587,), {}, 12.587),  # the whole pack in the first
        ((4_100, 4_150, 4_050), {}, 12.3),
        ((65_534, 1_000), {}, 66.534),  # the specification's way beyond 65 V
        ((4_100,) * 10, {"voltages_ext": [4_100, 4_100, 0, 0]}, 49.2),
    ],
)
def test_cells_add_up_to_the_pack(service, cells, more, volts):
    decoded = service.hear(battery(cells, **more))

    assert [(r.quantity, r.value, r.channel) for r in decoded.readings] == [
        ("battery_level", 80.0, 0),
        ("battery_voltage", pytest.approx(volts), 0),
    ]


def test_what_is_unknown_of_a_battery_is_left_out(service):
    assert service.hear(battery((), level=-1)).ignored
    assert [r.quantity for r in service.hear(battery((), level=5)).readings] == ["battery_level"]


def test_each_battery_is_a_channel(service):
    decoded = service.hear(battery(level=80), battery(level=70, number=1))

    levels = [(r.channel, r.value) for r in decoded.readings if r.quantity == "battery_level"]
    assert levels == [(0, 80.0), (1, 70.0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"voltages": "12"},
        {"voltages": [1.5]},
        {"voltages": [-1]},
        {"battery_remaining": 101},
        {"battery_remaining": None},
        {"id": 256},
    ],
)
def test_a_battery_that_cannot_be_read_says_why(service, changes):
    decoded = service.hear(battery(**changes))

    assert (decoded.readings, reasons(decoded)) == ([], ["bad-record"])


def test_a_battery_is_dated_by_who_logged_it_else_by_its_neighbours_else_by_its_arrival(service):
    # -03:00, nine decimals: 16:08:45.196118 UTC.
    logged = battery() | {
        "status": {"time": {"last_update": "2024-05-31T13:08:45.196118069-03:00"}}
    }

    (first, _) = service.hear(logged).readings
    (alone, _) = service.hear(battery()).readings
    (beside, _) = service.hear(clock(5_000, NOW_US - HOUR_US), battery()).readings

    assert (iso(first.time), first.time_source) == ("2024-05-31T16:08:45.196118Z", "network")
    assert (alone.time, alone.time_source, alone.quality) == (NOW_US, "server", Quality.SERVER_TIME)
    assert (beside.time, beside.time_source, beside.quality) == (NOW_US - HOUR_US, "device", 0)


def test_of_values_that_only_the_arrival_dates_the_last_counts(service):
    decoded = service.hear(battery(level=80), battery(level=79))

    assert [r.value for r in decoded.readings if r.quantity == "battery_level"] == [79.0]


# --- uptimes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_frames_say_what_the_json_says(service, version):
    said = [clock(60_000, NOW_US - MINUTE_US), place(61_500), battery((4_100, 4_150))]

    decoded = service.hear(frames(*said, version=version))
    other = Service().hear(*said)

    assert decoded == other
    assert (len(decoded.points), len(decoded.readings)) == (1, 2)


def test_signed_frames_are_read_too(service):
    assert len(service.hear(frames(place(1_000), place(2_000), signed=True)).points) == 2


def test_a_log_dates_what_has_no_clock(service):
    logged_us = NOW_US - HOUR_US
    payload = logged(logged_us, place(10_000), battery())

    decoded = service.hear(payload)

    assert times(decoded) == [logged_us]
    assert {(r.time, r.time_source) for r in decoded.readings} == {
        (logged_us + 1_000_000, "network")
    }


def test_a_damaged_frame_leaves_its_neighbours(service):
    good = frames(place(1_000))
    damaged = bytearray(good)
    damaged[20] ^= 0xFF

    decoded = service.hear(good + bytes(damaged) + frames(place(2_000)))

    assert len(decoded.points) == 2
    assert reasons(decoded) == ["bad-frame"]
    assert "CRC" in decoded.rejected[0].detail


def test_what_follows_a_frame_and_is_none_says_where(service):
    good = frames(place(1_000))

    for tail in (b"\x00\x01\x02", good[:-1]):
        decoded = service.hear(good + tail)
        assert len(decoded.points) == 1
        assert reasons(decoded) == ["bad-frame"]
        assert f"byte {len(good)}" in decoded.rejected[0].detail


def test_without_pymavlink_frames_say_how_to_install_it(service, monkeypatch):
    payload = frames(place(1_000))
    mavlink_frames._dialect.cache_clear()
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20.common", None)

    decoded = service.hear(payload)

    assert reasons(decoded) == ["mavlink-not-installed"]
    assert "dala[mavlink]" in decoded.rejected[0].detail
    assert len(service.hear(place(1_000)).points) == 1  # the JSON needs nothing


# --- payloads -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "bad-message"),
        (b"\x00", "bad-message"),
        (b"{", "not-json"),
        (b"{}", "bad-message"),
        (b'{"message": {"type": 5}}', "bad-message"),
        (b'{"header": {"system_id": 256}, "message": {"type": "SYSTEM_TIME"}}', "bad-record"),
        (b"[" + b"{}," * 10_000 + b"{}]", "too-many-records"),
        (b"\xfd", "bad-frame"),
        (b"\xfe\x00\x00", "bad-frame"),
    ],
)
def test_what_is_no_mavlink_says_why(service, payload, reason):
    assert reasons(service.hear(payload)) == [reason]


def test_other_messages_are_passed_over(service):
    decoded = service.hear(message("HEARTBEAT"), message("ATTITUDE", time_boot_ms=5))

    assert (decoded.readings, decoded.points, decoded.rejected) == ([], [], [])
    assert decoded.ignored


def test_a_recorded_battery_agrees_with_its_oracle(shared, service):
    folder = shared / "samples/mavlink"
    oracle = json.loads((folder / "battery_status.decoded.json").read_text())

    decoded = service.hear((folder / "battery_status.mav2.tlog").read_bytes())

    # One cell is given, which is the whole pack; the log's clock was not set (47 s after 1970).
    assert [one for one in oracle["voltages"] if one != 65_535] == [12_587]
    assert [(r.quantity, r.value, r.time_source) for r in decoded.readings] == [
        ("battery_level", float(oracle["battery_remaining"]), "server"),
        ("battery_voltage", 12.587, "server"),
    ]
    assert reasons(decoded) == ["bad-frame"]  # 14 bytes follow that are no frame


def test_a_recorded_attitude_is_passed_over(shared, service):
    payload = (shared / "samples/mavlink/mavlink2rest-attitude.json").read_bytes()

    assert (service.hear(payload).rejected, bool(service.hear(payload).ignored)) == ([], True)


ANY = st.none() | st.integers(-(2**40), 2**65) | st.floats() | st.text(max_size=4)


MESSAGE = st.builds(
    lambda kind, fields, system, update: {
        "header": {"system_id": system},
        "message": kind["message"] | fields,
        "status": {"time": {"last_update": update}},
    },
    st.sampled_from([place(1_000), place(2**32 - 1), clock(5_000, NOW_US), battery()]),
    st.dictionaries(
        st.sampled_from(["time_boot_ms", "time_unix_usec", "lat", "hdg", "id", "voltages"]),
        ANY | st.lists(ANY, max_size=3),
        max_size=2,
    ),
    st.sampled_from([None, 1, 255, -1, "x"]),
    st.sampled_from([None, "2026-07-01T05:00:00Z", "x", 5]),
)


def check(payload, memory):
    decoded = decode(TOPIC, payload, received_at_us=NOW_US, memory=memory)
    assert "codec-failed" not in reasons(decoded), decoded.rejected
    for reading in decoded.readings:
        assert reading.quantity in CATALOGUE
        assert type(reading.value) is float
    json.dumps(describe(decoded), allow_nan=False)
    assert decoded.readings or decoded.points or decoded.rejected or decoded.ignored
    memory |= json.loads(json.dumps(dict(decoded.learned), allow_nan=False))


@given(st.lists(st.lists(MESSAGE, min_size=1, max_size=4), max_size=3))
def test_any_messages_end_in_points_readings_or_reasons(payloads):
    memory = {}
    for messages in payloads:
        check(json.dumps(messages).encode(), memory)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xfd", b"\xfe", b"\x00" * 8 + b"\xfd"]))
def test_any_bytes_end_in_points_readings_or_reasons(payload, begin):
    check(begin + payload, {})


@given(st.data(), st.booleans())
def test_damaged_frames_end_in_points_readings_or_reasons(data, signed):
    payload = bytearray(frames(clock(1, NOW_US), place(2), battery(), signed=signed))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(payload), {})
