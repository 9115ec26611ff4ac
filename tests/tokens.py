"""The token that the database knows of a device."""

import sqlalchemy as sa

from storage import credentials
from storage.credentials import Token


def only_token(connection: sa.Connection, device_id: str) -> Token:
    """The one that a device may come with; it has no other."""
    found = credentials.find(connection, device_id)
    assert found is not None
    (token,) = found.tokens
    return token
