"""Reports that are filed by themselves when they are due."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

NAME = "report_schedules"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        NAME,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="farm:12 or area:KZ-61"),
        sa.Column("farm_id", sa.BigInteger(), comment="none: of an area"),
        sa.Column("area_code", sa.Text(), comment="none: of a farm"),
        sa.Column(
            "season", sa.Text(), nullable=False, comment="by the local day it is due, or a year"
        ),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column(
            "on_day", sa.SmallInteger(), comment="of the week from Monday 1, or of the month"
        ),
        sa.Column("at", sa.Time(), nullable=False, comment="on the clocks of the timezone"),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Text(), comment="of a part of each year, 07-01; none: all of it"),
        sa.Column("last_day", sa.Text(), comment="included"),
        sa.Column("account_id", sa.BigInteger(), comment="whose rights hold"),
        sa.Column("client_id", sa.BigInteger(), comment="whose rights hold"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text()),
        _moment("done_until", now=True, comment="what was due by then is done"),
        sa.Column("revision_id", sa.BigInteger(), comment="that stood then"),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="in a row"),
        _moment("not_before", nullable=True, comment="of the next attempt, after a failure"),
        sa.Column("last_error", sa.Text(), comment="none: the last attempt did not fail"),
        sa.PrimaryKeyConstraint("id", name=f"{NAME}_pkey"),
        *(
            sa.ForeignKeyConstraint([column], [of], name=f"{NAME}_{column}_fkey")
            for column, of in {
                "farm_id": "farms.id",
                "account_id": "accounts.id",
                "client_id": "api_clients.id",
                "revision_id": "report_revisions.id",
            }.items()
        ),
        *(
            sa.CheckConstraint(condition, name=op.f(f"{NAME}_{name}_check"))
            for name, condition in {
                "subject": "(farm_id IS NULL) <> (area_code IS NULL)",
                "season": "season ~ '^(this-year|last-year|[12][0-9]{3})$'",
                "every": "every IN ('day', 'week', 'month')",
                "part": "(first_day IS NULL) = (last_day IS NULL)",
                "behalf": "account_id IS NULL OR client_id IS NULL",
            }.items()
        ),
        comment="reports that are filed when they are due; ended, never deleted",
    )
    op.create_index(f"{NAME}_farm_id_idx", NAME, ["farm_id"])


def _moment(
    name: str, *, now: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    kind = sa.DateTime(timezone=True)
    return sa.Column(name, kind, nullable=nullable, server_default=default, comment=comment)
