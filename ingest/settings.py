"""Where the broker is, how batches are cut, and which of several workers this one is."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CLIENT_ID = "dala-ingest"
MAX_WORKERS = 100


class MqttSettings(BaseSettings):
    """Read from the environment: ``DALA_MQTT_URL`` and how batches are cut."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    mqtt_url: SecretStr | None = None  # mqtt://user:password@host:1883, mqtts:// for TLS
    # Who may administer Mosquitto's dynamic security: devices' credentials are then told to it.
    mqtt_admin_url: SecretStr | None = None
    mqtt_sparkplug_host: str | None = None  # says on spBv1.0/STATE/… that this host is there
    batch_messages: int = Field(default=2_000, ge=1)
    batch_age_s: float = Field(default=0.2, gt=0)
    batch_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    receive_maximum: int = Field(default=4_000, ge=1, le=65_535)
    acknowledge_within_s: float = Field(default=60.0, gt=0)

    @field_validator("mqtt_sparkplug_host")
    @classmethod
    def _is_a_level(cls, host: str | None) -> str | None:
        if host is not None and (not host or set(host) & set("/+#\x00")):
            raise ValueError("a host's id is not empty and has none of / + #")
        return host


class BadAddress(ConnectionError, ValueError):
    """The broker's address cannot be read. It may hold a password, so it is not repeated."""

    def __init__(self) -> None:
        super().__init__(
            "the broker's address in DALA_MQTT_URL must look like mqtt://user:password@host:1883"
        )


class BrokerAddress(NamedTuple):
    """Where a broker listens, and as whom to speak to it."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Read ``mqtt[s]://[user[:password]@]host[:port]``; BadAddress says what is wrong."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadAddress from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadAddress
        tls = parts.scheme == "mqtts"
        user, password = (
            None if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        return cls(parts.hostname, port or (8883 if tls else 1883), user, password, tls)

    @property
    def place(self) -> str:
        """Host and port, for people and logs."""
        return f"{self.host}:{self.port}"


class Worker(NamedTuple):
    """Which of how many ingesters this one is; one alone shares nothing."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Worker:
        """Read ``2/3``; ValueError says what is wrong."""
        found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text.strip())
        worker = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= worker.number <= worker.of <= MAX_WORKERS:
            raise ValueError(
                f"worker {text!r}: write which of how many, as 2/3, with at most {MAX_WORKERS}"
            )
        return worker

    @property
    def shares(self) -> bool:
        """Whether others take a part of the messages."""
        return self.of > 1

    def client_id(self, base: str = CLIENT_ID) -> str:
        """Stable: the broker keeps this worker's session under it."""
        return f"{base}-{self.number}" if self.shares else base
