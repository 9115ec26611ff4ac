"""How well a device is heard, beside when it was: networks say so where devices do not."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the columns; what was said of uplinks of before was not kept."""
    op.add_column(
        "device_heard",
        sa.Column("signal_dbm", sa.Double(), comment="of the gateway that heard it best"),
    )
    op.add_column(
        "device_heard",
        sa.Column(
            "signal_at",
            sa.DateTime(timezone=True),
            comment="arrival of the message that this was said of",
        ),
    )
