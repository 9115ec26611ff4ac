"""Reports as filed: numbered, signed, only ever added to. A trigger holds every table to that."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.columns import by_others, identity, metadata, moment, of_subject

report_keys = sa.Table(
    "report_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True, comment="thumbprint (RFC 7638)"),
    sa.Column("jwk", JSONB, nullable=False, comment="public alone"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False, comment="whose key it is"),
    sa.Column("created_by", sa.Text, nullable=False),
    moment("created_at", now=True),
    sa.CheckConstraint("role IN ('files', 'countersigns')", name="role"),
    comment="keys that reports are signed with; an old one stays, for what it signed",
)

report_counters = sa.Table(
    "report_counters",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("year", sa.SmallInteger, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
    comment="the last number given, in the transaction of its report: there are no gaps",
)

filed_reports = sa.Table(
    "filed_reports",
    metadata,
    identity(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("year", sa.SmallInteger, nullable=False, comment="of the first filing, UTC"),
    sa.Column("serial", sa.Integer, nullable=False, comment="given by a trigger"),
    *of_subject(),
    sa.Column("season", sa.SmallInteger, nullable=False),
    sa.Column("period_start", sa.Date, comment="of a part of the season; none: the whole"),
    sa.Column("period_end", sa.Date, comment="the day after its last"),
    moment("created_at", now=True),
    sa.UniqueConstraint("kind", "year", "serial"),
    sa.UniqueConstraint(
        "subject",
        "kind",
        "season",
        "period_start",
        "period_end",
        postgresql_nulls_not_distinct=True,
        name="filed_reports_subject_key",
    ),
    sa.CheckConstraint("(period_start IS NULL) = (period_end IS NULL)", name="period"),
    sa.Index("filed_reports_area_code_idx", "area_code"),
)

report_revisions = sa.Table(
    "report_revisions",
    metadata,
    identity(),
    sa.Column("report_id", sa.ForeignKey("filed_reports.id"), nullable=False),
    sa.Column("revision", sa.SmallInteger, nullable=False, comment="0: as first filed"),
    sa.Column("manifest", sa.Text, nullable=False, comment="canonical JSON (RFC 8785), as signed"),
    sa.Column("protected", sa.Text, nullable=False, comment="header of the JWS, base64url"),
    sa.Column("signature", sa.Text, nullable=False, comment="base64url"),
    sa.Column("kid", sa.ForeignKey("report_keys.kid"), nullable=False),
    sa.Column("content_digest", sa.Text, nullable=False, comment="SHA-256: equal, nothing new"),
    moment("as_of"),
    moment("filed_at"),
    sa.Column("filed_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, comment="of a revision"),
    sa.UniqueConstraint("report_id", "revision"),
    sa.Index("report_revisions_filed_at_idx", "filed_at"),
    sa.CheckConstraint("(revision = 0) = (reason IS NULL)", name="reason"),
)

report_countersignatures = sa.Table(
    "report_countersignatures",
    metadata,
    *by_others("revision_id", "report_revisions.id"),
    comment="of others, over the very bytes that were signed",
)
