"""Programs prove who they are by a signed assertion (private_key_jwt): no secret is shared."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")
LONGEST_S, LEEWAY_S = 300, 30
MOST_KEYS = 10


class BadAssertion(ValueError):
    """An assertion that proves nothing; the message says why."""


class Assertion(NamedTuple):
    """What a good assertion said."""

    jti: str
    expires_at: dt.datetime


def read_keys(jwks: Mapping[str, Any]) -> KeySet:
    """Public keys of a client.

    Raises
    ------
    ValueError
        For a document that is none, or holds what must not be in it: private or shared keys.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise ValueError(f"jwks: a document {{'keys': [...]}} of at most {MOST_KEYS} keys.")
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in {"RSA", "EC"}:
            raise ValueError("jwks: a key is of type RSA or EC.")
        if "d" in key:
            raise ValueError("jwks: this is a private key; keep it, and send its public part.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a key that is too short is warned of
            return KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, TypeError, KeyError, Warning) as error:
        raise ValueError(f"jwks: {error}") from error


def client_of(assertion: str) -> str:
    """The client that an assertion says it is from; to be checked with that client's keys."""
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        client = str(claims["sub"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise BadAssertion("this is no JSON Web Token with a sub.") from error
    if not client.isprintable():  # JSON may say what no database can be asked for
        raise BadAssertion("sub has printable characters alone.")
    return client


def check(
    assertion: str, jwks: Mapping[str, Any], *, client: str, audiences: Sequence[str], now: int
) -> Assertion:
    """Check an assertion's signature and claims with the client's keys.

    Raises
    ------
    BadAssertion
        Saying what is wrong with it.
    """
    claims = JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": client},
        sub={"essential": True, "value": client},
        aud={"essential": True, "values": list(audiences)},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        token = jwt.decode(assertion, read_keys(jwks), algorithms=ALGORITHMS)
        claims.validate(token.claims)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadAssertion(str(error) or type(error).__name__) from error
    jti, expires = token.claims["jti"], token.claims["exp"]
    if not isinstance(jti, str) or not 1 <= len(jti) <= 200 or not jti.isprintable():
        raise BadAssertion("jti has between 1 and 200 printable characters.")
    if not expires <= now + LONGEST_S + LEEWAY_S:  # so is what is no number, either
        raise BadAssertion(f"exp is at most {LONGEST_S} s ahead.")
    return Assertion(jti, dt.datetime.fromtimestamp(expires + LEEWAY_S, dt.UTC))
