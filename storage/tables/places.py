"""Where: regions, farms, fields, crop zones."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.columns import identity, metadata, moment, noted, number, standing, who

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
    identity(),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("region_code", sa.ForeignKey("regions.code"), index=True),
    sa.Column("timezone", sa.Text, nullable=False, comment="IANA name; a day is local to it"),
    number("latitude_deg", nullable=False),
    number("longitude_deg", nullable=False),
    number("elevation_m", nullable=False),
    moment("created_at", now=True),
    who("created_by"),
)

fields = sa.Table(
    "fields",
    metadata,
    identity(),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    number("area_ha", nullable=False),
    sa.Column("area_source", sa.Text, nullable=False, comment="geodesic, or who stated it"),
    sa.Column("official_field_id", sa.Text),
    sa.Column("soil", JSONB, nullable=False, comment="keys of the scenario's [soil]"),
    sa.Column("soil_source", sa.Text, nullable=False),
    sa.Column(
        "land_use", sa.Text, nullable=False, server_default="arable", comment="arable or pasture"
    ),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing("fields_farm_id_name_key", "farm_id", "name"),
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
    number("area_ha", nullable=False),
    moment("created_at", now=True),
    who("created_by"),
    noted("worked_at", "when an analysis of machine work took it into account"),
)

crop_zones = sa.Table(
    "crop_zones",
    metadata,
    identity(),
    sa.Column("field_id", sa.ForeignKey("fields.id"), nullable=False),
    sa.Column("season", sa.Integer, nullable=False, comment="year of harvest"),
    sa.Column("crop", sa.Text, nullable=False),
    sa.Column("planted", sa.Date, nullable=False),
    sa.Column("harvested", sa.Date, nullable=False, comment="last day of the balance"),
    number("area_ha", nullable=False),
    sa.Column("irrigation_method", sa.Text, comment="no method: rain-fed"),
    number("application_efficiency"),
    number("wetted_fraction"),
    sa.Column("system_flow_m3_h", sa.Double, comment="what its irrigation system delivers"),
    sa.Column("crop_parameters", JSONB, nullable=False, comment="keys of the scenario's [crop]"),
    sa.Column("conventions", JSONB, nullable=False, comment="event timing and the like"),
    moment("created_at", now=True),
    who("created_by"),
    noted("withdrawn_at", "since when it stands no longer; nothing is erased"),
    sa.Column("withdrawn_by", sa.Text),
    standing("crop_zones_field_id_season_crop_key", "field_id", "season", "crop"),
    sa.CheckConstraint("area_ha > 0", name="area"),
    sa.CheckConstraint("harvested > planted", name="dates"),
)
