"""Who asks for days is not kept waiting by years: chunks outside are left out of the plan."""

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from storage import aggregates, series

CHUNKS = 60  # of a day
END = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def years(series: sa.Engine) -> sa.Engine:
    """Two months of readings in as many chunks, the older half in the columnstore."""
    with series.begin() as connection:
        connection.execute(
            sa.text("SELECT set_chunk_time_interval('readings', CAST('1 day' AS interval))")
        )
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :end - n * interval '2 hours', stream, n, 0, :end
              FROM generate_series(1, 12 * :chunks) AS n, generate_series(1, 20) AS stream
            """),
            {"end": END, "chunks": CHUNKS},
        )
        connection.execute(
            sa.text("""
            SELECT compress_chunk(chunk)
              FROM show_chunks('readings', older_than => :end - interval '30 days') AS chunk
            """),
            {"end": END},
        )
    aggregates.refresh(series)
    return series


def chunks_of(connection: sa.Connection, statement: str, parameters: dict[str, Any]) -> set[str]:
    """Chunks of readings that the plan of a statement of ``COPY`` or ``text`` reads."""
    statement = re.sub(r"%\((\w+)\)s(::[\w ]+(\[\])?)?", lambda found: literal(
        parameters[found.group(1)], found.group(2) or ""), statement)  # fmt: skip
    plan = connection.exec_driver_sql("EXPLAIN " + statement.replace("%", "%%")).scalars()
    return set(re.findall(r"\b_hyper_\d+_\d+_chunk\b", "\n".join(plan)))


def literal(value: object, kind: str) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(one, '') for one in value)}]{kind}"
    return f"'{value}'{kind or '::timestamptz'}" if isinstance(value, dt.datetime) else str(value)


SPAN = {"ids": [3, 7], "starts": [END - 3 * DAY, END - 2 * DAY], "ends": [END - DAY, END],
        "first": END - 3 * DAY, "last": END}  # fmt: skip
NEWEST = {"ids": [3, 7], "since": [END - 3 * DAY, END - 2 * DAY], "count": 8,
          "first": END - 3 * DAY}  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (series._SERIES, SPAN),
        (series._RECENT_HOURS, SPAN),
        (series._HOUR_SERIES, SPAN),
        (series._NEWEST, NEWEST),
    ],
    ids=["readings", "recent hours", "hours", "newest"],
)
def test_three_days_of_two_datastreams_touch_a_few_chunks(
    years: sa.Engine, statement: str, parameters: dict[str, Any]
) -> None:
    with years.connect() as connection:
        touched = chunks_of(connection, statement, parameters)

    assert 1 <= len(touched) <= 5, touched


def test_a_page_of_the_columnstore_touches_the_chunks_of_its_range(years: sa.Engine) -> None:
    start = END - 50 * DAY
    parameters = {"datastream_id": 3, "start": start, "end": start + 2 * DAY, "limit": 2_000}
    statement = re.sub(r"(?<![:\w]):(\w+)(?!:)", r"%(\1)s", series._RAW.text)

    with years.connect() as connection:
        touched = chunks_of(connection, statement, parameters)
        samples = series.raw(connection, 3, start=start, end=start + 2 * DAY, limit=2_000)

    # A chunk that is packed has another behind it, where its columns are.
    assert 2 <= len(touched) <= 4, touched
    # The 50th and 49th day before the end, twelve a day: 600 down to 577.
    assert [one.value for one in samples] == [float(n) for n in range(600, 576, -1)]
