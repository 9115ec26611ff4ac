"""Devices that come into service, leave it, and get a token of their own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage import devices, tables
from storage.database import NotFound
from storage.unknown import AlreadyRegistered

# Of the id: it is a level of topics, and the name that its broker knows.
FORBIDDEN = frozenset("/+#$: \t\r\n\x00")
LONGEST_ID = 200


def register(
    connection: sa.Connection, device_id: str, *, wire_id: str | None = None, **values: Any
) -> None:
    """Add a device that was not known; ``values`` are as in ``devices.put``.

    Raises
    ------
    ValueError
        If the id cannot be one, or AlreadyRegistered, if a device has it or the wire identity.
    """
    if not device_id or len(device_id) > LONGEST_ID or FORBIDDEN & set(device_id):
        raise ValueError(
            f"an id has 1 to {LONGEST_ID} characters, none of them a blank or one of / + # $ :"
        )
    wanted = [device_id, *([wire_id] if wire_id else [])]
    if found := devices.by_identity(connection, wanted):
        raise AlreadyRegistered(f"a device is registered as {next(iter(found))!r}")
    devices.put(connection, device_id, wire_id=wire_id, **values)
    waiting = tables.unknown_devices
    connection.execute(waiting.delete().where(waiting.c.identity.in_(wanted)))


def set_disabled(connection: sa.Connection, device_id: str, *, disabled: bool) -> None:
    """Take a device out of service, or bring it back; NotFound if there is none of this id."""
    table = tables.devices
    statement = table.update().where(table.c.id == device_id).values(disabled=disabled)
    if connection.execute(statement).rowcount == 0:
        raise NotFound(f"device {device_id!r}")
