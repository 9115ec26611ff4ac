"""Devices that come into service and leave it: one way for the console and for the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import devices, profiles, tables
from storage.database import NotFound


class AlreadyRegistered(ValueError):
    """A device has this id or identity."""


# Of the id: it is a level of topics, and the name that its broker knows; ~2 ends its other name.
FORBIDDEN = frozenset("/+#$~: \t\r\n\x00")
LONGEST_ID = 200
RESERVED = "dala-"  # begins what the service itself is called at a broker
# Who speaks for the devices behind it, on topics of its own.
GATEWAYS = frozenset({"gateway", "network-server"})


def register(
    connection: sa.Connection, device_id: str, *, wire_id: str | None = None, **values: Any
) -> None:
    """Add a device that was not known, or was heard and not known; ``values`` as ``devices.put``.

    Raises
    ------
    ValueError
        If the id cannot be one, a gateway's topics cannot be its own, or there is no such profile;
        AlreadyRegistered, if a device has the id or the wire identity.
    """
    if not device_id or len(device_id) > LONGEST_ID or FORBIDDEN & set(device_id):
        raise ValueError(
            f"an id has 1 to {LONGEST_ID} characters, none of them a blank or one of / + # $ ~ :"
        )
    wire_id = None if wire_id is None else identity_of(wire_id)
    if device_id.startswith(RESERVED):
        raise ValueError(f"an id does not begin with {RESERVED}: the service's own accounts do")
    check_topics(values["kind"], values.get("topic_filters"))
    _check_profile(values)
    wanted = [device_id, *([wire_id] if wire_id else [])]
    if found := devices.by_identity(connection, wanted):
        raise AlreadyRegistered(f"a device is registered as {next(iter(found))!r}")
    table = tables.devices
    # Another's device is not seen here, and still has the id.
    statement = insert(table).values(id=device_id, wire_id=wire_id, **values)
    added = statement.on_conflict_do_nothing().returning(table.c.id)
    if connection.scalar(added) is None:
        raise AlreadyRegistered(f"a device is registered as {device_id!r} or {wire_id!r}")


def identity_of(written: str) -> str:
    """An identity as messages carry it: a DevEUI is in lower case, whatever its label says."""
    return written.lower() if written.lower().startswith("lora:") else written


def id_of(identity: str) -> str:
    """The identity itself where it can be a level of a topic; else with what it may not have."""
    return "".join("-" if letter in FORBIDDEN else letter for letter in identity)


def topic_filters(connection: sa.Connection, device_id: str) -> Sequence[str]:
    """Topics that a gateway was given; none of other devices."""
    table = tables.devices.c
    query = sa.select(table.topic_filters).where(table.id == device_id)
    return connection.scalar(query) or ()


def set_disabled(connection: sa.Connection, device_id: str, *, disabled: bool) -> None:
    """Take a device out of service, or bring it back; NotFound if there is none of this id."""
    change(connection, device_id, disabled=disabled)


def change(connection: sa.Connection, device_id: str, **values: Any) -> None:
    """Change what was said of a device; NotFound if there is none of this id.

    ValueError, if it is given a profile that there is not.
    """
    _check_profile(values)
    table = tables.devices
    statement = sa.update(table).where(table.c.id == device_id).values(**values)
    if connection.execute(statement).rowcount == 0:
        raise NotFound(f"device {device_id!r}")


def _check_profile(values: Mapping[str, Any]) -> None:
    if values.get("profile") is not None:
        profiles.check(values["profile"])


def check_topics(kind: str, filters: Sequence[str] | None) -> None:
    """Refuse topics that are not for a gateway to speak on; ValueError says why."""
    if filters and kind not in GATEWAYS:
        raise ValueError(f"topics are for {' and '.join(sorted(GATEWAYS))}: a {kind} has its own")
    for one in filters or ():
        levels = one.split("/")
        if not one or len(one) > 500 or "\x00" in one:
            raise ValueError("a topic has 1 to 500 characters")
        if levels[0].startswith("$") or levels[0] in {"", "dala", "+", "#"}:
            raise ValueError(
                f"{one!r} is not for a gateway: its first level is a name of its own, not dala"
            )
        if any("#" in part and part != "#" for part in levels) or "#" in levels[:-1]:
            raise ValueError(f"{one!r}: # stands alone, at the end")
        if any("+" in part and part != "+" for part in levels):
            raise ValueError(f"{one!r}: + stands alone between slashes")
