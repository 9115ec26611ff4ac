"""A disk that tests need not wait for."""

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from embedded.home import EmbeddedSettings, Home
from embedded.postgres import SUPERUSER


def write_at_leisure(settings: EmbeddedSettings, server_url: str) -> None:
    """Let a server not wait for its disk: only the machine's own end could lose something.

    Emptying tables waits for the disk many times over, which tests do all the time.
    """
    password = Home(settings.home).secrets()["postgres_password"]
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    url = url.set(username=SUPERUSER, password=password)
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
