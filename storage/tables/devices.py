"""Who speaks: devices, their datastreams, what is known of their messages."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INT8MULTIRANGE

from storage.tables.columns import identity, metadata, moment, noted, number

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
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("timezone", sa.Text, comment="zone of a device that sends local time"),
    number("sensor_height_m"),
    sa.Column(
        "topic_filters", ARRAY(sa.Text), comment="of a gateway: topics of the devices behind it"
    ),
    moment("created_at", now=True),
)

device_credentials = sa.Table(
    "device_credentials",
    metadata,
    sa.Column("username", sa.Text, primary_key=True, comment="at the broker: the id, or id~2"),
    sa.Column("device_id", sa.ForeignKey("devices.id"), nullable=False, index=True),
    sa.Column(
        "token_hash", sa.Text, nullable=False, comment="SHA-256 of a 256-bit random token, in hex"
    ),
    moment("created_at", now=True),
    noted("ends_at", "when it was replaced: it is worth nothing from then on"),
    noted("first_used_at", "when a device first came with it, where its broker tells"),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("applied", sa.BigInteger, comment="the revision that Mosquitto has"),
    sa.Column("sealed_token", sa.Text, comment="encrypted (JWE), until Mosquitto has it"),
    sa.Column("failure", sa.Text, comment="why Mosquitto does not have it"),
    sa.Index(
        "device_credentials_pending_idx",
        "username",
        postgresql_where=sa.text("applied IS DISTINCT FROM revision"),
    ),
    sa.Index(
        "device_credentials_ends_at_idx",
        "ends_at",
        postgresql_where=sa.text("ends_at IS NOT NULL"),
    ),
)

device_placements = sa.Table(
    "device_placements",
    metadata,
    identity(),
    sa.Column("device_id", sa.ForeignKey("devices.id"), nullable=False),
    sa.Column("datastream_id", sa.ForeignKey("datastreams.id"), comment="none: all of its device"),
    sa.Column("field_id", sa.ForeignKey("fields.id"), comment="none: the farm; or as its device"),
    moment("valid_from"),
    sa.Column("created_by", sa.Text, nullable=False),
    moment("created_at", now=True),
    sa.UniqueConstraint(
        "device_id", "datastream_id", "valid_from", postgresql_nulls_not_distinct=True
    ),
    comment="where a device measured, each until the next; without a row, where it is",
)

datastream_calibrations = sa.Table(
    "datastream_calibrations",
    metadata,
    identity(),
    sa.Column("datastream_id", sa.ForeignKey("datastreams.id"), nullable=False),
    moment("valid_from"),
    number("slope", nullable=False),
    sa.Column("intercept", sa.Double, nullable=False, comment="canonical unit"),
    sa.Column("reference", sa.Text, nullable=False, comment="certificate, or how it was found"),
    sa.Column("created_by", sa.Text, nullable=False),
    moment("created_at", now=True),
    sa.UniqueConstraint("datastream_id", "valid_from"),
    sa.CheckConstraint("slope > 0 AND slope < 'Infinity'", name="slope"),
    comment="slope × reading + intercept, each until the next; readings stay as they came",
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
    sa.Column("signal_dbm", sa.Double, comment="of the gateway that heard it best"),
    noted("signal_at", "arrival of the message that this was said of"),
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
    sa.Column("expected_interval_s", sa.Integer, comment="as an operator gave it"),
    sa.Column("learned_interval_s", sa.Integer, comment="as its readings came, where regular"),
    number("counter_modulus"),
    moment("created_at", now=True),
    sa.UniqueConstraint(
        "device_id", "quantity", "depth_cm", "channel", postgresql_nulls_not_distinct=True
    ),
)
