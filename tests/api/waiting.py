"""Two transactions at the same moment: one waits for what the other has."""

import time

import sqlalchemy as sa

_WAITING = sa.text("""
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
""")


def wait_for_a_lock(engine: sa.Engine) -> None:
    """Until another transaction waits for what one has."""
    for _ in range(500):
        with engine.connect() as connection:
            if connection.scalar(_WAITING):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
