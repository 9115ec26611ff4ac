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


def standing(name: str, *columns: str) -> sa.Index:
    """Of rows alike in these columns one stands at most; those withdrawn may be many."""
    return sa.Index(name, *columns, unique=True, postgresql_where=sa.text("withdrawn_at IS NULL"))


def number(name: str, *, nullable: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def document(name: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"))
