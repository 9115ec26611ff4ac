"""What told of alerts tells of filed reports too: one table of wishes, one queue of messages."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

WISHES, QUEUE = "subscriptions", "deliveries"


_NAMES = sa.text("""
    SELECT conname, contype::text FROM pg_constraint WHERE conrelid = CAST(:table AS regclass)
""")


def upgrade() -> None:
    """Give both tables the names of what they hold now, and room for reports."""
    for name in (WISHES, QUEUE):
        _rename(name)
    op.execute("ALTER INDEX alert_subscriptions_farm_id_idx RENAME TO subscriptions_farm_id_idx")
    op.execute("ALTER INDEX alert_deliveries_due_idx RENAME TO deliveries_due_idx")
    _wishes()
    _queue()
    op.create_index("report_revisions_filed_at_idx", "report_revisions", ["filed_at"])


def _wishes() -> None:
    for column in (
        sa.Column("topic", sa.Text()),
        sa.Column("subject", sa.Text(), comment="farm:12 or area:KZ-61"),
        sa.Column("area_code", sa.Text(), comment="none: of a farm; with all that lies in it"),
        sa.Column(
            "told_until",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of reports: the revision up to which messages are in the queue",
        ),
        sa.Column("account_id", sa.BigInteger(), comment="whose rights hold"),
        sa.Column("client_id", sa.BigInteger(), comment="whose rights hold"),
    ):
        op.add_column(WISHES, column)
    op.execute("UPDATE subscriptions SET topic = 'alerts', subject = 'farm:' || farm_id")
    op.alter_column(WISHES, "topic", nullable=False)
    op.alter_column(WISHES, "subject", nullable=False)
    op.alter_column(WISHES, "farm_id", nullable=True, comment="none: of an area")
    op.alter_column(WISHES, "min_severity", nullable=True, server_default=None, comment="of alerts")
    op.create_foreign_key(f"{WISHES}_account_id_fkey", WISHES, "accounts", ["account_id"], ["id"])
    op.create_foreign_key(f"{WISHES}_client_id_fkey", WISHES, "api_clients", ["client_id"], ["id"])
    _check(
        WISHES,
        topic="topic IN ('alerts', 'reports')",
        subject="(farm_id IS NULL) <> (area_code IS NULL)",
        alerts="topic = 'reports' OR farm_id IS NOT NULL",
        channel="channel IN ('webhook', 'email')",
        min_severity="(topic = 'alerts') = (min_severity IS NOT NULL) "
        "AND min_severity IN ('info', 'warning', 'critical')",
        language="language IN ('kk', 'ru', 'en')",
        behalf="account_id IS NULL OR client_id IS NULL",
    )
    op.create_table_comment(
        WISHES, "who wants to hear of a farm's alerts, or of reports; ended, never deleted"
    )


def _queue() -> None:
    # Whose farm's it is, is said by its subscription.
    op.drop_column(QUEUE, "farm_id")
    op.drop_constraint("deliveries_alert_id_subscription_id_event_key", QUEUE)
    op.alter_column(QUEUE, "alert_id", nullable=True)
    op.add_column(QUEUE, sa.Column("revision_id", sa.BigInteger(), comment="of a report"))
    op.create_foreign_key(
        f"{QUEUE}_revision_id_fkey", QUEUE, "report_revisions", ["revision_id"], ["id"]
    )
    _check(
        QUEUE,
        event="(alert_id IS NOT NULL AND revision_id IS NULL AND event IN ('opened', 'cleared')) "
        "OR (alert_id IS NULL AND revision_id IS NOT NULL AND event IN ('filed', 'revised'))",
        status="status IN ('pending', 'sent', 'given-up')",
    )
    op.create_unique_constraint(
        f"{QUEUE}_news_key",
        QUEUE,
        ["subscription_id", "alert_id", "revision_id", "event"],
        postgresql_nulls_not_distinct=True,
    )


def _rename(table: str) -> None:
    """Rename a table with all that goes by its name; checks are made anew, under plain names."""
    old = f"alert_{table}"
    op.rename_table(old, table)
    op.execute(f"ALTER SEQUENCE {old}_id_seq RENAME TO {table}_id_seq")
    for name, kind in op.get_bind().execute(_NAMES, {"table": table}).all():
        if kind == "c":
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        else:
            to = name.replace(old, table, 1)
            op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO {to}")


def _check(table: str, **conditions: str) -> None:
    for name, condition in conditions.items():
        op.create_check_constraint(op.f(f"{table}_{name}_check"), table, condition)
