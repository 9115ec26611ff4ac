"""What is read into columns is what the full decoder reads; what is not usual is left to it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import track
from ingest.codecs.track_columns import Points, read
from ingest.messages import Context, TrackPoint

HERE = {"time": "2026-07-01T05:00:00Z", "lat": 51.1, "lon": 71.4}
HERE_US = 1_782_882_000_000_000  # date -u -d 2026-07-01T05:00:00Z +%s


def payload(*points: Any, **members: Any) -> bytes:
    return json.dumps(members | {"points": points}).encode()


def stood(rows: Points) -> list[TrackPoint]:
    columns = rows.columns() if len(rows) else []
    return [TrackPoint(*row) for row in zip(rows.times, *columns, strict=True)]


def test_a_usual_message_is_numbered_and_its_points_stand_in_columns() -> None:
    rows = Points()
    full = HERE | {"elevation_m": 347.5, "work_state": True, "width_m": 9, "animals_seen": 0}
    later = HERE | {"time": "2026-07-01T10:00:00.5+05:00"}

    assert read(payload(full, later), rows) == (None, None)
    assert read(payload(HERE | {"lat": 0.0}, boot=3, seq=18), rows) == (3, 18)

    assert stood(rows) == [
        TrackPoint(
            HERE_US, 51.1, 71.4, elevation_m=347.5, work_state=1, width_m=9.0, animals_seen=0.0
        ),
        TrackPoint(HERE_US + 500_000, 51.1, 71.4),
        TrackPoint(HERE_US, 0.0, 71.4),  # a place on the equator
    ]


UNUSUAL: dict[str, bytes] = {
    "a time without an offset": payload(HERE | {"time": "2026-07-01T05:00:00"}),
    "a time of no calendar": payload(HERE | {"time": "2026-02-30T05:00:00Z"}),
    "a time before 1970": payload(HERE | {"time": "1969-12-31T23:59:59Z"}),
    "no time": payload({"lat": 51.1, "lon": 71.4}),
    "no place on Earth": payload(HERE | {"lat": 90.5}),
    "no fix": payload(HERE | {"lat": 0, "lon": -0.0}),
    "no number": payload(HERE | {"speed_m_s": float("nan")}),
    "a number beyond numbers": b'{"points":[{"time":"2026-07-01T05:00:00Z","lat":1e999,"lon":1}]}',
    "no such work state": payload(HERE | {"work_state": 4}),
    "fewer animals than none": payload(HERE | {"animals_seen": -1}),
    "a word for a number": payload(HERE | {"width_m": "6"}),
    "a negative number": payload(HERE, boot=-1),
    "half a number": payload(HERE, seq=1.5),
    "a number too large": payload(HERE, seq=2**53),
    "too many points": payload(*[HERE] * 10_001),
    "broken text": payload(HERE).replace(b"05:00", b"05\xff00"),
    "no points": b"{}",
    "no message": b"[]",
    "no JSON": b"\xff[",
    "no end": b'{"points": [' + b"[" * 100_000,
}


@pytest.mark.parametrize("sent", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_is_not_usual_is_left_to_the_full_decoder(sent: bytes) -> None:
    rows = Points()
    assert read(payload(HERE), rows) is not None

    assert read(sent, rows) is None

    assert stood(rows) == [TrackPoint(HERE_US, 51.1, 71.4)]  # of the other nothing is kept


def test_a_good_point_before_a_bad_one_is_left_alone_with_it() -> None:
    rows = Points()

    assert read(payload(HERE, HERE | {"lat": "51.1"}), rows) is None
    assert stood(rows) == []


NUMBERS = st.one_of(
    st.none(), st.integers(-5, 5), st.floats(-200, 200), st.sampled_from([float("inf"), 2**70])
)
POINTS = st.fixed_dictionaries(
    {"time": st.sampled_from([HERE["time"], "2026-07-01t05:00:00.5z", "yesterday", 5])},
    optional={
        "lat": st.one_of(st.just(51.1), NUMBERS),
        "lon": st.one_of(st.just(71.4), NUMBERS),
        "speed_m_s": NUMBERS,
        "work_state": st.one_of(st.booleans(), NUMBERS),
        "animals_seen": NUMBERS,
        "satellites": st.just(12),
    },
)


@given(
    st.lists(st.one_of(st.just(HERE), POINTS), max_size=4),
    st.dictionaries(st.sampled_from(["boot", "seq"]), st.one_of(st.integers(-1, 5), NUMBERS)),
)
def test_whatever_is_read_into_columns_is_what_the_full_decoder_reads(
    points: list[Mapping[str, Any]], members: Mapping[str, Any]
) -> None:
    sent, rows = payload(*points, **members), Points()

    numbers = read(sent, rows)

    if numbers is not None:
        found = track.decode(sent, Context(("tractor-1",), HERE_US))
        assert (found.rejected, found.boot, found.seq) == ([], *numbers)
        assert stood(rows) == found.points
    else:
        assert stood(rows) == []


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_left_alone_or_read(noise: bytes) -> None:
    sent = payload(HERE, boot=1, seq=2)
    for cut in (noise, noise + sent, sent[: len(noise)] + noise):
        rows = Points()
        if read(cut, rows) is not None:
            found = track.decode(cut, Context(("tractor-1",), HERE_US))
            assert (stood(rows), found.rejected) == (found.points, [])
