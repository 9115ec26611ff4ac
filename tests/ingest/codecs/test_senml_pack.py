"""RFC 8428 as such: packs to resolved records, whatever the names mean."""

import json
from pathlib import Path

import cbor2
import pytest

from ingest.codecs import senml_pack
from ingest.messages import PayloadError

NOW_US = 1_498_780_179_000_000  # the "now" of the RFC's own resolved examples
LABELS = {label: number for number, label in senml_pack.CBOR_LABELS.items()}


def resolve(pack, now_us=NOW_US):
    payload = pack if isinstance(pack, bytes) else json.dumps(pack).encode()
    records, rejected = senml_pack.read(payload)
    assert rejected == []
    return senml_pack.resolve(records, now_us)


def as_cbor(pack):
    return cbor2.dumps([{LABELS[label]: value for label, value in r.items()} for r in pack])


def test_base_values_hold_until_they_change():
    # RFC 8428 section 4.6, worked by hand: bn, bt, bu and bv of the first record serve the
    # second; the third changes bn and bv alone.
    pack = [
        {"bn": "a:", "bt": 1_700_000_000, "bu": "Cel", "bv": 20, "n": "x", "v": 1},
        {"n": "y", "v": 2, "t": 5, "u": "K"},
        {"bn": "b:", "bv": 100, "n": "x", "v": 3},
    ]

    found = resolve(pack)

    assert [(r.name, r.unit, r.value) for r in found] == [
        ("a:x", "Cel", 21.0),
        ("a:y", "K", 22.0),
        ("b:x", "Cel", 103.0),
    ]
    assert [r.time_us for r in found] == [
        1_700_000_000_000_000,
        1_700_000_005_000_000,
        1_700_000_000_000_000,
    ]


def test_the_fraction_of_a_second_survives_to_the_microsecond():
    # Example 5.1.2 of the RFC: 1276020076.001 is no double; its nearest is 1 ns off.
    (record,) = resolve([{"bt": 1276020076.001, "n": "x", "t": -5, "v": 1}])

    assert record.time_us == 1276020071_001_000


@pytest.mark.parametrize(
    ("base", "own", "expected_us", "relative"),
    [
        (0, 0, NOW_US, True),
        (0, -60, NOW_US - 60_000_000, True),
        (0, 2**28 - 1, NOW_US + (2**28 - 1) * 1_000_000, True),
        (0, 2**28, 2**28 * 1_000_000, False),
        (2**28, -1, NOW_US + (2**28 - 1) * 1_000_000, True),  # the sum decides
        (1_700_000_000, 0.25, 1_700_000_000_250_000, False),
    ],
)
def test_times_below_two_to_the_28_count_from_now(base, own, expected_us, relative):
    (record,) = resolve([{"bt": base, "n": "x", "t": own, "v": 1}])

    assert (record.time_us, record.relative) == (expected_us, relative)


def test_a_record_of_base_fields_alone_measures_nothing():
    assert [r.name for r in resolve([{"bn": "d:", "bv": 5}, {"n": "x", "v": 1}])] == ["d:x"]


def test_a_missing_value_beside_a_base_value_is_zero():
    # Section 4.5.4: "If the Base Value or Value is not present, the missing field is zero."
    assert [r.value for r in resolve([{"bv": 5, "n": "x"}, {"n": "y", "v": 1}])] == [5.0, 6.0]


def test_base_values_are_not_added_to_text_and_switches():
    found = resolve([{"bv": 5, "n": "x", "vs": "on"}, {"n": "y", "vb": True}])

    assert [r.value for r in found] == ["on", True]


def test_sums_are_added_to_the_base_sum():
    assert [r.sum for r in resolve([{"bs": 10, "n": "x", "s": 2}, {"n": "y", "v": 1}])] == [12, 10]


@pytest.mark.parametrize("version", [11, 0, -1, 5.5])
def test_a_version_that_may_mean_something_else_is_refused(version):
    with pytest.raises(PayloadError, match="unsupported-version"):
        resolve([{"bver": version, "n": "x", "v": 1}])


@pytest.mark.parametrize("version", [1, 5, 10])
def test_versions_up_to_ten_are_read(version):
    assert len(resolve([{"bver": version, "n": "x", "v": 1}])) == 1


def test_an_unknown_label_that_must_be_understood_refuses_the_pack():
    with pytest.raises(PayloadError, match="unknown-label"):
        resolve([{"n": "x", "v": 1}, {"n": "y", "v": 1, "acc_": 2}])


def test_any_other_unknown_label_is_ignored():
    assert [r.value for r in resolve([{"n": "x", "v": 1, "acc": {"deep": [1]}}])] == [1.0]


def test_a_label_given_twice_is_refused():
    with pytest.raises(PayloadError, match="duplicate-label"):
        senml_pack.read(b'[{"n":"x","v":1,"v":2}]')


def test_a_label_given_twice_in_cbor_is_refused():
    # a1-map of two pairs with the same key 2 (v), by hand
    with pytest.raises(PayloadError, match="not-cbor"):
        senml_pack.read(bytes.fromhex("81a3 00 6178 02 01 02 02"))


def test_bytes_behind_a_cbor_pack_are_refused():
    with pytest.raises(PayloadError, match="2 bytes follow"):
        senml_pack.read(bytes.fromhex("81a2 00 6178 02 01 81a0"))


def test_escapes_in_names_do_not_hide_an_unknown_label():
    # Two escaped quotes weigh as much as the two quotes of "x_": the quick count must not see it.
    with pytest.raises(PayloadError, match="unknown-label"):
        senml_pack.read(rb'[{"n":"\u0022\u0022","v":1,"x_":2}]')


def test_numbers_as_text_are_refused_record_by_record():
    records, rejected = senml_pack.read(b'[{"bn":"d:","n":"x","v":"1"},{"n":"y","v":2}]')

    assert [r.reason for r in rejected] == ["bad-record"]
    assert "record 0" in rejected[0].detail
    assert [r.name for r in senml_pack.resolve(records, NOW_US)] == ["d:y"]


def test_a_wrong_base_field_refuses_the_pack():
    with pytest.raises(PayloadError, match="bad-base-field"):
        senml_pack.read(b'[{"bt":"yesterday","n":"x","v":1},{"n":"y","v":2}]')


@pytest.mark.parametrize(
    "payload", [b"", b"null", b'{"n":"x","v":1}', b"[", b"\xff", b"[1e", b"[" * 200_000]
)
def test_what_is_no_pack_is_refused_with_a_reason(payload):
    with pytest.raises(PayloadError, match=r"not-json|not-a-pack|not-cbor"):
        senml_pack.read(payload)


def test_json_and_cbor_resolve_alike():
    pack = [
        {"bn": "d:", "bt": 1_700_000_000.5, "bu": "Cel", "bver": 10, "n": "x", "v": 1.5},
        {"n": "y", "t": -3, "v": 2, "ut": 60},
        {"n": "z", "vb": False},
        {"n": "w", "vs": "text"},
    ]

    assert resolve(as_cbor(pack)) == resolve(pack)


def test_cbor_numbers_may_be_decimal_fractions():
    # RFC 8428 section 6 lets numbers be tag 4: c4 82 20 19 00eb is 235 * 10^-1.
    payload = bytes.fromhex("81a2 00 6178 02 c4 82 20 1900eb")

    assert [r.value for r in resolve(payload)] == [23.5]


def test_cbor_may_carry_its_own_tag_and_arrays_of_no_given_length():
    # d9d9f7 is "self-described CBOR", 9f … ff an array of indefinite length.
    assert [r.value for r in resolve(bytes.fromhex("d9d9f7 9f a2 00 6178 02 01 ff"))] == [1.0]


@pytest.mark.parametrize(
    "name", ["urn:dev:ow:10e2073a01080063", "soil_moisture/20", "0a", "A-b.c:d/e_f"]
)
def test_names_of_the_allowed_characters(name):
    assert senml_pack.is_name(name)


@pytest.mark.parametrize("name", ["", "_x", ":x", "a b", "a%", "тест", "x\n"])
def test_names_with_other_characters(name):
    assert not senml_pack.is_name(name)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 9, 10, 11])
def test_the_examples_of_the_rfc_resolve_as_published(shared: Path, number):
    folder = shared / "samples" / "senml"
    expected = json.loads((folder / f"ex{number}.resolved.json").read_text())
    now_us = round(expected[0]["t"] * 1e6)  # when the working group's tool was run

    found = resolve((folder / f"ex{number}.json").read_bytes(), now_us)

    # The tool left data values (vd) out of what it printed.
    text = {r["n"] for r in expected if "vs" in r}
    found = [r for r in found if not isinstance(r.value, str) or r.name in text]
    assert [(r.name, r.unit, r.time_us, r.value) for r in found] == [
        (r["n"], r.get("u"), round(r["t"] * 1e6), r.get("v", r.get("vs", r.get("vb"))))
        for r in expected
    ]


def test_the_cbor_example_of_the_rfc_is_its_json_example(shared: Path):
    folder = shared / "samples" / "senml"

    found = resolve((folder / "ex3.cbor").read_bytes())

    assert found == resolve((folder / "ex3.json").read_bytes())
