"""How readings are kept, set anew by each ``dala migrate``: chunks, columnstore, hours and days.

Chunks
    The one that is written to, with its index, should stay in memory: at most a quarter of it, or
    inserts wait for the disk. And it should be as long as that allows: there are fewer of them to
    plan for as years pile up, and the columnstore packs a thousand readings of a datastream
    together only where a chunk has so many.
Columnstore
    After the longest time that a device is offline: what comes later is stored just as well, but
    costs more. Hours and days after more than a year (``migrations.hours``).
Hours and days
    Kept up to date as far back as late data usually reach; what came later than that, analytics
    has made when it needs it (``storage.aggregates``). Never up to the open end, where one reading
    dated in the future would have the hours up to there taken for complete, and never back to
    where readings have been dropped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from migrations import hours, local_days, timescale

SHARE_OF_MEMORY = 0.25
BYTES_OF_ROW = {"readings": 118, "track_points": 238}  # with its part of the index, measured
LADDER_DAYS = (0.25, 0.5, 1.0, 2.0, 4.0, 7.0, 14.0, 28.0)
NOTHING_KNOWN_DAYS = 1.0
HOURS_OF_CHUNKS = 10  # a chunk of hours holds as many chunks of readings
REFRESH_BEYOND_OFFLINE = dt.timedelta(days=5)
# A winter crop stands for eleven months, and its season is computed of its readings. It is also
# more than the furthest that hours are kept up to date: a refresh where readings have been dropped
# would delete the hours.
KEPT_AT_LEAST_DAYS = 400
OFFLINE_AT_MOST_DAYS = 365


class TimeSeriesSettings(BaseSettings):
    """Read from the environment, at each ``dala migrate``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    expected_readings_per_day: int | None = Field(default=None, ge=1)
    expected_points_per_day: int | None = Field(default=None, ge=1)
    database_memory_mb: int | None = Field(default=None, ge=64)
    longest_offline_days: int = Field(default=35, ge=1, le=OFFLINE_AT_MOST_DAYS)
    keep_readings_days: int | None = Field(default=None, ge=KEPT_AT_LEAST_DAYS)
    day_timezone: str = "Asia/Almaty"

    @property
    def refreshed(self) -> dt.timedelta:
        """How far back hours and days are kept up to date by themselves."""
        return dt.timedelta(days=self.longest_offline_days) + REFRESH_BEYOND_OFFLINE


class _Size(NamedTuple):
    """How much a hypertable grows, and how that is known."""

    bytes_a_day: float
    known: str


def apply(connection: sa.Connection, settings: TimeSeriesSettings) -> list[str]:
    """Bring policies in line with the settings; return what was changed, a sentence each.

    Raises
    ------
    ValueError
        If readings are to be dropped where no hours of them would stay.
    """
    notes = []
    if local_days.ensure(connection, settings.day_timezone):
        notes.append(f"Days are those of {settings.day_timezone}.")
    if not timescale.in_use(connection):
        if settings.keep_readings_days is not None:
            raise ValueError(
                "DALA_KEEP_READINGS_DAYS needs TimescaleDB: on plain PostgreSQL hours are made of "
                "readings when they are asked for, and would go with them."
            )
        return notes
    notes += _chunks(connection, settings)
    notes += _refreshes(connection, settings)
    notes += _columnstore(connection, settings)
    return notes


def retain(connection: sa.Connection, settings: TimeSeriesSettings) -> list[str]:
    """Let readings be dropped, or no more, once hours of all of them are made.

    Returns what was changed, a sentence each.
    """
    if not timescale.in_use(connection):
        return []
    return list(_retention(connection, settings))


# --- chunks -----------------------------------------------------------------------------------


def chunk_days(bytes_a_day: float, memory_bytes: float) -> float:
    """The longest chunk that takes at most a quarter of the memory. [days]"""
    fitting = [days for days in LADDER_DAYS if days * bytes_a_day <= SHARE_OF_MEMORY * memory_bytes]
    return fitting[-1] if fitting else LADDER_DAYS[0]


def _chunks(connection: sa.Connection, settings: TimeSeriesSettings) -> Iterator[str]:
    memory = _memory_bytes(connection, settings)
    expected = {
        "readings": settings.expected_readings_per_day,
        "track_points": settings.expected_points_per_day,
    }
    for table, per_day in expected.items():
        size = _size(connection, table, per_day)
        days = NOTHING_KNOWN_DAYS if size is None else chunk_days(size.bytes_a_day, memory)
        interval = dt.timedelta(days=days)
        if not _set_interval(connection, table, interval):
            continue
        if table == "readings":
            for view in hours.VIEWS:
                _set_interval(connection, view, HOURS_OF_CHUNKS * interval)
        why = "nothing is known of their rate yet"
        if size is not None:
            why = (
                f"{size.bytes_a_day / 1e6:,.1f} MB a day by {size.known}, "
                f"memory of {memory / 1e9:,.1f} GB"
            )
        yield f"New chunks of {table} are {days:g} days long: {why}."


def _memory_bytes(connection: sa.Connection, settings: TimeSeriesSettings) -> float:
    """What is said, or four times the shared buffers: a quarter of the memory, as is usual."""
    if settings.database_memory_mb is not None:
        return settings.database_memory_mb * 1e6
    buffers = connection.scalar(sa.text("SELECT pg_size_bytes(current_setting('shared_buffers'))"))
    return 4.0 * float(buffers or 0)


# Of the busiest chunk of the last weeks that is full and not packed yet: late data and what the
# season lets rest make others smaller, and the busiest is what has to fit.
_MEASURED = sa.text("""
    SELECT max(pg_total_relation_size(format('%I.%I', chunk_schema, chunk_name)::regclass)
               / (extract(epoch FROM range_end - range_start) / 86400))
      FROM timescaledb_information.chunks
     WHERE hypertable_name = :table AND hypertable_schema = current_schema()
       AND NOT is_compressed AND range_end <= now() AND range_end > now() - interval '60 days'
""")
_OF_THE_CATALOGUE = sa.text("""
    SELECT sum(86400.0 / coalesce(stream.expected_interval_s, stream.learned_interval_s))
      FROM datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
     WHERE NOT device.disabled
""")


def _size(connection: sa.Connection, table: str, expected_per_day: int | None) -> _Size | None:
    row = BYTES_OF_ROW[table]
    if expected_per_day is not None:
        return _Size(float(expected_per_day) * row, "setting")
    found = []
    if measured := connection.scalar(_MEASURED, {"table": table}):
        found.append(_Size(float(measured), "measure"))
    if table == "readings" and (rate := connection.scalar(_OF_THE_CATALOGUE)):
        found.append(_Size(float(rate) * row, "the intervals of datastreams"))
    return max(found, default=None)


_INTERVAL = sa.text("""
    SELECT time_interval FROM timescaledb_information.dimensions
     WHERE hypertable_schema = :schema AND hypertable_name = :name
""")
_SET_INTERVAL = sa.text("""
    SELECT set_chunk_time_interval(
           CAST(format('%I.%I', CAST(:schema AS text), CAST(:name AS text)) AS regclass),
           CAST(:interval AS interval))
""")
_BEHIND = sa.text("""
    SELECT materialization_hypertable_schema, materialization_hypertable_name
      FROM timescaledb_information.continuous_aggregates
     WHERE view_name = :view AND view_schema = current_schema()
    UNION ALL
    SELECT hypertable_schema, hypertable_name FROM timescaledb_information.hypertables
     WHERE hypertable_name = :view AND hypertable_schema = current_schema()
""")


def _set_interval(connection: sa.Connection, name: str, interval: dt.timedelta) -> bool:
    """Let new chunks of a hypertable, or of what is stored of a view, be as long."""
    schema, table = connection.execute(_BEHIND, {"view": name}).one()
    if connection.scalar(_INTERVAL, {"schema": schema, "name": table}) == interval:
        return False
    connection.execute(_SET_INTERVAL, {"schema": schema, "name": table, "interval": interval})
    return True


# --- jobs -------------------------------------------------------------------------------------

_JOB = sa.text("""
    SELECT config FROM timescaledb_information.jobs AS job
     WHERE proc_name = :procedure AND hypertable_schema || '.' || hypertable_name IN (
           SELECT current_schema() || '.' || :name
           UNION ALL
           SELECT materialization_hypertable_schema || '.' || materialization_hypertable_name
             FROM timescaledb_information.continuous_aggregates
            WHERE view_name = :name AND view_schema = current_schema())
""")
_AS_INTERVAL = sa.text("SELECT CAST(:written AS interval)")


def _has(
    connection: sa.Connection, procedure: str, name: str, wanted: dict[str, dt.timedelta]
) -> bool:
    """Tell whether a job is there, as it is wanted."""
    config = connection.scalar(_JOB, {"procedure": procedure, "name": name})
    return config is not None and all(
        connection.scalar(_AS_INTERVAL, {"written": config[key]}) == value
        for key, value in wanted.items()
    )


def _columnstore(connection: sa.Connection, settings: TimeSeriesSettings) -> Iterator[str]:
    offline, old = settings.longest_offline_days, KEPT_AT_LEAST_DAYS
    days = dict.fromkeys(BYTES_OF_ROW, offline) | dict.fromkeys(hours.VIEWS, old)
    wanted = {name: dt.timedelta(days=after) for name, after in days.items()}
    hours.pack(connection)
    for table, after in wanted.items():
        if _has(connection, "policy_compression", table, {"compress_after": after}):
            continue
        _run(connection, "SELECT remove_compression_policy(:name, if_exists => true)", name=table)
        _run(
            connection,
            "SELECT add_compression_policy(:name, CAST(:after AS interval))",
            name=table,
            after=after,
        )
        yield f"Chunks of {table} go into the columnstore {after.days} days after their end."


_ADD_REFRESH = """
    SELECT add_continuous_aggregate_policy(
           :name, start_offset => CAST(:start AS interval), end_offset => CAST(:end AS interval),
           schedule_interval => CAST('1 hour' AS interval))
"""
_REMOVE_REFRESH = "SELECT remove_continuous_aggregate_policy(:name, if_exists => true)"


def _refreshes(connection: sa.Connection, settings: TimeSeriesSettings) -> Iterator[str]:
    start = settings.refreshed
    for view, end in (
        ("readings_hourly", dt.timedelta(hours=2)),
        ("readings_daily", dt.timedelta(days=2)),
    ):
        wanted = {"start_offset": start, "end_offset": end}
        if _has(connection, "policy_refresh_continuous_aggregate", view, wanted):
            continue
        _run(connection, _REMOVE_REFRESH, name=view)
        _run(connection, _ADD_REFRESH, name=view, start=start, end=end)
        yield f"{view} is kept up to date {start.days} days back."


_RETENTION_JOB = "policy_retention"
# What the old setting may have dropped stays dropped: from here on no refresh may go there.
_NOTE_DROPPED = sa.text("""
    INSERT INTO reading_retention AS known (single, kept_days) VALUES (true, :kept)
    ON CONFLICT (single) DO UPDATE
       SET kept_days = excluded.kept_days,
           dropped_before = greatest(known.dropped_before,
                                     now() - known.kept_days * interval '1 day')
     WHERE known.kept_days IS DISTINCT FROM excluded.kept_days
""")
_DROPPED = sa.text("SELECT kept_days, dropped_before FROM reading_retention")


def _retention(connection: sa.Connection, settings: TimeSeriesSettings) -> Iterator[str]:
    connection.execute(_NOTE_DROPPED, {"kept": settings.keep_readings_days})
    hours.guard(connection, **dict(connection.execute(_DROPPED).one()._mapping))
    if settings.keep_readings_days is None:
        if connection.scalar(_JOB, {"procedure": _RETENTION_JOB, "name": "readings"}) is None:
            return
        _run(connection, "SELECT remove_retention_policy('readings', if_exists => true)")
        yield "Readings are kept for ever."
        return
    kept = dt.timedelta(days=settings.keep_readings_days)
    if _has(connection, _RETENTION_JOB, "readings", {"drop_after": kept}):
        return
    _run(connection, "SELECT remove_retention_policy('readings', if_exists => true)")
    _run(
        connection, "SELECT add_retention_policy('readings', CAST(:after AS interval))", after=kept
    )
    yield f"Readings are dropped after {kept.days} days; their hours, days and results stay."


def _run(connection: sa.Connection, statement: str, **parameters: object) -> None:
    connection.execute(sa.text(statement), parameters)
