"""Crop zones say since when they are there, as all else that people enter does."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Of those that are there nobody knows: they are taken to be as old as their fields."""
    op.add_column(
        "crop_zones",
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
    )
    op.execute("""
        UPDATE crop_zones SET created_at = fields.created_at
          FROM fields WHERE fields.id = crop_zones.field_id
    """)
