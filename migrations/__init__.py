"""How the tables came to be (Alembic), and the one function that brings a database up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from migrations import policies, tenancy
from migrations.policies import TimeSeriesSettings
from storage import aggregates

FOLDER = Path(__file__).parent
# Rather fail and be run again than hold up ingest behind a lock that somebody forgot.
LOCK_TIMEOUT = "10s"

_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtext('dala migrations'))")
_LIMITS = sa.text("""
    SELECT set_config('lock_timeout', :lock_timeout, true),
           set_config('statement_timeout', '0', true)
""")


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER))
    return configuration


def upgrade(
    engine: sa.Engine,
    revision: str = "head",
    *,
    settings: TimeSeriesSettings | None = None,
    on_note: Callable[[str], None] = lambda _sentence: None,
) -> list[str]:
    """Apply what is missing, in one transaction, and return the revisions that were applied.

    The API's role and its views follow the tables, whatever was applied. At the newest revision,
    how readings are kept is brought in line with the settings, read from the environment if not
    given, and hours and days are brought up to date with what came late, before anything of what
    they are made of may be dropped; ``on_note`` hears what was changed.
    """
    configuration = _configuration()
    scripts = ScriptDirectory.from_config(configuration)
    settings = settings or TimeSeriesSettings()
    with engine.begin() as connection:
        # Two services that start at once must not both migrate: the second waits, then finds
        # nothing to do. The lock goes with the transaction.
        connection.execute(_TURN)
        before = current(connection)
        if before != scripts.get_current_head():
            tenancy.drop(connection)
        configuration.attributes["connection"] = connection
        connection.execute(_LIMITS, {"lock_timeout": LOCK_TIMEOUT})
        command.upgrade(configuration, revision)
        after = current(connection)
        newest = after == scripts.get_current_head()
        if newest:
            for sentence in policies.apply(connection, settings):
                on_note(sentence)
        tenancy.ensure(connection)
    if newest:
        aggregates.refresh(engine)
        with engine.begin() as connection:
            connection.execute(_TURN)
            connection.execute(_LIMITS, {"lock_timeout": LOCK_TIMEOUT})
            for sentence in policies.retain(connection, settings):
                on_note(sentence)
    pending = scripts.iterate_revisions(after or "base", before or "base")
    return [script.revision for script in pending][::-1]


def current(connection: sa.Connection) -> str | None:
    """Return the revision that the database is at, or None where it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Return the newest revision that this version of the service knows."""
    return ScriptDirectory.from_config(_configuration()).get_current_head()
