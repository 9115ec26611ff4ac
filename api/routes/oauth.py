"""Access tokens for programs: OAuth 2 client credentials (RFC 6749) with private_key_jwt."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from api.models_access import TokenError, TokenOut
from api.security import assertions, tokens
from api.security.assertions import BadAssertion
from api.security.guard import Door, address, anybody, house
from storage import api_clients, audit, tenancy
from storage.api_clients import Client
from storage.database import NotFound

router = APIRouter(tags=["oauth"])

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATH = "/v1/oauth/token"
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"description": words, "model": TokenError}
    for code, words in ((400, "The request is wrong."), (401, "The client proved nothing."))
}


class _Wrong(Exception):
    def __init__(self, error: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.error, self.status = error, status


@router.post("/oauth/token", responses=ERRORS, dependencies=[anybody(429)], response_model=TokenOut)
def get_token(
    request: Request,
    grant_type: Annotated[str, Form(max_length=100, examples=["client_credentials"])],
    client_assertion_type: Annotated[str, Form(max_length=200, examples=[KIND])],
    client_assertion: Annotated[str, Form(max_length=8_000)],
    scope: Annotated[
        str,
        Form(max_length=2_000, description="of the client's, by blanks; region:KZ-61 narrows it"),
    ] = "",
) -> Response:
    """An access token for a program that signs with its own key."""
    door: Door = request.app.state.door
    request.state.limits = door.limiter.hit("sign-in", f"oauth:{house(request)}")
    try:
        if grant_type != "client_credentials":
            raise _Wrong("unsupported_grant_type", "grant_type must be client_credentials.")
        if client_assertion_type != KIND:
            raise _Wrong("invalid_request", f"client_assertion_type must be {KIND}.")
        with door.engine.begin() as connection:
            tenancy.enter_entrance(connection)
            client = _client(door, connection, client_assertion)
            found = _grant(door, connection, request, client, scope.split())
    except _Wrong as wrong:
        body = TokenError(error=wrong.error, error_description=str(wrong))
        return JSONResponse(body.model_dump(), status_code=wrong.status)
    return JSONResponse(found.model_dump(), headers={"Cache-Control": "no-store"})


def _client(door: Door, connection: sa.Connection, assertion: str) -> Client:
    """The client that the assertion proves, once."""
    base = (door.settings.public_url or "").rstrip("/")
    if not base:
        raise _Wrong(
            "invalid_client", "This server has no DALA_PUBLIC_URL to be the audience.", 401
        )
    try:
        client = api_clients.get(connection, assertions.client_of(assertion))
        if client.disabled or client.jwks is None:
            raise BadAssertion("this client has no key, or is disabled.")
        proved = assertions.check(
            assertion,
            client.jwks,
            client=client.name,
            audiences=(base + PATH, base),
            now=int(time.time()),
        )
    except (NotFound, BadAssertion) as error:
        words = "there is no such client." if isinstance(error, NotFound) else str(error)
        raise _Wrong("invalid_client", words, 401) from error
    if not api_clients.use_assertion(
        connection, client.id, proved.jti, expires_at=proved.expires_at
    ):
        raise _Wrong("invalid_client", "this assertion was used before.", 401)
    return client


def _grant(
    door: Door, connection: sa.Connection, request: Request, client: Client, asked: Sequence[str]
) -> TokenOut:
    scopes = [one for one in asked if not one.startswith("region:")] or list(client.scopes)
    regions = [one.removeprefix("region:") for one in asked if one.startswith("region:")]
    beyond = [one for one in scopes if one not in client.scopes]
    beyond += [f"region:{one}" for one in regions if not _within(client, one)]
    if beyond:
        raise _Wrong("invalid_scope", f"not of this client: {', '.join(beyond)[:200]}")
    token = tokens.make(tokens.ACCESS)
    lives = dt.timedelta(minutes=door.settings.access_token_minutes)
    api_clients.add_token(
        connection,
        client.id,
        tokens.digest(token),
        scopes=scopes,
        regions=regions or None,
        lives=lives,
    )
    granted = scopes + [f"region:{one}" for one in regions]
    audit.record(
        connection,
        actor=f"client:{client.name}",
        action="token.issue",
        object=f"client:{client.name}",
        request_id=request.state.request_id,
        address=address(request),
        details={"scope": granted},
    )
    return TokenOut(
        access_token=token,
        token_type="Bearer",  # noqa: S106 - its kind
        expires_in=int(lives.total_seconds()),
        scope=" ".join(granted),
    )


def _within(client: Client, region: str) -> bool:
    return region != "" and (
        client.everything or any(region.startswith(one) for one in client.regions)
    )
