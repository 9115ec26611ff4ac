"""The schema as it is today; ``migrations/`` tells how it came to be, and a check compares the two.

Terms are those of OGC SensorThings (datastream), ADAPT (crop zone) and FAO-56. Units stand in the
column names where a number leaves its table.
"""

from storage.tables.access import (
    access_tokens,
    accounts,
    api_clients,
    api_keys,
    audit_log,
    client_assertions,
    kept_answers,
    sessions,
    sign_in_failures,
    sign_in_links,
)
from storage.tables.alerting import alert_rules, alerts, live_news
from storage.tables.arrived import (
    TRACK_NUMBERS,
    reading_conflicts,
    reading_news,
    reading_retention,
    readings,
    rejected_counts,
    rejected_messages,
    sender_memory,
    track_conflicts,
    track_news,
    track_points,
    unknown_devices,
)
from storage.tables.changing import changes
from storage.tables.columns import metadata
from storage.tables.computed import (
    BALANCE_NUMBERS,
    BALANCE_OPTIONAL,
    SEASON_NUMBERS,
    balance_days,
    machine_results,
    season_results,
)
from storage.tables.devices import (
    datastream_calibrations,
    datastreams,
    device_credentials,
    device_heard,
    device_placements,
    device_sequences,
    devices,
)
from storage.tables.entered import (
    advice_decisions,
    baseline_seasons,
    harvest_loads,
    irrigation_events,
    non_routine_adjustments,
    weather_forecasts,
)
from storage.tables.evidence import (
    batch_ids,
    evidence_entries,
    evidence_tiles,
    head_countersignatures,
    pending_batches,
    tree_heads,
)
from storage.tables.filing import (
    filed_reports,
    report_counters,
    report_countersignatures,
    report_keys,
    report_revisions,
)
from storage.tables.places import crop_zones, farms, field_boundaries, fields, regions
from storage.tables.programme import investments, water_supplies
from storage.tables.scheduling import report_schedules
from storage.tables.telling import deliveries, subscriptions

__all__ = [
    "BALANCE_NUMBERS",
    "BALANCE_OPTIONAL",
    "SEASON_NUMBERS",
    "TRACK_NUMBERS",
    "access_tokens",
    "accounts",
    "advice_decisions",
    "alert_rules",
    "alerts",
    "api_clients",
    "api_keys",
    "audit_log",
    "balance_days",
    "baseline_seasons",
    "batch_ids",
    "changes",
    "client_assertions",
    "crop_zones",
    "datastream_calibrations",
    "datastreams",
    "deliveries",
    "device_credentials",
    "device_heard",
    "device_placements",
    "device_sequences",
    "devices",
    "evidence_entries",
    "evidence_tiles",
    "farms",
    "field_boundaries",
    "fields",
    "filed_reports",
    "harvest_loads",
    "head_countersignatures",
    "investments",
    "irrigation_events",
    "kept_answers",
    "live_news",
    "machine_results",
    "metadata",
    "non_routine_adjustments",
    "pending_batches",
    "reading_conflicts",
    "reading_news",
    "reading_retention",
    "readings",
    "regions",
    "rejected_counts",
    "rejected_messages",
    "report_counters",
    "report_countersignatures",
    "report_keys",
    "report_revisions",
    "report_schedules",
    "season_results",
    "sender_memory",
    "sessions",
    "sign_in_failures",
    "sign_in_links",
    "subscriptions",
    "track_conflicts",
    "track_news",
    "track_points",
    "tree_heads",
    "unknown_devices",
    "water_supplies",
    "weather_forecasts",
]
