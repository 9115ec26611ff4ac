"""What people enter, and forecasts."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.columns import (
    document,
    identity,
    metadata,
    moment,
    noted,
    number,
    standing,
    who,
)

irrigation_events = sa.Table(
    "irrigation_events",
    metadata,
    identity(),
    sa.Column("field_id", sa.ForeignKey("fields.id"), nullable=False),
    moment("started_at"),
    moment("ended_at"),
    number("volume_m3", nullable=False),
    number("wetted_fraction"),
    number("efficiency"),
    sa.Column("source", sa.Text, nullable=False, comment="who says so"),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing(
        "irrigation_events_field_id_started_at_source_key", "field_id", "started_at", "source"
    ),
    sa.CheckConstraint("ended_at > started_at", name="times"),
    sa.CheckConstraint("volume_m3 >= 0", name="volume"),
)

harvest_loads = sa.Table(
    "harvest_loads",
    metadata,
    identity(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False),
    sa.Column("ticket", sa.Text, nullable=False),
    moment("weighed_at"),
    number("net_kg", nullable=False),
    number("moisture_pct"),
    number("impurity_pct"),
    number("area_ha"),
    sa.Column("source", sa.Text, nullable=False),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing("harvest_loads_crop_zone_id_ticket_key", "crop_zone_id", "ticket"),
    sa.CheckConstraint("net_kg > 0", name="net"),
)

baseline_seasons = sa.Table(
    "baseline_seasons",
    metadata,
    sa.Column("field_id", sa.ForeignKey("fields.id"), primary_key=True),
    sa.Column("season", sa.Integer, primary_key=True),
    sa.Column("crop", sa.Text, primary_key=True),
    number("net_requirement_mm", nullable=False),
    number("gross_irrigation_mm", nullable=False),
    number("application_efficiency"),
    number("wetted_fraction"),
    sa.Column("source", sa.Text, nullable=False),
    moment("created_at", now=True),
    comment="metered seasons before the change that is to be judged",
)

non_routine_adjustments = sa.Table(
    "non_routine_adjustments",
    metadata,
    identity(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False, index=True),
    sa.Column(
        "volume_m3", sa.Double, nullable=False, comment="added to the adjusted baseline, signed"
    ),
    sa.Column("u_volume_m3", sa.Double, nullable=False, comment="standard uncertainty"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    moment("created_at", now=True),
    moment("withdrawn_at", nullable=True),
    sa.Column("withdrawn_by", sa.Text),
    sa.CheckConstraint("u_volume_m3 >= 0", name="u_volume"),
    sa.CheckConstraint("reason <> '' AND author <> ''", name="said"),
    comment="what changed beside the practice that is judged; withdrawn, never deleted",
)

advice_decisions = sa.Table(
    "advice_decisions",
    metadata,
    identity(),
    sa.Column("crop_zone_id", sa.ForeignKey("crop_zones.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False, comment="the farm's day that was advised for"),
    sa.Column("choice", sa.Text, nullable=False, comment="accepted or skipped"),
    document("advised"),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing("advice_decisions_crop_zone_id_day_key", "crop_zone_id", "day"),
    sa.CheckConstraint("choice IN ('accepted', 'skipped')", name="choice"),
    comment="what people decided on irrigation advice, and what they had been advised",
)

weather_forecasts = sa.Table(
    "weather_forecasts",
    metadata,
    sa.Column("farm_id", sa.ForeignKey("farms.id"), primary_key=True),
    sa.Column("issued_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    number("tmax_c", nullable=False),
    number("tmin_c", nullable=False),
    number("rain_mm", nullable=False),
    number("solar_mj_m2"),
    number("tdew_c"),
    number("rh_min_pct"),
    number("wind_m_s"),
    sa.Column("source", sa.Text, nullable=False, comment="who forecast it"),
    sa.CheckConstraint("tmax_c >= tmin_c", name="temperature"),
    sa.CheckConstraint("rain_mm >= 0", name="rain"),
)
