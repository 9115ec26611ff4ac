"""What ingest remembers of senders, who speaks unregistered, and what needs an operator."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the three tables, and what tells of gaps."""
    op.create_table(
        "sender_memory",
        sa.Column("sender", sa.Text(), nullable=False, comment="such as sparkplug:group/node"),
        sa.Column("said", JSONB(), nullable=False, comment="what its later messages refer to"),
        _moment("updated_at", now=True),
        sa.PrimaryKeyConstraint("sender", name="sender_memory_pkey"),
    )
    op.create_table(
        "unknown_devices",
        sa.Column("identity", sa.Text(), nullable=False, comment="as its messages carry it"),
        sa.Column("topic", sa.Text(), nullable=False, comment="of its newest message"),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        sa.PrimaryKeyConstraint("identity", name="unknown_devices_pkey"),
        comment="who speaks without being registered: an operator may claim it",
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="one of storage.alerts.KINDS"),
        sa.Column("subject", sa.Text(), nullable=False, comment="such as device:probe-7"),
        sa.Column("farm_id", sa.BigInteger()),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _moment("opened_at", now=True),
        _moment("cleared_at", nullable=True),
        _moment("acknowledged_at", nullable=True),
        sa.Column("acknowledged_by", sa.Text()),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name="alerts_farm_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="alerts_pkey"),
    )
    op.create_index("alerts_farm_id_idx", "alerts", ["farm_id"])
    op.create_index(
        "alerts_active_key",
        "alerts",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    _columns_of_gaps()


def _columns_of_gaps() -> None:
    op.add_column(
        "datastreams",
        sa.Column(
            "learned_interval_s", sa.Integer(), comment="as its readings came, where regular"
        ),
    )
    op.alter_column("datastreams", "expected_interval_s", comment="as an operator gave it")
    op.add_column(
        "device_sequences",
        sa.Column(
            "gap_since",
            sa.DateTime(timezone=True),
            comment="since when its lowest missing number has been missing",
        ),
    )
    op.add_column(
        "device_sequences",
        sa.Column(
            "given_up",
            INT8MULTIRANGE(),
            comment="missing numbers that an operator knows to be lost",
        ),
    )
    op.execute("""
        UPDATE device_sequences SET gap_since = now()
         WHERE lower(received) > 1 OR received <> int8multirange(range_merge(received))""")
    op.create_index(
        "device_sequences_gap_since_idx",
        "device_sequences",
        ["gap_since"],
        postgresql_where=sa.text("gap_since IS NOT NULL"),
    )


def _moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)
