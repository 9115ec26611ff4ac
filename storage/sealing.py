"""What is secret and has to wait in the database, encrypted (JWE) with a key from the environment.

`dala serve` closes, `dala ingest` opens: both are given ``DALA_BROKER_KEY``.
"""

from __future__ import annotations

import base64
import binascii
import json

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_HEADER = {"alg": "dir", "enc": "A256GCM"}
KEY_BYTES = 32


class CannotOpen(ValueError):
    """What was sealed cannot be opened with this key."""


class SealingSettings(BaseSettings):
    """Read from the environment: ``DALA_BROKER_KEY``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    broker_key: SecretStr | None = None

    @field_validator("broker_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(_bytes_of(key.get_secret_value())) != KEY_BYTES:
            raise ValueError(
                f"must be {KEY_BYTES} random bytes, as `openssl rand -hex {KEY_BYTES}` prints"
            )
        return key


def _bytes_of(text: str) -> bytes:
    """A key as hexadecimal digits or base64url."""
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""


class Seal:
    """Closes and opens tokens; each belongs to the name it was closed for."""

    def __init__(self, key: str) -> None:
        self._key = OctKey.import_key(_bytes_of(key))

    @classmethod
    def from_environment(cls) -> Seal | None:
        """The seal of ``DALA_BROKER_KEY``; None where it is not set."""
        key = SealingSettings().broker_key
        return None if key is None else cls(key.get_secret_value())

    def close(self, username: str, token: str) -> str:
        """Seal a token."""
        plain = json.dumps({"username": username, "token": token}).encode()
        return jwe.encrypt_compact(_HEADER, plain, self._key)

    def open(self, username: str, sealed: str) -> str:
        """The token; CannotOpen if it was closed with another key, or for another name."""
        try:
            opened = json.loads(jwe.decrypt_compact(sealed, self._key).plaintext or b"{}")
        except (JoseError, ValueError) as error:
            raise CannotOpen(
                "its token was sealed with another DALA_BROKER_KEY: give it a new one"
            ) from error
        if opened.get("username") != username:
            raise CannotOpen("its token was sealed for another name: give it a new one")
        return str(opened["token"])
