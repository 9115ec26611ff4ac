"""People sign in: one answer for whatever is wrong, and a longer wait after each wrong password."""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple

import sqlalchemy as sa
from fastapi import Request, Response

from api.errors import Refused
from api.security import passwords, tokens
from api.security.guard import Door, address, house
from storage import accounts, audit, tenancy
from storage.accounts import Account, Session

# Wrong passwords until attempts are not looked at for a while; a house shares an address.
FREE_OF_LOGIN, FREE_OF_ADDRESS = 5, 50


class SignedIn(NamedTuple):
    """A session that was opened, with the token that the browser keeps."""

    account: Account
    session: Session
    token: str


def with_password(door: Door, request: Request, login: str, password: str) -> SignedIn:
    """Open a session; Refused with the same words, after the same work, whatever was wrong."""
    where, login = house(request), login.lower()
    request.state.limits = door.limiter.hit("sign-in", f"sign-in:{where}")
    subjects = [f"login:{login}", f"address:{where}"]
    with door.engine.begin() as connection:
        tenancy.enter_entrance(connection)
        wait = accounts.blocked_for(connection, subjects)
        known = accounts.password_hash(connection, login)
    if wait:
        raise _wait(wait)
    right = passwords.matches(password, known[1] if known else None)
    with door.engine.begin() as connection:
        tenancy.enter_entrance(connection)
        if known is not None and right and not known[0].disabled:
            accounts.forget_failures(connection, subjects[0])
            return open_session(door, connection, request, known[0])
        accounts.count_failure(connection, subjects[0], free=FREE_OF_LOGIN)
        accounts.count_failure(connection, subjects[1], free=FREE_OF_ADDRESS)
        _note(connection, request, login, "session.refused")
    raise Refused(401, "Login or password is wrong.", kind="sign-in-failed")


def open_session(
    door: Door, connection: sa.Connection, request: Request, account: Account
) -> SignedIn:
    """Sign an account in whose holder has proved to be who they say."""
    token = tokens.make()
    session = accounts.open_session(
        connection,
        account.id,
        tokens.digest(token),
        lives=door.settings.lives,
        address=address(request),
        user_agent=request.headers.get("user-agent", ""),
    )
    _note(connection, request, account.login, "session.open")
    return SignedIn(account, session, token)


def with_link(door: Door, request: Request, token: str, password: str) -> Account:
    """Set a password with a one-time token; Refused where the token is no good."""
    where = house(request)
    request.state.limits = door.limiter.hit("sign-in", f"sign-in:{where}")
    with door.engine.begin() as connection:
        tenancy.enter_entrance(connection)
        account = accounts.use_link(connection, tokens.digest(token))
        if account is None:
            raise Refused(
                401, "This link was used or is too old; ask for a new one.", kind="link-spent"
            )
        passwords.check(password, login=account.login)  # else the link stays good
        accounts.set_password(connection, account.id, passwords.hashed(password))
        accounts.forget_failures(connection, f"login:{account.login}")
        _note(connection, request, account.login, "password.reset")
    return account


def give_cookie(door: Door, response: Response, token: str) -> None:
    """Let the browser keep the session's token, out of reach of scripts."""
    settings = door.settings
    response.set_cookie(
        settings.cookie,
        token,
        max_age=int(settings.lives.total_seconds()),
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )


def take_cookie(door: Door, response: Response) -> None:
    """Let the browser forget it."""
    settings = door.settings
    response.delete_cookie(
        settings.cookie, path="/", secure=settings.secure, httponly=True, samesite="lax"
    )


def _wait(wait: dt.timedelta) -> Refused:
    seconds = max(math.ceil(wait.total_seconds()), 1)
    return Refused(
        429,
        f"Too many wrong passwords; try again in {seconds} s.",
        kind="locked-out",
        headers={"Retry-After": str(seconds)},
    )


def _note(connection: sa.Connection, request: Request, login: str, action: str) -> None:
    audit.record(
        connection,
        actor=f"account:{login}",
        action=action,
        object=f"account:{login}",
        request_id=request.state.request_id,
        address=address(request),
    )
