"""People who may sign in, and their sessions; only hashes are kept of what lets them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables
from storage.database import NotFound
from storage.tenancy import Reach

SEEN_EVERY = dt.timedelta(minutes=1)  # a session is not written at every request
LINK_LIVES = dt.timedelta(hours=24)


class AlreadyExists(ValueError):
    """There is one of that name; the message names it."""


class Account(NamedTuple):
    """A person; what may be done is a matter of the role, on which farms of the reach."""

    id: int
    login: str
    name: str
    role: str
    farm_ids: Sequence[int]
    regions: Sequence[str]
    language: str
    disabled: bool
    created_at: dt.datetime
    last_sign_in_at: dt.datetime | None

    @property
    def reach(self) -> Reach:
        """What the person sees: an administrator everything."""
        everything = self.role == "administrator"
        return Reach(everything, tuple(self.farm_ids), tuple(self.regions))


class Session(NamedTuple):
    """A browser in which a person is signed in."""

    id: int
    account_id: int
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    address: str
    user_agent: str


_ACCOUNT = [tables.accounts.c[name] for name in Account._fields]
_SESSION = [tables.sessions.c[name] for name in Session._fields]
_now = sa.func.now()


def add(connection: sa.Connection, login: str, **values: Any) -> Account:
    """Add an account; AlreadyExists where the login is taken."""
    statement = (
        insert(tables.accounts)
        .values(login=login.lower(), **values)
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(*_ACCOUNT)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise AlreadyExists(f"There is an account {login.lower()!r} already.")
    return Account(*row)


def get(connection: sa.Connection, login: str) -> Account:
    """The account of a login; NotFound if there is none."""
    query = sa.select(*_ACCOUNT).where(tables.accounts.c.login == login.lower())
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"account {login!r}")
    return Account(*row)


def by_id(connection: sa.Connection, account_id: int) -> Account:
    """The account of an id that another row names."""
    query = sa.select(*_ACCOUNT).where(tables.accounts.c.id == account_id)
    return Account(*connection.execute(query).one())


def of_subject(connection: sa.Connection, subject: str) -> Account | None:
    """The account that an OpenID Connect provider knows under this issuer and sub."""
    query = sa.select(*_ACCOUNT).where(tables.accounts.c.federated_subject == subject)
    row = connection.execute(query).one_or_none()
    return None if row is None else Account(*row)


def page(connection: sa.Connection, *, after: str = "", limit: int = 100) -> list[Account]:
    """Accounts by login, from the one after ``after`` on."""
    query = sa.select(*_ACCOUNT).where(tables.accounts.c.login > after)
    query = query.order_by(tables.accounts.c.login).limit(limit)
    return [Account(*row) for row in connection.execute(query)]


def change(connection: sa.Connection, login: str, **values: Any) -> Account:
    """Change an account; one that is disabled is signed out everywhere at once."""
    account = get(connection, login)
    if values:
        of = tables.accounts.c.id == account.id
        connection.execute(sa.update(tables.accounts).where(of).values(**values))
    if values.get("disabled"):
        end_sessions(connection, account.id)
        _drop_links(connection, account.id)
    return get(connection, login)


def someone_may_enter(connection: sa.Connection) -> bool:
    """Whether there is an account or a client of the API yet."""
    one = sa.exists(sa.select(tables.accounts.c.id))
    other = sa.exists(sa.select(tables.api_clients.c.id))
    return bool(connection.scalar(sa.select(one | other)))


def administrators(connection: sa.Connection) -> list[int]:
    """Ids of the administrators who may sign in.

    They are held until the transaction ends: two of them cannot let each other go at once.
    """
    account = tables.accounts.c
    query = sa.select(account.id).where(account.role == "administrator", ~account.disabled)
    return list(connection.scalars(query.order_by(account.id).with_for_update()))


# --- passwords ------------------------------------------------------------------------------------


def password_hash(connection: sa.Connection, login: str) -> tuple[Account, str | None] | None:
    """An account and the hash of its password; None where there is no such account."""
    query = sa.select(*_ACCOUNT, tables.accounts.c.password_hash)
    row = connection.execute(query.where(tables.accounts.c.login == login.lower())).one_or_none()
    return None if row is None else (Account(*row[:-1]), row[-1])


def set_password(
    connection: sa.Connection, account_id: int, hashed: str, *, but_session: int | None = None
) -> None:
    """Set a password; every session but the present one ends, and so does every link."""
    connection.execute(
        sa.update(tables.accounts)
        .where(tables.accounts.c.id == account_id)
        .values(password_hash=hashed, password_changed_at=_now)
    )
    end_sessions(connection, account_id, but=but_session)
    _drop_links(connection, account_id)


def add_link(
    connection: sa.Connection, account_id: int, token_hash: bytes, *, made_by: str
) -> dt.datetime:
    """Let a token set the account's password once; an earlier one no longer does."""
    _drop_links(connection, account_id)
    statement = sa.insert(tables.sign_in_links).values(
        token_hash=token_hash, account_id=account_id, made_by=made_by, expires_at=_now + LINK_LIVES
    )
    returned = statement.returning(tables.sign_in_links.c.expires_at)
    expires_at: dt.datetime = connection.execute(returned).scalar_one()
    return expires_at


def use_link(connection: sa.Connection, token_hash: bytes) -> Account | None:
    """The account of a one-time token, which is used up by that; None where it is no good."""
    link = tables.sign_in_links
    gone = sa.delete(link).where(link.c.token_hash == token_hash)
    row = connection.execute(gone.returning(link.c.account_id, link.c.expires_at > _now)).first()
    if row is None or not row[1]:
        return None
    account = by_id(connection, row[0])
    return None if account.disabled else account


def _drop_links(connection: sa.Connection, account_id: int) -> None:
    link = tables.sign_in_links
    connection.execute(sa.delete(link).where(link.c.account_id == account_id))


# --- sessions -------------------------------------------------------------------------------------


def open_session(
    connection: sa.Connection,
    account_id: int,
    token_hash: bytes,
    *,
    lives: dt.timedelta,
    address: str,
    user_agent: str,
) -> Session:
    """Sign a person in; what has ended of the account's sessions is forgotten."""
    session = tables.sessions
    over = (session.c.account_id == account_id) & (session.c.expires_at <= _now)
    connection.execute(sa.delete(session).where(over))
    statement = sa.insert(session).values(
        account_id=account_id,
        token_hash=token_hash,
        expires_at=_now + lives,
        address=address,
        user_agent=user_agent[:200],
    )
    row = connection.execute(statement.returning(*_SESSION)).one()
    account = tables.accounts
    connection.execute(
        sa.update(account).where(account.c.id == account_id).values(last_sign_in_at=_now)
    )
    return Session(*row)


_LIVE = (
    sa.select(*_SESSION, *_ACCOUNT, tables.sessions.c.last_seen_at < _now - SEEN_EVERY)
    .join(tables.accounts, tables.accounts.c.id == tables.sessions.c.account_id)
    .where(
        tables.sessions.c.token_hash == sa.bindparam("token_hash"),
        tables.sessions.c.expires_at > _now,
        tables.sessions.c.last_seen_at > _now - sa.bindparam("idle", type_=sa.Interval),
        ~tables.accounts.c.disabled,
    )
)


def live_session(
    connection: sa.Connection, token_hash: bytes, *, idle: dt.timedelta
) -> tuple[Session, Account] | None:
    """The session of a token and whose it is; None where it is over, idle for too long, or not."""
    row = connection.execute(_LIVE, {"token_hash": token_hash, "idle": idle}).one_or_none()
    if row is None:
        return None
    session = Session(*row[: len(_SESSION)])
    if row[-1]:
        seen = sa.update(tables.sessions).where(tables.sessions.c.id == session.id)
        connection.execute(seen.values(last_seen_at=_now))
    return session, Account(*row[len(_SESSION) : -1])


def sessions(connection: sa.Connection, account_id: int) -> list[Session]:
    """Where the account is signed in, newest first."""
    session = tables.sessions
    query = sa.select(*_SESSION).where(
        session.c.account_id == account_id, session.c.expires_at > _now
    )
    return [Session(*row) for row in connection.execute(query.order_by(session.c.id.desc()))]


def end_session(connection: sa.Connection, account_id: int, session_id: int) -> None:
    """Sign out in one browser; NotFound where the account has no such session."""
    session = tables.sessions
    gone = sa.delete(session).where(session.c.id == session_id, session.c.account_id == account_id)
    if connection.execute(gone).rowcount == 0:
        raise NotFound(f"session {session_id}")


def end_sessions(connection: sa.Connection, account_id: int, *, but: int | None = None) -> int:
    """Sign out everywhere, but for one session where it is named; return how many ended."""
    session = tables.sessions
    gone = sa.delete(session).where(session.c.account_id == account_id)
    if but is not None:
        gone = gone.where(session.c.id != but)
    return int(connection.execute(gone).rowcount)


# --- lock-out -------------------------------------------------------------------------------------

FORGOTTEN_AFTER = dt.timedelta(days=1)
LONGEST_BLOCK = dt.timedelta(minutes=15)
_FIRST_BLOCK = dt.timedelta(seconds=30)


def blocked_for(connection: sa.Connection, subjects: Sequence[str]) -> dt.timedelta:
    """How long no attempt is looked at for any of the subjects; zero where it is."""
    failure = tables.sign_in_failures
    longest = sa.select(sa.func.max(failure.c.blocked_until) - _now)
    found = connection.scalar(longest.where(failure.c.subject.in_(subjects)))
    return max(found or dt.timedelta(0), dt.timedelta(0))


def count_failure(connection: sa.Connection, subject: str, *, free: int) -> None:
    """Count a wrong password; after ``free`` of them each doubles the time of not being looked at.

    A day without one forgets them.
    """
    failure = tables.sign_in_failures
    stale = failure.c.last_at < _now - FORGOTTEN_AFTER
    added = insert(failure).values(subject=subject, failures=1, last_at=_now)
    counted = added.on_conflict_do_update(
        index_elements=["subject"],
        set_={"failures": sa.case((stale, 1), else_=failure.c.failures + 1), "last_at": _now},
    )
    failures = connection.execute(counted.returning(failure.c.failures)).scalar_one()
    if failures >= free:
        pause = min(_FIRST_BLOCK * 2 ** min(failures - free, 20), LONGEST_BLOCK)
        of = failure.c.subject == subject
        connection.execute(sa.update(failure).where(of).values(blocked_until=_now + pause))
    connection.execute(sa.delete(failure).where(failure.c.last_at < _now - 2 * FORGOTTEN_AFTER))


def forget_failures(connection: sa.Connection, subject: str) -> None:
    """After the right password."""
    failure = tables.sign_in_failures
    connection.execute(sa.delete(failure).where(failure.c.subject == subject))
