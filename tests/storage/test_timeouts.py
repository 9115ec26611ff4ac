"""What does not end by itself is ended: statements, transactions, waits for a lock."""

import json

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

import migrations
from api.settings import ApiSettings
from ingest.outcomes import Message
from ingest.storing import Line
from seeds.services import Services
from storage import devices, news
from storage.database import make_engine
from tests.conftest import own_database

ENDLESS = sa.text("SELECT pg_sleep(600)")
LIMITS = sa.text(
    "SELECT current_setting('statement_timeout'), "
    "current_setting('idle_in_transaction_session_timeout')"
)
BRIEF = sa.text("SELECT pg_sleep(1.3)")


def sqlstate(error: sa.exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def test_a_statement_is_ended_after_its_time(postgres_url: str) -> None:
    engine = make_engine(postgres_url, statement_timeout_s=1)

    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as raised:
        connection.execute(ENDLESS)

    engine.dispose()
    assert sqlstate(raised.value) == "57014"
    assert isinstance(raised.value.orig, psycopg.errors.QueryCanceled)


def test_an_analysis_may_take_longer_and_its_connection_is_as_before_then(
    postgres_url: str, engine: sa.Engine
) -> None:
    hurried = make_engine(postgres_url, statement_timeout_s=1, idle_in_transaction_timeout_s=7)
    with hurried.connect() as connection:
        with connection.begin():
            news.wait_for_turn(connection)
            during = connection.execute(LIMITS).one()
            connection.execute(BRIEF)
        after = connection.execute(LIMITS).one()

    hurried.dispose()
    assert tuple(during) == ("30min", "0")
    assert tuple(after) == ("1s", "7s")


def test_each_process_has_the_limits_of_its_settings(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_STATEMENT_TIMEOUT_S", "41")
    monkeypatch.setenv("DALA_API_STATEMENT_TIMEOUT_S", "7")
    monkeypatch.setenv("DALA_ANALYSIS_STATEMENT_TIMEOUT_S", "421")
    monkeypatch.setenv("DALA_IDLE_IN_TRANSACTION_TIMEOUT_S", "33")
    services = Services(postgres_url, None, None)
    api = services.api_engine(ApiSettings(api_database_url=SecretStr(postgres_url)))

    limits = []
    for engine in (services.engine, api):
        with engine.connect() as connection:
            limits.append(tuple(connection.execute(LIMITS).one()))
    with services.engine.connect() as connection:
        news.wait_for_turn(connection)
        limits.append(tuple(connection.execute(LIMITS).one()))
    services.engine.dispose()
    api.dispose()

    assert limits == [("41s", "33s"), ("7s", "33s"), ("421s", "0")]


def test_a_batch_that_takes_too_long_is_stored_whole_when_it_comes_again(
    postgres_url: str, empty_engine: sa.Engine
) -> None:
    with empty_engine.begin() as connection:
        devices.put(connection, "probe", kind="soil-probe", name="probe")
    hurried = make_engine(postgres_url, statement_timeout_s=1)
    line = Line(hurried)
    records = [{"n": "rain", "v": 1.0, "t": 1_750_000_000 + n} for n in range(3)]
    message = Message("dala/v1/probe/senml", json.dumps(records).encode(), 1_750_000_100_000_000)
    count = sa.text("SELECT count(*) FROM readings")

    with empty_engine.begin() as holder:
        holder.execute(sa.text("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises((sa.exc.DBAPIError, psycopg.Error)) as raised:
            line.store([message])
    with empty_engine.connect() as connection:
        before = connection.scalar(count)
    outcome = line.store([message])

    hurried.dispose()
    error = getattr(raised.value, "orig", raised.value)
    assert getattr(error, "sqlstate", None) == "57014"
    assert before == 0
    assert outcome.stored == 3


def test_a_transaction_that_does_nothing_is_ended(postgres_url: str, engine: sa.Engine) -> None:
    idle = make_engine(postgres_url, idle_in_transaction_timeout_s=1)

    with idle.connect() as connection, engine.connect() as other:
        # Whoever waits for what the idle one holds gets on: here, for its lock.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
        other.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
        with pytest.raises(sa.exc.DBAPIError) as raised:
            connection.execute(sa.text("SELECT 1"))
        connection.invalidate()

    idle.dispose()
    assert sqlstate(raised.value) == "25P03"


def test_a_migration_does_not_wait_behind_a_lock_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        migrations.upgrade(engine, "0001")
        with engine.begin() as holder:
            holder.execute(sa.text("LOCK TABLE datastreams IN ACCESS EXCLUSIVE MODE"))
            monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "1s")
            with pytest.raises(sa.exc.OperationalError) as raised:
                migrations.upgrade(engine)
        engine.dispose()  # TimescaleDB remembers an extension that was rolled back
        at = [migrations.upgrade(engine)[0]]
        engine.dispose()

    assert sqlstate(raised.value) == "55P03"
    assert at == ["0002"]  # nothing of the first attempt had stayed
