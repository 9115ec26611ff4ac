"""Reports that are filed by themselves when they are due."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.columns import identity, metadata, noted, of_subject, on_behalf

report_schedules = sa.Table(
    "report_schedules",
    metadata,
    identity(),
    sa.Column("kind", sa.Text, nullable=False),
    *of_subject(),
    sa.Column("season", sa.Text, nullable=False, comment="by the local day it is due, or a year"),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("on_day", sa.SmallInteger, comment="of the week from Monday 1, or of the month"),
    sa.Column("at", sa.Time, nullable=False, comment="on the clocks of the timezone"),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("first_day", sa.Text, comment="of a part of each year, 07-01; none: all of it"),
    sa.Column("last_day", sa.Text, comment="included"),
    *on_behalf(),
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
    sa.CheckConstraint("season ~ '^(this-year|last-year|[12][0-9]{3})$'", name="season"),
    sa.CheckConstraint("every IN ('day', 'week', 'month')", name="every"),
    sa.CheckConstraint("(first_day IS NULL) = (last_day IS NULL)", name="part"),
    comment="reports that are filed when they are due; ended, never deleted",
)
