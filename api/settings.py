"""Settings of the API."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Read from the environment, ``DALA_API_TOKEN`` and so on."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    api_database_url: SecretStr | None = Field(
        default=None, description="database login of the API; without it, that of DALA_DATABASE_URL"
    )
    api_token: SecretStr | None = Field(
        default=None, description="a bearer token that sees every farm and does what operators do"
    )
    api_open: bool = Field(
        default=False, description="who brings no credential reads everything: for a demo"
    )
    api_open_at_first: bool = Field(
        default=False, description="the same, until the first account or client is made"
    )
    public_url: str | None = Field(
        default=None, description="where people and programs reach the API, https://… in service"
    )
    api_rate_per_minute: int = Field(
        default=1_200, ge=0, description="requests of one credential; 0: as many as they like"
    )
    sign_in_rate_per_minute: int = Field(
        default=30, ge=1, description="attempts to sign in, or wrong credentials, of one address"
    )
    exports_at_once: int = Field(
        default=4, ge=1, description="large tables that a credential may have under way"
    )
    session_idle_h: float = Field(default=24, gt=0, description="a session not used ends")
    session_days: float = Field(default=30, gt=0, description="every session ends")
    access_token_minutes: int = Field(default=30, ge=15, le=60)
    body_bytes: int = Field(default=10 * 2**20, ge=1_000, description="largest body of a request")
    body_s: float = Field(default=30, gt=0, description="in which a body must have come")
    cors_origins: list[str] = Field(
        default=[], description="pages elsewhere that may ask, as a JSON list of origins"
    )

    report_key_file: Path | None = Field(
        default=None, description="private key that reports are filed with: `dala report key`"
    )

    page_folder: Path | None = Field(
        default=None, description="the built page for people; by default that of `make page`"
    )
    map_tile_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s;,'\"]+$",
        description="raster tiles under the page's map, https://…/{z}/{x}/{y}.png",
    )
    map_tile_attribution: str = Field(default="", description="whom the tiles are from")

    oidc_issuer: str | None = Field(
        default=None, description="OpenID Connect provider where people may sign in; needs TLS"
    )
    oidc_client_id: str = Field(default="dala", description="as the provider knows this service")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="shared with the provider"
    )

    @property
    def idle(self) -> dt.timedelta:
        """After which a session that is not used ends."""
        return dt.timedelta(hours=self.session_idle_h)

    @property
    def lives(self) -> dt.timedelta:
        """After which a session ends, used or not."""
        return dt.timedelta(days=self.session_days)

    @property
    def secure(self) -> bool:
        """Whether people come over TLS."""
        return (self.public_url or "").startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; with this prefix a browser takes it over TLS alone."""
        return "__Host-dala" if self.secure else "dala_session"

    @property
    def origin(self) -> str | None:
        """Scheme and host of the public address, as a browser sends it."""
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"
