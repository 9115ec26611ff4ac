"""What a message about an alert is made of, and where it may go: used by who asks for it and sends.

Webhooks have the form of Standard Webhooks 1.0: signed by HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.deliveries import Message

SECRET = "whsec_"  # noqa: S105 - how one begins


class NoticeSettings(BaseSettings):
    """Read from the environment, ``DALA_WEBHOOK_PRIVATE``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    webhook_private: bool = Field(
        default=False, description="webhooks may lead into private networks, and need no TLS"
    )


def make_secret() -> str:
    """A new secret for a webhook's messages."""
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def check_url(url: str, *, private: bool) -> None:
    """Refuse an address that no message is sent to.

    Raises
    ------
    ValueError
        Saying what is wrong with it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"this is no address: {error}") from error
    if parts.scheme not in ({"http", "https"} if private else {"https"}) or not host:
        raise ValueError("a webhook is an https:// address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("a webhook's address has no password and no fragment")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("an address has no spaces, and what is not ASCII is encoded")


def check_mail_address(text: str) -> None:
    """Refuse what is no address of mail.

    Raises
    ------
    ValueError
        Saying so.
    """
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, AttributeError, MessageError) as error:
        raise ValueError("this is no address of mail") from error
    if not address.username or "." not in address.domain or not text.isascii():
        raise ValueError("an address of mail is name@example.org, in ASCII")


def message_id(one: Message) -> str:
    """What a message is known by, however often it is sent."""
    return f"dala-alert-{one.alert.id}-{one.event}-{one.id}"


def content(one: Message, document: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a webhook; ``document`` is the alert as ``alert_words.as_document`` has it."""
    return {
        "type": f"alert.{one.event}",
        "id": message_id(one),
        "timestamp": one.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "data": {"farm": one.farm, "farm_name": one.farm_name, "alert": dict(document)},
    }
