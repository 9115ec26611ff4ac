"""Reports that are filed by themselves when they are due."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.columns import identity, metadata, moment, noted

report_schedules = sa.Table(
    "report_schedules",
    metadata,
    identity(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, comment="farm:12 or area:KZ-61"),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True, comment="none: of an area"),
    sa.Column("area_code", sa.Text, comment="none: of a farm"),
    sa.Column("season", sa.Text, nullable=False, comment="by the local day it is due, or a year"),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("on_day", sa.SmallInteger, comment="of the week from Monday 1, or of the month"),
    sa.Column("at", sa.Time, nullable=False, comment="on the clocks of the timezone"),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("first_day", sa.Text, comment="of a part of each year, 07-01; none: all of it"),
    sa.Column("last_day", sa.Text, comment="included"),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), comment="whose rights hold"),
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), comment="whose rights hold"),
    sa.Column("created_by", sa.Text, nullable=False),
    moment("created_at", now=True),
    moment("ended_at", nullable=True),
    sa.Column("ended_by", sa.Text),
    sa.Column(
        "done_until",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment="what was due by then is done",
    ),
    sa.Column("revision_id", sa.ForeignKey("report_revisions.id"), comment="that stood then"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="in a row"),
    noted("not_before", "of the next attempt, after a failure"),
    sa.Column("last_error", sa.Text, comment="none: the last attempt did not fail"),
    sa.CheckConstraint("(farm_id IS NULL) <> (area_code IS NULL)", name="subject"),
    sa.CheckConstraint("season ~ '^(this-year|last-year|[12][0-9]{3})$'", name="season"),
    sa.CheckConstraint("every IN ('day', 'week', 'month')", name="every"),
    sa.CheckConstraint("(first_day IS NULL) = (last_day IS NULL)", name="part"),
    sa.CheckConstraint("account_id IS NULL OR client_id IS NULL", name="behalf"),
    comment="reports that are filed when they are due; ended, never deleted",
)
