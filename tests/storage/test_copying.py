"""Whole arrays in and out of the database, unknown numbers and differing texts among them."""

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import copying

TABLE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS mixed
        (place integer, number double precision, word text, digest bytea, moment timestamptz)
    ON COMMIT DROP""")
COLUMNS = ("place", "number", "word", "digest", "moment")
NOON = 1_750_000_000_000_000

rows_of_any_kind = st.lists(
    st.tuples(
        st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8),
        st.binary(min_size=4, max_size=4),
    ),
    min_size=1,
    max_size=30,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=rows_of_any_kind)
def test_every_row_arrives_as_it_was(
    connection: sa.Connection, rows: list[tuple[float, str, bytes]]
) -> None:
    connection.execute(TABLE)
    connection.execute(sa.text("TRUNCATE mixed"))
    numbers, words, digests = zip(*rows, strict=True)
    count = len(rows)
    columns: list[copying.Column] = [
        np.arange(count, dtype=np.int32),
        np.array(numbers),
        np.array(words, object),
        np.array(digests, "V4"),
        copying.times(np.full(count, NOON)),
    ]
    copying.copy_in(connection, "mixed", COLUMNS, copying.grouped(columns, count))
    stored = connection.execute(sa.text("SELECT * FROM mixed ORDER BY place")).all()

    assert [row.word for row in stored] == list(words)
    assert [bytes(row.digest) for row in stored] == list(digests)
    assert [row.number for row in stored] == [None if np.isnan(n) else n for n in numbers]
    assert {round(row.moment.timestamp() * 1e6) for row in stored} == {NOON}


def test_no_rows_are_no_parts() -> None:
    assert copying.grouped([np.array([], np.int32)], 0) == []


def test_many_rows_go_in_pieces_that_are_the_same_rows(connection: sa.Connection) -> None:
    connection.execute(TABLE)
    connection.execute(sa.text("TRUNCATE mixed"))
    count = 2_500
    columns: list[copying.Column] = [
        np.arange(count, dtype=np.int32),
        np.arange(count) / 4.0,
        np.array([f"id-{number % 7}".encode() for number in range(count)], "S4"),
        b"once",
        None,
    ]
    pieces = list(copying.pieces(columns, count))
    copying.copy_in(connection, "mixed", COLUMNS, pieces)

    assert len(pieces) > 2
    assert max(map(len, pieces)) <= 32_768
    assert b"".join(pieces) == copying.records(columns, count)
    stored = connection.execute(sa.text("SELECT * FROM mixed ORDER BY place")).all()
    assert [row.place for row in stored] == list(range(count))
    assert [row.number for row in stored] == [number / 4.0 for number in range(count)]
    assert [row.word for row in stored] == [f"id-{number % 7}" for number in range(count)]
    assert {(bytes(row.digest), row.moment) for row in stored} == {(b"once", None)}


OUT = np.dtype([("place", np.int32), ("half", np.float64), ("at", np.int64)])


def test_a_query_comes_out_as_one_array(connection: sa.Connection) -> None:
    statement = """
        SELECT n, n / 2.0::double precision, to_timestamp(1750000000 + n)
          FROM generate_series(1, %(last)s) AS n"""
    table = copying.copy_out(connection, statement, {"last": 3}, OUT)

    assert table["place"].tolist() == [1, 2, 3]
    assert table["half"].tolist() == [0.5, 1.0, 1.5]
    assert copying.since_1970(table["at"]).tolist() == [NOON + n * 1_000_000 for n in (1, 2, 3)]


def test_no_row_comes_out_as_an_empty_array(connection: sa.Connection) -> None:
    statement = "SELECT 1, 1.0::double precision, now() WHERE %(no)s"
    assert len(copying.copy_out(connection, statement, {"no": False}, OUT)) == 0


@pytest.mark.parametrize(("rows", "parts"), [(0, []), (1, [1]), (7, [3, 3, 1]), (9, [3, 3, 3])])
def test_rows_come_out_so_many_at_a_time(
    connection: sa.Connection, rows: int, parts: list[int]
) -> None:
    statement = """
        SELECT n::integer, n / 2.0::double precision, to_timestamp(n)
          FROM generate_series(1, %(last)s) AS n"""
    found = list(copying.copy_out_in_parts(connection, statement, {"last": rows}, OUT, 3))

    assert [len(one) for one in found] == parts
    assert [n for one in found for n in one["place"].tolist()] == list(range(1, rows + 1))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1, NULL::double precision, now()",
        "SELECT 1::bigint, 1.0::double precision, now()",
    ],
)
def test_a_column_of_another_size_is_refused(connection: sa.Connection, statement: str) -> None:
    with pytest.raises(ValueError, match="NULL"):
        copying.copy_out(connection, statement, {}, OUT)
    with pytest.raises(ValueError, match="NULL"):
        list(copying.copy_out_in_parts(connection, statement, {}, OUT, 3))
