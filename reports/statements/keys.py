"""Keys that were made known, and what each may sign."""

from __future__ import annotations

import sqlalchemy as sa

from reports.statements.signing import (
    BadSignature,
    KeyUnknown,
    Signature,
    SigningKey,
    header_of,
    public_key,
    verify,
)
from storage import countersignatures, filing
from storage.countersignatures import Over


def check_files(connection: sa.Connection, key: SigningKey) -> None:
    """KeyUnknown unless this service files with the key."""
    if not any(one.kid == key.kid and one.role == "files" for one in filing.keys(connection)):
        raise KeyUnknown(f"key {key.kid} files nothing yet: `dala report key` makes it known")


def countersign(
    connection: sa.Connection,
    over: Over,
    number: int,
    payload: bytes,
    signature: Signature,
    *,
    author: str,
    typ: str | None = None,
) -> None:
    """Keep somebody else's signature beside what this service signed.

    Raises
    ------
    reports.statements.signing.BadSignature
        If the signature is not over the bytes, or not of the type, or the key's second.
    KeyUnknown
        If its key has not been made known as one that countersigns.
    """
    kid = str(header_of(signature)["kid"])
    known = {one.kid: one for one in filing.keys(connection)}
    if kid not in known or known[kid].role != "countersigns":
        raise KeyUnknown(
            f"key {kid} is nobody's who countersigns: `dala report trust` makes it known"
        )
    verify(signature, payload, public_key(known[kid].jwk), typ=typ)
    if not countersignatures.add(
        connection, over, number, **signature._asdict(), kid=kid, received_by=author
    ):
        raise BadSignature(f"key {kid} has countersigned this already")


def countersigned(connection: sa.Connection, over: Over, number: int) -> list[Signature]:
    """The signatures of others that have come so far."""
    found = countersignatures.of(connection, over, number)
    return [Signature(one.protected, one.signature) for one in found]
