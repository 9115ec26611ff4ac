"""Random tokens: what holds one shows it, and only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets

KEY, ACCESS = "dala_key_", "dala_at_"  # by which a scanner of leaked secrets knows them


def make(beginning: str = "") -> str:
    """A token of 256 random bits."""
    return beginning + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a token; it is random, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).digest()


def csrf_of(session_token: str) -> str:
    """What a page must send beside the cookie: another site can make neither."""
    return hashlib.sha256(b"csrf:" + session_token.encode()).hexdigest()
