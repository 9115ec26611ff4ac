"""The schema as it is today; ``migrations/`` tells how it came to be, and a check compares the two.

Terms are those of OGC SensorThings (datastream), ADAPT (crop zone) and FAO-56. Units stand in the
column names where a number leaves its table.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INT8MULTIRANGE, JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def _time(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[Any]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _moment(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


def _number(name: str, *, nullable: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"))


# --- places -----------------------------------------------------------------------------------

regions = sa.Table(
    "regions",
    metadata,
    sa.Column("code", sa.Text, primary_key=True, comment="ISO 3166-2, e.g. KZ-61"),
    sa.Column("kato_prefix", sa.Text, unique=True, comment="first two digits of the KATO code"),
    sa.Column("name_kk", sa.Text, nullable=False),
    sa.Column("name_ru", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
)

farms = sa.Table(
    "farms",
    metadata,
    _id(),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("region_code", sa.ForeignKey("regions.code"), index=True),
    sa.Column("timezone", sa.Text, nullable=False, comment="IANA name; a day is local to it"),
    _number("latitude_deg", nullable=False),
    _number("longitude_deg", nullable=False),
    _number("elevation_m", nullable=False),
    _time("created_at", now=True),
)

fields = sa.Table(
    "fields",
    metadata,
    _id(),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    _number("area_ha", nullable=False),
    sa.Column("area_source", sa.Text, nullable=False, comment="geodesic, or who stated it"),
    sa.Column("official_field_id", sa.Text),
    sa.Column("soil", JSONB, nullable=False, comment="keys of the scenario's [soil]"),
    sa.Column("soil_source", sa.Text, nullable=False),
    sa.Column(
        "land_use", sa.Text, nullable=False, server_default="arable", comment="arable or pasture"
    ),
    _time("created_at", now=True),
    sa.UniqueConstraint("farm_id", "name"),
    sa.CheckConstraint("area_ha > 0", name="area"),
    sa.CheckConstraint("land_use IN ('arable', 'pasture')", name="land_use"),
)

field_boundaries = sa.Table(
    "field_boundaries",
    metadata,
    sa.Column("field_id", sa.ForeignKey("fields.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("geometry", JSONB, nullable=False, comment="GeoJSON Polygon or MultiPolygon, WGS 84"),
    sa.Column("geometry_source", sa.Text, nullable=False),
    _number("area_ha", nullable=False),
    _time("created_at", now=True),
)

crop_zones = sa.Table(
    "crop_zones",
    metadata,
    _id(),
    sa.Column("field_id", sa.ForeignKey("fields.id"), nullable=False),
    sa.Column("season", sa.Integer, nullable=False, comment="year of harvest"),
    sa.Column("crop", sa.Text, nullable=False),
    sa.Column("planted", sa.Date, nullable=False),
    sa.Column("harvested", sa.Date, nullable=False, comment="last day of the balance"),
    _number("area_ha", nullable=False),
    sa.Column("irrigation_method", sa.Text, comment="no method: rain-fed"),
    _number("application_efficiency"),
    _number("wetted_fraction"),
    sa.Column("system_flow_m3_h", sa.Double, comment="what its irrigation system delivers"),
    sa.Column("crop_parameters", JSONB, nullable=False, comment="keys of the scenario's [crop]"),
    sa.Column("conventions", JSONB, nullable=False, comment="event timing and the like"),
    sa.UniqueConstraint("field_id", "season", "crop"),
    sa.CheckConstraint("area_ha > 0", name="area"),
    sa.CheckConstraint("harvested > planted", name="dates"),
)

# --- devices and what they say ----------------------------------------------------------------

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="also MQTT user name and client id"),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True),
    sa.Column("field_id", sa.ForeignKey("fields.id"), comment="where its datastreams count"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("wire_id", sa.Text, unique=True, comment="identity on the wire, e.g. lora:a840…"),
    sa.Column("profile", sa.Text, comment="LoRaWAN device model that decodes its bytes"),
    sa.Column("credential_hash", sa.Text, comment="SHA-256 of a 256-bit random token, in hex"),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("timezone", sa.Text, comment="zone of a device that sends local time"),
    _number("sensor_height_m"),
    _time("created_at", now=True),
)

device_sequences = sa.Table(
    "device_sequences",
    metadata,
    sa.Column("device_id", sa.ForeignKey("devices.id"), primary_key=True),
    sa.Column("boot", sa.BigInteger, primary_key=True),
    sa.Column("received", INT8MULTIRANGE, nullable=False, comment="committed message numbers"),
    _time("updated_at", now=True),
    _moment("gap_since", "since when its lowest missing number has been missing"),
    sa.Column(
        "given_up", INT8MULTIRANGE, comment="missing numbers that an operator knows to be lost"
    ),
    sa.Index(
        "device_sequences_gap_since_idx",
        "gap_since",
        postgresql_where=sa.text("gap_since IS NOT NULL"),
    ),
)

device_heard = sa.Table(
    "device_heard",
    metadata,
    sa.Column("device_id", sa.ForeignKey("devices.id"), primary_key=True),
    _time("received_at"),
    comment="when something of a device was last stored; exact to a minute",
)

datastreams = sa.Table(
    "datastreams",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("device_id", sa.ForeignKey("devices.id"), nullable=False),
    sa.Column("quantity", sa.Text, nullable=False),
    _number("depth_cm"),
    sa.Column("channel", sa.SmallInteger),
    sa.Column("field_id", sa.ForeignKey("fields.id"), comment="unless that of its device"),
    sa.Column("calibration", JSONB, comment="slope and offset, canonical unit"),
    sa.Column("expected_interval_s", sa.Integer, comment="as an operator gave it"),
    sa.Column("learned_interval_s", sa.Integer, comment="as its readings came, where regular"),
    _number("counter_modulus"),
    _time("created_at", now=True),
    sa.UniqueConstraint(
        "device_id", "quantity", "depth_cm", "channel", postgresql_nulls_not_distinct=True
    ),
)

# No primary key and no foreign key: a hypertable's unique index already leads with the datastream,
# and the ids come from our own cache, so checking them again would cost the hot path for nothing.
readings = sa.Table(
    "readings",
    metadata,
    _time("time"),
    sa.Column("datastream_id", sa.Integer, nullable=False),
    _number("value", nullable=False),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    _time("received_at"),
    sa.Index("readings_datastream_id_time_key", "datastream_id", "time", unique=True),
)

TRACK_NUMBERS = (
    "elevation_m",
    "speed_m_s",
    "heading_deg",
    "width_m",
    "mass_flow_kg_s",
    "crop_moisture_pct",
    "application_rate_l_ha",
    "fuel_rate_l_h",
    "animals_seen",
)

track_points = sa.Table(
    "track_points",
    metadata,
    _time("time"),
    sa.Column("device_id", sa.Text, nullable=False),
    _number("latitude_deg", nullable=False),
    _number("longitude_deg", nullable=False),
    sa.Column("work_state", sa.SmallInteger, comment="ISO 11783 DDI 141"),
    *(_number(name) for name in TRACK_NUMBERS),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    _time("received_at"),
    sa.Index("track_points_device_id_time_key", "device_id", "time", unique=True),
)

reading_conflicts = sa.Table(
    "reading_conflicts",
    metadata,
    _id(),
    _time("time"),
    sa.Column("datastream_id", sa.Integer, nullable=False),
    _number("stored_value", nullable=False),
    _number("value", nullable=False),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    _time("received_at"),
    sa.UniqueConstraint("datastream_id", "time", "value"),
)

track_conflicts = sa.Table(
    "track_conflicts",
    metadata,
    _id(),
    _time("time"),
    sa.Column("device_id", sa.Text, nullable=False),
    sa.Column("point", JSONB, nullable=False, comment="the later point, keys of track_points"),
    _time("received_at"),
    sa.UniqueConstraint("device_id", "time", "point"),
)

rejected_messages = sa.Table(
    "rejected_messages",
    metadata,
    _id(),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("device", sa.Text, comment="as the topic or payload claims, known or not"),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("payload_bytes", sa.Integer, nullable=False, comment="before any cut"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    _time("received_at"),
    _time("last_received_at"),
    sa.Index("rejected_messages_device_received_at_idx", "device", "received_at"),
)

rejected_counts = sa.Table(
    "rejected_counts",
    metadata,
    sa.Column("device", sa.Text, primary_key=True, comment="empty where none is known"),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("messages", sa.BigInteger, nullable=False),
    comment="messages beyond a device's share of rejected_messages: counted, not kept",
)

sender_memory = sa.Table(
    "sender_memory",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True, comment="such as sparkplug:group/node"),
    sa.Column("said", JSONB, nullable=False, comment="what its later messages refer to"),
    _time("updated_at", now=True),
)

unknown_devices = sa.Table(
    "unknown_devices",
    metadata,
    sa.Column("identity", sa.Text, primary_key=True, comment="as its messages carry it"),
    sa.Column("topic", sa.Text, nullable=False, comment="of its newest message"),
    sa.Column("messages", sa.BigInteger, nullable=False),
    _time("first_seen_at"),
    _time("last_seen_at"),
    comment="who speaks without being registered: an operator may claim it",
)

alerts = sa.Table(
    "alerts",
    metadata,
    _id(),
    sa.Column("kind", sa.Text, nullable=False, comment="one of storage.alerts.KINDS"),
    sa.Column("subject", sa.Text, nullable=False, comment="such as device:probe-7"),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
    _time("opened_at", now=True),
    _time("cleared_at", nullable=True),
    _time("acknowledged_at", nullable=True),
    sa.Column("acknowledged_by", sa.Text),
    sa.Index(
        "alerts_active_key",
        "kind",
        "subject",
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    ),
)

# What arrived since the last analysis: its rows are the analyst's work list.
reading_news = sa.Table(
    "reading_news",
    metadata,
    sa.Column("datastream_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("claimed", sa.Boolean, primary_key=True, comment="an analysis has taken it"),
    _time("since"),
    comment="earliest time of a reading that no analysis has seen yet",
)

track_news = sa.Table(
    "track_news",
    metadata,
    sa.Column("device_id", sa.Text, primary_key=True),
    sa.Column("claimed", sa.Boolean, primary_key=True, comment="an analysis has taken it"),
    _time("since"),
    comment="earliest time of a track point that no analysis has seen yet",
)

# --- what people enter ------------------------------------------------------------------------

irrigation_events = sa.Table(
    "irrigation_events",
    metadata,
    _id(),
    sa.Column("field_id", sa.ForeignKey("fields.id"), nullable=False),
    _time("started_at"),
    _time("ended_at"),
    _number("volume_m3", nullable=False),
    _number("wetted_fraction"),
    _number("efficiency"),
    sa.Column("source", sa.Text, nullable=False, comment="who says so"),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    _time("created_at", now=True),
    sa.UniqueConstraint("field_id", "started_at", "source"),
    sa.CheckConstraint("ended_at > started_at", name="times"),
    sa.CheckConstraint("volume_m3 >= 0", name="volume"),
)

harvest_loads = sa.Table(
    "harvest_loads",
    metadata,
    _id(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False),
    sa.Column("ticket", sa.Text, nullable=False),
    _time("weighed_at"),
    _number("net_kg", nullable=False),
    _number("moisture_pct"),
    _number("impurity_pct"),
    _number("area_ha"),
    sa.Column("source", sa.Text, nullable=False),
    _time("created_at", now=True),
    sa.UniqueConstraint("crop_zone_id", "ticket"),
    sa.CheckConstraint("net_kg > 0", name="net"),
)

baseline_seasons = sa.Table(
    "baseline_seasons",
    metadata,
    sa.Column("field_id", sa.ForeignKey("fields.id"), primary_key=True),
    sa.Column("season", sa.Integer, primary_key=True),
    sa.Column("crop", sa.Text, primary_key=True),
    _number("net_requirement_mm", nullable=False),
    _number("gross_irrigation_mm", nullable=False),
    _number("application_efficiency"),
    _number("wetted_fraction"),
    sa.Column("source", sa.Text, nullable=False),
    _time("created_at", now=True),
    comment="metered seasons before the change that is to be judged",
)

non_routine_adjustments = sa.Table(
    "non_routine_adjustments",
    metadata,
    _id(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False, index=True),
    sa.Column(
        "volume_m3", sa.Double, nullable=False, comment="added to the adjusted baseline, signed"
    ),
    sa.Column("u_volume_m3", sa.Double, nullable=False, comment="standard uncertainty"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    _time("created_at", now=True),
    _time("withdrawn_at", nullable=True),
    sa.Column("withdrawn_by", sa.Text),
    sa.CheckConstraint("u_volume_m3 >= 0", name="u_volume"),
    sa.CheckConstraint("reason <> '' AND author <> ''", name="said"),
    comment="what changed beside the practice that is judged; withdrawn, never deleted",
)

weather_forecasts = sa.Table(
    "weather_forecasts",
    metadata,
    sa.Column("farm_id", sa.ForeignKey("farms.id"), primary_key=True),
    sa.Column("issued_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _number("tmax_c", nullable=False),
    _number("tmin_c", nullable=False),
    _number("rain_mm", nullable=False),
    _number("solar_mj_m2"),
    _number("tdew_c"),
    _number("rh_min_pct"),
    _number("wind_m_s"),
    sa.Column("source", sa.Text, nullable=False, comment="who forecast it"),
    sa.CheckConstraint("tmax_c >= tmin_c", name="temperature"),
    sa.CheckConstraint("rain_mm >= 0", name="rain"),
)

# --- what analytics computed ------------------------------------------------------------------

BALANCE_NUMBERS = (
    "et0_mm",
    "kcb",
    "ke",
    "ks",
    "etc_mm",
    "eta_mm",
    "evaporation_mm",
    "transpiration_mm",
    "deep_percolation_mm",
    "runoff_mm",
    "depletion_mm",
    "taw_mm",
    "raw_mm",
    "irrigation_net_mm",
    "rain_mm",
    "irrigation_gross_mm",
    "capillary_rise_mm",
    "overflow_mm",
    "correction_mm",
    "measured_depletion_mm",
    "surface_depletion_mm",
    "wetted_fraction",
    "depletion_variance_mm2",
    "subsoil_depletion_mm",
    "wind_2m_m_s",
    "rh_min_pct",
)
# Of the numbers above, those that not every day has.
BALANCE_OPTIONAL = frozenset(
    {
        "measured_depletion_mm",
        "surface_depletion_mm",
        "wetted_fraction",
        "depletion_variance_mm2",
        "subsoil_depletion_mm",
        "wind_2m_m_s",
        "rh_min_pct",
    }
)

balance_days = sa.Table(
    "balance_days",
    metadata,
    _id(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    *(_number(name, nullable=name in BALANCE_OPTIONAL) for name in BALANCE_NUMBERS),
    sa.Column("weather_source", sa.Text, nullable=False, comment="measured, or how it was filled"),
    sa.Column("water_source", sa.Text, nullable=False, comment="metered, entered or none"),
    sa.Column("method_version", sa.Text, nullable=False),
    sa.Column(
        "input_digest", sa.LargeBinary, nullable=False, comment="of the season up to this day"
    ),
    _time("computed_at"),
    _time("superseded_at", nullable=True),
    sa.Index(
        "balance_days_current_key",
        "crop_zone_id",
        "day",
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    ),
)

SEASON_NUMBERS = (
    "applied_m3",
    "baseline_m3",
    "apparent_savings_m3",
    "apparent_u_independent_m3",
    "apparent_u_shared_m3",
    "apparent_coverage_factor",
    "consumptive_savings_m3",
    "consumptive_u_independent_m3",
    "consumptive_u_shared_m3",
    "consumptive_coverage_factor",
    "recoverable_change_m3",
    "et0_mm",
    "etc_mm",
    "eta_mm",
    "transpiration_mm",
    "evaporation_mm",
    "deep_percolation_mm",
    "runoff_mm",
    "rain_mm",
    "closure_mm",
    "net_requirement_mm",
    "harvested_ha",
    "bunker_mass_kg",
    "mass_kg",
    "moisture_pct",
    "weather_coverage_pct",
    "water_coverage_pct",
    "soil_coverage_pct",
    "irrigation_net_mm",
    "effective_rain_mm",
    "capillary_rise_mm",
    "storage_change_mm",
    "correction_mm",
    "soil_bias_mm",
    "soil_rmse_mm",
    "adjustments_m3",
    "adjustments_u_m3",
    "relative_water_supply",
    "relative_irrigation_supply",
    "depleted_fraction",
    "beneficial_fraction",
    "crop_water_productivity_kg_m3",
    "irrigation_water_productivity_kg_m3",
    "relative_yield_estimate",
)

season_results = sa.Table(
    "season_results",
    metadata,
    _id(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False),
    *(_number(name) for name in SEASON_NUMBERS),
    sa.Column("yield_source", sa.Text),
    sa.Column("savings_option", sa.Text, comment="A, B, C or D of the IPMVP"),
    sa.Column("baseline_source", sa.Text, comment="metered seasons, or a run of the balance"),
    sa.Column("uncertainty", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("method_version", sa.Text, nullable=False),
    _json("conventions"),
    sa.Column("notes", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("input_digest", sa.Text, nullable=False),
    sa.Column("entered_digest", sa.Text, comment="of what people entered"),
    sa.Column("computed_to", sa.Date, comment="last day of the balance"),
    _time("computed_at"),
    _time("superseded_at", nullable=True),
    sa.Index(
        "season_results_current_key",
        "crop_zone_id",
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    ),
)

machine_results = sa.Table(
    "machine_results",
    metadata,
    _id(),
    sa.Column("device_id", sa.ForeignKey("devices.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False, comment="the farm's"),
    sa.Column(
        "kind",
        sa.Text,
        nullable=False,
        comment="day, work, operation, harvest, flight, herd or grazing",
    ),
    sa.Column("field_id", sa.ForeignKey("fields.id"), comment="none: outside the fields"),
    sa.Column("number", sa.Integer, nullable=False, comment="among those of a day and kind"),
    sa.Column("figures", JSONB, nullable=False, comment="units stand in the names"),
    sa.Column("method_version", sa.Text, nullable=False),
    sa.Column("input_digest", sa.Text, nullable=False),
    _time("computed_at"),
    _time("superseded_at", nullable=True),
    sa.Index(
        "machine_results_current_key",
        "device_id",
        "day",
        "kind",
        "field_id",
        "number",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    ),
    sa.Index("machine_results_field_id_day_idx", "field_id", "day"),
)

# --- who may --------------------------------------------------------------------------------------


def _array(name: str, kind: type[sa.types.TypeEngine[Any]], comment: str) -> sa.Column[Any]:
    return sa.Column(name, ARRAY(kind), nullable=False, server_default="{}", comment=comment)


accounts = sa.Table(
    "accounts",
    metadata,
    _id(),
    sa.Column("login", sa.Text, nullable=False, unique=True, comment="in lower case"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, comment="argon2id; none: signs in some other way"),
    sa.Column("role", sa.Text, nullable=False),
    _array("farm_ids", sa.BigInteger, "farms it sees"),
    _array("regions", sa.Text, "beginnings of the codes of regions it sees"),
    sa.Column("language", sa.Text, nullable=False, server_default="en"),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("federated_subject", sa.Text, unique=True, comment="OpenID Connect: issuer and sub"),
    _time("created_at", now=True),
    _time("password_changed_at", nullable=True),
    _time("last_sign_in_at", nullable=True),
    sa.CheckConstraint(
        "role IN ('administrator', 'agronomist', 'operator', 'ministry', 'reader')", name="role"
    ),
    sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name="language"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _id(),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256"),
    _time("created_at", now=True),
    _time("last_seen_at", now=True),
    _time("expires_at"),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True, comment="SHA-256"),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("made_by", sa.Text, nullable=False),
    _time("expires_at"),
    comment="for a forgotten password, once; gone when used",
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True, comment="login:…, known or not, or address:…"),
    sa.Column("failures", sa.Integer, nullable=False),
    _time("last_at"),
    _moment("blocked_until", "no attempt is looked at before"),
)

api_clients = sa.Table(
    "api_clients",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True, comment="also its OAuth2 client id"),
    _array("scopes", sa.Text, "what it may do"),
    sa.Column("everything", sa.Boolean, nullable=False, server_default=sa.false()),
    _array("farm_ids", sa.BigInteger, "farms it sees"),
    _array("regions", sa.Text, "beginnings of the codes of regions it sees"),
    sa.Column("jwks", JSONB, comment="public keys for private_key_jwt (RFC 7523)"),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_by", sa.Text, nullable=False),
    _time("created_at", now=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _id(),
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), nullable=False, index=True),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256"),
    sa.Column("beginning", sa.Text, nullable=False, comment="by which people tell keys apart"),
    _time("created_at", now=True),
    _time("expires_at"),
    _time("revoked_at", nullable=True),
    _time("last_used_at", nullable=True),
    comment="a client may have several that live, so that one replaces another without a gap",
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True, comment="SHA-256"),
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), nullable=False, index=True),
    _array("scopes", sa.Text, "of those of its client"),
    sa.Column("regions", ARRAY(sa.Text), comment="narrower than its client's; none: all of them"),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

client_assertions = sa.Table(
    "client_assertions",
    metadata,
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), primary_key=True),
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    comment="assertions that were used: none counts twice",
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    _id(),
    _time("at", now=True),
    sa.Column("actor", sa.Text, nullable=False, comment="account:… , client:… or console"),
    sa.Column("action", sa.Text, nullable=False, comment="such as account.create"),
    sa.Column("object", sa.Text, nullable=False, comment="such as account:anna"),
    sa.Column("farm_id", sa.BigInteger, comment="whose business it is, where it is a farm's"),
    sa.Column("request_id", sa.Text),
    sa.Column("address", sa.Text),
    _json("details"),
    sa.Index("audit_log_at_idx", "at"),
    sa.Index("audit_log_farm_id_at_idx", "farm_id", "at"),
)
