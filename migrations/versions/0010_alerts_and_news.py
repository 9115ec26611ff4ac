"""Rules of alerts, who hears of them, and what is news for event streams."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the tables, and triggers that make news of what changes."""
    op.add_column("alerts", sa.Column("note", sa.Text(), comment="of whoever acknowledged it"))
    op.create_index("alerts_kind_subject_id_idx", "alerts", ["kind", "subject", "id"])
    op.create_index("alerts_opened_at_idx", "alerts", ["opened_at"])
    op.create_index("alerts_cleared_at_idx", "alerts", ["cleared_at"])
    _rules()
    _subscriptions()
    _deliveries()
    op.create_table(
        "live_news",
        _id(),
        sa.Column(
            "xact",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
            comment="the transaction that says so: what came before it and may yet commit is known",
        ),
        _moment("at", now=True),
        _array("datastream_ids", sa.Integer()),
        _array("device_ids", sa.Text()),
        _array("alert_ids", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="live_news_pkey"),
        comment="what changed lately, for event streams; kept for an hour",
    )
    op.create_index("live_news_xact_idx", "live_news", ["xact"])
    _is_news("alerts", "alert_ids", "INSERT", "UPDATE")
    _is_news("devices", "device_ids", "INSERT", "UPDATE")


def _rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="one of storage.alerts.KINDS"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("parameters", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _moment("changed_at", now=True),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name="alert_rules_farm_id_fkey"),
        sa.PrimaryKeyConstraint("farm_id", "kind", name="alert_rules_pkey"),
        comment="where a farm's rules differ from the defaults",
    )


def _subscriptions() -> None:
    name = "alert_subscriptions"
    op.create_table(
        name,
        _id(),
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="URL, or address of mail"),
        _array("kinds", sa.Text(), "none: every kind"),
        sa.Column("min_severity", sa.Text(), server_default="warning", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("secret", sa.Text(), comment="of a webhook: what its messages are signed with"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text()),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name=f"{name}_channel_check"),
        sa.CheckConstraint(
            "min_severity IN ('info', 'warning', 'critical')", name=f"{name}_min_severity_check"
        ),
        sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name=f"{name}_language_check"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=f"{name}_farm_id_fkey"),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        comment="who wants to hear of a farm's alerts; ended, never deleted",
    )
    op.create_index(f"{name}_farm_id_idx", name, ["farm_id"])


def _deliveries() -> None:
    name = "alert_deliveries"
    op.create_table(
        name,
        _id(),
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _moment("next_attempt_at", now=True),
        sa.Column("last_error", sa.Text()),
        _moment("created_at", now=True),
        _moment("sent_at", nullable=True),
        sa.CheckConstraint("event IN ('opened', 'cleared')", name=f"{name}_event_check"),
        sa.CheckConstraint(
            "status IN ('pending', 'sent', 'given-up')", name=f"{name}_status_check"
        ),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=f"{name}_farm_id_fkey"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=f"{name}_alert_id_fkey"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["alert_subscriptions.id"],
            name=f"{name}_subscription_id_fkey",
        ),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.UniqueConstraint(
            "alert_id",
            "subscription_id",
            "event",
            name=f"{name}_alert_id_subscription_id_event_key",
        ),
        comment="one message to one subscriber; tried again until it arrives or is given up",
    )
    op.create_index(f"{name}_farm_id_id_idx", name, ["farm_id", "id"])
    op.create_index(
        f"{name}_due_idx",
        name,
        ["next_attempt_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def _is_news(table: str, column: str, *events: str) -> None:
    # Whoever writes, the news is written with it; under the right of who migrates, since the
    # API's role may not write news itself. pg_temp comes last, or that role could put a table of
    # its own in the place of ours.
    base = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    op.execute(f"""
        CREATE FUNCTION {table}_are_news() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {base}, pg_temp AS $$
        BEGIN
            INSERT INTO live_news ({column})
            SELECT array_agg(id) FROM changed HAVING count(*) > 0;
            RETURN NULL;
        END $$
    """)  # noqa: S608 - names of this module
    op.execute(f"REVOKE ALL ON FUNCTION {table}_are_news() FROM PUBLIC")
    for event in events:
        op.execute(f"""
            CREATE TRIGGER {table}_are_news_on_{event.lower()} AFTER {event} ON {table}
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
            EXECUTE FUNCTION {table}_are_news()
        """)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _array(
    name: str, kind: sa.types.TypeEngine[Any], comment: str | None = None
) -> sa.Column[object]:
    return sa.Column(name, ARRAY(kind), server_default="{}", nullable=False, comment=comment)
