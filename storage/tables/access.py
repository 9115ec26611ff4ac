"""Who may: accounts, keys, tokens, and the book of who did what."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage.tables.columns import document, identity, metadata, moment, noted


def _array(name: str, kind: type[sa.types.TypeEngine[Any]], comment: str) -> sa.Column[Any]:
    return sa.Column(name, ARRAY(kind), nullable=False, server_default="{}", comment=comment)


accounts = sa.Table(
    "accounts",
    metadata,
    identity(),
    sa.Column("login", sa.Text, nullable=False, unique=True, comment="in lower case"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, comment="argon2id; none: signs in some other way"),
    sa.Column("role", sa.Text, nullable=False),
    _array("farm_ids", sa.BigInteger, "farms it sees"),
    _array("regions", sa.Text, "beginnings of the codes of regions it sees"),
    sa.Column("language", sa.Text, nullable=False, server_default="en"),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("federated_subject", sa.Text, unique=True, comment="OpenID Connect: issuer and sub"),
    moment("created_at", now=True),
    moment("password_changed_at", nullable=True),
    moment("last_sign_in_at", nullable=True),
    sa.CheckConstraint(
        "role IN ('administrator', 'agronomist', 'operator', 'ministry', 'reader')", name="role"
    ),
    sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name="language"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    identity(),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256"),
    moment("created_at", now=True),
    moment("last_seen_at", now=True),
    moment("expires_at"),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True, comment="SHA-256"),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("made_by", sa.Text, nullable=False),
    moment("expires_at"),
    comment="for a forgotten password, once; gone when used",
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True, comment="login:…, known or not, or address:…"),
    sa.Column("failures", sa.Integer, nullable=False),
    moment("last_at"),
    noted("blocked_until", "no attempt is looked at before"),
)

api_clients = sa.Table(
    "api_clients",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False, unique=True, comment="also its OAuth2 client id"),
    _array("scopes", sa.Text, "what it may do"),
    sa.Column("everything", sa.Boolean, nullable=False, server_default=sa.false()),
    _array("farm_ids", sa.BigInteger, "farms it sees"),
    _array("regions", sa.Text, "beginnings of the codes of regions it sees"),
    sa.Column("jwks", JSONB, comment="public keys for private_key_jwt (RFC 7523)"),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_by", sa.Text, nullable=False),
    moment("created_at", now=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    identity(),
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), nullable=False, index=True),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256"),
    sa.Column("beginning", sa.Text, nullable=False, comment="by which people tell keys apart"),
    moment("created_at", now=True),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    comment="a client may have several that live, so that one replaces another without a gap",
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True, comment="SHA-256"),
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), nullable=False, index=True),
    _array("scopes", sa.Text, "of those of its client"),
    sa.Column("regions", ARRAY(sa.Text), comment="narrower than its client's; none: all of them"),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

client_assertions = sa.Table(
    "client_assertions",
    metadata,
    sa.Column("client_id", sa.ForeignKey("api_clients.id"), primary_key=True),
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    comment="assertions that were used: none counts twice",
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    identity(),
    moment("at", now=True),
    sa.Column("actor", sa.Text, nullable=False, comment="account:… , client:… or console"),
    sa.Column("action", sa.Text, nullable=False, comment="such as account.create"),
    sa.Column("object", sa.Text, nullable=False, comment="such as account:anna"),
    sa.Column("farm_id", sa.BigInteger, comment="whose business it is, where it is a farm's"),
    sa.Column("request_id", sa.Text),
    sa.Column("address", sa.Text),
    document("details"),
    sa.Index("audit_log_at_idx", "at"),
    sa.Index("audit_log_farm_id_at_idx", "farm_id", "at"),
)

kept_answers = sa.Table(
    "kept_answers",
    metadata,
    sa.Column("credential", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True, comment="Idempotency-Key of the request"),
    sa.Column("request_hash", sa.LargeBinary, nullable=False, comment="SHA-256"),
    sa.Column("status", sa.SmallInteger, nullable=False),
    document("headers"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column(
        "created_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        index=True,
    ),
    comment="of writes that a client may send again, for a day",
)
