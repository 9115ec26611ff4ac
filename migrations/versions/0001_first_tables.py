"""The first tables: places, devices, readings, what people enter, what analytics computed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table as plain PostgreSQL knows it."""
    op.create_table(
        "reading_conflicts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("datastream_id", sa.Integer(), nullable=False),
        sa.Column("stored_value", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="reading_conflicts_pkey"),
        sa.UniqueConstraint(
            "datastream_id", "time", "value", name="reading_conflicts_datastream_id_time_value_key"
        ),
    )
    op.create_table(
        "readings",
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("datastream_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(
        "readings_datastream_id_time_key", "readings", ["datastream_id", "time"], unique=True
    )
    op.create_table(
        "regions",
        sa.Column("code", sa.Text(), nullable=False, comment="ISO 3166-2, e.g. KZ-61"),
        sa.Column("kato_prefix", sa.Text(), comment="first two digits of the KATO code"),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="regions_pkey"),
        sa.UniqueConstraint("kato_prefix", name="regions_kato_prefix_key"),
    )
    op.create_table(
        "rejected_counts",
        sa.Column("device", sa.Text(), nullable=False, comment="empty where none is known"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "day", "reason", name="rejected_counts_pkey"),
        comment="messages beyond a device's share of rejected_messages: counted, not kept",
    )
    op.create_table(
        "rejected_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.Text(), comment="as the topic or payload claims, known or not"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("payload_bytes", sa.Integer(), nullable=False, comment="before any cut"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="rejected_messages_pkey"),
        sa.UniqueConstraint("digest", name="rejected_messages_digest_key"),
    )
    op.create_index(
        "rejected_messages_device_received_at_idx", "rejected_messages", ["device", "received_at"]
    )
    op.create_table(
        "track_conflicts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("point", JSONB, nullable=False, comment="the later point, keys of track_points"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="track_conflicts_pkey"),
        sa.UniqueConstraint(
            "device_id", "time", "point", name="track_conflicts_device_id_time_point_key"
        ),
    )
    op.create_table(
        "track_points",
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("latitude_deg", sa.Double(), nullable=False),
        sa.Column("longitude_deg", sa.Double(), nullable=False),
        sa.Column("work_state", sa.SmallInteger(), comment="ISO 11783 DDI 141"),
        sa.Column("elevation_m", sa.Double()),
        sa.Column("speed_m_s", sa.Double()),
        sa.Column("heading_deg", sa.Double()),
        sa.Column("width_m", sa.Double()),
        sa.Column("mass_flow_kg_s", sa.Double()),
        sa.Column("crop_moisture_pct", sa.Double()),
        sa.Column("application_rate_l_ha", sa.Double()),
        sa.Column("fuel_rate_l_h", sa.Double()),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(
        "track_points_device_id_time_key", "track_points", ["device_id", "time"], unique=True
    )
    op.create_table(
        "farms",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text()),
        sa.Column("timezone", sa.Text(), nullable=False, comment="IANA name; a day is local to it"),
        sa.Column("latitude_deg", sa.Double(), nullable=False),
        sa.Column("longitude_deg", sa.Double(), nullable=False),
        sa.Column("elevation_m", sa.Double(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["region_code"], ["regions.code"], name="farms_region_code_fkey"),
        sa.PrimaryKeyConstraint("id", name="farms_pkey"),
        sa.UniqueConstraint("slug", name="farms_slug_key"),
    )
    op.create_index("farms_region_code_idx", "farms", ["region_code"])
    op.create_table(
        "fields",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area_ha", sa.Double(), nullable=False),
        sa.Column("area_source", sa.Text(), nullable=False, comment="geodesic, or who stated it"),
        sa.Column("official_field_id", sa.Text()),
        sa.Column("soil", JSONB, nullable=False, comment="keys of the scenario's [soil]"),
        sa.Column("soil_source", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("area_ha > 0", name="fields_area_check"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name="fields_farm_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="fields_pkey"),
        sa.UniqueConstraint("farm_id", "name", name="fields_farm_id_name_key"),
    )
    op.create_table(
        "baseline_seasons",
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("crop", sa.Text(), nullable=False),
        sa.Column("net_requirement_mm", sa.Double(), nullable=False),
        sa.Column("gross_irrigation_mm", sa.Double(), nullable=False),
        sa.Column("application_efficiency", sa.Double()),
        sa.Column("wetted_fraction", sa.Double()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="baseline_seasons_field_id_fkey"),
        sa.PrimaryKeyConstraint("field_id", "season", "crop", name="baseline_seasons_pkey"),
        comment="metered seasons before the change that is to be judged",
    )
    op.create_table(
        "crop_zones",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False, comment="year of harvest"),
        sa.Column("crop", sa.Text(), nullable=False),
        sa.Column("planted", sa.Date(), nullable=False),
        sa.Column("harvested", sa.Date(), nullable=False, comment="last day of the balance"),
        sa.Column("area_ha", sa.Double(), nullable=False),
        sa.Column("irrigation_method", sa.Text(), comment="no method: rain-fed"),
        sa.Column("application_efficiency", sa.Double()),
        sa.Column("wetted_fraction", sa.Double()),
        sa.Column(
            "crop_parameters", JSONB, nullable=False, comment="keys of the scenario's [crop]"
        ),
        sa.Column("conventions", JSONB, nullable=False, comment="event timing and the like"),
        sa.CheckConstraint("area_ha > 0", name="crop_zones_area_check"),
        sa.CheckConstraint("harvested > planted", name="crop_zones_dates_check"),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="crop_zones_field_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="crop_zones_pkey"),
        sa.UniqueConstraint(
            "field_id", "season", "crop", name="crop_zones_field_id_season_crop_key"
        ),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False, comment="also MQTT user name and client id"),
        sa.Column("farm_id", sa.BigInteger()),
        sa.Column("field_id", sa.BigInteger(), comment="where its datastreams count"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wire_id", sa.Text(), comment="identity on the wire, e.g. lora:a840…"),
        sa.Column("profile", sa.Text(), comment="LoRaWAN device model that decodes its bytes"),
        sa.Column(
            "credential_hash", sa.Text(), comment="SHA-256 of a 256-bit random token, in hex"
        ),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("timezone", sa.Text(), comment="zone of a device that sends local time"),
        sa.Column("sensor_height_m", sa.Double()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name="devices_farm_id_fkey"),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="devices_field_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="devices_pkey"),
        sa.UniqueConstraint("wire_id", name="devices_wire_id_key"),
    )
    op.create_index("devices_farm_id_idx", "devices", ["farm_id"])
    op.create_table(
        "field_boundaries",
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "geometry", JSONB, nullable=False, comment="GeoJSON Polygon or MultiPolygon, WGS 84"
        ),
        sa.Column("geometry_source", sa.Text(), nullable=False),
        sa.Column("area_ha", sa.Double(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="field_boundaries_field_id_fkey"),
        sa.PrimaryKeyConstraint("field_id", "version", name="field_boundaries_pkey"),
    )
    op.create_table(
        "irrigation_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("volume_m3", sa.Double(), nullable=False),
        sa.Column("wetted_fraction", sa.Double()),
        sa.Column("efficiency", sa.Double()),
        sa.Column("source", sa.Text(), nullable=False, comment="who says so"),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("ended_at > started_at", name="irrigation_events_times_check"),
        sa.CheckConstraint("volume_m3 >= 0", name="irrigation_events_volume_check"),
        sa.ForeignKeyConstraint(
            ["field_id"], ["fields.id"], name="irrigation_events_field_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="irrigation_events_pkey"),
        sa.UniqueConstraint(
            "field_id",
            "started_at",
            "source",
            name="irrigation_events_field_id_started_at_source_key",
        ),
    )
    op.create_table(
        "balance_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("crop_zone_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("et0_mm", sa.Double(), nullable=False),
        sa.Column("kcb", sa.Double(), nullable=False),
        sa.Column("ke", sa.Double(), nullable=False),
        sa.Column("ks", sa.Double(), nullable=False),
        sa.Column("etc_mm", sa.Double(), nullable=False),
        sa.Column("eta_mm", sa.Double(), nullable=False),
        sa.Column("evaporation_mm", sa.Double(), nullable=False),
        sa.Column("transpiration_mm", sa.Double(), nullable=False),
        sa.Column("deep_percolation_mm", sa.Double(), nullable=False),
        sa.Column("runoff_mm", sa.Double(), nullable=False),
        sa.Column("depletion_mm", sa.Double(), nullable=False),
        sa.Column("taw_mm", sa.Double(), nullable=False),
        sa.Column("raw_mm", sa.Double(), nullable=False),
        sa.Column("irrigation_net_mm", sa.Double(), nullable=False),
        sa.Column("rain_mm", sa.Double(), nullable=False),
        sa.Column("irrigation_gross_mm", sa.Double(), nullable=False),
        sa.Column(
            "weather_source", sa.Text(), nullable=False, comment="measured, or how it was filled"
        ),
        sa.Column("water_source", sa.Text(), nullable=False, comment="metered, entered or none"),
        sa.Column("method_version", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["crop_zone_id"], ["crop_zones.id"], name="balance_days_crop_zone_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="balance_days_pkey"),
    )
    op.create_index(
        "balance_days_current_key",
        "balance_days",
        ["crop_zone_id", "day"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "datastreams",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("depth_cm", sa.Double()),
        sa.Column("channel", sa.SmallInteger()),
        sa.Column("field_id", sa.BigInteger(), comment="unless that of its device"),
        sa.Column("calibration", JSONB, comment="slope and offset, canonical unit"),
        sa.Column("expected_interval_s", sa.Integer()),
        sa.Column("counter_modulus", sa.Double()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="datastreams_device_id_fkey"),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="datastreams_field_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="datastreams_pkey"),
        sa.UniqueConstraint(
            "device_id",
            "quantity",
            "depth_cm",
            "channel",
            name="datastreams_device_id_quantity_depth_cm_channel_key",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "device_sequences",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column(
            "received", INT8MULTIRANGE(), nullable=False, comment="committed message numbers"
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="device_sequences_device_id_fkey"
        ),
        sa.PrimaryKeyConstraint("device_id", "boot", name="device_sequences_pkey"),
    )
    op.create_table(
        "harvest_loads",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("crop_zone_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("net_kg", sa.Double(), nullable=False),
        sa.Column("moisture_pct", sa.Double()),
        sa.Column("impurity_pct", sa.Double()),
        sa.Column("area_ha", sa.Double()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("net_kg > 0", name="harvest_loads_net_check"),
        sa.ForeignKeyConstraint(
            ["crop_zone_id"], ["crop_zones.id"], name="harvest_loads_crop_zone_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="harvest_loads_pkey"),
        sa.UniqueConstraint("crop_zone_id", "ticket", name="harvest_loads_crop_zone_id_ticket_key"),
    )
    op.create_table(
        "season_results",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("crop_zone_id", sa.BigInteger(), nullable=False),
        sa.Column("applied_m3", sa.Double()),
        sa.Column("baseline_m3", sa.Double()),
        sa.Column("apparent_savings_m3", sa.Double()),
        sa.Column("apparent_u_independent_m3", sa.Double()),
        sa.Column("apparent_u_shared_m3", sa.Double()),
        sa.Column("apparent_coverage_factor", sa.Double()),
        sa.Column("consumptive_savings_m3", sa.Double()),
        sa.Column("consumptive_u_independent_m3", sa.Double()),
        sa.Column("consumptive_u_shared_m3", sa.Double()),
        sa.Column("consumptive_coverage_factor", sa.Double()),
        sa.Column("recoverable_change_m3", sa.Double()),
        sa.Column("et0_mm", sa.Double()),
        sa.Column("etc_mm", sa.Double()),
        sa.Column("eta_mm", sa.Double()),
        sa.Column("transpiration_mm", sa.Double()),
        sa.Column("evaporation_mm", sa.Double()),
        sa.Column("deep_percolation_mm", sa.Double()),
        sa.Column("runoff_mm", sa.Double()),
        sa.Column("rain_mm", sa.Double()),
        sa.Column("closure_mm", sa.Double()),
        sa.Column("net_requirement_mm", sa.Double()),
        sa.Column("harvested_ha", sa.Double()),
        sa.Column("bunker_mass_kg", sa.Double()),
        sa.Column("mass_kg", sa.Double()),
        sa.Column("moisture_pct", sa.Double()),
        sa.Column("weather_coverage_pct", sa.Double()),
        sa.Column("water_coverage_pct", sa.Double()),
        sa.Column("yield_source", sa.Text()),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("method_version", sa.Text(), nullable=False),
        sa.Column("conventions", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notes", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["crop_zone_id"], ["crop_zones.id"], name="season_results_crop_zone_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="season_results_pkey"),
    )
    op.create_index(
        "season_results_current_key",
        "season_results",
        ["crop_zone_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
