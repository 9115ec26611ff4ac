"""When each device was last heard from, kept where it is stored instead of looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table, and what the readings and track points know so far."""
    op.create_table(
        "device_heard",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="device_heard_device_id_fkey"),
        sa.PrimaryKeyConstraint("device_id", name="device_heard_pkey"),
        comment="when something of a device was last stored; exact to a minute",
    )
    op.execute("""
        INSERT INTO device_heard (device_id, received_at)
        SELECT id, seen
          FROM (SELECT device.id, greatest(
                    (SELECT max(newest.received_at)
                       FROM datastreams
                 CROSS JOIN LATERAL (SELECT received_at FROM readings
                                      WHERE datastream_id = datastreams.id
                                   ORDER BY time DESC LIMIT 1) AS newest
                      WHERE datastreams.device_id = device.id),
                    (SELECT received_at FROM track_points
                      WHERE track_points.device_id = device.id
                   ORDER BY time DESC LIMIT 1)) AS seen
                  FROM devices AS device) AS found
         WHERE seen IS NOT NULL""")
