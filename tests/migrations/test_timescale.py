"""The same migrations on TimescaleDB."""

import sqlalchemy as sa

from storage import tenancy
from storage.database import has_timescale
from storage.tenancy import Reach
from tests.two_farms import put_land


def test_readings_and_tracks_are_hypertables(timescale: sa.Engine) -> None:
    with timescale.connect() as connection:
        assert has_timescale(connection)
        names = connection.scalars(
            sa.text("SELECT hypertable_name FROM timescaledb_information.hypertables")
        )
        assert {"readings", "track_points"} <= set(names)


def test_an_aggregate_answers_before_any_refresh_and_leaves_out_flagged_readings(
    timescale: sa.Engine,
) -> None:
    with timescale.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            VALUES ('2025-06-01T10:10Z', 7, 1.0, 0, now()),
                   ('2025-06-01T10:50Z', 7, 3.0, 0, now()),
                   ('2025-06-01T10:55Z', 7, 99.0, 16, now()),
                   ('2025-06-01T23:00Z', 7, 8.0, 0, now())
            """)
        )
        hours = connection.execute(
            sa.text("""
            SELECT samples, total, low, high, last_value FROM readings_hourly
             WHERE datastream_id = 7 ORDER BY bucket
            """)
        ).all()
        days = connection.execute(
            sa.text("""
            SELECT samples, total, last_value FROM readings_daily
             WHERE datastream_id = 7 ORDER BY bucket
            """)
        ).all()

    assert [tuple(row) for row in hours] == [(2, 4.0, 1.0, 3.0, 3.0), (1, 8.0, 8.0, 8.0, 8.0)]
    # The last is of the next day in Almaty, UTC+5 since 2024.
    assert [tuple(row) for row in days] == [(2, 4.0, 3.0), (1, 8.0, 8.0)]


def test_an_old_chunk_goes_into_the_columnstore_and_still_answers(timescale: sa.Engine) -> None:
    with timescale.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT '2024-03-01T00:00Z'::timestamptz + n * interval '1 minute', 8, n, 0, now()
              FROM generate_series(0, 1199) AS n
            """)
        )
    with timescale.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Its chunk alone: on a server, jobs pack what other tests have left.
        (chunk,) = connection.scalars(
            sa.text(
                "SELECT DISTINCT tableoid::regclass::text FROM readings WHERE datastream_id = 8"
            )
        )
        pack = "SELECT compress_chunk(CAST(:chunk AS regclass), if_not_compressed => true)"
        connection.execute(sa.text(pack), {"chunk": chunk})
        total = connection.scalar(
            sa.text("SELECT sum(value) FROM readings WHERE datastream_id = 8")
        )
        stored = connection.scalar(
            sa.text("""
            SELECT is_compressed FROM timescaledb_information.chunks
             WHERE CAST(format('%I.%I', chunk_schema, chunk_name) AS regclass)
                 = CAST(:chunk AS regclass)
            """),
            {"chunk": chunk},
        )

    assert stored is True
    assert total == 1199 * 1200 / 2


def test_hypertables_and_aggregates_show_a_caller_their_farm_alone(timescale: sa.Engine) -> None:
    # Row-level security would not go with either of them; views with a barrier do.
    with timescale.connect() as connection, connection.begin() as transaction:
        mine = put_land(connection, "mine", "KZ-61")
        theirs = put_land(connection, "foe", "KZ-43")
        counts = {}
        for name, reach in (
            ("none", Reach()),
            ("mine", Reach(farms=(mine.farm,))),
            ("region", Reach(regions=("KZ-43",))),
            ("all", Reach(everything=True)),
        ):
            tenancy.enter(connection, reach)
            ids = [mine.stream, theirs.stream]
            counts[name] = [
                connection.scalar(
                    sa.text(f"SELECT count(*) FROM {table} WHERE datastream_id = ANY(:ids)"),  # noqa: S608
                    {"ids": ids},
                )
                for table in ("readings", "readings_hourly")
            ]
        transaction.rollback()

    assert counts == {"none": [0, 0], "mine": [48, 48], "region": [48, 48], "all": [96, 96]}
