"""Keys and signatures of reports: JWS with Ed25519, detached, over the manifest's bytes.

The kid of a key is its thumbprint (RFC 7638). A protected header carries the public key too:
anybody may tell a damaged file from a whole one by it; whose key it is, pinned keys alone can tell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

ALGORITHM = "Ed25519"  # RFC 9864
TYPE = "dala-report+jws"
HEAD_TYPE = "dala-tree-head+jws"
KEY_FILE = "report-key.jwk"


class _Sizes(jws.JWSRegistry):
    """What a signature may be over: a country's report is larger than the library's 128 kB."""

    max_payload_length = 2**30  # of base64url

    def __init__(self) -> None:
        super().__init__(algorithms=[ALGORITHM])


class BadSignature(ValueError):
    """A signature that does not hold, or none at all; the message says why."""


class KeyUnknown(ValueError):
    """A key that was not made known before it signed; the message says how it is."""


class Signature(NamedTuple):
    """A detached JWS: header and signature as base64url."""

    protected: str
    signature: str


class SigningKey:
    """The key that this service files with."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.public: dict[str, Any] = dict(key.as_dict(private=False))
        self.kid = key.thumbprint()

    @classmethod
    def make(cls) -> SigningKey:
        """A new one."""
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def read(cls, file: Path) -> SigningKey:
        """The key in a file; ValueError if there is none in it."""
        try:
            key = OKPKey.import_key(json.loads(file.read_bytes()))
        except (ValueError, JoseError) as error:
            raise ValueError(f"{file}: is no private key as JSON (RFC 8037): {error}") from error
        if key.curve_name != "Ed25519" or not key.is_private:
            raise ValueError(f"{file}: is no private key of Ed25519")
        return cls(key)

    def write(self, file: Path) -> None:
        """Write a file that nobody else reads; FileExistsError rather than over another."""
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            json.dump(self._key.as_dict(private=True), opened)

    def sign(self, payload: bytes, typ: str = TYPE) -> Signature:
        """Sign bytes; ``typ`` says what of."""
        jwk = {name: self.public[name] for name in ("crv", "kty", "x")}
        header = {"alg": ALGORITHM, "jwk": jwk, "kid": self.kid, "typ": typ}
        compact = jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])
        protected, _, signature = compact.split(".")
        return Signature(protected, signature)


def public_key(jwk: Mapping[str, Any]) -> OKPKey:
    """A public key of Ed25519; ValueError for anything else."""
    try:
        key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
        if key.curve_name != "Ed25519" or len(urlsafe_b64decode(jwk["x"].encode())) != 32:
            raise ValueError("another curve")
    except (KeyError, TypeError, AttributeError, ValueError, JoseError) as error:
        raise ValueError(f"no public key of Ed25519 (RFC 8037): {error}") from error
    return key


def header_of(signature: Signature) -> dict[str, Any]:
    """The header of a signature; BadSignature where it is none of a report's."""
    try:
        header = json.loads(_strictly(signature.protected))
        if not isinstance(header, dict):
            raise BadSignature("its header is no object")
    except (ValueError, RecursionError) as error:
        raise BadSignature(f"its header cannot be read: {error}") from error
    if header.get("alg") != ALGORITHM:
        raise BadSignature(f"its algorithm is {header.get('alg')!r} and not {ALGORITHM}")
    if not isinstance(header.get("kid"), str):
        raise BadSignature("its header names no key (kid)")
    if unknown := set(header) - {"alg", "jwk", "kid", "typ"}:
        raise BadSignature(f"its header asks for what is not known: {', '.join(sorted(unknown))}")
    if "jwk" in header and _named(header["jwk"]) != header["kid"]:
        raise BadSignature("its header carries another key than the one that it names")
    return header


def _named(jwk: Any) -> str:
    try:
        return public_key(jwk).thumbprint()
    except ValueError as error:
        raise BadSignature(f"its header carries {error}") from error


def verify(signature: Signature, payload: bytes, key: OKPKey, *, typ: str | None = None) -> None:
    """Raise BadSignature unless the signature over the payload is by this key, and of this type."""
    header = header_of(signature)
    if typ is not None and header.get("typ") != typ:
        raise BadSignature(f"its header says {header.get('typ')!r} and not {typ}")
    if header["kid"] != key.thumbprint():
        raise BadSignature(f"it is by key {header['kid']} and not by {key.thumbprint()}")
    _strictly(signature.signature)
    content = urlsafe_b64encode(payload).decode()
    try:
        jws.deserialize_compact(
            f"{signature.protected}.{content}.{signature.signature}", key, registry=_Sizes()
        )
    except (JoseError, ValueError) as error:
        raise BadSignature("it does not belong to these bytes") from error


def _strictly(text: str) -> bytes:
    """Bytes of base64url in its one true spelling: another would be a change that nobody sees."""
    try:
        found = urlsafe_b64decode(text.encode("ascii"))
    except ValueError as error:
        raise BadSignature("it is no base64url") from error
    if urlsafe_b64encode(found).decode() != text:
        raise BadSignature("it is base64url in another spelling than the usual one")
    return bytes(found)
