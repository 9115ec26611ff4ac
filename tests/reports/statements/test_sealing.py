"""Sealing: what was stored becomes entries of the tree, once, whole, and whoever seals beside."""

import datetime as dt
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import numpy as np
import pytest
import sqlalchemy as sa

from evidence import entries, heads, merkle, tiles
from evidence.multiproof import check_parts
from reports.statements import filing, manifest, sealing, verifying
from reports.statements import heads as files
from reports.statements.signing import BadSignature, KeyUnknown, SigningKey, public_key
from reports.statements.verifying import Beside
from storage import countersignatures, devices, evidence, farms, readings, tables, tree_heads
from storage import filing as stored
from storage.devices import StreamKey
from tests.api.waiting import wait_for_a_lock
from tests.evidence.test_merkle import by_definition
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY

US = 1_000_000
JULY = int(dt.datetime(2025, 7, 1, tzinfo=dt.UTC).timestamp()) * US
MINISTRY = SigningKey.make()


def put_streams(connection: sa.Connection) -> dict[str, int]:
    """The small country, its keys, and what measures."""
    filed.put_country(connection)
    filed.put_key(connection)
    filed.put_key(connection, MINISTRY, "countersigns")
    return put_devices(connection)


def put_devices(connection: sa.Connection) -> dict[str, int]:
    """A datastream of a device of each of three farms, and of one that has none; by farm."""
    found = {}
    for slug in ("kz-61-0", "kz-61-1", "kz-43-0", None):
        of = None if slug is None else farms.get(connection, slug).id
        device = f"probe-{slug}"
        devices.put(connection, device, farm_id=of, kind="soil-probe", name=device)
        key = StreamKey(device, "soil_moisture", 20.0, None)
        found[slug or ""] = devices.open_datastreams(connection, [key])[key]
    return found


@pytest.fixture
def streams(connection: sa.Connection) -> dict[str, int]:
    return put_streams(connection)


@pytest.fixture
def lasting(empty_engine: sa.Engine) -> dict[str, int]:
    with empty_engine.begin() as connection:
        return put_streams(connection)


def store(
    connection: sa.Connection, streams: Sequence[int], *, begin: int = JULY, count: int = 3
) -> None:
    """A batch with so many readings of each datastream, a quarter of an hour apart."""
    rows = np.zeros(len(streams) * count, readings.DTYPE)
    rows["datastream_id"] = np.repeat(streams, count)
    rows["time"] = begin + np.tile(np.arange(count), len(streams)) * 900 * US
    rows["value"] = np.linspace(0.1, 0.4, len(rows))
    rows["received_at"] = rows["time"] + 60 * US
    readings.store(connection, rows)


def put_pending(connection: sa.Connection, number: int, farm_ids: Sequence[int]) -> None:
    """A batch that waits, without its rows."""
    at = dt.datetime(2025, 7, 1, tzinfo=dt.UTC) + dt.timedelta(hours=number)
    connection.execute(
        tables.pending_batches.insert().values(
            id=number,
            kind="readings",
            farm_ids=list(farm_ids),
            row_counts=[number] * len(farm_ids),
            digests=b"".join(sha256(f"{number} {one}".encode()).digest() for one in farm_ids),
            first_at=[at] * len(farm_ids),
            last_at=[at + dt.timedelta(minutes=5)] * len(farm_ids),
        )
    )


def leaves(connection: sa.Connection) -> list[bytes]:
    query = sa.select(tables.evidence_entries.c.leaf)
    return list(connection.scalars(query.order_by(tables.evidence_entries.c.position)))


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
    assert tree_heads.newest(connection).countersignatures == 1  # type: ignore[union-attr]
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


# --- reports --------------------------------------------------------------------------------------


@pytest.fixture
def pinned() -> dict[str, verifying.Pinned]:
    return {KEY.kid: verifying.Pinned(public_key(KEY.public), "files", "")}


def evidence_of(connection: sa.Connection, made: filing.Filing) -> files.Evidence:
    found = files.of_manifest(manifest.read(filing.envelope(connection, made.revision)).manifest)
    assert found is not None
    return found


def test_a_report_seals_what_it_rests_on_and_proves_it(
    connection: sa.Connection, streams: dict[str, int], pinned: dict[str, verifying.Pinned]
) -> None:
    farm = streams["kz-61-0"]
    store(connection, [*streams.values()])
    store(connection, [farm], begin=JULY - 120 * 86_400 * US)  # a month and more before planting
    made = filed.file(connection, farm="kz-61-0")
    found = evidence_of(connection, made)

    # The farm's only entry holds both batches; its window reaches into the season.
    assert [(one.first, one.leaves) for one in found.entries] == [(1, 1)]
    assert found.entries[0].hash == leaves(connection)[1]
    # 30 days before planting, 45 after harvest, and what days of farms may begin before UTC's.
    assert (found.start, found.end) == ("2025-03-20T00:00:00Z", "2025-11-16T00:00:00Z")
    verdict = verifying.check(filing.envelope(connection, made.revision), keys=pinned)
    assert [one.standing for one in verdict.findings] == ["proved"] * 4
    assert evidence.waiting(connection).batches == 0

    # An entry that has no row of the season is not among them; of the region are two farms.
    store(connection, [farm], begin=JULY - 400 * 86_400 * US)
    region = evidence_of(connection, filed.file(connection, area="KZ-61"))
    assert [(one.first, one.leaves) for one in region.entries] == [(1, 1), (2, 1)]
    assert region.head.head.size == 5
    check_parts(region.entries, 5, region.proof, by_definition(leaves(connection)))


def test_what_is_sealed_later_makes_no_revision_and_a_revision_rests_on_a_later_head(
    connection: sa.Connection, streams: dict[str, int], pinned: dict[str, verifying.Pinned]
) -> None:
    store(connection, [streams["kz-61-0"]])
    first = filed.file(connection)
    before = filing.envelope(connection, first.revision)
    store(connection, [streams["kz-61-0"]], begin=JULY + 3_600 * US)
    assert not filed.file(connection).is_news
    assert evidence.waiting(connection).batches == 1

    zone = connection.scalar(sa.select(sa.func.min(tables.crop_zones.c.id)))
    filed.put_result(connection, zone, filed.saved(12_000.0, 2_000.0), digest="late")
    again = filed.file(connection, reason="a reading came late")
    after = filing.envelope(connection, again.revision)
    proof = sealing.consistency(connection, 1, 2).file()
    verdict = verifying.check(after, keys=pinned, beside=Beside(before, None, [proof]))
    assert [one.standing for one in verdict.findings] == ["proved"] * 6
    assert "2 entries begins with that of 1" in verdict.findings[-1].words


def test_where_nothing_was_ever_stored_a_report_says_that_it_rests_on_no_head(
    connection: sa.Connection, streams: dict[str, int], pinned: dict[str, verifying.Pinned]
) -> None:
    made = filed.file(connection)
    verdict = verifying.check(filing.envelope(connection, made.revision), keys=pinned)

    assert [one.standing for one in verdict.findings] == ["proved", "proved"]
    assert any("rests on no head" in one for one in verdict.not_proved)
    assert stored.revision(connection, made.report).manifest.count('"evidence":null') == 1
