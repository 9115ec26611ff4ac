"""Who wants to be told of what, and the one queue of messages: of alerts, and of filed reports."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from storage.tables.columns import identity, metadata, moment, of_subject, on_behalf

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    identity(),
    sa.Column("topic", sa.Text, nullable=False),
    *of_subject("none: of a farm; with all that lies in it"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False, comment="URL, or address of mail"),
    sa.Column(
        "kinds", ARRAY(sa.Text), nullable=False, server_default="{}", comment="none: every kind"
    ),
    sa.Column("min_severity", sa.Text, comment="of alerts"),
    sa.Column("language", sa.Text, nullable=False, server_default="en"),
    sa.Column("secret", sa.Text, comment="of a webhook: what its messages are signed with"),
    sa.Column(
        "told_until",
        sa.BigInteger,
        nullable=False,
        server_default="0",
        comment="of reports: the revision up to which messages are in the queue",
    ),
    *on_behalf(),
    sa.CheckConstraint("topic IN ('alerts', 'reports')", name="topic"),
    sa.CheckConstraint("topic = 'reports' OR farm_id IS NOT NULL", name="alerts"),
    sa.CheckConstraint("channel IN ('webhook', 'email')", name="channel"),
    sa.CheckConstraint(
        "(topic = 'alerts') = (min_severity IS NOT NULL) "
        "AND min_severity IN ('info', 'warning', 'critical')",
        name="min_severity",
    ),
    sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name="language"),
    comment="who wants to hear of a farm's alerts, or of reports; ended, never deleted",
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    identity(),
    sa.Column("subscription_id", sa.ForeignKey("subscriptions.id"), nullable=False),
    sa.Column("alert_id", sa.ForeignKey("alerts.id")),
    sa.Column("revision_id", sa.ForeignKey("report_revisions.id"), comment="of a report"),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    moment("next_attempt_at", now=True),
    sa.Column("last_error", sa.Text),
    moment("created_at", now=True),
    moment("sent_at", nullable=True),
    sa.UniqueConstraint(
        "subscription_id",
        "alert_id",
        "revision_id",
        "event",
        postgresql_nulls_not_distinct=True,
        name="deliveries_news_key",
    ),
    sa.CheckConstraint(
        "(alert_id IS NOT NULL AND revision_id IS NULL AND event IN ('opened', 'cleared')) OR "
        "(alert_id IS NULL AND revision_id IS NOT NULL AND event IN ('filed', 'revised'))",
        name="event",
    ),
    sa.CheckConstraint("status IN ('pending', 'sent', 'given-up')", name="status"),
    sa.Index(
        "deliveries_due_idx",
        "next_attempt_at",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    comment="one message to one subscriber; tried again until it arrives or is given up",
)
