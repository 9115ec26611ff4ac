"""Sealing: what was stored becomes entries of the tree, once, whole, and whoever seals beside."""

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from evidence import entries, heads, merkle, tiles
from reports.statements import heads as files
from reports.statements import sealing
from reports.statements.signing import BadSignature, KeyUnknown, SigningKey
from storage import countersignatures, evidence, farms, tables, tree_heads
from tests.api.waiting import wait_for_a_lock
from tests.evidence.test_merkle import by_definition
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY
from tests.reports.statements.sealed import (
    JULY,
    MINISTRY,
    US,
    leaves,
    put_pending,
    put_streams,
    store,
)


@pytest.fixture
def streams(connection: sa.Connection) -> dict[str, int]:
    return put_streams(connection)


@pytest.fixture
def lasting(empty_engine: sa.Engine) -> dict[str, int]:
    with empty_engine.begin() as connection:
        return put_streams(connection)


# --- what a seal takes ----------------------------------------------------------------------------


def test_what_was_stored_is_sealed_farm_by_farm_under_a_signed_head(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    store(connection, [*streams.values()])
    store(connection, [streams["kz-61-0"]], begin=JULY + 86_400 * US, count=2)
    sealed = sealing.seal(connection, KEY, author="test")
    assert sealed is not None
    # Three farms and what has none; the first batch of four, of which one by itself; the second.
    assert (sealed.heads, sealed.entries, sealed.batches, sealed.rows) == (1, 4, 5, 14)

    found = list(evidence.entries_at(connection, range(4)))
    # Of a region side by side; none at the end.
    assert [one.farm for one in found] == ["kz-43-0", "kz-61-0", "kz-61-1", None]
    for one in found:
        entry = entries.of_batches(
            one.seal, one.sealed_at, one.farm, one.batches, one.first_at, one.last_at
        )
        assert entry.hash() == one.leaf
    assert (found[1].first_at, found[1].last_at) == (
        dt.datetime(2025, 7, 1, tzinfo=dt.UTC), dt.datetime(2025, 7, 2, 0, 15, tzinfo=dt.UTC),
    )  # fmt: skip
    head = tree_heads.newest(connection)
    assert head is not None
    assert head.root == by_definition(leaves(connection)) == sealed.newest.root
    told = files.head_of_file(sealing.signed(connection, head).file())
    assert told.head == heads.of_tree(1, 4, head.root, head.sealed_at)
    assert evidence.waiting(connection).batches == 0


def test_where_nothing_waits_nothing_is_sealed(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    assert sealing.seal(connection, KEY, author="test") is None
    store(connection, [streams["kz-61-0"]])
    assert sealing.seal(connection, KEY, author="test") is not None
    assert sealing.seal(connection, KEY, author="test") is None
    assert len(tree_heads.heads(connection)) == 1


def test_a_batch_that_comes_late_with_a_lower_number_is_sealed_too(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    farm = farms.get(connection, "kz-61-0").id
    for numbers in ([70, 90], [80, 3]):
        for number in numbers:
            put_pending(connection, number, [farm])
        sealing.seal(connection, KEY, author="test")

    sealed = [
        [batch.id for batch in entries.unpacked(one.batches)]
        for one in evidence.entries_at(connection, [0, 1])
    ]
    assert sealed == [[70, 90], [3, 80]]


def test_more_than_a_seal_may_hold_is_the_next_ones(
    connection: sa.Connection, streams: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = farms.get(connection, "kz-61-0").id
    for number in range(1, 8):
        put_pending(connection, number, [farm, 0])
    take = evidence.take
    monkeypatch.setattr(evidence, "take", lambda opened: take(opened, most=4, page=2))
    sealed = sealing.seal(connection, KEY, author="test")

    assert sealed is not None
    assert (sealed.heads, sealed.entries, sealed.batches) == (4, 8, 14)
    found = evidence.entries_at(connection, range(8))
    numbers = [[batch.id for batch in entries.unpacked(one.batches)] for one in found if one.farm]
    assert numbers == [[1, 2], [3, 4], [5, 6], [7]]


def test_a_key_that_nobody_knows_seals_nothing(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    store(connection, [streams["kz-61-0"]])
    for key in (SigningKey.make(), MINISTRY):
        with pytest.raises(KeyUnknown, match="dala report key"):
            sealing.seal(connection, key, author="test")
    assert evidence.waiting(connection).batches == 1


# --- at once, and broken off ----------------------------------------------------------------------


def test_two_who_seal_at_once_seal_each_batch_once(
    empty_engine: sa.Engine, lasting: dict[str, int]
) -> None:
    with empty_engine.begin() as connection:
        for turn in range(4):
            store(connection, [*lasting.values()], begin=JULY + turn * 3_600 * US)

    def seal(_turn: int) -> sealing.Sealed | None:
        with empty_engine.begin() as connection:
            return sealing.seal(connection, KEY, author="test")

    with ThreadPoolExecutor(4) as together:
        done = [one for one in together.map(seal, range(4)) if one is not None]
    assert [(one.heads, one.entries, one.rows) for one in done] == [(1, 4, 48)]


def test_a_batch_that_is_stored_while_others_are_sealed_is_the_next_ones(
    empty_engine: sa.Engine, lasting: dict[str, int]
) -> None:
    with empty_engine.begin() as connection:  # who stores a day's first row makes others wait
        store(connection, [*lasting.values()], begin=JULY + 6 * 3_600 * US)
        sealing.seal(connection, KEY, author="test")
    with empty_engine.begin() as early, empty_engine.begin() as late:
        store(early, [lasting["kz-61-0"]])  # takes its number first, and commits last
        store(late, [lasting["kz-61-1"]])
        late.commit()
        with empty_engine.begin() as connection:
            sealed = sealing.seal(connection, KEY, author="test")
        assert sealed is not None
        assert sealed.batches == 1
        early.commit()
    with empty_engine.begin() as connection:
        sealed = sealing.seal(connection, KEY, author="test")
        assert sealed is not None
        assert (sealed.batches, sealed.newest.size) == (1, 6)


def test_a_seal_ends_while_others_go_on_storing(
    empty_engine: sa.Engine, lasting: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    take, turns = evidence.take, iter(range(1, 9))

    def beside(connection: sa.Connection) -> evidence.Taken:
        found = take(connection)
        with empty_engine.begin() as other:  # as ingest at full speed: there is always one more
            put_pending(other, 1_000 + next(turns), [farms.get(other, "kz-61-0").id])
        return found

    with empty_engine.begin() as connection:
        store(connection, [*lasting.values()])
    monkeypatch.setattr(evidence, "take", beside)
    with empty_engine.begin() as connection:
        sealed = sealing.seal(connection, KEY, author="test")
        assert sealed is not None
        assert (sealed.heads, sealed.rows) == (1, 12)
        assert evidence.waiting(connection).batches == 1


def test_a_seal_that_is_broken_off_leaves_all_as_it_was(
    empty_engine: sa.Engine, lasting: dict[str, int]
) -> None:
    with empty_engine.begin() as connection:
        store(connection, [*lasting.values()])
    with empty_engine.connect() as connection, empty_engine.connect() as other:
        assert sealing.seal(connection, KEY, author="test") is not None
        own = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        other.execute(sa.text("SELECT pg_terminate_backend(:own)"), {"own": own})
        with pytest.raises(sa.exc.OperationalError):
            connection.commit()

    with empty_engine.begin() as connection:
        assert tree_heads.newest(connection) is None
        assert leaves(connection) == []
        sealed = sealing.seal(connection, KEY, author="test")
        assert sealed is not None
        assert sealed.rows == 12


# --- the tree -------------------------------------------------------------------------------------


def test_the_stored_tree_is_the_one_that_grows_in_memory(connection: sa.Connection) -> None:
    filed.put_country(connection, farms_each=12)
    filed.put_key(connection)
    ids = list(connection.scalars(sa.select(tables.farms.c.id)))
    draw, number = random.Random(9162), 0
    for _ in range(40):
        for _ in range(draw.randint(1, 3)):
            number += 1
            put_pending(connection, number, sorted(draw.sample(ids, draw.randint(1, 24))))
        sealing.seal(connection, KEY, author="test")

    whole = leaves(connection)
    assert len(whole) > 512  # tiles of two floors, and an edge
    held = tiles.grown(0, lambda _place: b"", whole)
    rows = connection.execute(sa.select(tables.evidence_tiles)).all()
    assert {tiles.Place(floor, at): hashes for floor, at, hashes in rows} == held
    known = tree_heads.heads(connection)
    assert [one.root for one in known] == [by_definition(whole[: one.size]) for one in known]
    for early, late in ((0, 1), (3, 17), (0, 39), (38, 39), (12, 12)):
        one, other = known[early], known[late]
        proof = sealing.consistency(connection, one.size, other.size)
        merkle.check_consistency(one.size, one.root, other.size, other.root, proof.proof)
        assert files.consistency_of_file(proof.file()) == proof


def test_between_what_was_not_sealed_and_backwards_there_is_no_proof(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    for turn in range(2):
        store(connection, [streams["kz-61-0"]], begin=JULY + turn * 3_600 * US)
        sealing.seal(connection, KEY, author="test")

    with pytest.raises(LookupError, match="head of 3 entries"):
        sealing.consistency(connection, 1, 3)
    with pytest.raises(ValueError, match="does not begin with"):
        sealing.consistency(connection, 2, 1)


@pytest.mark.parametrize("table", ["tree_heads", "evidence_entries", "head_countersignatures"])
def test_what_was_sealed_is_added_to_alone(
    connection: sa.Connection, streams: dict[str, int], table: str
) -> None:
    store(connection, [streams["kz-61-0"]])
    sealing.seal(connection, KEY, author="test")
    with pytest.raises(sa.exc.ProgrammingError, match="never changed"):
        connection.execute(tables.metadata.tables[table].delete())


# --- witnesses ------------------------------------------------------------------------------------


def test_a_witness_signs_a_head_as_a_head_and_once(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    store(connection, [streams["kz-61-0"]])
    sealing.seal(connection, KEY, author="test")
    head = tree_heads.newest(connection)
    assert head is not None
    payload = head.manifest.encode()
    for signature, error in (
        (MINISTRY.sign(payload), BadSignature),  # as one over a report
        (MINISTRY.sign(payload + b" ", "dala-tree-head+jws"), BadSignature),
        (KEY.sign(payload, "dala-tree-head+jws"), KeyUnknown),
        (SigningKey.make().sign(payload, "dala-tree-head+jws"), KeyUnknown),
    ):
        with pytest.raises(error):
            sealing.countersign(connection, head, signature, author="test")
    signature = MINISTRY.sign(payload, "dala-tree-head+jws")
    sealing.countersign(connection, head, signature, author="account:ministry")
    with pytest.raises(BadSignature, match="already"):
        sealing.countersign(connection, head, signature, author="test")

    (witness,) = countersignatures.of(connection, countersignatures.HEADS, head.seal)
    assert (witness.kid, witness.owner) == (MINISTRY.kid, "owner of countersigns")
    assert tree_heads.newest(connection).countersignatures == 1
    assert sealing.signed(connection, head).signatures[1] == signature


def test_a_witness_who_sends_one_signature_twice_at_once_is_one_witness(
    empty_engine: sa.Engine, lasting: dict[str, int]
) -> None:
    with empty_engine.begin() as connection:
        store(connection, [*lasting.values()])
        sealing.seal(connection, KEY, author="test")
        head = tree_heads.newest(connection)
        assert head is not None
    signature = MINISTRY.sign(head.manifest.encode(), "dala-tree-head+jws")

    def countersign() -> None:
        with empty_engine.begin() as connection:
            sealing.countersign(connection, head, signature, author="test")

    with ThreadPoolExecutor() as beside, empty_engine.connect() as first:
        sealing.countersign(first, head, signature, author="test")
        second = beside.submit(countersign)  # sees none of the first's, and waits for its end
        wait_for_a_lock(empty_engine)
        first.commit()
        with pytest.raises(BadSignature, match="already"):
            second.result()
