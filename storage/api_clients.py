"""Programs that may ask, their keys and tokens; of what is secret only hashes are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables
from storage.accounts import AlreadyExists
from storage.database import NotFound
from storage.tenancy import Reach

USED_EVERY = dt.timedelta(hours=1)  # a key is not written at every request


class Client(NamedTuple):
    """A program, what it may do, and on which farms."""

    id: int
    name: str
    scopes: Sequence[str]
    everything: bool
    farm_ids: Sequence[int]
    regions: Sequence[str]
    jwks: Mapping[str, Any] | None
    disabled: bool
    created_by: str
    created_at: dt.datetime

    @property
    def reach(self) -> Reach:
        """What the program sees."""
        return Reach(self.everything, tuple(self.farm_ids), tuple(self.regions))


class Key(NamedTuple):
    """A key of a client, without what is secret about it."""

    id: int
    beginning: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None


class Grant(NamedTuple):
    """What a credential that was shown is good for."""

    client: Client
    scopes: Sequence[str]
    regions: Sequence[str] | None  # narrower than the client's; None: as they are


_CLIENT = [tables.api_clients.c[name] for name in Client._fields]
_KEY = [tables.api_keys.c[name] for name in Key._fields]
_now = sa.func.now()


def add(connection: sa.Connection, name: str, **values: Any) -> Client:
    """Add a client; AlreadyExists where the name is taken."""
    statement = insert(tables.api_clients).values(name=name, **values)
    statement = statement.on_conflict_do_nothing(index_elements=["name"])
    row = connection.execute(statement.returning(*_CLIENT)).one_or_none()
    if row is None:
        raise AlreadyExists(f"There is a client {name!r} already.")
    return Client(*row)


def get(connection: sa.Connection, name: str) -> Client:
    """The client of a name; NotFound if there is none."""
    query = sa.select(*_CLIENT).where(tables.api_clients.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"client {name!r}")
    return Client(*row)


def by_id(connection: sa.Connection, client_id: int) -> Client:
    """The client of an id that another row names."""
    query = sa.select(*_CLIENT).where(tables.api_clients.c.id == client_id)
    return Client(*connection.execute(query).one())


def page(connection: sa.Connection, *, after: str = "", limit: int = 100) -> list[Client]:
    """Clients by name, from the one after ``after`` on."""
    query = sa.select(*_CLIENT).where(tables.api_clients.c.name > after)
    query = query.order_by(tables.api_clients.c.name).limit(limit)
    return [Client(*row) for row in connection.execute(query)]


def change(connection: sa.Connection, name: str, **values: Any) -> Client:
    """Change a client; its tokens end with that, and are asked for again."""
    client = get(connection, name)
    if values:
        of = tables.api_clients.c.id == client.id
        connection.execute(sa.update(tables.api_clients).where(of).values(**values))
        tokens = tables.access_tokens
        connection.execute(sa.delete(tokens).where(tokens.c.client_id == client.id))
    return get(connection, name)


# --- keys -----------------------------------------------------------------------------------------


def add_key(
    connection: sa.Connection,
    client_id: int,
    key_hash: bytes,
    *,
    beginning: str,
    lives: dt.timedelta,
) -> Key:
    """Add a key; those that the client has stay good until they expire or are revoked."""
    statement = sa.insert(tables.api_keys).values(
        client_id=client_id, key_hash=key_hash, beginning=beginning, expires_at=_now + lives
    )
    return Key(*connection.execute(statement.returning(*_KEY)).one())


def keys(connection: sa.Connection, client_id: int) -> list[Key]:
    """Keys of a client, newest first."""
    key = tables.api_keys.c
    query = sa.select(*_KEY).where(key.client_id == client_id).order_by(key.id.desc())
    return [Key(*row) for row in connection.execute(query)]


def revoke_key(connection: sa.Connection, client_id: int, key_id: int) -> None:
    """End a key at once; NotFound where the client has no such key."""
    key = tables.api_keys
    ended = sa.update(key).where(key.c.id == key_id, key.c.client_id == client_id)
    when = sa.func.coalesce(key.c.revoked_at, _now)
    if connection.execute(ended.values(revoked_at=when)).rowcount == 0:
        raise NotFound(f"key {key_id}")


_LIVE_KEY = (
    sa.select(
        *_CLIENT,
        tables.api_keys.c.id.label("key_id"),
        sa.func.coalesce(tables.api_keys.c.last_used_at < _now - USED_EVERY, True),
    )
    .join(tables.api_keys, tables.api_keys.c.client_id == tables.api_clients.c.id)
    .where(
        tables.api_keys.c.key_hash == sa.bindparam("key_hash"),
        tables.api_keys.c.expires_at > _now,
        tables.api_keys.c.revoked_at.is_(None),
        ~tables.api_clients.c.disabled,
    )
)


def of_key(connection: sa.Connection, key_hash: bytes) -> Grant | None:
    """What a key is good for; None where it is not, or no longer."""
    row = connection.execute(_LIVE_KEY, {"key_hash": key_hash}).one_or_none()
    if row is None:
        return None
    if row[-1]:
        used = sa.update(tables.api_keys).where(tables.api_keys.c.id == row.key_id)
        connection.execute(used.values(last_used_at=_now))
    client = Client(*row[: len(_CLIENT)])
    return Grant(client, client.scopes, None)


# --- tokens of OAuth2 -----------------------------------------------------------------------------


def add_token(
    connection: sa.Connection,
    client_id: int,
    token_hash: bytes,
    *,
    scopes: Sequence[str],
    regions: Sequence[str] | None,
    lives: dt.timedelta,
) -> None:
    """Keep an access token; those that are over are forgotten."""
    tokens = tables.access_tokens
    connection.execute(sa.delete(tokens).where(tokens.c.expires_at <= _now))
    connection.execute(
        sa.insert(tokens).values(
            token_hash=token_hash,
            client_id=client_id,
            scopes=list(scopes),
            regions=None if regions is None else list(regions),
            expires_at=_now + lives,
        )
    )


_LIVE_TOKEN = (
    sa.select(*_CLIENT, tables.access_tokens.c.scopes, tables.access_tokens.c.regions)
    .join(tables.access_tokens, tables.access_tokens.c.client_id == tables.api_clients.c.id)
    .where(
        tables.access_tokens.c.token_hash == sa.bindparam("token_hash"),
        tables.access_tokens.c.expires_at > _now,
        ~tables.api_clients.c.disabled,
    )
)


def of_token(connection: sa.Connection, token_hash: bytes) -> Grant | None:
    """What an access token is good for; None where it is not, or no longer."""
    row = connection.execute(_LIVE_TOKEN, {"token_hash": token_hash}).one_or_none()
    return None if row is None else Grant(Client(*row[: len(_CLIENT)]), row[-2], row[-1])


def use_assertion(
    connection: sa.Connection, client_id: int, jti: str, *, expires_at: dt.datetime
) -> bool:
    """Note that an assertion was used; False where it was before. Forgets those that are over."""
    used = tables.client_assertions
    connection.execute(sa.delete(used).where(used.c.expires_at <= _now))
    statement = insert(used).values(client_id=client_id, jti=jti, expires_at=expires_at)
    added = statement.on_conflict_do_nothing().returning(used.c.jti)
    return connection.execute(added).one_or_none() is not None
