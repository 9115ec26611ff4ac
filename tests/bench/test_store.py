"""The measurement itself is right: it stores what was asked. Speeds are not judged here."""

import json

import pytest
import sqlalchemy as sa
from rich.console import Console

from bench import hashing, store, stored_rows


@pytest.fixture(scope="module")
def report() -> store.Report:
    return store.run(
        rows=2_500,
        rounds=2,
        rows_a_batch=(1_000,),
        points_a_batch=(2_000,),
        fleets=(500,),
        duplicates_pct=(0, 50),
        by_another_pct=(50,),
    )


def test_the_report_is_json_and_names_the_machine(report: store.Report):
    read = json.loads(json.dumps(report))

    assert set(read) == {"bench", "machine", "rows", "rounds", "cases"}
    assert set(read["machine"]) == {
        *("cpu", "cores", "system", "python"),
        *("postgresql", "psycopg", "numpy"),
    }
    assert read["machine"]["cpu"]
    assert read["machine"]["cores"] >= 1


def test_every_case_offers_the_duplicates_that_were_asked_for(report: store.Report):
    found = [
        (one["what"], one["duplicates_pct"], one["known"], one["duplicate"])
        for one in report["cases"]
    ]

    assert found == [
        ("readings", 0, "sent again", 0),
        # Of batches of 1,000, 1,000 and 500. No more can come again than were new in the last.
        ("readings", 50, "sent again", 500 + 500 + 250),
        ("fleet of 500", 0, "sent again", 0),
        ("fleet of 500", 50, "sent again", 5 * 250),
        ("track points", 0, "sent again", 0),
        ("track points", 50, "sent again", 1_000 + 250),
        ("readings", 50, "by another", 1_250),
        ("fleet of 500", 50, "by another", 1_250),
        ("track points", 50, "by another", 1_250),
    ]


def test_ratios_are_to_the_limit_of_the_same_round(report: store.Report):
    for one in report["cases"]:
        assert 0 < one["ratio_lowest"] <= one["ratio"] <= one["ratio_highest"]
        assert one["on_conflict_ratio"] > 0


def test_what_evidence_costs_is_told_of_each_case(report: store.Report):
    for one in report["cases"]:
        assert one["evidence_lowest_pct"] <= one["evidence_pct"] <= one["evidence_highest_pct"]


def test_without_evidence_rows_are_stored_all_the_same_and_in_no_batch(
    empty_engine: sa.Engine,
):
    for subject in (stored_rows.of_readings(60, 20), stored_rows.of_points(60)):
        with empty_engine.begin() as connection:
            stored_rows.register(connection, 20)
            with hashing.left_out():
                assert subject.store(connection, subject.rows[:20]).all()
            with hashing.timed() as clock:
                assert not subject.store(connection, subject.rows[:20]).any()
                assert subject.store(connection, subject.rows[20:]).all()
            hashed = f"SELECT count(*), count(batch_id) FROM {subject.table}"  # noqa: S608
            assert connection.execute(sa.text(hashed)).one() == (60, 40)
            told = "SELECT sum(one) FROM pending_batches, unnest(row_counts) AS one"
            assert connection.scalar(sa.text(f"{told} WHERE kind = '{subject.table}'")) == 40
        assert clock.seconds > 0


def test_the_table_has_a_line_for_each_case(report: store.Report):
    console = Console(width=100)
    with console.capture() as captured:
        console.print(store.as_table(report))

    for text in ("readings", "track points", "none", "50 % sent again", "50 % by another"):
        assert text in captured.get()


def test_what_is_sent_again_was_in_the_batch_before():
    offer = stored_rows.sent_again(stored_rows.of_readings(600).rows, 100, 20.0)

    stored = {tuple(row) for row in offer.beforehand[["datastream_id", "time"]].tolist()}
    known = 0
    for batch in offer.batches:
        keys = {tuple(row) for row in batch[["datastream_id", "time"]].tolist()}
        known += len(keys & stored)
        assert len(keys) == len(batch) == 100
        assert len(keys & stored) == 20
        stored |= keys
    assert known == offer.known


def test_a_reading_that_went_missing_stops_the_measurement(empty_engine: sa.Engine):
    subject = stored_rows.of_readings(20)
    keep = subject.store
    subject = subject._replace(store=lambda link, rows: keep(link, rows[1:]))

    with pytest.raises(store.MiscountError, match="holds 19 rows, 20 were stored"):
        store.measure(empty_engine, [store.Case(subject, 10, 0.0)], 1)


def test_a_duplicate_that_is_called_new_stops_the_measurement(empty_engine: sa.Engine):
    subject = stored_rows.of_points(20)
    keep = subject.store
    subject = subject._replace(store=lambda link, rows: keep(link, rows) | True)

    with pytest.raises(store.MiscountError, match="0 rows called duplicates, 5 were"):
        store.measure(empty_engine, [store.Case(subject, 10, 50.0)], 1)
