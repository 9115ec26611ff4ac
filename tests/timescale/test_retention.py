"""Retention drops readings, and never what was made of them."""

import datetime as dt

import pytest
import sqlalchemy as sa

from migrations import policies, upgrade
from migrations.policies import TimeSeriesSettings
from storage import aggregates, retention
from storage.database import make_engine
from tests.conftest import own_database
from tests.timescale.policed import DEFAULTS, apply, day_totals, hours, pack_hours, put, run_jobs

DAY = dt.timedelta(days=1)


def test_a_refresh_never_reaches_where_readings_are_dropped() -> None:
    """Whatever is set: the furthest refresh ends short of the shortest retention."""
    furthest = TimeSeriesSettings(longest_offline_days=policies.OFFLINE_AT_MOST_DAYS).refreshed
    longest_chunk = dt.timedelta(days=policies.LADDER_DAYS[-1])
    assert furthest + longest_chunk <= policies.KEPT_AT_LEAST_DAYS * DAY


def test_retention_drops_readings_and_nothing_that_was_made_of_them(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 500, 450, 300, 60, 10, 1]
    put(engine, ages)
    aggregates.refresh(engine)
    days_before = day_totals(engine)
    apply(engine, keep_readings_days=400)

    run_jobs(engine, "policy_retention")
    with engine.connect() as connection:
        left = connection.scalar(sa.text("SELECT count(*) FROM readings"))
        since = retention.complete_since(connection)
        distant = connection.scalar(sa.text("SELECT now() - interval '900 days'"))
    run_jobs(engine)
    aggregates.refresh(engine)
    aggregates.refresh(engine, distant)
    # A straggler of a dropped time makes a chunk there; a refresh would take it for all there was.
    put(engine, [450.0], stream=2)
    aggregates.refresh(engine)
    run_jobs(engine)
    upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))

    assert left == 4
    assert since is not None
    assert [age for age, _ in hours(engine)] == ages
    assert day_totals(engine) == days_before == [1.0] * len(ages)


def test_hours_are_made_of_all_readings_before_any_are_dropped(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 450, 300, 1]
    put(engine, ages)

    upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))
    run_jobs(engine, "policy_retention")

    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 2
    assert [age for age, _ in hours(engine)] == ages
    assert day_totals(engine) == [1.0] * len(ages)


def refresh_by_hand(engine: sa.Engine) -> None:
    """All there is, without a bound, as somebody may do who means well."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for view in ("readings_hourly", "readings_daily"):
            connection.execute(sa.text(f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)"))


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "packed"])
def test_a_full_refresh_by_hand_deletes_no_hours_of_dropped_readings(
    series_as_before: sa.Engine, packed: bool
) -> None:
    engine = series_as_before
    ages = [700, 500, 450, 300, 60, 1]
    put(engine, ages)
    put(engine, [450.0, 300.0], stream=2)
    aggregates.refresh(engine)
    if packed:
        pack_hours(engine)
    apply(engine, keep_readings_days=400)
    run_jobs(engine, "policy_retention")
    put(engine, [450.0], value=7.0)  # a straggler alone would make its hour anew
    put(engine, [299.0], stream=2)

    refresh_by_hand(engine)

    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 3 + 1 + 1 + 1
    assert hours(engine) == [(age, 1.0) for age in ages]
    assert day_totals(engine) == [1.0] * len(ages)
    assert [age for age, _ in hours(engine, stream=2)] == [450, 300, 299]


def test_what_is_kept_for_ever_again_is_made_anew_by_any_refresh(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    apply(engine, keep_readings_days=400)
    apply(engine, keep_readings_days=None)
    put(engine, [300.0])
    aggregates.refresh(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE readings SET value = 5"))

    refresh_by_hand(engine)

    assert hours(engine) == [(300, 5.0)]


def test_days_of_another_zone_are_made_of_the_hours_of_dropped_readings_too(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 450, 300, 1]
    put(engine, ages)
    wanted = DEFAULTS.model_copy(update={"keep_readings_days": 400})
    upgrade(engine, settings=wanted)
    run_jobs(engine, "policy_retention")

    upgrade(engine, settings=wanted.model_copy(update={"day_timezone": "America/New_York"}))

    assert day_totals(engine) == [1.0] * len(ages)
    with engine.connect() as connection:
        offset = connection.scalar(
            sa.text(
                "SELECT min((bucket AT TIME ZONE 'America/New_York')::time) FROM readings_daily"
            )
        )
    assert offset == dt.time()


def test_what_was_dropped_by_a_shorter_retention_is_remembered(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    put(engine, [500.0, 450.0, 100.0])
    aggregates.refresh(engine)
    apply(engine, keep_readings_days=400)
    run_jobs(engine, "policy_retention")

    apply(engine, keep_readings_days=800)
    put(engine, [450.0], stream=2)  # its chunk would make the hours there look complete
    aggregates.refresh(engine)
    run_jobs(engine)
    apply(engine, keep_readings_days=None)
    aggregates.refresh(engine)

    assert [age for age, _ in hours(engine)] == [500, 450, 100]
    with engine.connect() as connection:
        since = retention.complete_since(connection)
        age = connection.scalar(sa.text("SELECT now()")) - since
    assert 399 * DAY < age < 401 * DAY


def test_readings_are_not_dropped_where_hours_would_go_with_them(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_PLAIN_POSTGRES", "1")
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        with pytest.raises(ValueError, match="needs TimescaleDB"):
            upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))
        engine.dispose()
