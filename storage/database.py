"""How the database is reached: settings, engine, and the errors a caller should know."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class NotFound(LookupError):
    """No such farm, field, device …; the message names it."""


class DatabaseSettings(BaseSettings):
    """Read from the environment, ``DALA_DATABASE_URL`` and so on."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    database_url: SecretStr | None = None
    statement_timeout_s: int = Field(default=60, ge=1)
    api_statement_timeout_s: int = Field(
        default=15, ge=1, description="after which a request is told that it asks for too much"
    )
    analysis_statement_timeout_s: int = Field(default=1_800, ge=1)
    idle_in_transaction_timeout_s: int = Field(
        default=300, ge=1, description="after which a transaction that does nothing is ended"
    )


def make_engine(
    url: str,
    *,
    statement_timeout_s: int = 60,
    idle_in_transaction_timeout_s: int = 300,
    pool_size: int = 5,
    application: str = "dala",
) -> sa.Engine:
    """Make an engine on psycopg 3 whose sessions speak UTC and end what does not end by itself."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"the database must be PostgreSQL, not {parsed.get_backend_name()!r}")
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's words go to logs, where values have no business
        connect_args={
            "application_name": application,
            "connect_timeout": 10,
            # A network that swallows everything is noticed within half a minute, not two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
            "options": f"-c timezone=UTC -c statement_timeout={statement_timeout_s}s "
            f"-c idle_in_transaction_session_timeout={idle_in_transaction_timeout_s}s",
        },
    )


_TAKE_TIME = sa.text("""
    SELECT set_config('statement_timeout', :statement || 's', true),
           set_config('idle_in_transaction_session_timeout', '0', true)
""")


def take_time(connection: sa.Connection) -> None:
    """Let this transaction compute: longer statements, and as long between them as it needs."""
    seconds = DatabaseSettings().analysis_statement_timeout_s
    connection.execute(_TAKE_TIME, {"statement": str(seconds)})


def ping(connection: sa.Connection) -> str:
    """Return the server's version, e.g. ``"18.4"``."""
    return str(connection.scalar(sa.text("SHOW server_version")))


def clock(connection: sa.Connection) -> dt.datetime:
    """What time it is by the database's server."""
    now: dt.datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return now


def has_timescale(connection: sa.Connection) -> bool:
    """Tell whether the TimescaleDB extension is installed in this database."""
    return bool(
        connection.scalar(
            sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")
        )
    )


def revision(connection: sa.Connection) -> str | None:
    """The migration that the database is at; None where it was never migrated."""
    if not connection.scalar(sa.text("SELECT to_regclass('alembic_version') IS NOT NULL")):
        return None
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
