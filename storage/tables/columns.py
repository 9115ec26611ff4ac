"""The metadata that all tables share, and columns that many of them have."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[Any]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def noted(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


def in_batch() -> sa.Column[Any]:
    return sa.Column("batch_id", sa.BigInteger, comment="none: stored before batches were")


def who(name: str) -> sa.Column[Any]:
    comment = "as the book of deeds has it; empty: not entered by a person"
    return sa.Column(name, sa.Text, nullable=False, server_default="", comment=comment)


def of_subject(area: str = "none: of a farm") -> tuple[sa.schema.SchemaItem, ...]:
    """Of a farm or of an area, and the one text that says which; ``area`` is a comment."""
    return (
        sa.Column("subject", sa.Text, nullable=False, comment="farm:12 or area:KZ-61"),
        sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True, comment="none: of an area"),
        sa.Column("area_code", sa.Text, comment=area),
        sa.CheckConstraint("(farm_id IS NULL) <> (area_code IS NULL)", name="subject"),
    )


def on_behalf() -> tuple[sa.schema.SchemaItem, ...]:
    """Who asked for what goes on until it is ended, and by whose rights it does; see Behalf."""
    return (
        sa.Column("account_id", sa.ForeignKey("accounts.id"), comment="whose rights hold"),
        sa.Column("client_id", sa.ForeignKey("api_clients.id"), comment="whose rights hold"),
        sa.Column("created_by", sa.Text, nullable=False),
        moment("created_at", now=True),
        moment("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text),
        sa.CheckConstraint("account_id IS NULL OR client_id IS NULL", name="behalf"),
    )


def by_others(over: str, key: str) -> tuple[sa.schema.SchemaItem, ...]:
    """Signatures over what a column names, by its key; see storage.countersignatures."""
    return (
        identity(),
        sa.Column(over, sa.ForeignKey(key), nullable=False),
        sa.Column("protected", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("kid", sa.ForeignKey("report_keys.kid"), nullable=False),
        sa.Column("received_by", sa.Text, nullable=False),
        moment("received_at", now=True),
        sa.UniqueConstraint(over, "kid"),
    )


def standing(name: str, *columns: str) -> sa.Index:
    """Of rows alike in these columns one stands at most; those withdrawn may be many."""
    return sa.Index(name, *columns, unique=True, postgresql_where=sa.text("withdrawn_at IS NULL"))


def number(name: str, *, nullable: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def document(name: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"))
