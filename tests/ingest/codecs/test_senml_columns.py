"""What is read into columns is what the full decoder reads; what is not usual is left to it."""

import json
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import senml
from ingest.codecs.senml_columns import Names, Rows, read
from ingest.messages import Context
from storage.devices import StreamKey

DEVICE = "probe-7"
URN = f"urn:dev:dala:{DEVICE}:"
TIME_S = 1_750_000_000  # 2025-06-15T15:06:40Z
STREAMS = {
    StreamKey(DEVICE, "soil_moisture", 20.0, None): 1,
    StreamKey(DEVICE, "soil_moisture", 40.0, None): 2,
    StreamKey(DEVICE, "soil_temperature", None, None): 3,
    StreamKey(DEVICE, "valve_open", None, 2): 4,
}
CBOR_LABELS = {"bn": -2, "bt": -3, "bu": -4, "n": 0, "u": 1, "v": 2, "t": 6}


def names(streams: Mapping[StreamKey, int] = STREAMS) -> Names:
    return Names(DEVICE, DEVICE, streams)


def payload(*records: Mapping[str, Any]) -> bytes:
    return json.dumps(records).encode()


def columns(packed: bytes) -> list[tuple[int, int, float]] | None:
    rows = Rows()
    if read(packed, names(), rows) is None:
        assert not len(rows)
        return None
    return list(zip(rows.streams, rows.times, rows.values, strict=True))


def decoded(packed: bytes) -> list[tuple[int, int, float]]:
    """The same by the full decoder."""
    found = senml.decode(packed, Context((DEVICE,), TIME_S * 1_000_000))
    assert found.rejected == []
    return [
        (STREAMS[StreamKey(DEVICE, r.quantity, r.depth_cm, r.channel)], r.time, r.value)
        for r in found.readings
    ]


def test_a_usual_pack_is_numbered_and_its_values_stand_in_columns() -> None:
    rows = Rows()

    numbers = read(
        payload(
            {"bn": URN, "bt": TIME_S, "n": "boot", "v": 3},
            {"n": "seq", "v": 18},
            {"n": "soil_moisture/20", "v": 0.25},
            {"n": "soil_temperature", "u": "K", "v": 300.15, "t": -60.5},
        ),
        names(),
        rows,
    )

    assert numbers == (3, 18)
    assert rows.streams == [1, 3]
    assert rows.times == [TIME_S * 1_000_000, TIME_S * 1_000_000 - 60_500_000]
    assert rows.values == [0.25, pytest.approx(27.0)]  # 300.15 K - 273.15


def test_packs_of_one_batch_stand_one_below_the_other() -> None:
    rows, known = Rows(), names()
    for value in (0.25, 0.26):
        read(payload({"bt": TIME_S, "n": "soil_moisture/20", "v": value}), known, rows)

    assert rows.values == [0.25, 0.26]


def test_compact_packs_are_read_too() -> None:
    records = ({"bn": URN, "bt": TIME_S, "n": "soil_moisture/20", "v": 0.25}, {"n": "seq", "v": 7})
    packed = cbor2.dumps([{CBOR_LABELS[k]: v for k, v in one.items()} for one in records])

    assert columns(packed) == decoded(packed) == [(1, TIME_S * 1_000_000, 0.25)]


UNUSUAL: dict[str, bytes] = {
    "a time that counts from now": payload({"n": "soil_moisture/20", "v": 0.25}),
    "a datastream not spoken of before": payload({"bt": TIME_S, "n": "soil_ec", "v": 0.25}),
    "an unknown quantity": payload({"bt": TIME_S, "n": "happiness", "v": 1}),
    "an unknown unit": payload({"bt": TIME_S, "n": "soil_temperature", "u": "F", "v": 1}),
    "a switch": payload({"bt": TIME_S, "n": "valve_open:2", "vb": True}),
    "a sum": payload({"bt": TIME_S, "n": "soil_moisture/20", "v": 0.25, "s": 3}),
    "a base value": payload({"bt": TIME_S, "bv": 0.1, "n": "soil_moisture/20", "v": 0.25}),
    "a version": payload({"bver": 10, "bt": TIME_S, "n": "soil_moisture/20", "v": 0.25}),
    "a label to be understood": payload({"bt": TIME_S, "n": "valve_open:2", "v": 1, "x_": 1}),
    "a name behind another base": payload({"bn": "soil_", "bt": TIME_S, "n": "moisture", "v": 1}),
    "a name of another device": payload(
        {"bn": "urn:dev:dala:other:", "bt": TIME_S, "n": "soil_moisture/20", "v": 1}
    ),
    "a name behind two prefixes": payload(
        {"bn": URN, "bt": TIME_S, "n": f"{URN}soil_moisture/20", "v": 1}
    ),
    "no value": payload({"bt": TIME_S, "n": "soil_moisture/20"}),
    "no name": payload({"bt": TIME_S, "v": 1}),
    "half a number": payload({"bt": TIME_S, "n": "seq", "v": 1.5}),
    "two numbers": payload({"n": "seq", "v": 1}, {"n": "seq", "v": 2}),
    "a negative number": payload({"n": "boot", "v": -1}),
    "a label twice": b'[{"bt":1750000000,"n":"soil_moisture/20","v":0.25,"v":0.26}]',
    "an escape": b'[{"bt":1750000000,"n":"soil_moistur\\u0065/20","v":0.25}]',
    "a value beyond numbers": b'[{"bt":1750000000,"n":"soil_moisture/20","v":1e999}]',
    "no such time": payload({"bt": 1e300, "n": "soil_moisture/20", "v": 1}),
    "a time of no calendar": payload({"bt": 9e11, "n": "soil_moisture/20", "v": 1}),
    "too many records": payload({"bt": TIME_S}, *[{"n": "soil_moisture/20", "v": 1}] * 10_000),
    "no pack": b"{}",
    "no JSON": b"\xff[",
    "a value that is none, in CBOR": cbor2.dumps(
        [{-3: TIME_S, 0: "soil_moisture/20", 2: float("nan")}]
    ),
    "a base sum, in CBOR": cbor2.dumps([{-3: TIME_S, -6: 1, 0: "soil_moisture/20", 2: 1}]),
    "no CBOR": b"\x81\xff",
}


@pytest.mark.parametrize("packed", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_is_not_usual_is_left_to_the_full_decoder(packed: bytes) -> None:
    good = payload({"bt": TIME_S, "n": "soil_moisture/20", "v": 0.25})
    rows, known = Rows(), names()
    assert read(good, known, rows) is not None

    assert read(packed, known, rows) is None

    assert rows.values == [0.25]  # of a pack that is left alone nothing is kept


def test_a_label_twice_is_noticed_after_packs_that_look_much_like_it() -> None:
    rows, known = Rows(), names()
    good = b'[{"bt":1750000000,"n":"soil_moisture/20","v":0.25}]'
    twice = b'[{"bt":1750000000,"n":"soil_moisture/20","v":0.25,"v":0.25}]'

    found = [read(sent, known, rows) for sent in (good, twice, good, twice, twice)]

    assert [one is not None for one in found] == [True, False, True, False, False]


def test_a_label_with_a_digit_is_not_the_one_that_was_checked() -> None:
    known = names()
    good = b'[{"bt":1750000000,"n":"soil_moisture/20","v":0.25}]'
    assert read(good, known, Rows()) is not None

    for label in (b'"1v"', b'"v-"', b'"v."'):
        assert read(good.replace(b'"v"', label), known, Rows()) is None
    assert read(good, known, Rows()) is not None


def test_a_long_pack_is_checked_each_time_and_not_remembered() -> None:
    known = names()
    long = payload(*[{"t": TIME_S + n, "n": "soil_moisture/20", "v": 0.25} for n in range(5_000)])
    twice = long.replace(b'"v": 0.25}]', b'"v": 0.25, "v": 0.25}]')

    found = [read(sent, known, Rows()) for sent in (long, twice, long)]

    assert [one is not None for one in found] == [True, False, True]
    assert len(known.shape) < 4_096  # of each of many thousand devices


def test_a_good_record_before_a_bad_one_is_left_alone_with_it() -> None:
    packed = payload({"bt": TIME_S, "n": "soil_moisture/20", "v": 0.25}, {"n": "happiness", "v": 1})

    assert columns(packed) is None


def test_a_datastream_that_was_opened_meanwhile_is_known() -> None:
    streams: dict[StreamKey, int] = {}
    known, rows = names(streams), Rows()
    packed = payload({"bt": TIME_S, "n": "soil_moisture/20", "v": 0.25})
    assert read(packed, known, rows) is None

    streams[StreamKey(DEVICE, "soil_moisture", 20.0, None)] = 9

    assert read(packed, known, rows) is not None
    assert rows.streams == [9]


NUMBERS = st.one_of(
    st.integers(-5, 5), st.floats(-1e3, 1e3), st.sampled_from([1e12, 2e12, 1e300, TIME_S])
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "bn": st.sampled_from(["", URN, "soil_", "urn:dev:dala:other:"]),
        "bt": st.one_of(NUMBERS, st.just(TIME_S)),
        "bu": st.sampled_from(["Cel", "K", "/", "lm"]),
        "n": st.sampled_from(
            ["boot", "seq", "soil_moisture/20", "soil_moisture/40.0", "soil_temperature",
             "valve_open:2", f"{URN}soil_moisture/20", "soil_ec", "", "moisture/20"]
        ),
        "u": st.sampled_from(["Cel", "K", "/", "%", "lm"]),
        "v": NUMBERS,
        "t": NUMBERS,
        "s": st.just(1),
        "vb": st.booleans(),
    },
)  # fmt: skip


@given(st.lists(st.tuples(st.lists(RECORDS, max_size=5), st.booleans()), min_size=1, max_size=3))
def test_whatever_is_read_into_columns_is_what_the_full_decoder_reads(
    sent: list[tuple[list[dict[str, Any]], bool]],
) -> None:
    known = names()  # which remembers the packs before
    for records, begins_with_a_time in sent:
        packed = payload(*([{"bt": TIME_S}] if begins_with_a_time else []), *records)
        rows = Rows()

        numbers = read(packed, known, rows)

        if numbers is not None:
            found = senml.decode(packed, Context((DEVICE,), TIME_S * 1_000_000))
            assert (found.rejected, found.boot, found.seq) == ([], *numbers)
            assert list(zip(rows.streams, rows.times, rows.values, strict=True)) == decoded(packed)
        else:
            assert not len(rows)


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_left_alone_or_read(noise: bytes) -> None:
    packed = payload({"bt": TIME_S, "n": "soil_moisture/20", "v": 0.25})

    for cut in (noise, noise + packed, packed[: len(noise)] + noise):
        found = columns(cut)
        assert found is None or found == decoded(cut)
