"""What devices said: readings, tracks, what could not be stored, and what is news."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.columns import identity, in_batch, metadata, moment, number

# No primary key and no foreign key: a hypertable's unique index already leads with the datastream,
# and the ids come from our own cache, so checking them again would cost the hot path for nothing.
readings = sa.Table(
    "readings",
    metadata,
    moment("time"),
    sa.Column("datastream_id", sa.Integer, nullable=False),
    number("value", nullable=False),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    moment("received_at"),
    in_batch(),
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
    moment("time"),
    sa.Column("device_id", sa.Text, nullable=False),
    number("latitude_deg", nullable=False),
    number("longitude_deg", nullable=False),
    sa.Column("work_state", sa.SmallInteger, comment="ISO 11783 DDI 141"),
    *(number(name) for name in TRACK_NUMBERS),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    moment("received_at"),
    in_batch(),
    sa.Index("track_points_device_id_time_key", "device_id", "time", unique=True),
)

reading_conflicts = sa.Table(
    "reading_conflicts",
    metadata,
    identity(),
    moment("time"),
    sa.Column("datastream_id", sa.Integer, nullable=False),
    number("stored_value", nullable=False),
    number("value", nullable=False),
    sa.Column("quality", sa.SmallInteger, nullable=False),
    moment("received_at"),
    sa.UniqueConstraint("datastream_id", "time", "value"),
)

track_conflicts = sa.Table(
    "track_conflicts",
    metadata,
    identity(),
    moment("time"),
    sa.Column("device_id", sa.Text, nullable=False),
    sa.Column("point", JSONB, nullable=False, comment="the later point, keys of track_points"),
    moment("received_at"),
    sa.UniqueConstraint("device_id", "time", "point"),
)

rejected_messages = sa.Table(
    "rejected_messages",
    metadata,
    identity(),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("device", sa.Text, comment="as the topic or payload claims, known or not"),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("payload_bytes", sa.Integer, nullable=False, comment="before any cut"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    moment("received_at"),
    moment("last_received_at"),
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
    moment("updated_at", now=True),
)

unknown_devices = sa.Table(
    "unknown_devices",
    metadata,
    sa.Column("identity", sa.Text, primary_key=True, comment="as its messages carry it"),
    sa.Column("topic", sa.Text, nullable=False, comment="of its newest message"),
    sa.Column("messages", sa.BigInteger, nullable=False),
    moment("first_seen_at"),
    moment("last_seen_at"),
    comment="who speaks without being registered: an operator may claim it",
)

# What arrived since the last analysis: its rows are the analyst's work list.
reading_news = sa.Table(
    "reading_news",
    metadata,
    sa.Column("datastream_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("claimed", sa.Boolean, primary_key=True, comment="an analysis has taken it"),
    moment("since"),
    comment="earliest time of a reading that no analysis has seen yet",
)

track_news = sa.Table(
    "track_news",
    metadata,
    sa.Column("device_id", sa.Text, primary_key=True),
    sa.Column("claimed", sa.Boolean, primary_key=True, comment="an analysis has taken it"),
    moment("since"),
    comment="earliest time of a track point that no analysis has seen yet",
)

reading_retention = sa.Table(
    "reading_retention",
    metadata,
    sa.Column("single", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("kept_days", sa.Integer, comment="none: for ever"),
    sa.Column(
        "dropped_before",
        sa.DateTime(timezone=True),
        comment="by what was kept earlier; hours before are all that is left of their readings",
    ),
    sa.CheckConstraint("single", name="single"),
    comment="one row: how long readings are kept, as of the last dala migrate",
)
