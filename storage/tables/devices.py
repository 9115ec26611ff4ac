"""Who speaks: devices, their datastreams, what is known of their messages."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB

from storage.tables.columns import metadata, moment, noted, number

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
    number("sensor_height_m"),
    moment("created_at", now=True),
)

device_sequences = sa.Table(
    "device_sequences",
    metadata,
    sa.Column("device_id", sa.ForeignKey("devices.id"), primary_key=True),
    sa.Column("boot", sa.BigInteger, primary_key=True),
    sa.Column("received", INT8MULTIRANGE, nullable=False, comment="committed message numbers"),
    moment("updated_at", now=True),
    noted("gap_since", "since when its lowest missing number has been missing"),
    sa.Column(
        "given_up", INT8MULTIRANGE, comment="missing numbers that an operator knows to be lost"
    ),
    sa.Index(
        "device_sequences_gap_since_idx",
        "gap_since",
        postgresql_where=sa.text("gap_since IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 50},
)

device_heard = sa.Table(
    "device_heard",
    metadata,
    sa.Column("device_id", sa.ForeignKey("devices.id"), primary_key=True),
    moment("received_at"),
    comment="when something of a device was last stored; exact to a minute",
    postgresql_with={"fillfactor": 50},
)

datastreams = sa.Table(
    "datastreams",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("device_id", sa.ForeignKey("devices.id"), nullable=False),
    sa.Column("quantity", sa.Text, nullable=False),
    number("depth_cm"),
    sa.Column("channel", sa.SmallInteger),
    sa.Column("field_id", sa.ForeignKey("fields.id"), comment="unless that of its device"),
    sa.Column("calibration", JSONB, comment="slope and offset, canonical unit"),
    sa.Column("expected_interval_s", sa.Integer, comment="as an operator gave it"),
    sa.Column("learned_interval_s", sa.Integer, comment="as its readings came, where regular"),
    number("counter_modulus"),
    moment("created_at", now=True),
    sa.UniqueConstraint(
        "device_id", "quantity", "depth_cm", "channel", postgresql_nulls_not_distinct=True
    ),
)
