"""What a message is made of, and where it may go: used by who asks for it and who sends it.

Webhooks have the form of Standard Webhooks 1.0: signed by HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from email.errors import MessageError
from email.headerregistry import Address
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from reports.alert_words import as_document
from reports.messages import Language
from reports.statements.figures import moment
from storage.deliveries import Message, OfAlert, OfReport

SECRET = "whsec_"  # noqa: S105 - how one begins


class NoticeSettings(BaseSettings):
    """Read from the environment, ``DALA_WEBHOOK_PRIVATE``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    webhook_private: bool = Field(
        default=False, description="webhooks may lead into private networks, and need no TLS"
    )
    public_url: str | None = Field(
        default=None, description="where the API is reached: messages about reports name it"
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
    if isinstance(one.about, OfReport):
        return f"dala-report-{one.about.report.number}-{one.about.revision}-{one.id}"
    return f"dala-alert-{one.about.alert.id}-{one.event}-{one.id}"


def content(one: Message, *, public_url: str | None) -> dict[str, Any]:
    """The body of a webhook."""
    if isinstance(one.about, OfReport):
        topic, data = "report", _report(one.about, public_url)
    else:
        topic, data = "alert", _alert(one.about, one.language)
    return {
        "type": f"{topic}.{one.event}",
        "id": message_id(one),
        "timestamp": moment(one.created_at),
        "data": data,
    }


def _alert(about: OfAlert, language: str) -> dict[str, Any]:
    document = as_document(about.alert, cast("Language", language), about.timezone)
    return {"farm": about.farm, "farm_name": about.farm_name, "alert": document}


def _report(about: OfReport, public_url: str | None) -> dict[str, Any]:
    """Enough to know whether to pull it, and that what was pulled is what was told."""
    of = about.report
    path = f"/v1/reports/{of.number}?revision={about.revision}"
    return {
        "number": of.number,
        "revision": about.revision,
        "kind": of.kind,
        "subject": {"area": of.area_code} if about.farm is None else {"farm": about.farm},
        "season": of.season,
        "start": None if of.period_start is None else of.period_start.isoformat(),
        "end": None if of.period_end is None else of.period_end.isoformat(),
        "as_of": moment(about.as_of),
        "filed_at": moment(about.filed_at),
        "reason": about.reason,
        "digest": about.digest,
        "url": (public_url or "").rstrip("/") + path,
    }
