"""What is said and asked about accounts, sessions, clients and deeds."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.models import Out
from storage.permissions import SCOPES

Role = Literal["administrator", "agronomist", "operator", "ministry", "reader"]
Tongue = Literal["kk", "ru", "en"]


def _known_scope(scope: str) -> str:
    if scope not in SCOPES:
        raise ValueError(f"must be one of {', '.join(SCOPES)}")
    return scope


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise ValueError("must be text")
    return text


Login = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", min_length=2, max_length=100, to_lower=True
    ),
]
ClientName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", min_length=2, max_length=60)
]
Words = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
# Longer than a password may be, so that the answer says so; never unbounded.
Password = Annotated[str, Field(max_length=1_000, examples=["rain on the steppe 7"])]
Slug = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
RegionPrefix = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,8})?$"),
    Field(description="beginning of region codes: KZ-61 a region, KZ the country"),
]
Scope = Annotated[
    str,
    AfterValidator(_known_scope),
    Field(examples=["read:farms"], json_schema_extra={"enum": list(SCOPES)}),
]


class Asked(BaseModel):
    """A body; what it must not hold is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Asked):
    """Login and password."""

    login: str = Field(max_length=100, examples=["aigul"])
    password: Password


class SessionOut(Out):
    """Who is signed in, and what a page needs to write."""

    login: str = Field(examples=["aigul"])
    name: str
    role: Role
    scopes: list[str] = Field(examples=[["read:farms", "write:records"]])
    farms: list[str] | None = Field(description="slugs; null: every farm, or those of its regions")
    regions: list[str]
    language: Tongue
    expires_at: dt.datetime
    csrf_token: str = Field(description="for the header X-CSRF-Token of whatever writes")


class SignedInOut(Out):
    """A browser in which the person is signed in."""

    id: int
    current: bool = Field(description="the one that asks")
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    address: str = Field(examples=["198.51.100.7"])
    user_agent: str


class PasswordChange(Asked):
    """One's own password."""

    current: Password
    new: Password


class PasswordReset(Asked):
    """A forgotten password, with the token that an administrator handed over."""

    token: str = Field(max_length=200)
    new: Password


class AccountIn(Asked):
    """A person to be let in."""

    login: Login = Field(examples=["aigul"])
    name: Words = Field(examples=["Айгүл Серікова"])
    role: Role
    farms: list[Slug] = Field(default=[], max_length=10_000, examples=[["turkistan-01"]])
    regions: list[RegionPrefix] = Field(default=[], max_length=100, examples=[["KZ-61"]])
    language: Tongue = "en"
    federated_subject: Annotated[str, AfterValidator(_storable)] | None = Field(
        default=None, max_length=400, description="OpenID Connect: issuer, a blank, sub"
    )


class AccountChange(Asked):
    """What is to be different; what is left out stays."""

    name: Words | None = Field(default=None, examples=["Aigul"])
    role: Role | None = None
    farms: list[Slug] | None = Field(default=None, max_length=10_000)
    regions: list[RegionPrefix] | None = Field(default=None, max_length=100)
    language: Tongue | None = None
    disabled: bool | None = None
    federated_subject: Annotated[str, AfterValidator(_storable)] | None = Field(
        default=None, max_length=400, description="OpenID Connect: issuer, a blank, sub"
    )


class AccountOut(Out):
    """A person."""

    login: str = Field(examples=["aigul"])
    name: str
    role: Role
    farms: list[str] = Field(description="slugs")
    regions: list[str] = Field(examples=[["KZ-61"]])
    language: Tongue
    disabled: bool
    created_at: dt.datetime
    last_sign_in_at: dt.datetime | None


class LinkOut(Out):
    """Sets a password once; to be handed over, it is not shown again."""

    login: str
    token: str | None = Field(description="null: it was told before, to the same Idempotency-Key")
    expires_at: dt.datetime = Field(examples=["2025-07-02T10:00:00Z"])


class NewAccountOut(Out):
    """A person, and what lets them choose a password."""

    account: AccountOut
    password_link: LinkOut | None = Field(
        description="null: it was told before, to the same Idempotency-Key"
    )


class ClientIn(Asked):
    """A program to be let in."""

    name: ClientName = Field(examples=["minagro-registry"])
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    everything: bool = Field(default=False, description="sees every farm")
    farms: list[Slug] = Field(default=[], max_length=10_000)
    regions: list[RegionPrefix] = Field(default=[], max_length=100)
    jwks: dict[str, Any] | None = Field(
        default=None, description="public keys (RFC 7517) for private_key_jwt"
    )


class ClientChange(Asked):
    """What is to be different; what is left out stays."""

    scopes: list[Scope] | None = Field(default=None, min_length=1, max_length=len(SCOPES))
    everything: bool | None = None
    farms: list[Slug] | None = Field(default=None, max_length=10_000)
    regions: list[RegionPrefix] | None = Field(default=None, max_length=100)
    jwks: dict[str, Any] | None = None
    disabled: bool | None = None


class ClientOut(Out):
    """A program."""

    name: str = Field(examples=["minagro-registry"])
    scopes: list[str]
    everything: bool
    farms: list[str]
    regions: list[str]
    jwks: dict[str, Any] | None
    disabled: bool
    created_by: str
    created_at: dt.datetime


class KeyIn(Asked):
    """A key to be made."""

    days: int = Field(default=365, ge=1, le=730, description="until it expires", examples=[365])


class KeyOut(Out):
    """A key, without what is secret about it."""

    id: int
    beginning: str = Field(examples=["dala_key_4fYb"])
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None


class NewKeyOut(Out):
    """A key; it is not shown again."""

    key: str | None = Field(
        description="null: it was told before, to the same Idempotency-Key",
        examples=["dala_key_…"],
    )
    id: int
    expires_at: dt.datetime


class TokenOut(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="seconds", examples=[1_800])
    scope: str = Field(examples=["read:farms read:reports region:KZ-61"])


class TokenError(BaseModel):
    """RFC 6749, section 5.2."""

    error: str = Field(examples=["invalid_client"])
    error_description: str


class DeedOut(Out):
    """A line of the audit log."""

    id: int
    at: dt.datetime
    actor: str = Field(examples=["account:aigul"])
    action: str = Field(examples=["account.create"])
    object: str = Field(examples=["account:daniyar"])
    farm_id: int | None
    request_id: str | None
    address: str | None
    details: dict[str, Any]
