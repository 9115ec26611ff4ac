"""Who asks: found out from what a request carries, and nothing else."""

from __future__ import annotations

import hmac
import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import Request

from api.errors import Refused
from api.security import tokens
from api.settings import ApiSettings
from storage import accounts, api_clients, tenancy
from storage.accounts import Account, Session
from storage.api_clients import Grant
from storage.behalf import Behalf
from storage.permissions import ROLES
from storage.tenancy import Reach

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
BY_SETTINGS = "token"  # by which requests with the token of the settings are counted
_OPEN_SCOPES = ROLES["reader"]


class Caller(NamedTuple):
    """Somebody whom we know, what they may do, and on which farms."""

    actor: str  # as the book of deeds has it
    scopes: frozenset[str]
    reach: Reach
    credential: str  # by which requests are counted
    account: Account | None = None
    session: Session | None = None
    client_id: int | None = None

    @property
    def behalf(self) -> Behalf:
        """For whom something is done later that they ask for now.

        Raises
        ------
        Refused
            For who has no name of their own, whose rights could be looked up by then.
        """
        if self.account is None and self.client_id is None:
            raise Refused(403, "This is for accounts and clients.", kind="not-allowed")
        return Behalf(None if self.account is None else self.account.id, self.client_id)


def credential(request: Request, settings: ApiSettings) -> tuple[str, str] | None:
    """What the request shows: a bearer token or else a cookie, and which of the two it is."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return ("bearer", token.strip()) if scheme.lower() == "bearer" else ("unknown", "")
    if cookie := request.cookies.get(settings.cookie):
        return "session", cookie
    return None


def of_request(
    connection: sa.Connection, request: Request, settings: ApiSettings, shown: tuple[str, str]
) -> Caller | None:
    """Whom a credential belongs to; None where it is no good.

    Where the database is asked, the transaction stands at the entrance from then on, and the
    request knows the snapshot of before.
    """
    kind, token = shown
    if kind not in {"session", "bearer"} or not token:
        return None
    if (
        kind == "bearer"
        and settings.api_token is not None
        and hmac.compare_digest(token.encode(), settings.api_token.get_secret_value().encode())
    ):
        return Caller("token", ROLES["operator"], Reach(everything=True), BY_SETTINGS)
    request.state.snapshot = tenancy.enter_entrance(connection)
    if kind == "session":
        return _of_session(connection, request, settings, token)
    if token.startswith(tokens.KEY):
        return _of_grant(api_clients.of_key(connection, tokens.digest(token)))
    if token.startswith(tokens.ACCESS):
        return _of_grant(api_clients.of_token(connection, tokens.digest(token)))
    return None


def anybody() -> Caller:
    """Who brings nothing to a server that is open."""
    return Caller("anybody", _OPEN_SCOPES, Reach(everything=True), "anybody")


def _of_grant(grant: Grant | None) -> Caller | None:
    if grant is None:
        return None
    client = grant.client
    reach = client.reach
    if grant.regions is not None:
        reach = Reach(regions=tuple(grant.regions))
    scopes = frozenset(grant.scopes) & frozenset(client.scopes)
    return Caller(
        f"client:{client.name}", scopes, reach, f"client:{client.id}", client_id=client.id
    )


def _of_session(
    connection: sa.Connection, request: Request, settings: ApiSettings, token: str
) -> Caller | None:
    found = accounts.live_session(connection, tokens.digest(token), idle=settings.idle)
    if found is None:
        return None
    session, account = found
    if request.method not in SAFE_METHODS:
        check_same_site(request, settings)
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), tokens.csrf_of(token).encode()):
            raise Refused(
                403,
                f"Send the csrf_token of GET /v1/session in the header {CSRF_HEADER}.",
                kind="csrf",
            )
    return Caller(
        f"account:{account.login}",
        ROLES[account.role],
        account.reach,
        f"account:{account.id}",
        account,
        session,
    )


def is_under_own_name(request: Request, settings: ApiSettings) -> bool:
    """Whether a request names this server as no other site can be named.

    A page elsewhere may let its own name lead to this machine, and its scripts then ask here as if
    of their own site. It cannot do so with a cookie or a key, which it has not, but with nothing.
    """
    host = request.url.hostname or ""
    if host == "localhost" or host == urlsplit(settings.public_url or "").hostname:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_same_site(request: Request, settings: ApiSettings) -> None:
    """Refuse what a browser sends for another site's page."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = {settings.origin, f"{request.url.scheme}://{request.url.netloc}", *settings.cors_origins}
    by_fetch = site in {None, "same-origin", "none"}
    if not (by_fetch if origin is None else origin in ours):
        raise Refused(403, "This request comes from a page of another site.", kind="csrf")
