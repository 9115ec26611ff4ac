"""What needs somebody, by which rules, and what is news for pages that are open."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage.tables.columns import document, identity, metadata, moment

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("farm_id", sa.ForeignKey("farms.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, comment="one of storage.alerts.KINDS"),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    document("parameters"),
    sa.Column("changed_by", sa.Text, nullable=False),
    moment("changed_at", now=True),
    comment="where a farm's rules differ from the defaults",
)

live_news = sa.Table(
    "live_news",
    metadata,
    identity(),
    sa.Column(
        "xact",
        sa.BigInteger,
        nullable=False,
        server_default=sa.text("pg_current_xact_id()::text::bigint"),
        index=True,
        comment="the transaction that says so: what came before it and may yet commit is known",
    ),
    moment("at", now=True),
    sa.Column("datastream_ids", ARRAY(sa.Integer), nullable=False, server_default="{}"),
    sa.Column("device_ids", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("alert_ids", ARRAY(sa.BigInteger), nullable=False, server_default="{}"),
    comment="what changed lately, for event streams; kept for an hour",
)

alerts = sa.Table(
    "alerts",
    metadata,
    identity(),
    sa.Column("kind", sa.Text, nullable=False, comment="one of storage.alerts.KINDS"),
    sa.Column("subject", sa.Text, nullable=False, comment="such as device:probe-7"),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
    moment("opened_at", now=True),
    moment("cleared_at", nullable=True),
    moment("acknowledged_at", nullable=True),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("note", sa.Text, comment="of whoever acknowledged it"),
    sa.Index(
        "alerts_active_key",
        "kind",
        "subject",
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    ),
    sa.Index("alerts_kind_subject_id_idx", "kind", "subject", "id"),
    sa.Index("alerts_opened_at_idx", "opened_at"),
    sa.Index("alerts_cleared_at_idx", "cleared_at"),
)
