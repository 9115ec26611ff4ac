"""With what devices come to the broker: tokens, one after another, and what Mosquitto knows.

A device comes as its id, and after a token was replaced while the old one stays good for a while,
as the other of two names: Mosquitto keeps one password for a name. Of a token only its hash is
kept; sealed (:mod:`storage.sealing`) it waits for the one process that tells Mosquitto.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables
from storage.database import NotFound
from storage.sealing import Seal

SECOND = "~2"  # ends the other name of a device


class Token(NamedTuple):
    """One of the tokens that a device may come with."""

    username: str
    token_hash: str  # SHA-256, in hex
    is_old: bool  # it was replaced, and is good until the new one is used
    is_used: bool  # a device came with it before


class Credential(NamedTuple):
    """What a broker needs to let a device in."""

    tokens: Sequence[Token]
    kind: str
    disabled: bool
    topic_filters: Sequence[str]


class Known(NamedTuple):
    """A credential as people see it."""

    username: str
    created_at: dt.datetime
    ends_at: dt.datetime | None
    first_used_at: dt.datetime | None
    at_broker: bool  # the broker has it as it is
    failure: str | None


class Issued(NamedTuple):
    """A new credential; the token is in it this once."""

    username: str
    token: str
    replaced_until: dt.datetime | None  # how long the one before stays good


_TABLE = tables.device_credentials
_now = sa.func.now()


def make_token() -> str:
    """256 random bits, as text for people and firmware to copy.

    It begins with no dash: to a spreadsheet that is a formula, and to a program an option.
    """
    while (token := secrets.token_urlsafe(32)).startswith("-"):
        pass
    return token


def hash_token(token: str) -> str:
    """What the database keeps of a token: nothing to guess in it, so a fast hash is right."""
    return hashlib.sha256(token.encode()).hexdigest()


def device_of(username: str) -> str:
    """The id of the device that comes with this name."""
    return username.removesuffix(SECOND)


def issue(
    connection: sa.Connection,
    device_id: str,
    *,
    overlap: dt.timedelta = dt.timedelta(),
    seal: Seal | None = None,
) -> Issued:
    """Make a device's next token; NotFound if there is no such device.

    With an overlap it has another name, and the one before stays good until the new one is first
    used, or so long. Without, the name stays and the one before is worth nothing at once.
    """
    token = make_token()
    username, until = _put(connection, device_id, hash_token(token), overlap, seal, token)
    return Issued(username, token, until)


def set_credential(connection: sa.Connection, device_id: str, token_hash: str) -> None:
    """Replace the credential of a device at once; NotFound if there is no such device."""
    _put(connection, device_id, token_hash, dt.timedelta(), None, "")


def _put(
    connection: sa.Connection,
    device_id: str,
    token_hash: str,
    overlap: dt.timedelta,
    seal: Seal | None,
    token: str,
) -> tuple[str, dt.datetime | None]:
    device = tables.devices.c
    held = sa.select(device.id).where(device.id == device_id).with_for_update()
    if connection.scalar(held) is None:
        raise NotFound(f"device {device_id!r}")
    current = connection.scalar(
        sa.select(_TABLE.c.username).where(
            _TABLE.c.device_id == device_id, _TABLE.c.ends_at.is_(None)
        )
    )
    username, until = current or device_id, None
    if current is not None and overlap:
        username = device_id if current != device_id else device_id + SECOND
        ending = sa.update(_TABLE).where(_TABLE.c.username == current)
        until = connection.scalar(ending.values(ends_at=_now + overlap).returning(_TABLE.c.ends_at))
    else:
        others = sa.and_(_TABLE.c.device_id == device_id, _TABLE.c.username != username)
        connection.execute(sa.update(_TABLE).where(others).values(ends_at=_now))
    fresh = {
        "token_hash": token_hash,
        "created_at": _now,
        "ends_at": None,
        "first_used_at": None,
        "sealed_token": None if seal is None else seal.close(username, token),
        "failure": None,
    }
    statement = insert(_TABLE).values(username=username, device_id=device_id, **fresh)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["username"],
            set_=fresh | {"revision": _TABLE.c.revision + 1},
            where=_TABLE.c.device_id == device_id,
        )
    )
    return username, until


def find(connection: sa.Connection, device_id: str) -> Credential | None:
    """What a broker needs to know of a device; None if there is no such device."""
    device = tables.devices.c
    query = sa.select(device.kind, device.disabled, device.topic_filters)
    row = connection.execute(query.where(device.id == device_id)).one_or_none()
    if row is None:
        return None
    live = sa.or_(_TABLE.c.ends_at.is_(None), _TABLE.c.ends_at > _now)
    old, used = _TABLE.c.ends_at.is_not(None), _TABLE.c.first_used_at.is_not(None)
    query = sa.select(_TABLE.c.username, _TABLE.c.token_hash, old, used)
    tokens = connection.execute(query.where(_TABLE.c.device_id == device_id, live))
    return Credential(
        [Token(*tuple(one)) for one in tokens], row.kind, row.disabled, row.topic_filters or ()
    )


def note_used(connection: sa.Connection, username: str, *, if_told: bool = False) -> None:
    """A device came with its newest token: the one before is worth nothing from now on.

    ``if_told``: the broker knew it then. Before, who came under its name came with the one before.
    """
    told = _TABLE.c.applied.is_not_distinct_from(_TABLE.c.revision)
    used = (
        sa.update(_TABLE)
        .where(
            _TABLE.c.username == username,
            _TABLE.c.ends_at.is_(None),
            _TABLE.c.first_used_at.is_(None),
            told if if_told else sa.true(),
        )
        .values(first_used_at=_now)
        .returning(_TABLE.c.device_id)
    )
    device_id = connection.scalar(used)
    if device_id is not None:
        before = sa.and_(_TABLE.c.device_id == device_id, _TABLE.c.ends_at > _now)
        connection.execute(sa.update(_TABLE).where(before).values(ends_at=_now))


def state(connection: sa.Connection) -> tuple[int, ...]:
    """Numbers that change whenever a credential, or the device that has it, does."""
    table = _TABLE.c
    over = sa.func.count().filter(table.ends_at <= _now)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(table.revision), 0), over)
    return tuple(int(one) for one in connection.execute(query).one())


def of_device(connection: sa.Connection, device_id: str) -> list[Known]:
    """Credentials of a device that are good, the newest first."""
    table = _TABLE.c
    query = (
        sa.select(
            table.username,
            table.created_at,
            table.ends_at,
            table.first_used_at,
            sa.and_(table.failure.is_(None), table.applied.is_not_distinct_from(table.revision)),
            table.failure,
        )
        .where(table.device_id == device_id, sa.or_(table.ends_at.is_(None), table.ends_at > _now))
        .order_by(table.created_at.desc())
    )
    return [Known(*row) for row in connection.execute(query)]


# --- what Mosquitto is told -----------------------------------------------------------------------


class Change(NamedTuple):
    """A credential that Mosquitto has to be told of."""

    username: str
    device_id: str
    kind: str
    disabled: bool
    topic_filters: Sequence[str]
    sealed_token: str | None
    revision: int
    is_over: bool  # it is to go


_CHANGE = sa.select(
    _TABLE.c.username,
    _TABLE.c.device_id,
    tables.devices.c.kind,
    tables.devices.c.disabled,
    sa.func.coalesce(tables.devices.c.topic_filters, sa.literal_column("'{}'::text[]")),
    _TABLE.c.sealed_token,
    _TABLE.c.revision,
    sa.func.coalesce(_TABLE.c.ends_at <= _now, False),
).join(tables.devices, tables.devices.c.id == _TABLE.c.device_id)


def everyone(connection: sa.Connection) -> list[Change]:
    """Every credential that is good, by user name, whether Mosquitto was told of it or not."""
    good = sa.or_(_TABLE.c.ends_at.is_(None), _TABLE.c.ends_at > _now)
    query = _CHANGE.where(good).order_by(_TABLE.c.username)
    return [Change(*row) for row in connection.execute(query)]


def changes(connection: sa.Connection, *, limit: int | None = 100) -> list[Change]:
    """What Mosquitto has not been told yet, credentials that are over first."""
    pending = _TABLE.c.applied.is_distinct_from(_TABLE.c.revision)
    over = _CHANGE.where(_TABLE.c.ends_at <= _now).order_by(_TABLE.c.ends_at).limit(limit)
    found = [Change(*row) for row in connection.execute(over)]
    # A new one after whatever came before it.
    rest = _CHANGE.where(pending, sa.or_(_TABLE.c.ends_at.is_(None), _TABLE.c.ends_at > _now))
    rest = rest.order_by(_TABLE.c.username).limit(limit)
    return found + [Change(*row) for row in connection.execute(rest)]


def applied(connection: sa.Connection, change: Change, failure: str | None = None) -> None:
    """Mosquitto was told of a change, or can never be, and why; a later change is told anew."""
    same = sa.and_(_TABLE.c.username == change.username, _TABLE.c.revision == change.revision)
    if change.is_over:
        connection.execute(sa.delete(_TABLE).where(same, _TABLE.c.ends_at <= _now))
        return
    statement = sa.update(_TABLE).where(same)
    connection.execute(
        statement.values(applied=change.revision, sealed_token=None, failure=failure)
    )


def all_applied(connection: sa.Connection) -> None:
    """The broker asks this database: whatever stands here counts there, and nothing waits."""
    pending = _TABLE.c.applied.is_distinct_from(_TABLE.c.revision)
    settled = {"applied": _TABLE.c.revision, "sealed_token": None, "failure": None}
    connection.execute(sa.update(_TABLE).where(pending).values(settled))
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.ends_at <= _now))


def usernames(connection: sa.Connection) -> set[str]:
    """Every name that a device may come with."""
    return set(connection.scalars(sa.select(_TABLE.c.username)))


def tell_again(connection: sa.Connection, names: Iterable[str]) -> None:
    """Let Mosquitto be told of these again: it knows of them no more."""
    statement = sa.update(_TABLE).where(_TABLE.c.username.in_(list(names)))
    connection.execute(statement.values(revision=_TABLE.c.revision + 1))
