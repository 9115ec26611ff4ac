"""Settings of what watches and sends."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from reports.notices import NoticeSettings


class WatchSettings(NoticeSettings):
    """Read from the environment, ``DALA_SMTP_HOST`` and so on."""

    watch_every_s: float = Field(default=5, gt=0, description="between looks for what is due")
    seal_every_h: float = Field(
        default=24, ge=1 / 60, le=24, description="between seals; those of a day at midnight UTC"
    )
    webhook_timeout_s: float = Field(default=10, gt=0, description="for a whole exchange")
    smtp_host: str | None = Field(default=None, description="without it, no mail is sent")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "plain"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = "dala@localhost"
    smtp_timeout_s: float = Field(default=30, gt=0)
    send_workers: int = Field(default=8, ge=1, le=64, description="messages sent at a time")
