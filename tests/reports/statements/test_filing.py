"""A filed report stays as it was filed; what came later makes a revision that says what changed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from reports.statements import filing, manifest, statement, verifying
from reports.statements.columns import key_of
from reports.statements.filing import ReasonMissing
from reports.statements.signing import BadSignature, KeyUnknown, SigningKey
from reports.statements.statement import Asked
from storage import filing as stored
from storage.database import NotFound
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY


@pytest.fixture
def country(connection: sa.Connection) -> sa.Connection:
    filed.put_country(connection)
    filed.put_key(connection)
    return connection


_MOMENTS = {
    "farms": "created_at",
    "fields": "created_at",
    "crop_zones": "created_at",
    "season_results": "computed_at",
    "balance_days": "computed_at",
}


def late(connection: sa.Connection, slug: str, applied_m3: float) -> None:
    """A late meter reading: the farm's season is computed again."""
    zone = connection.scalar(
        sa.text("""SELECT crop_zones.id FROM crop_zones JOIN fields ON fields.id = field_id
                     JOIN farms ON farms.id = farm_id WHERE slug = :slug"""),
        {"slug": slug},
    )
    # One transaction is one moment for now(): what stood before is moved back by an hour.
    for table, column in _MOMENTS.items():
        connection.execute(
            sa.text(f"UPDATE {table} SET {column} = now() - interval '1 hour'")  # noqa: S608
        )
    filed.put_result(
        connection, zone, filed.saved(applied_m3, 2_000.0), digest=f"late {applied_m3}"
    )


def keys(connection: sa.Connection) -> dict[str, verifying.Pinned]:
    return verifying.pinned_keys(json.dumps(filing.jwks(connection)).encode())


def test_a_filed_report_is_proved_by_its_file_and_the_keys(country: sa.Connection) -> None:
    made = filed.file(country)
    verdict = verifying.check(filing.envelope(country, made.revision), keys=keys(country))

    assert made.report.number == f"water-{made.revision.filed_at.year}-0001"
    assert [one.standing for one in verdict.findings] == ["proved", "proved"]
    assert "Water statement of KZ-61 in 2025" in verdict.findings[1].words


def test_numbers_have_no_gaps_also_after_a_filing_that_failed(country: sa.Connection) -> None:
    first = filed.file(country)
    savepoint = country.begin_nested()
    assert filed.file(country, area="KZ-43").report.serial == 2
    savepoint.rollback()
    second = filed.file(country, area="KZ")
    other_kind = filed.file(country, "savings")

    assert [one.report.serial for one in (first, second, other_kind)] == [1, 2, 1]


def test_what_would_not_prove_itself_is_not_filed(country: sa.Connection) -> None:
    # Typed with some noughts too many: together beyond 2^53, where JSON tells no two numbers apart.
    country.execute(
        sa.text("""INSERT INTO investments
                          (farm_id, made_on, purpose, amount_kzt, service_life_years, reference)
                   SELECT id, '2024-04-01', 'machinery', 4e15, 10, 'contract' FROM farms""")
    )
    with pytest.raises(ValueError, match="would not prove itself"), country.begin_nested():
        filed.file(country, "programme")

    assert stored.page(country) == []


def test_the_same_content_makes_no_revision(country: sa.Connection) -> None:
    first = filed.file(country)
    again = filed.file(country)

    assert not again.is_news
    assert again.revision == first.revision


def test_late_data_make_a_revision_that_tells_what_changed(country: sa.Connection) -> None:
    first = filed.file(country)
    before = filing.envelope(country, first.revision)
    late(country, "kz-61-0", 12_000.0)
    with pytest.raises(ReasonMissing, match="say why"):
        filed.file(country)
    second = filed.file(country, reason="a meter was read late")
    after = filing.envelope(country, second.revision)

    told = json.loads(second.revision.manifest)["replaces"]["difference"]
    changed = {
        one["key"]["INDICATOR"]: (one["old"]["OBS_VALUE"], one["new"]["OBS_VALUE"])
        for one in told["observations"]
        if set(one["key"]) == {"REF_AREA", "TIME_PERIOD", "INDICATOR"}
        and one["key"]["TIME_PERIOD"] == "2025"
    }
    # 10,000 to 10,003 m³ on 10 ha each: 40,006 m³; the first farm now says 12,000.
    assert changed == {
        "WATER_APPLIED": (40_006.0, 42_006.0),
        "WATER_APPLIED_DEPTH": (100.015, 105.015),
    }
    assert told["members"] == ["inputs"]
    assert len(told["season_results"]["come"]) == len(told["season_results"]["gone"]) == 1
    assert (second.report, second.revision.revision) == (first.report, 1)
    # The one before stays what it was, and proves itself; the later one proves to follow from it.
    assert filing.envelope(country, stored.revision(country, first.report, 0)) == before
    assert not verifying.check(before, keys=keys(country)).is_refuted
    standings = verifying.check(after, keys=keys(country), beside=verifying.Beside(before)).findings
    assert [one.standing for one in standings] == ["proved"] * 3
    assert "a meter was read late" in standings[-1].words


def test_a_report_as_of_an_earlier_time_says_what_stood_then(country: sa.Connection) -> None:
    late(country, "kz-61-0", 12_000.0)
    now, then = country.execute(sa.text("SELECT now(), now() - interval '30 minutes'")).one()

    # 10,000 to 10,003 m³; then 12,000 m³ for the first.
    for as_of, volume_m3 in ((then, 40_006.0), (now, 42_006.0)):
        made = statement.of(country, Asked("water", filed.SEASON, area="KZ-61"), as_of=as_of)
        assert value(made.content, "WATER_APPLIED") == volume_m3
    filed.file(country)
    with pytest.raises(ValueError, match="what stood before does not replace it"):
        filed.file(country, as_of=then, reason="back to what it was")


def test_a_crop_zone_that_was_entered_later_is_not_in_a_report_of_before(
    country: sa.Connection,
) -> None:
    asked = Asked("water", filed.SEASON, area="KZ-61")
    now = country.scalar(sa.text("SELECT now()"))
    before = statement.of(country, asked, as_of=now).content["coverage"]["crop_zones"]
    country.execute(
        sa.text("""UPDATE crop_zones SET created_at = now() + interval '1 hour'
                    WHERE id = (SELECT min(id) FROM crop_zones)""")
    )

    made = statement.of(country, asked, as_of=now)

    assert made.content["coverage"]["crop_zones"] == before - 1


def value(content: Mapping[str, Any], indicator: str) -> float:
    """Of the undivided cell of the statement's subject."""
    (found,) = (
        one["OBS_VALUE"]
        for one in content["observations"]
        if one["INDICATOR"] == indicator
        and key_of(one).keys() == {"REF_AREA", "TIME_PERIOD", "INDICATOR"}
        and one["TIME_PERIOD"] == str(filed.SEASON)
    )
    return float(found)


def test_nothing_that_was_filed_can_be_changed(country: sa.Connection) -> None:
    filed.file(country)
    for change in (
        "UPDATE filed_reports SET season = 2024",
        "DELETE FROM filed_reports",
        "UPDATE report_revisions SET manifest = '{}'",
        "DELETE FROM report_revisions",
        "UPDATE report_keys SET jwk = '{}'",
        "DELETE FROM report_countersignatures",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="never changed"), country.begin_nested():
            country.execute(sa.text(change))


def test_a_row_changed_behind_the_services_back_is_found(country: sa.Connection) -> None:
    made = filed.file(country)
    country.execute(sa.text("ALTER TABLE report_revisions DISABLE TRIGGER filed_is_filed"))
    country.execute(
        sa.text("UPDATE report_revisions SET manifest = replace(manifest, '40006', '30006')")
    )
    changed = stored.revision(country, made.report)

    assert changed.manifest != made.revision.manifest
    assert verifying.check(filing.envelope(country, changed), keys=keys(country)).is_refuted


def test_after_a_rotation_old_and_new_reports_prove_themselves(country: sa.Connection) -> None:
    old = filed.file(country)
    key = SigningKey.make()
    with pytest.raises(KeyUnknown, match="dala report key"):
        filing.file(country, Asked("savings", 2025, area="KZ-61"), key, author="anna")
    filed.put_key(country, key)
    new = filing.file(country, Asked("savings", 2025, area="KZ-61"), key, author="anna")

    for made in (old, new):
        verdict = verifying.check(filing.envelope(country, made.revision), keys=keys(country))
        assert {one.standing for one in verdict.findings} == {"proved"}


def test_a_ministry_countersigns_the_very_bytes(country: sa.Connection) -> None:
    made = filed.file(country)
    ministry = SigningKey.make()
    payload = made.revision.manifest.encode()
    with pytest.raises(KeyUnknown, match="dala report trust"):
        filing.countersign(country, made.revision, ministry.sign(payload), author="m")
    filed.put_key(country, ministry, "countersigns")
    with pytest.raises(BadSignature, match="does not belong to these bytes"):
        filing.countersign(country, made.revision, ministry.sign(payload + b" "), author="m")
    filing.countersign(country, made.revision, ministry.sign(payload), author="m")
    with pytest.raises(BadSignature, match="already"):
        filing.countersign(country, made.revision, ministry.sign(payload), author="m")

    file = filing.envelope(country, made.revision)
    words = [one.words for one in verifying.check(file, keys=keys(country)).findings]
    assert f"countersigned by key {ministry.kid} (owner of countersigns)" in words[1]
    # Who countersigns does not file: the same bytes, signed by the ministry alone, are refused.
    forged = manifest.write(payload, [ministry.sign(payload)])
    assert verifying.check(forged, keys=keys(country)).is_refuted
    assert KEY.kid != ministry.kid


def test_what_is_changed_is_listed_by_when_it_changed(country: sa.Connection) -> None:
    first = filed.file(country)
    second = filed.file(country, "savings")
    late(country, "kz-61-0", 12_000.0)
    revised = filed.file(country, reason="a meter was read late")

    assert [one.report.kind for one in stored.page(country)] == ["savings", "water"]
    since = stored.page(country, changed_since=second.revision.filed_at)
    assert [(one.report.number, one.revision) for one in since] == [(first.report.number, 1)]
    assert revised.revision.filed_at > second.revision.filed_at


@pytest.mark.parametrize(
    "number",
    [
        "",
        "water",
        "water-2025-1",
        "water-2025-0002",
        "water-٢٠٢٥-0001",
        "water-99999-1",
        "water-1-123456789012",
        "water-2025-2147483648",
    ],
)
def test_a_number_has_one_spelling(country: sa.Connection, number: str) -> None:
    with pytest.raises(NotFound):
        stored.get(country, number)
