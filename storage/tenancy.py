"""Who sees which rows: what the API is shown of each table, and how a transaction says for whom.

The role :data:`ROLE` has no right on any table, only on views of the same names, in three schemas.
Which of them a transaction looks into is its search path, so every question of this package is
asked in the same words:

- ``tenant``: rows of the farms in the setting ``app.farms``, and reports of areas in
  ``app.regions``; security barriers.
- ``country``: every row, where the setting ``app.everything`` is on.
- ``entrance``: what it takes to tell who asks: accounts, keys, tokens. No farm's data.

With nothing set, a view shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import sqlalchemy as sa

from storage.changes import SNAPSHOT

ROLE = "dala_api"
SCHEMAS = ("tenant", "country", "entrance")

# The ids of the farms that the transaction may see. Where a subject stands below a farm, these are
# joined to it: the planner then begins at the few farms, or at the one row that was asked for.
_FARMS = "SELECT unnest(string_to_array(current_setting('app.farms', true), ',')::bigint[])"
EVERYTHING = "current_setting('app.everything', true) = 'on'"

Via = Literal[
    "farm",
    "field",
    "crop_zone",
    "device",
    "datastream",
    "identity",
    "subject",
    "report",
    "revision",
    "subscription",
]
_FIELDS = "SELECT fields.id FROM fields WHERE fields.farm_id IN ({farms})"
_CROP_ZONES = (
    "SELECT crop_zones.id FROM crop_zones JOIN fields ON fields.id = crop_zones.field_id "
    "WHERE fields.farm_id IN ({farms})"
)
_DEVICES = "SELECT devices.id FROM devices WHERE devices.farm_id IN ({farms})"
_DATASTREAMS = (
    "SELECT datastreams.id FROM datastreams JOIN devices ON devices.id = datastreams.device_id "
    "WHERE devices.farm_id IN ({farms})"
)
_IDENTITIES = (
    "SELECT identity FROM devices, unnest(ARRAY[devices.id, devices.wire_id]) AS identity "
    "WHERE devices.farm_id IN ({farms})"
)
# What a report, or a wish to be told of some, is of: a visible farm, or an area whose code begins
# as a visible region's does.
_SUBJECTS = """
    SELECT 'farm:' || farm FROM ({farms}) AS visible (farm)
    UNION ALL
    SELECT 'area:' || code
      FROM (SELECT code FROM regions UNION SELECT left(code, 2) FROM regions) AS area
     WHERE EXISTS (SELECT FROM unnest(string_to_array(current_setting('app.regions', true), ','))
                          AS prefix WHERE prefix <> '' AND starts_with(area.code, prefix))
"""
_REPORTS = "SELECT filed_reports.id FROM filed_reports WHERE filed_reports.subject IN ({subjects})"
_REVISIONS = (
    "SELECT report_revisions.id FROM report_revisions "
    "JOIN filed_reports ON filed_reports.id = report_revisions.report_id "
    "WHERE filed_reports.subject IN ({subjects})"
)
_SUBSCRIPTIONS = (
    "SELECT subscriptions.id FROM subscriptions WHERE subscriptions.subject IN ({subjects})"
)
VISIBLE: Mapping[Via, str] = {
    "farm": _FARMS,
    "field": _FIELDS.format(farms=_FARMS),
    "crop_zone": _CROP_ZONES.format(farms=_FARMS),
    "device": _DEVICES.format(farms=_FARMS),
    "datastream": _DATASTREAMS.format(farms=_FARMS),
    "subject": _SUBJECTS.format(farms=_FARMS),
    "report": _REPORTS.format(subjects=_SUBJECTS.format(farms=_FARMS)),
    "revision": _REVISIONS.format(subjects=_SUBJECTS.format(farms=_FARMS)),
    "subscription": _SUBSCRIPTIONS.format(subjects=_SUBJECTS.format(farms=_FARMS)),
    "identity": _IDENTITIES.format(farms=_FARMS),
}


class Shown(NamedTuple):
    """Rows whose ``column`` names a visible farm, field …; written too where the API writes."""

    column: str
    via: Via
    writable: bool = False
    added_to: bool = False  # and never changed


# Every table of storage/tables.py stands in one of the five: a test holds this to be so.
BY_FARM: Mapping[str, Shown] = {
    "farms": Shown("id", "farm", writable=True),
    "fields": Shown("farm_id", "farm", writable=True),
    "devices": Shown("farm_id", "farm", writable=True),
    "alerts": Shown("farm_id", "farm", writable=True),
    "alert_rules": Shown("farm_id", "farm", writable=True),
    "subscriptions": Shown("subject", "subject", writable=True),
    "deliveries": Shown("subscription_id", "subscription"),
    "report_schedules": Shown("subject", "subject", writable=True),
    "weather_forecasts": Shown("farm_id", "farm", writable=True),
    "audit_log": Shown("farm_id", "farm"),
    "field_boundaries": Shown("field_id", "field", writable=True),
    "crop_zones": Shown("field_id", "field", writable=True),
    "irrigation_events": Shown("field_id", "field", writable=True),
    "baseline_seasons": Shown("field_id", "field", writable=True),
    "harvest_loads": Shown("crop_zone_id", "crop_zone", writable=True),
    "non_routine_adjustments": Shown("crop_zone_id", "crop_zone", writable=True),
    "advice_decisions": Shown("crop_zone_id", "crop_zone", writable=True),
    "balance_days": Shown("crop_zone_id", "crop_zone"),
    "season_results": Shown("crop_zone_id", "crop_zone"),
    "device_sequences": Shown("device_id", "device", writable=True),  # what is given up
    "device_heard": Shown("device_id", "device"),
    "datastreams": Shown("device_id", "device", writable=True),
    "device_credentials": Shown("device_id", "device", writable=True),
    "device_placements": Shown("device_id", "device", writable=True),
    "datastream_calibrations": Shown("datastream_id", "datastream", writable=True),
    "track_points": Shown("device_id", "device"),
    "track_conflicts": Shown("device_id", "device"),
    "machine_results": Shown("device_id", "device"),
    "water_supplies": Shown("field_id", "field", writable=True),
    "investments": Shown("farm_id", "farm", writable=True),
    "filed_reports": Shown("subject", "subject", added_to=True),
    "report_revisions": Shown("report_id", "report", added_to=True),
    "report_countersignatures": Shown("revision_id", "revision", added_to=True),
    "evidence_entries": Shown("farm_id", "farm"),
    # By what the message calls its device: strangers and what has no device are for the country.
    "rejected_messages": Shown("device", "identity"),
    "rejected_counts": Shown("device", "identity"),
    "readings": Shown("datastream_id", "datastream"),
    "reading_conflicts": Shown("datastream_id", "datastream"),
    # Aggregates on TimescaleDB, views without it.
    "readings_hourly": Shown("datastream_id", "datastream"),
    "readings_daily": Shown("datastream_id", "datastream"),
}
# Heads of the tree and what lies between them are hashes, which tell nothing of what was hashed.
FOR_EVERYBODY = frozenset(
    {
        "regions",
        "alembic_version",
        "reading_retention",
        "report_keys",
        "tree_heads",
        "evidence_tiles",
        "head_countersignatures",
    }
)
# Of these, who sees the country adds to them: whoever files a report seals what it rests on.
SEALED = frozenset({"tree_heads", "evidence_tiles", "evidence_entries", "head_countersignatures"})
# Of no farm yet: strangers; or of many at once.
FOR_THE_COUNTRY = frozenset({"unknown_devices", "live_news", "pending_batches"})
AT_THE_ENTRANCE = frozenset(
    {
        "accounts",
        "sessions",
        "sign_in_links",
        "sign_in_failures",
        "api_clients",
        "api_keys",
        "access_tokens",
        "client_assertions",
        "kept_answers",
    }
)
HIDDEN = frozenset(
    {
        "changes",
        "sender_memory",
        "reading_news",
        "track_news",
        "report_counters",
    }
)


class Reach(NamedTuple):
    """What somebody may see: everything, or farms by id and regions by the beginning of their code.

    ``KZ-61`` is a region, ``KZ`` every region of the country.
    """

    everything: bool = False
    farms: tuple[int, ...] = ()
    regions: tuple[str, ...] = ()

    def has_region(self, code: str) -> bool:
        """Whether every farm of a region is among what is seen."""
        return self.everything or any(one and code.startswith(one) for one in self.regions)

    def has_farm(self, farm_id: int, region_code: str | None) -> bool:
        """Whether a farm is among what is seen, itself or with its region."""
        by_region = region_code is not None and self.has_region(region_code)
        return self.everything or farm_id in self.farms or by_region


# Sent to the driver as it is: this stands before every question that the API asks.
_ENTER = """
    SELECT set_config('role', %s, true), set_config('search_path', %s, true),
           set_config('app.everything', %s, true), set_config('app.farms', {farms}, true),
           set_config('app.regions', %s, true), {snapshot}
"""
_WITH_FARMS = _ENTER.format(farms="%s", snapshot=SNAPSHOT)
_WITH_REGIONS = _ENTER.format(
    farms="concat_ws(',', NULLIF(%s, ''), entrance.farms_of_regions(%s))", snapshot=SNAPSHOT
)


def enter(connection: sa.Connection, reach: Reach) -> str:
    """Show this transaction what ``reach`` allows, and nothing else, until it ends.

    Returns the snapshot of before anything was looked at (see storage.changes).
    """
    if reach.everything:
        return _set(connection, "country", everything="on")
    farms = ",".join(str(farm) for farm in reach.farms)
    return _set(connection, "tenant", farms=farms, regions=reach.regions)


def enter_entrance(connection: sa.Connection) -> str:
    """Show this transaction who may sign in, and no farm; the snapshot of before."""
    return _set(connection, "entrance")


_SHOWN = """
    SELECT current_setting('role'), current_setting('search_path'),
           current_setting('app.everything', true)
"""
_SHOW = "SELECT set_config('search_path', %s, true), set_config('app.everything', %s, true)"


@contextmanager
def for_the_country(connection: sa.Connection) -> Iterator[None]:
    """Show this transaction every row for a while, whoever asks; then what it showed before.

    For what concerns all farms by its nature, and of which the caller is told no row of others: a
    seal takes what everybody's devices sent. Whoever is no API sees all rows as it is.
    """
    role, path, everything = connection.exec_driver_sql(_SHOWN).one()
    if role != ROLE:
        yield
        return
    connection.exec_driver_sql(_SHOW, ("country, public", "on"))
    yield  # an error ends the transaction, and with it what it shows
    connection.exec_driver_sql(_SHOW, (path, everything or "off"))


def take_role(connection: sa.Connection) -> None:
    """Be the API's role for as long as this connection lasts; it shows no farm."""
    connection.exec_driver_sql("SELECT set_config('role', %s, false)", (ROLE,))


def _set(
    connection: sa.Connection,
    schema: str,
    *,
    everything: str = "off",
    farms: str = "",
    regions: Sequence[str] = (),
) -> str:
    # After the views, the functions that migrations made; a table there may not be read.
    settings = (ROLE, f"{schema}, public", everything, farms)
    if regions:
        asked = (*settings, list(regions), ",".join(regions))
        entered = connection.exec_driver_sql(_WITH_REGIONS, asked)
    else:
        entered = connection.exec_driver_sql(_WITH_FARMS, (*settings, ""))
    return str(entered.one()[-1])


_READABLE = sa.text("""
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relname = ANY(:names)
       AND NOT nspname = ANY(:schemas) AND has_table_privilege(pg_class.oid, 'SELECT')
  ORDER BY relname
""")


def readable_tables(connection: sa.Connection) -> Sequence[str]:
    """Tables of ours that the present role reads past the views; there must be none."""
    names = sorted({*BY_FARM, *FOR_THE_COUNTRY, *AT_THE_ENTRANCE, *HIDDEN})
    return connection.scalars(_READABLE, {"names": names, "schemas": list(SCHEMAS)}).all()


def is_ready(connection: sa.Connection) -> bool:
    """Whether the role and its views are there: what `dala migrate` makes."""
    made = sa.text("SELECT to_regnamespace('entrance') IS NOT NULL")
    return bool(connection.scalar(made))
