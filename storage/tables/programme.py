"""What reports need beside the season: where water comes from, and what was invested."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.columns import identity, metadata, moment, noted, number, standing, who

water_supplies = sa.Table(
    "water_supplies",
    metadata,
    identity(),
    sa.Column("field_id", sa.ForeignKey("fields.id"), nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False, comment="until the next of the field"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default="", comment="of the canal or well"),
    sa.Column("tariff_kzt_m3", sa.Double, comment="none: not known"),
    sa.Column("reference", sa.Text, nullable=False, comment="contract or order that says so"),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing("water_supplies_field_id_valid_from_key", "field_id", "valid_from"),
    sa.CheckConstraint(
        "source IN ('river', 'canal', 'reservoir', 'groundwater', 'drainage', 'wastewater', "
        "'other')",
        name="source",
    ),
    sa.CheckConstraint("tariff_kzt_m3 >= 0", name="tariff"),
    comment="where the water of a field comes from, and what is paid for it",
)

investments = sa.Table(
    "investments",
    metadata,
    identity(),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), nullable=False, index=True),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    number("amount_kzt", nullable=False),
    sa.Column("subsidy_kzt", sa.Double, comment="part of the amount; none: not known"),
    number("area_ha"),
    number("service_life_years", nullable=False),
    sa.Column("reference", sa.Text, nullable=False, comment="contract, act or invoice"),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    sa.CheckConstraint(
        "purpose IN ('water-saving-irrigation', 'telemetry', 'machinery', 'other')", name="purpose"
    ),
    sa.CheckConstraint("amount_kzt > 0 AND service_life_years > 0", name="amount"),
    sa.CheckConstraint("subsidy_kzt >= 0 AND subsidy_kzt <= amount_kzt", name="subsidy"),
)
