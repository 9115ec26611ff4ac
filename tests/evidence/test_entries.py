"""Entries and heads: bytes that stand for what they say, and for nothing else."""

import datetime as dt
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import entries, heads, merkle
from evidence.entries import READINGS, TRACK_POINTS, Batch
from evidence.merkle import ProofError

AT = dt.datetime(2026, 7, 1, 0, 0, 5, tzinfo=dt.UTC)
BATCHES = [
    Batch(7, READINGS, 96, sha256(b"seven").digest()),
    Batch(9, TRACK_POINTS, 3, sha256(b"nine").digest()),
    Batch(4_294_967_296, READINGS, 1, sha256(b"many").digest()),
]
PACKED = b"".join(one.packed() for one in BATCHES)


def entry(batches: bytes = PACKED) -> entries.Entry:
    first = dt.datetime(2026, 6, 29, 23, 50, tzinfo=dt.UTC)
    last = dt.datetime(2026, 6, 30, 23, 45, 0, 250_000, tzinfo=dt.UTC)
    return entries.of_batches(3, AT, "turkistan-01", batches, first, last)


def test_a_record_is_number_kind_rows_and_digest_in_45_bytes() -> None:
    assert entries.RECORD_BYTES == 45
    assert BATCHES[0].packed().hex() == (
        "0000000000000007" + "00" + "00000060" + sha256(b"seven").hexdigest()
    )
    assert list(entries.unpacked(PACKED)) == BATCHES


def test_the_data_of_a_leaf_by_hand() -> None:
    # RFC 9162 of three records: the first two together, then the third.
    first, second, third = (sha256(b"\x00" + one.packed()).digest() for one in BATCHES)
    both = sha256(b"\x01" + first + second).digest()
    root = sha256(b"\x01" + both + third).hexdigest()

    data = entry().data()

    assert data.decode() == (
        '{"batches":3,"farm":"turkistan-01","first_at":"2026-06-29T23:50:00Z",'
        '"last_at":"2026-06-30T23:45:00.250000Z",'
        f'"root":"{root}","rows":100,"seal":3,"sealed_at":"2026-07-01T00:00:05Z"}}'
    )
    assert entry().hash() == sha256(b"\x00" + data).digest()
    assert entries.read(data) == entry()
    assert entries.check(entry(), PACKED) == BATCHES


def test_a_single_batch_is_proved_in_its_entry() -> None:
    nodes = entries.tree_of(PACKED)
    for place, one in enumerate(BATCHES):
        path = merkle.inclusion_proof(nodes, place, 3)
        merkle.check_inclusion(merkle.leaf_hash(one.packed()), place, 3, path, entry().root)


@given(st.integers(0, 8 * len(PACKED) - 1))
def test_a_changed_bit_of_the_records_is_found(bit: int) -> None:
    changed = bytearray(PACKED)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(ProofError):
        entries.check(entry(), bytes(changed))


@pytest.mark.parametrize(
    "batches",
    [
        b"",
        PACKED[:-1],
        PACKED[:-45],
        PACKED[45:] + PACKED[:45],
        PACKED + PACKED[-45:],
        PACKED[:8] + b"\x02" + PACKED[9:],
    ],
    ids=["nothing", "cut", "one less", "another order", "twice", "no kind"],
)
def test_other_records_are_none_of_the_entry(batches: bytes) -> None:
    with pytest.raises(ProofError):
        entries.check(entry(), batches)


@given(st.integers(0, 8 * len(entry().data()) - 1))
def test_a_changed_bit_of_a_leafs_data_is_other_data_or_none(bit: int) -> None:
    data = entry().data()
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        other = entries.read(bytes(changed))
    except ProofError:
        return
    assert other != entry()
    assert other.hash() != entry().hash()


def test_what_json_takes_for_the_same_data_is_refused() -> None:
    data = entry().data()
    for other in (
        data + b"\n",
        data.replace(b'"rows":100', b'"rows":100.0'),
        data.replace(b'"rows":100', b'"rows":99,"rows":100'),
        data.replace(b'"seal":3,', b""),
        b"[" * 100_000,
        b"null",
    ):
        with pytest.raises(ProofError):
            entries.read(other)


def head(**changes: Any) -> dict[str, Any]:
    plain = json.loads(heads.of_tree(3, 12, bytes(range(32)), AT).payload())
    return plain | changes


def test_a_head_is_told_in_canonical_form() -> None:
    payload = heads.of_tree(3, 12, bytes(range(32)), AT).payload()

    assert payload.decode() == (
        f'{{"format":"dala-tree-head/1","root":"{bytes(range(32)).hex()}","seal":3,'
        '"sealed_at":"2026-07-01T00:00:05Z","size":12}'
    )
    assert heads.of_payload(payload) == heads.of_tree(3, 12, bytes(range(32)), AT)
    with pytest.raises(ProofError, match="canonical"):
        heads.of_payload(payload + b" ")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "dala-report/1"},
        {"size": 12.0},
        {"size": True},
        {"size": 0},
        {"size": 2},
        {"seal": "3"},
        {"root": "00" * 31},
        {"root": "AB" * 32},
        {"root": None},
        {"sealed_at": "yesterday"},
        {"sealed_at": None},
        {"more": 1},
    ],
)
def test_what_is_no_head_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        heads.read(head(**changes))
