"""Who may do what: accounts and their sessions, clients and their keys, and the book of deeds."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables of people, of programs, and of what they did."""
    _people()
    _programs()
    op.create_table(
        "audit_log",
        _id(),
        _moment("at", now=True),
        sa.Column("actor", sa.Text(), nullable=False, comment="account:… , client:… or console"),
        sa.Column("action", sa.Text(), nullable=False, comment="such as account.create"),
        sa.Column("object", sa.Text(), nullable=False, comment="such as account:anna"),
        sa.Column("farm_id", sa.BigInteger(), comment="whose business it is, where it is a farm's"),
        sa.Column("request_id", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_log_pkey"),
    )
    op.create_index("audit_log_at_idx", "audit_log", ["at"])
    op.create_index("audit_log_farm_id_at_idx", "audit_log", ["farm_id", "at"])


def _people() -> None:
    op.create_table(
        "accounts",
        _id(),
        sa.Column("login", sa.Text(), nullable=False, comment="in lower case"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), comment="argon2id; none: signs in some other way"),
        sa.Column("role", sa.Text(), nullable=False),
        _array("farm_ids", sa.BigInteger(), "farms it sees"),
        _array("regions", sa.Text(), "beginnings of the codes of regions it sees"),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        _switch("disabled"),
        sa.Column("federated_subject", sa.Text(), comment="OpenID Connect: issuer and sub"),
        _moment("created_at", now=True),
        _moment("password_changed_at", nullable=True),
        _moment("last_sign_in_at", nullable=True),
        sa.CheckConstraint(
            "role IN ('administrator', 'agronomist', 'operator', 'ministry', 'reader')",
            name="accounts_role_check",
        ),
        sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name="accounts_language_check"),
        sa.PrimaryKeyConstraint("id", name="accounts_pkey"),
        sa.UniqueConstraint("login", name="accounts_login_key"),
        sa.UniqueConstraint("federated_subject", name="accounts_federated_subject_key"),
    )
    op.create_table(
        "sessions",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        _hash("token_hash"),
        _moment("created_at", now=True),
        _moment("last_seen_at", now=True),
        _moment("expires_at"),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="sessions_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="sessions_pkey"),
        sa.UniqueConstraint("token_hash", name="sessions_token_hash_key"),
    )
    op.create_index("sessions_account_id_idx", "sessions", ["account_id"])
    op.create_table(
        "sign_in_links",
        _hash("token_hash"),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        _moment("expires_at"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="sign_in_links_account_id_fkey"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="sign_in_links_pkey"),
        comment="for a forgotten password, once; gone when used",
    )
    op.create_index("sign_in_links_account_id_idx", "sign_in_links", ["account_id"])
    op.create_table(
        "sign_in_failures",
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="login:…, known or not, or address:…"
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        _moment("last_at"),
        _moment("blocked_until", nullable=True, comment="no attempt is looked at before"),
        sa.PrimaryKeyConstraint("subject", name="sign_in_failures_pkey"),
    )


def _programs() -> None:
    op.create_table(
        "api_clients",
        _id(),
        sa.Column("name", sa.Text(), nullable=False, comment="also its OAuth2 client id"),
        _array("scopes", sa.Text(), "what it may do"),
        _switch("everything"),
        _array("farm_ids", sa.BigInteger(), "farms it sees"),
        _array("regions", sa.Text(), "beginnings of the codes of regions it sees"),
        sa.Column("jwks", JSONB(), comment="public keys for private_key_jwt (RFC 7523)"),
        _switch("disabled"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name="api_clients_pkey"),
        sa.UniqueConstraint("name", name="api_clients_name_key"),
    )
    op.create_table(
        "api_keys",
        _id(),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        _hash("key_hash"),
        sa.Column(
            "beginning", sa.Text(), nullable=False, comment="by which people tell keys apart"
        ),
        _moment("created_at", now=True),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        _moment("last_used_at", nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"], name="api_keys_client_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="api_keys_pkey"),
        sa.UniqueConstraint("key_hash", name="api_keys_key_hash_key"),
        comment="a client may have several that live, so that one replaces another without a gap",
    )
    op.create_index("api_keys_client_id_idx", "api_keys", ["client_id"])
    op.create_table(
        "access_tokens",
        _hash("token_hash"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        _array("scopes", sa.Text(), "of those of its client"),
        sa.Column(
            "regions", ARRAY(sa.Text()), comment="narrower than its client's; none: all of them"
        ),
        _moment("expires_at"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_clients.id"], name="access_tokens_client_id_fkey"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="access_tokens_pkey"),
    )
    op.create_index("access_tokens_client_id_idx", "access_tokens", ["client_id"])
    op.create_index("access_tokens_expires_at_idx", "access_tokens", ["expires_at"])
    op.create_table(
        "client_assertions",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        _moment("expires_at"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_clients.id"], name="client_assertions_client_id_fkey"
        ),
        sa.PrimaryKeyConstraint("client_id", "jti", name="client_assertions_pkey"),
        comment="assertions that were used: none counts twice",
    )
    op.create_index("client_assertions_expires_at_idx", "client_assertions", ["expires_at"])


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _hash(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, comment="SHA-256")


def _switch(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _array(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[object]:
    return sa.Column(name, ARRAY(kind), server_default="{}", nullable=False, comment=comment)


def _moment(
    name: str, *, now: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=default,
        comment=comment,
    )
