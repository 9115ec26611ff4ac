"""Who entered what, what was withdrawn, and answers kept for a write that is sent again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"

_UNIQUE = {
    "fields": ("farm_id", "name"),
    "crop_zones": ("field_id", "season", "crop"),
    "irrigation_events": ("field_id", "started_at", "source"),
    "harvest_loads": ("crop_zone_id", "ticket"),
}


def upgrade() -> None:
    """Of what is withdrawn, there may be another that stands."""
    for table in ("farms", "field_boundaries", *_UNIQUE):
        op.add_column(
            table,
            sa.Column(
                "created_by",
                sa.Text(),
                server_default="",
                nullable=False,
                comment="as the book of deeds has it; empty: not entered by a person",
            ),
        )
    for table, columns in _UNIQUE.items():
        op.add_column(
            table,
            sa.Column(
                "withdrawn_at",
                sa.DateTime(timezone=True),
                comment="since when it stands no longer; nothing is erased",
            ),
        )
        op.add_column(table, sa.Column("withdrawn_by", sa.Text()))
        name = f"{table}_{'_'.join(columns)}_key"
        op.drop_constraint(name, table, type_="unique")
        op.create_index(
            name,
            table,
            list(columns),
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
    _boundaries()
    op.create_table(
        "kept_answers",
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="Idempotency-Key of the request"),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False, comment="SHA-256"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("credential", "key", name="kept_answers_pkey"),
        comment="of writes that a client may send again, for a day",
    )
    op.create_index("kept_answers_created_at_idx", "kept_answers", ["created_at"])


def _boundaries() -> None:
    """What machine work rests on today was made of the boundaries that there are."""
    op.add_column(
        "field_boundaries",
        sa.Column(
            "worked_at",
            sa.DateTime(timezone=True),
            comment="when an analysis of machine work took it into account",
        ),
    )
    op.execute("UPDATE field_boundaries SET worked_at = now()")
