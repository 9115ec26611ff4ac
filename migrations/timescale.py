"""Which of the two shapes a migration has to make: TimescaleDB's, or plain PostgreSQL's.

Everything that only TimescaleDB understands stands in ``migrations/``; above it, tables and views
of the same names answer either way.
"""

from __future__ import annotations

import os

import sqlalchemy as sa

from storage.database import has_timescale

PLAIN = "DALA_PLAIN_POSTGRES"


def wanted(connection: sa.Connection) -> bool:
    """Tell whether to build on TimescaleDB, and install its extension where the server has it.

    Raises
    ------
    PermissionError
        If the server has TimescaleDB but this user may not install it: falling back silently would
        leave a large installation on plain tables for ever.
    """
    if has_timescale(connection):
        return True
    available = connection.scalar(
        sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'")
    )
    if not available or os.environ.get(PLAIN) == "1":
        return False
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION timescaledb"))
    except sa.exc.DBAPIError as error:
        raise PermissionError(
            "this server has TimescaleDB, but the extension could not be created: "
            f"{error.orig}. Have an administrator run CREATE EXTENSION timescaledb in this "
            f"database, or set {PLAIN}=1 to stay on plain PostgreSQL."
        ) from error
    return True


def in_use(connection: sa.Connection) -> bool:
    """Tell whether readings are a hypertable: a database made plain stays so."""
    return has_timescale(connection) and bool(
        connection.scalar(
            sa.text("""
            SELECT count(*) FROM timescaledb_information.hypertables
             WHERE hypertable_name = 'readings' AND hypertable_schema = current_schema()
            """)
        )
    )
