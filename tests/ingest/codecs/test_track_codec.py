"""Machine tracks of our own devices."""

import json

import pytest

from ingest.codecs import decode
from ingest.messages import TrackPoint

NOW_US = 1_800_000_000_000_000
HERE = {"time": "2026-07-01T05:00:00Z", "lat": 51.1, "lon": 71.4}
HERE_US = 1_782_882_000_000_000  # date -u -d 2026-07-01T05:00:00Z +%s


def read(message):
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return decode("dala/v1/tractor-1/track", payload, received_at_us=NOW_US)


def reason(**changes):
    decoded = read({"points": [HERE | changes, HERE]})
    assert len(decoded.points) == 1  # the good neighbour stays
    (rejected,) = decoded.rejected
    assert "point 0" in rejected.detail
    return rejected.reason


def test_a_track_message_becomes_points_with_its_number():
    full = HERE | {
        "elevation_m": 347.5,
        "speed_m_s": 2.2,
        "heading_deg": 270,
        "work_state": 1,
        "width_m": 9,
        "mass_flow_kg_s": 7.5,
        "crop_moisture_pct": 13.1,
        "application_rate_l_ha": 200,
        "fuel_rate_l_h": 31.5,
        "animals_seen": 240,
    }

    decoded = read({"boot": 3, "seq": 18, "points": [full, HERE]})

    assert (decoded.device, decoded.boot, decoded.seq) == ("tractor-1", 3, 18)
    assert decoded.rejected == []
    assert decoded.points == [
        TrackPoint(HERE_US, 51.1, 71.4, 347.5, 2.2, 270.0, 1, 9.0, 7.5, 13.1, 200.0, 31.5, 240.0),
        TrackPoint(HERE_US, 51.1, 71.4),
    ]


@pytest.mark.parametrize(
    ("written", "expected_us"),
    [
        ("2026-07-01T10:00:00+05:00", HERE_US),
        ("2026-07-01T05:00:00.123456789Z", HERE_US + 123_456),
        ("2026-07-01t05:00:00.5z", HERE_US + 500_000),
    ],
)
def test_times_keep_their_microseconds_and_offsets(written, expected_us):
    assert read({"points": [HERE | {"time": written}]}).points[0].time == expected_us


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time": "2026-07-01T05:00:00"}, "bad-time"),  # whose clock?
        ({"time": "2026-02-30T05:00:00Z"}, "bad-time"),
        ({"time": "yesterday"}, "bad-time"),
        ({"time": "1969-12-31T23:59:59Z"}, "bad-time"),
        ({"time": 1_782_882_000}, "bad-record"),
        ({"lat": 90.5}, "position-out-of-range"),
        ({"lon": -180.5}, "position-out-of-range"),
        ({"lat": 0, "lon": 0}, "no-fix"),
        ({"lat": "51.1"}, "bad-record"),
        ({"lat": None}, "bad-record"),
        ({"speed_m_s": float("nan")}, "value-not-finite"),
        ({"lat": float("inf")}, "value-not-finite"),
        ({"work_state": 4}, "bad-work-state"),
        ({"work_state": -1}, "bad-work-state"),
        ({"animals_seen": -1}, "bad-count"),
        ({"animals_seen": "many"}, "bad-record"),
    ],
)
def test_a_point_that_cannot_be_placed_says_why(changes, expected):
    assert reason(**changes) == expected


@pytest.mark.parametrize(("written", "state"), [(True, 1), (False, 0), (3, 3), (None, None)])
def test_work_states_may_be_switches(written, state):
    (point,) = read({"points": [HERE | {"work_state": written}]}).points

    assert point.work_state == state
    assert not isinstance(point.work_state, bool)


def test_no_animals_is_a_count_too():
    assert read({"points": [HERE | {"animals_seen": 0}]}).points[0].animals_seen == 0


def test_a_point_of_broken_text_leaves_its_neighbour():
    good = json.dumps(HERE).encode()

    decoded = read(b'{"points": [%s, %s]}' % (good.replace(b"05:00", b"05\xff00"), good))

    assert len(decoded.points) == 1
    assert [r.reason for r in decoded.rejected] == ["bad-record"]


def test_half_a_pair_of_surrogates_is_no_text():
    decoded = read(json.dumps({"points": [HERE, HERE | {"time": "\ud800"}, "\ud800"]}).encode())

    assert len(decoded.points) == 1
    assert len(decoded.rejected) == 2


def test_fields_of_later_devices_are_ignored():
    assert read({"points": [HERE | {"satellites": 12}], "model": "X"}).rejected == []


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "not-json"),
        (b"[]", "bad-message"),
        (b"{}", "bad-message"),
        (b'{"points": 5}', "bad-message"),
        (b'{"points": [], "seq": -1}', "bad-numbering"),
        (b'{"points": [], "seq": "4"}', "bad-message"),
        (b'{"points": [], "seq": 9007199254740992}', "bad-numbering"),  # 2**53
        (b'{"points": [], "boot": 1' + b"0" * 4_000 + b"}", "bad-numbering"),
        (b'{"points": [NaN], "boot": ' + b"9" * 30 + b"}", "bad-numbering"),
        (b'{"points": [NaN], "boot": 1.5}', "bad-message"),
        (b'{"points": [' + b"[" * 100_000, "not-json"),
        (b'{"points": [' + b"0," * 10_000 + b"0]}", "too-many-records"),
    ],
)
def test_what_is_no_track_message_says_why(payload, expected):
    decoded = read(payload)

    assert (decoded.points, [r.reason for r in decoded.rejected]) == ([], [expected])
