"""Keys that were made known, and what each may sign."""

from __future__ import annotations

import sqlalchemy as sa

from reports.statements.signing import (
    KeyUnknown,
    Signature,
    SigningKey,
    header_of,
    public_key,
    verify,
)
from storage import filing


def check_files(connection: sa.Connection, key: SigningKey) -> None:
    """KeyUnknown unless this service files with the key."""
    if not any(one.kid == key.kid and one.role == "files" for one in filing.keys(connection)):
        raise KeyUnknown(f"key {key.kid} files nothing yet: `dala report key` makes it known")


def check_countersigns(
    connection: sa.Connection, signature: Signature, payload: bytes, *, typ: str | None = None
) -> str:
    """See that somebody who may countersign signed these bytes, and say with which key.

    Raises
    ------
    reports.statements.signing.BadSignature
        If the signature is not over the bytes, or not of the type.
    KeyUnknown
        If its key has not been made known.
    """
    kid = str(header_of(signature)["kid"])
    known = {one.kid: one for one in filing.keys(connection)}
    if kid not in known or known[kid].role != "countersigns":
        raise KeyUnknown(
            f"key {kid} is nobody's who countersigns: `dala report trust` makes it known"
        )
    verify(signature, payload, public_key(known[kid].jwk), typ=typ)
    return kid
