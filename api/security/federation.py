"""People sign in at a provider of their organisation: OpenID Connect, code flow with PKCE.

The provider says who somebody is; whether they may come in, and what they may do, is said by the
account that names them: issuer, a blank, and the provider's ``sub``. Nobody gets an account by
signing in.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")
LEEWAY_S = 60
KNOWN_FOR_S = 3_600
TIMEOUT_S = 10
LARGEST = 2**20
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")  # that it must tell


class ProviderError(RuntimeError):
    """The provider does not answer, or not as it must; the message says what."""


class Beginning(NamedTuple):
    """Where a person is sent, and what must come back with them."""

    url: str
    state: str
    nonce: str
    verifier: str


class Provider:
    """An OpenID Connect provider, found by its issuer."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._issuer, self._client_id = issuer.rstrip("/"), client_id
        self._secret, self._redirect_uri = client_secret, redirect_uri
        self._lock = threading.Lock()
        self._known: tuple[float, Mapping[str, Any], KeySet] | None = None

    def begin(self) -> Beginning:
        """Send a person there."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            self._metadata()["authorization_endpoint"],
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Beginning(url, state, nonce, verifier)

    def finish(self, code: str, *, verifier: str, nonce: str) -> str:
        """Who came back with a code: issuer, a blank, ``sub``.

        Raises
        ------
        ProviderError
            Where the provider does not take the code, or its token does not hold.
        """
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=self._redirect_uri,
            code=code,
            code_verifier=verifier,
            client_id=self._client_id,
        )
        pair = f"{quote(self._client_id, safe='')}:{quote(self._secret, safe='')}"
        answer = _fetch(
            self._metadata()["token_endpoint"],
            body.encode(),
            {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"},
        )
        return f"{self._issuer} {self._subject(str(answer.get('id_token', '')), nonce)}"

    def _subject(self, id_token: str, nonce: str) -> str:
        claims = JWTClaimsRegistry(
            now=int(time.time()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._metadata()["issuer"]},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            token = self._decode(id_token)
            claims.validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(f"the provider's token does not hold: {error}") from error
        if token.claims.get("azp", self._client_id) != self._client_id:
            raise ProviderError("the provider's token is for another client.")
        return str(token.claims["sub"])

    def _decode(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            with self._lock:  # it may sign with a new key since
                self._known = None
            return jwt.decode(id_token, self._keys(), algorithms=ALGORITHMS)

    def _metadata(self) -> Mapping[str, Any]:
        return self._found()[1]

    def _keys(self) -> KeySet:
        return self._found()[2]

    def _found(self) -> tuple[float, Mapping[str, Any], KeySet]:
        with self._lock:
            if self._known is None or self._known[0] < time.monotonic() - KNOWN_FOR_S:
                said = _fetch(get_well_known_url(self._issuer, external=True))
                if str(said.get("issuer", "")).rstrip("/") != self._issuer:
                    raise ProviderError("the provider says it is another one.")
                for name in ADDRESSES:
                    if not isinstance(said.get(name), str):
                        raise ProviderError(f"the provider does not say its {name}.")
                metadata = OpenIDProviderMetadata(said)
                try:
                    keys = KeySet.import_key_set(_fetch(str(metadata["jwks_uri"])))  # type: ignore[arg-type]
                except (JoseError, ValueError, KeyError) as error:
                    raise ProviderError(f"the provider's keys cannot be read: {error}") from error
                self._known = (time.monotonic(), metadata, keys)
            return self._known


class _OverTlsAlone(urllib.request.HTTPRedirectHandler):
    """A provider that moved is followed where one may be asked at all."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_tls(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_OverTlsAlone)


def _check_tls(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ProviderError(f"{url} is not reached over TLS.")


def _fetch(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    try:
        _check_tls(url)
        request = urllib.request.Request(  # noqa: S310 - checked above
            url, data=body, headers={"Accept": "application/json", **(headers or {})}
        )
        with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
            found = json.loads(answer.read(LARGEST))
    except (OSError, HTTPException, ValueError) as error:
        raise ProviderError(f"the provider does not answer as it must: {error}") from error
    if not isinstance(found, dict):
        raise ProviderError("the provider does not answer as it must.")
    return found
