"""What people decide on irrigation advice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Of a crop zone and a day one decision stands; those before it stay on record."""
    op.create_table(
        "advice_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("crop_zone_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the farm's day that was advised for"),
        sa.Column("choice", sa.Text(), nullable=False, comment="accepted or skipped"),
        sa.Column("advised", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "created_by",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="as the book of deeds has it; empty: not entered by a person",
        ),
        sa.Column(
            "withdrawn_at",
            sa.DateTime(timezone=True),
            comment="since when it stands no longer; nothing is erased",
        ),
        sa.Column("withdrawn_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="advice_decisions_pkey"),
        sa.ForeignKeyConstraint(
            ["crop_zone_id"], ["crop_zones.id"], name="advice_decisions_crop_zone_id_fkey"
        ),
        sa.CheckConstraint(
            "choice IN ('accepted', 'skipped')", name="advice_decisions_choice_check"
        ),
        comment="what people decided on irrigation advice, and what they had been advised",
    )
    op.create_index(
        "advice_decisions_crop_zone_id_day_key",
        "advice_decisions",
        ["crop_zone_id", "day"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
