"""A report rests on entries of the tree: it seals what waits, and its file proves them."""

import pytest
import sqlalchemy as sa

from evidence.multiproof import check_parts
from reports.statements import filing, manifest, sealing, verifying
from reports.statements import heads as files
from reports.statements.signing import public_key
from reports.statements.verifying import Beside
from storage import evidence, tables
from storage import filing as stored
from tests.evidence.test_merkle import by_definition
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY
from tests.reports.statements.sealed import JULY, US, leaves, put_streams, store


@pytest.fixture
def streams(connection: sa.Connection) -> dict[str, int]:
    return put_streams(connection)


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
