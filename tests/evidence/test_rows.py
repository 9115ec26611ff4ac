"""Rows have one form in bytes, by hand; a farm's digest is of its own rows, and of every bit."""

from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import rows as evidence

Array = np.ndarray[Any, Any]

READING = np.dtype(
    [("time", "i8"), ("value", "f8"), ("quality", "i2"), ("received_at", "i8"), ("name", "S32")]
)
POINT = np.dtype(
    [
        *((name, "i8") for name in ("time", "received_at")),
        *((name, "i2") for name in ("quality", "work_state")),
        *((name, "f8") for name in evidence.NUMBERS),
        ("name", "S32"),
    ]
)


def test_a_datastream_is_named_by_the_digest_of_its_key_as_canonical_json() -> None:
    key = b'{"channel":null,"depth_cm":20,"device":"probe-1","quantity":"soil_moisture"}'
    assert evidence.name_of_stream("probe-1", "soil_moisture", 20.0, None) == sha256(key).digest()
    key = '{"channel":1,"depth_cm":7.5,"device":"зонд","quantity":"valve_open"}'.encode()
    assert evidence.name_of_stream("зонд", "valve_open", 7.5, 1) == sha256(key).digest()


def test_a_device_is_named_by_the_digest_of_its_id() -> None:
    assert evidence.name_of_device("зонд") == sha256("зонд".encode()).digest()


def test_a_reading_has_fifty_eight_bytes() -> None:
    # 2025-06-15T15:06:40.123456Z, -2.5, a spike of a simulated device (32 + 256), 15:07Z.
    rows = np.array([(1_750_000_000_123_456, -2.5, 288, 1_750_000_020_000_000, b"")], READING)
    name = bytes(range(224, 256))
    by_hand = bytes.fromhex(
        "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
        "0006379da05d4240"  # µs since 1970
        "c004000000000000"  # sign 1, exponent 1024, mantissa 0.25
        "0100"  # 256: that it was a spike was known later
        "0006379da18c8d00"
    )
    assert int.from_bytes(by_hand[32:40], "big") == 1_750_000_000_123_456
    assert int.from_bytes(by_hand[50:58], "big") == 1_750_000_020_000_000

    made = evidence.of_readings(np.array([name], evidence.NAME), rows)

    assert made.tobytes() == by_hand
    (digest,) = _cut(evidence.digests(evidence.READINGS, np.array([7]), made).digests)
    assert digest == sha256(b"dala-readings/1\n" + by_hand).digest()


def test_a_track_point_has_a_hundred_and_forty_bytes() -> None:
    rows = np.zeros(1, POINT)
    for name in evidence.NUMBERS:
        rows[name] = -np.nan  # a processor's own: its sign is set
    rows["time"], rows["received_at"] = 1_750_000_000_123_456, 1_750_000_020_000_000
    rows["work_state"], rows["quality"] = -1, 1
    rows["latitude_deg"], rows["longitude_deg"], rows["width_m"] = 51.25, 71.5, 6.0
    name = bytes(range(224, 256))
    nothing = "7ff8000000000000"
    by_hand = bytes.fromhex(
        "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
        "0006379da05d4240"
        "ffff"  # what it was doing is unknown
        "4049a00000000000"  # latitude: 51.25
        "4051e00000000000"  # longitude: 71.5
        + 3 * nothing  # elevation, speed, heading
        + "4018000000000000"  # width: 6 m
        + 5 * nothing  # mass flow, moisture, application, fuel, animals
        + "0001"
        "0006379da18c8d00"
    )
    made = evidence.of_points(np.array([name], evidence.NAME), rows)

    assert len(by_hand) == 140
    assert made.tobytes() == by_hand
    (digest,) = _cut(evidence.digests(evidence.POINTS, np.array([7]), made).digests)
    assert digest == sha256(b"dala-track-points/1\n" + by_hand).digest()


def test_of_no_rows_there_is_no_digest() -> None:
    none = evidence.of_readings(np.zeros(0, evidence.NAME), np.zeros(0, READING))
    hashed = evidence.digests(evidence.READINGS, np.zeros(0, np.int64), none)

    assert (len(hashed.groups), hashed.digests) == (0, b"")


NAMES = [evidence.name_of_device(f"device {number}") for number in range(4)]
KEYS = st.tuples(st.integers(1, 3), st.sampled_from(NAMES), st.integers(0, 5))
NUMBERS = st.floats(width=64)
ROWS = st.dictionaries(KEYS, st.tuples(NUMBERS, st.integers(0, 511), st.integers(0, 3)), min_size=1)


def _table(found: dict[Any, Any]) -> tuple[Array, Array]:
    farms = np.array([farm for farm, _, _ in found], np.int64)
    rows = np.zeros(len(found), READING)
    rows["name"] = [name for _, name, _ in found]
    rows["time"] = [time for _, _, time in found]
    for place, field in enumerate(("value", "quality", "received_at")):
        rows[field] = [one[place] for one in found.values()]
    return farms, rows


def _of_farms(farms: Array, rows: Array) -> dict[int, bytes]:
    made = evidence.of_readings(rows["name"], rows)
    order = evidence.in_order(farms, made)
    hashed = evidence.digests(evidence.READINGS, farms[order], made[order])
    assert hashed.row_counts.sum() == len(rows)
    for farm, first, last in zip(hashed.groups, hashed.first_us, hashed.last_us, strict=True):
        times = rows["time"][farms == farm]
        assert (first, last) == (times.min(), times.max())
    return dict(zip(hashed.groups.tolist(), _cut(hashed.digests), strict=True))


@given(found=ROWS, shuffled=st.randoms(use_true_random=False))
def test_a_farms_digest_depends_neither_on_order_nor_on_other_farms(
    found: dict[Any, Any], shuffled: Any
) -> None:
    farms, rows = _table(found)
    order = list(range(len(rows)))
    shuffled.shuffle(order)

    whole = _of_farms(farms, rows)
    assert _of_farms(farms[order], rows[order]) == whole
    for farm, digest in whole.items():
        assert _of_farms(farms[farms == farm], rows[farms == farm]) == {farm: digest}


OTHER = {
    "name": evidence.name_of_device("another"),
    "time": 99,
    "value": 1e300,
    "quality": 1024,
    "received_at": 99,
}


@given(found=ROWS, data=st.data())
@pytest.mark.parametrize("field", OTHER)
def test_whatever_is_changed_of_a_row_changes_the_digest_of_its_farm_alone(
    field: str, found: dict[Any, Any], data: Any
) -> None:
    farms, rows = _table(found)
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = rows.copy()
    changed[field][at] = OTHER[field]
    before, after = _of_farms(farms, rows), _of_farms(farms, changed)

    assert {farm for farm in before if before[farm] != after[farm]} == {farms[at]}


@given(found=ROWS, data=st.data())
def test_a_row_more_or_less_or_of_another_farm_is_another_digest(
    found: dict[Any, Any], data: Any
) -> None:
    farms, rows = _table(found)
    at = data.draw(st.integers(0, len(rows) - 1))
    whole = _of_farms(farms, rows)
    without = _of_farms(np.delete(farms, at), np.delete(rows, at))
    moved = farms.copy()
    moved[at] = 9

    assert without.get(farms[at]) != whole[farms[at]]
    assert _of_farms(moved, rows).get(farms[at]) != whole[farms[at]]


@given(found=ROWS)
def test_a_spike_that_is_found_later_changes_nothing(found: dict[Any, Any]) -> None:
    farms, rows = _table(found)
    flagged = rows.copy()
    flagged["quality"] |= evidence.GIVEN_LATER

    assert _of_farms(farms, flagged) == _of_farms(farms, rows)


@given(found=ROWS)
def test_series_by_rank_stand_as_rows_do_by_name(found: dict[Any, Any]) -> None:
    # Writers know the rank of each series; who checks has names alone.
    farms, rows = _table(found)
    series = sorted({(farm, name) for farm, name, _ in found})
    places = np.array([series.index((farm, name)) for farm, name, _ in found])
    farm_ids = np.array([farm for farm, _ in series])
    names = np.array([name for _, name in series], evidence.NAME)
    shuffled = np.random.default_rng(1).permutation(len(series))
    ranks = np.empty(len(series), np.int64)
    ranks[shuffled] = evidence.ranks(farm_ids[shuffled], names[shuffled])

    by_rank = np.lexsort((rows["time"], ranks[places]))
    by_name = evidence.in_order(farms, evidence.of_readings(rows["name"], rows))
    assert by_rank.tolist() == by_name.tolist()


def _cut(digests: bytes) -> list[bytes]:
    return [digests[at : at + 32] for at in range(0, len(digests), 32)]
