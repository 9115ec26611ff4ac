"""What changed, told with the change itself."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.columns import metadata

changes = sa.Table(
    "changes",
    metadata,
    sa.Column(
        "xact",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default=sa.text("pg_current_xact_id()::text::bigint"),
    ),
    sa.Column(
        "subject", sa.Text, primary_key=True, comment="places, farm:…, account:… or client:…"
    ),
    sa.Column(
        "at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True
    ),
    comment="what a transaction changed; kept for a day",
)
