"""Signing in and out, and one's own password."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Transaction, WhoAsks
from api.errors import Refused
from api.models_access import (
    PasswordChange,
    PasswordReset,
    SessionOut,
    SignedInOut,
    SignIn,
)
from api.security import caller, passwords, signing_in, tokens
from api.security.guard import Door, anybody, person
from storage import accounts, farms, tenancy
from storage.accounts import Account, Session
from storage.permissions import ROLES

router = APIRouter(tags=["session"])

SessionId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]


@router.post("/session", status_code=201, dependencies=[anybody(401, 403, 429)])
def sign_in(asked: SignIn, request: Request, response: Response) -> SessionOut:
    """Sign in; the session is a cookie that scripts cannot read."""
    door: Door = request.app.state.door
    caller.check_same_site(request, door.settings)
    found = signing_in.with_password(door, request, asked.login, asked.password)
    signing_in.give_cookie(door, response, found.token)
    with door.engine.begin() as connection:
        return _session(connection, found.account, found.session, found.token)


@router.get("/session", dependencies=[person()])
def get_session(request: Request, connection: Transaction, who: WhoAsks) -> SessionOut:
    """Who is signed in here, and what they may do."""
    door: Door = request.app.state.door
    account, session = _own(who)
    token = request.cookies[door.settings.cookie]
    return _session(connection, account, session, token)


@router.delete("/session", status_code=204, dependencies=[person()])
def sign_out(
    request: Request, response: Response, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Sign out here."""
    account, session = _own(who)
    accounts.end_session(connection, account.id, session.id)
    deeds.note("session.close", f"account:{account.login}")
    signing_in.take_cookie(request.app.state.door, response)


@router.get("/sessions", dependencies=[person()])
def list_sessions(connection: Transaction, who: WhoAsks) -> list[SignedInOut]:
    """Where one is signed in, newest first."""
    account, session = _own(who)
    return [
        SignedInOut(
            current=one.id == session.id,
            **{name: value for name, value in one._asdict().items() if name != "account_id"},
        )
        for one in accounts.sessions(connection, account.id)
    ]


@router.delete("/sessions/{session_id}", status_code=204, dependencies=[person()])
def end_session(session_id: SessionId, connection: Transaction, who: WhoAsks, deeds: Deeds) -> None:
    """Sign out in another browser."""
    account, _ = _own(who)
    accounts.end_session(connection, account.id, session_id)
    deeds.note("session.close", f"account:{account.login}", details={"session": session_id})


@router.put("/session/password", status_code=204, dependencies=[person()])
def change_password(
    asked: PasswordChange,
    request: Request,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
) -> None:
    """Change one's password; every other session ends."""
    door: Door = request.app.state.door
    account, session = _own(who)
    door.limiter.hit("sign-in", f"password:{account.id}")
    known = accounts.password_hash(connection, account.login)
    if known is None or not passwords.matches(asked.current, known[1]):
        raise Refused(403, "The current password is wrong.", kind="wrong-password")
    passwords.check(asked.new, login=account.login)
    accounts.set_password(
        connection, account.id, passwords.hashed(asked.new), but_session=session.id
    )
    deeds.note("password.change", f"account:{account.login}")


@router.post("/session/password", status_code=204, dependencies=[anybody(401, 403, 429)])
def reset_password(asked: PasswordReset, request: Request) -> None:
    """Set a forgotten password with the one-time token that an administrator made."""
    door: Door = request.app.state.door
    caller.check_same_site(request, door.settings)
    signing_in.with_link(door, request, asked.token, asked.new)


def _own(who: caller.Caller) -> tuple[Account, Session]:
    if who.account is None or who.session is None:  # person() saw to that
        raise Refused(403, "This is for people who signed in.", kind="people-only")
    return who.account, who.session


def _session(
    connection: sa.Connection, account: Account, session: Session, token: str
) -> SessionOut:
    slugs = None
    if account.role != "administrator" and not account.regions:
        tenancy.enter(connection, account.reach)
        slugs = [farm.slug for farm in farms.page(connection, limit=10_000)]
    return SessionOut(
        login=account.login,
        name=account.name,
        role=account.role,
        scopes=sorted(ROLES[account.role]),
        farms=slugs,
        regions=list(account.regions),
        language=account.language,
        expires_at=session.expires_at,
        csrf_token=tokens.csrf_of(token),
    )
