"""Alembic's entry: runs the migrations on the connection that ``migrations.upgrade`` hands over."""

from alembic import context
from sqlalchemy import text

from storage.tables import metadata

connection = context.config.attributes["connection"]
# Rather fail and be run again than hold up ingest behind a lock that somebody forgot.
connection.execute(text("SET LOCAL lock_timeout = '10s'"))
connection.execute(text("SET LOCAL statement_timeout = 0"))
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
