"""Figures are made again of a report's bundle; what was changed behind its back is found."""

import re
from pathlib import Path

import numpy as np
import pytest
import rfc8785
import sqlalchemy as sa

from evidence import rows as hashing
from reports.bundle import figures_proved, opening, rows_proved
from reports.statements.findings import Verdict
from reports.statements.statement import Asked
from reports.statements.verifying import FOLLOW, TRUE
from storage import devices, evidence_copies, evidence_rows, readings, sealed_rows, tables
from storage.evidence_copies import NotEmpty
from storage.evidence_rows import COMPUTED, ENTERED
from tests.analytics.daily.conftest import at, day_of
from tests.reports.bundle import small_farm
from tests.reports.bundle.conftest import Oasis
from tests.reports.bundle.small_farm import HARVESTED, SLUG


def words(verdict: Verdict, standing: str) -> str:
    return " ".join(one.words for one in verdict.findings if one.standing == standing)


@pytest.mark.parametrize("kind", ["savings", "yields", "programme"])
def test_every_figure_is_made_again_to_the_last_digit(
    kind: str, oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, kind)
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert {one.standing for one in found.findings} == {"proved"}, found
    said = words(found, "proved")
    figures = len(small_farm.report_of(file)["content"]["observations"])
    assert f"All {figures} figures" in said
    assert "to the last digit" in said
    # By hand: station 60 days of 8 summaries, meter 2 a day, probe 3; 10 passes of 11 and 1 points.
    assert f"{60 * 8 + 60 * 2 + 60 * 3} readings are those that were stored" in said
    assert f"{10 * 12} track points are those that were stored" in said
    assert "2 of 2 seasons were made of the very inputs" in said
    assert not {FOLLOW, TRUE} & set(found.not_proved)


CHANGES = {
    "a value": (
        "UPDATE readings SET value = value + 900 WHERE time > '2025-06-20' AND value > 1000",
        "(other rows)",
    ),
    "a row is gone": (
        "DELETE FROM readings WHERE time = (SELECT max(time) FROM readings WHERE value > 1000)",
        "(119 rows of 120)",
    ),
    "a row is there that nobody sent": (
        """INSERT INTO readings (time, datastream_id, value, quality, received_at, batch_id)
           SELECT '2025-06-30 23:59Z', datastream_id, 9999, 0, received_at, batch_id
             FROM readings WHERE value > 1000 LIMIT 1""",
        "(121 rows of 120)",
    ),
    "a batch is gone": (
        """DELETE FROM readings
            WHERE batch_id = (SELECT batch_id FROM readings WHERE value > 1000 LIMIT 1)""",
        "No readings are there of what was stored: batch",
    ),
    "a point of a track": (
        "UPDATE track_points SET mass_flow_kg_s = 9 WHERE mass_flow_kg_s > 0",
        "The track points are not those that were stored",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_measured_cannot_be_changed_behind_the_services_back(
    what: str, oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    statement, how = CHANGES[what]
    file = small_farm.file(changed, "programme")
    assert changed.execute(sa.text(statement)).rowcount > 0
    report = small_farm.report_of(file)
    bundle = opening.read(small_farm.bundle(changed, file, tmp_path), report)
    found = Verdict(tuple(rows_proved.findings(bundle, report)), ())

    assert how in words(found, "refuted")


def test_a_batch_that_was_changed_cannot_be_sealed_once_more(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    small_farm.file(changed, "savings")  # seals all
    one = changed.scalar(sa.text("SELECT batch_id FROM readings WHERE value > 1000 LIMIT 1"))
    changed.execute(
        sa.text("UPDATE readings SET value = value + 9 WHERE batch_id = :b"), {"b": one}
    )
    farm_id = changed.scalar(sa.select(tables.farms.c.id))
    first, last = at(day_of(0), 0), at(HARVESTED, 23)
    of = sealed_rows.series(changed, "readings", farm_id)
    ids, found = sealed_rows.rows(changed, of, np.array([one]), first, last)
    order = hashing.in_order(ids, found)
    digests = hashing.digests(hashing.READINGS, ids[order], found[order]).digests
    again = {"id": one, "kind": "readings", "farm_ids": [farm_id], "row_counts": [len(ids)]}
    when = {"first_at": [first], "last_at": [last]}
    changed.execute(tables.pending_batches.insert().values(**again, **when, digests=digests))
    file = small_farm.file(changed, "programme")
    verdict = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert f"batch {one} was sealed twice" in words(verdict, "refuted")


def test_readings_that_a_mark_takes_out_of_the_figures_are_told(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    # The mark of a spike is in no hash: whoever may write to the database may set it.
    marked = "UPDATE readings SET quality = quality | 32 WHERE value > 1000"
    count = changed.execute(sa.text(marked)).rowcount
    file = small_farm.file(changed, "savings")
    bundle = opening.read(small_farm.bundle(changed, file, tmp_path), small_farm.report_of(file))
    found = Verdict(tuple(rows_proved.findings(bundle, small_farm.report_of(file))), ())

    assert not found.is_refuted
    assert count > 0
    assert words(found, "open").startswith(f"{count} readings are left out of the figures")


def test_a_figure_that_does_not_follow_is_named_with_both_values(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, "water")
    changed.execute(sa.text("UPDATE irrigation_events SET volume_m3 = volume_m3 + 100"))
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    # The combine's field: 640 and 720 m³ were entered, and now 740 and 820.
    said = words(found, "refuted")
    assert "WATER_APPLIED (FARM oasis, FIELD wheat" in said.replace("CROP spring-wheat, ", "")
    assert "1360 m3 in the report, and 1560 m3 by its inputs" in said
    assert "1 of 2 seasons were made of inputs whose digest" in words(found, "open")


def test_a_record_that_moves_no_figure_is_told_too(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, "water")
    changed.execute(sa.text("UPDATE irrigation_events SET source = 'someone else'"))
    changed.execute(sa.text("UPDATE fields SET official_field_id = '7' WHERE name = 'metered'"))
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert not found.is_refuted
    assert "All 24 figures" in words(found, "proved")
    said = words(found, "open")
    assert "2 of 2 seasons were made of inputs whose digest" in said
    assert "These are not as they were when the report was filed: fields." in said


def test_what_is_entered_after_a_report_is_not_what_it_rests_on(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, "water")
    for statement in (
        "UPDATE irrigation_events SET withdrawn_at = {later}, withdrawn_by = 'x'",
        """INSERT INTO crop_zones (field_id, season, crop, planted, harvested, area_ha,
                                   crop_parameters, conventions, created_at)
            SELECT field_id, 2026, crop, '2026-05-01', '2026-09-01', area_ha, crop_parameters,
                   conventions, {later} FROM crop_zones""",
        """INSERT INTO device_placements (device_id, field_id, valid_from, created_by, created_at)
            SELECT id, field_id, valid_from, 'x', {later}
              FROM devices, (VALUES ('1970-01-01Z'::timestamptz), ('2026-01-01Z')) AS v (valid_from)
             WHERE id = 'oasis-meter'""",
        "UPDATE devices SET field_id = NULL WHERE id = 'oasis-meter'",
    ):
        said = statement.format(later="now() + interval '1 hour'")
        assert changed.execute(sa.text(said)).rowcount > 0
    _store_late(changed, arrived_s=30.0)
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert {one.standing for one in found.findings} == {"proved"}, found


def test_figures_older_than_what_is_below_them_are_told_from_wrong_ones(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    for name in ENTERED:
        if "created_at" in {one.name for one in evidence_rows.columns(name)}:
            earlier = f"UPDATE {name} SET created_at = created_at - interval '2 hours'"  # noqa: S608
            changed.execute(sa.text(earlier))
    for name in COMPUTED:
        earlier = f"UPDATE {name} SET computed_at = computed_at - interval '1 hour'"  # noqa: S608
        changed.execute(sa.text(earlier))
    _store_late(changed, arrived_s=-120.0)
    file = small_farm.file(changed, "water")
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert not found.is_refuted, found
    said = words(found, "open")
    assert "The figures are older than what is below them" in said
    assert f"of days up to {small_farm.HARVESTED}" in said
    assert "UTC 1 readings came that no analysis had seen" in said


def _store_late(connection: sa.Connection, *, arrived_s: float) -> None:
    """A reading of the meter between two others that came seconds after now, or before."""
    now_us = connection.scalar(sa.text("SELECT (extract(epoch FROM now()) * 1e6)::bigint"))
    late = np.zeros(1, readings.DTYPE)
    late["datastream_id"] = devices.named(connection, f"{SLUG}-meter", "water_total").id
    late["time"] = round(at(day_of(58), 18).timestamp() * 1e6)
    late["value"] = 1000.0 + 300.0 * 11 + 250.0
    late["received_at"] = now_us + round(arrived_s * 1e6)
    assert readings.store(connection, late).new.all()


def test_where_readings_were_dropped_what_was_computed_of_them_is_taken(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, "savings")
    changed.execute(sa.text("DELETE FROM readings WHERE time < '2025-06-01'"))
    unsaid = oasis.check(file, small_farm.bundle(changed, file, tmp_path))
    changed.execute(
        sa.text("""INSERT INTO reading_retention (single, kept_days, dropped_before)
                   VALUES (true, 400, '2025-06-01') ON CONFLICT (single)
                   DO UPDATE SET dropped_before = excluded.dropped_before""")
    )
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert unsaid.is_refuted
    assert not found.is_refuted, found
    said = words(found, "open")
    # 31 days of the season in May: 8, 2 and 3 readings each; a day is the farm's, and May UTC's.
    assert "readings that were stored are not there: the service says" in said
    assert "2 crop zones were not computed again" in said
    assert "All 34 figures" in words(found, "proved")


def test_retention_is_no_word_for_points_of_tracks_that_are_gone(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    file = small_farm.file(changed, "programme")
    changed.execute(tables.reading_retention.delete())
    since = at(HARVESTED, 0)
    kept = {"single": True, "kept_days": None, "dropped_before": since}
    changed.execute(tables.reading_retention.insert().values(**kept))
    for gone in ("DELETE FROM track_points WHERE mass_flow_kg_s > 0", "DELETE FROM track_points"):
        assert changed.execute(sa.text(gone)).rowcount > 0
        report = small_farm.report_of(file)
        bundle = opening.read(small_farm.bundle(changed, file, tmp_path), report)
        found = Verdict(tuple(rows_proved.findings(bundle, report)), ())
        assert "track points are" in words(found, "refuted")


def test_rows_from_before_they_were_hashed_are_told(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    changed.execute(
        sa.text("""INSERT INTO readings (time, datastream_id, value, quality, received_at)
                   SELECT time + interval '1 minute', datastream_id, value, 16, received_at
                     FROM readings WHERE value >= 1000""")
    )
    file = small_farm.file(changed, "savings")
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    assert words(found, "open").startswith("120 readings are from before readings were hashed")


def test_sums_in_another_order_are_told_from_other_inputs(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    # As where hours are added up in another order: the last bit of every temperature.
    file = small_farm.file(changed, "water")
    changed.execute(
        sa.text("""UPDATE readings SET value = value * (1 + 2.3e-16)
                     FROM datastreams AS stream
                    WHERE stream.id = datastream_id AND quantity = 'air_temperature_max'""")
    )
    found = oasis.check(file, small_farm.bundle(changed, file, tmp_path))

    said = words(found, "proved")
    assert "All 24 figures" in said
    assert "2 of 2 seasons rest on the very records that were entered" in said


def test_a_report_of_a_part_of_a_season_or_from_before_evidence_is_made_again_too(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    # By hand: 640 m³ on day 20 are in the part, 720 m³ on day 35 are not.
    part = day_of(10), day_of(30)
    asked = Asked("water", 2025, farm=SLUG, period=part)
    report = small_farm.report_of(small_farm.file_asked(changed, asked))
    old = report | {"evidence": None}
    said = ""
    for one in (report, old):
        path = small_farm.bundle(changed, rfc8785.dumps({"report": one}), tmp_path)
        bundle = opening.read(path, one)
        found = [
            *rows_proved.findings(bundle, one),
            *figures_proved.findings(bundle, one, oasis.fresh),
        ]
        assert not Verdict(tuple(found), ()).is_refuted, found
        said = " ".join(finding.words for finding in found)
        assert "figures, their coverage and methods, were made again" in said
    assert "The report carries no evidence" in said
    wheat = [
        one["OBS_VALUE"]
        for one in report["content"]["observations"]
        if one.get("FIELD") == "wheat" and one["INDICATOR"] == "WATER_APPLIED"
    ]
    assert wheat == [640]


def test_nothing_is_put_into_a_database_that_has_farms(oasis: Oasis) -> None:
    with oasis.engine.connect() as connection, pytest.raises(NotEmpty):
        evidence_copies.begin(connection, complete_since=None)


# Beside what was measured: that it is news, all of it, and what was dropped, as the manifest says.
BESIDE = {"readings", "track_points", "reading_news", "track_news", "reading_retention"}
ASKED = re.compile(r"(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)")


def test_whatever_an_analysis_or_a_statement_reads_is_in_the_bundle(
    oasis: Oasis, changed: sa.Connection, tmp_path: Path
) -> None:
    """A table that is read from tomorrow on has to be told, too."""
    asked: list[str] = []

    def note(*told: object) -> None:
        asked.append(str(told[2]))

    file = small_farm.file(changed, "programme")
    sa.event.listen(oasis.other, "before_cursor_execute", note)
    try:
        oasis.check(file, small_farm.bundle(changed, file, tmp_path))
    finally:
        sa.event.remove(oasis.other, "before_cursor_execute", note)

    read = {name for one in asked for name in ASKED.findall(one)} & set(tables.metadata.tables)
    assert {"crop_zones", "harvest_loads", "investments", "season_results"} <= read
    assert read <= {*ENTERED, *COMPUTED, *BESIDE}
