"""Signing in at a provider of one's organisation (OpenID Connect)."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from api.errors import NotReady, Refused
from api.security import signing_in
from api.security.federation import Beginning, Provider, ProviderError
from api.security.guard import Door, anybody, house
from storage import accounts, tenancy
from storage.database import NotFound

router = APIRouter(tags=["session"])

T = TypeVar("T")

LIVES_S = 600
SEE_OTHER: dict[int | str, dict[str, str]] = {303: {"description": "Go there."}}


@router.get("/session/oidc", status_code=303, responses=SEE_OTHER, dependencies=[anybody(401, 429)])
def begin(request: Request) -> RedirectResponse:
    """Go to the provider; it sends you back."""
    door: Door = request.app.state.door
    request.state.limits = door.limiter.hit("sign-in", f"oidc:{house(request)}")
    begun = _asked(door, lambda provider: provider.begin())
    answer = RedirectResponse(begun.url, status_code=303)
    # The browser keeps what must come back with it: another browser cannot finish what it began.
    kept = urlsafe_b64encode(json.dumps(begun._asdict()).encode()).decode()
    answer.set_cookie(
        _cookie(door),
        kept,
        max_age=LIVES_S,
        path="/",
        secure=door.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(
    "/session/oidc/callback", status_code=303, responses=SEE_OTHER, dependencies=[anybody(401, 429)]
)
def finish(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> RedirectResponse:
    """Come back from the provider; the session is a cookie as after a password."""
    door: Door = request.app.state.door
    request.state.limits = door.limiter.hit("sign-in", f"oidc:{house(request)}")
    begun = _begun(request.cookies.get(_cookie(door), ""))
    if begun is None or not code or not hmac.compare_digest(begun.state.encode(), state.encode()):
        raise Refused(401, "This sign-in was not begun here; begin again.", kind="sign-in-failed")
    subject = _asked(
        door,
        lambda provider: provider.finish(code, verifier=begun.verifier, nonce=begun.nonce),
    )
    with door.engine.begin() as connection:
        tenancy.enter_entrance(connection)
        account = accounts.of_subject(connection, subject)
        if account is None or account.disabled:
            raise Refused(401, "There is no account for you here.", kind="sign-in-failed")
        found = signing_in.open_session(door, connection, request, account)
    answer = RedirectResponse(door.settings.public_url or "/", status_code=303)
    signing_in.give_cookie(door, answer, found.token)
    answer.delete_cookie(
        _cookie(door), path="/", secure=door.settings.secure, httponly=True, samesite="lax"
    )
    return answer


def _asked(door: Door, question: Callable[[Provider], T]) -> T:
    if door.provider is None:
        raise NotFound("OpenID Connect provider: DALA_OIDC_ISSUER is not set")
    try:
        return question(door.provider)
    except ProviderError as error:
        raise NotReady(f"Signing in did not work: {error}") from error


def _cookie(door: Door) -> str:
    return f"{door.settings.cookie}_oidc"


def _begun(cookie: str) -> Beginning | None:
    try:
        kept = json.loads(urlsafe_b64decode(cookie))
        return Beginning(**{name: str(kept[name]) for name in Beginning._fields})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
