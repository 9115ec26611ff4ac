"""The migrations lead to the schema that the code expects, and can be run again."""

import datetime as dt

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import migrations
from storage import deliveries, farms, subscriptions
from storage.database import make_engine
from storage.farms import Region
from storage.tables import metadata
from tests.conftest import own_database


def test_migrated_tables_are_those_of_tables_py(connection: sa.Connection) -> None:
    context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
    assert compare_metadata(context, metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out what only TimescaleDB has: an index for its refreshes, which ask by time alone."""
    return kind != "index" or not str(name).endswith("_time_brin_idx")


def test_a_second_migration_finds_nothing_to_do(engine: sa.Engine) -> None:
    assert migrations.upgrade(engine) == []


def test_plain_postgresql_answers_under_the_names_of_the_aggregates(
    connection: sa.Connection,
) -> None:
    for view in ("readings_hourly", "readings_daily"):
        query = sa.select(sa.func.count()).select_from(sa.table(view))
        assert connection.scalar(query) == 0


def test_what_runs_with_our_rights_reads_no_table_of_its_callers(connection: sa.Connection) -> None:
    # A temporary table hides one of ours, unless the path of a function has pg_temp, and last.
    found = connection.execute(
        sa.text("""
            SELECT proname, coalesce(array_to_string(proconfig, ' '), '') AS settings
              FROM pg_proc
             WHERE prosecdef AND pronamespace IN
                   (current_schema()::regnamespace, to_regnamespace('entrance'))
        """)
    ).all()

    assert {one.proname for one in found} >= {"alerts_are_news", "farms_of_regions"}
    assert [one.proname for one in found if not one.settings.endswith(", pg_temp")] == []


def test_a_new_database_has_the_regions_of_the_country_and_keeps_what_was_written_of_one(
    postgres_url: str,
) -> None:
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        migrations.upgrade(engine, "0013")
        own = Region("KZ-61", "61", "Түркістан", "Туркестан", "as somebody wrote it")
        with engine.begin() as connection:
            farms.put_region(connection, own)
        migrations.upgrade(engine)
        with engine.connect() as connection:
            found = {one.code: one for one in farms.regions(connection)}
        engine.dispose()

    # Seventeen regions and three cities, since 2022.
    assert len(found) == 20
    assert found["KZ-61"] == own
    assert found["KZ-79"].name_kk == "Шымкент қаласы"


def test_who_was_told_of_alerts_is_told_further(postgres_url: str) -> None:
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        migrations.upgrade(engine, "0017")
        with engine.begin() as connection:
            place = {"latitude_deg": 43.0, "longitude_deg": 68.0, "elevation_m": 200.0}
            more = {"region_code": None, "timezone": "Asia/Almaty"}
            farm = farms.put(connection, "mine", name="mine", **more, **place)
            connection.execute(
                sa.text("""
                    WITH alert AS (
                        INSERT INTO alerts (kind, subject, farm_id)
                        VALUES ('frost', 'farm:1', :farm) RETURNING id),
                    wish AS (
                        INSERT INTO alert_subscriptions
                               (farm_id, channel, address, min_severity, kinds, created_by)
                        VALUES (:farm, 'email', 'a@example.org', 'critical', '{frost}', 'test')
                     RETURNING id)
                    INSERT INTO alert_deliveries
                           (farm_id, alert_id, subscription_id, event, status, last_error)
                    SELECT :farm, alert.id, wish.id, 'opened', 'pending', 'nobody home'
                      FROM alert, wish"""),
                {"farm": farm},
            )
        migrations.upgrade(engine)
        with engine.begin() as connection:
            (wish,) = subscriptions.of_farm(connection, farm)
            (kept,) = deliveries.of_farm(connection, farm)
            (message,) = deliveries.claim(connection, dt.datetime.now(dt.UTC))
        engine.dispose()

    assert (wish.topic, wish.min_severity, wish.kinds) == ("alerts", "critical", ["frost"])
    assert (kept.subscription_id, kept.last_error) == (wish.id, "nobody home")
    assert (message.id, message.address, message.event) == (kept.id, "a@example.org", "opened")
