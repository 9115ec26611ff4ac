"""What routes ask for: a transaction, and the usual parameters."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterator
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Path, Query, Request
from pydantic import AfterValidator, AwareDatetime, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Read from the environment."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    api_token: SecretStr | None = Field(
        default=None, description="asked of every request as a bearer token, where set"
    )


def open_transaction(request: Request) -> Iterator[sa.Connection]:
    """One request is one transaction: commit when it ends well, roll back when not."""
    with request.app.state.engine.begin() as connection:
        yield connection


def check_token(request: Request) -> None:
    """Let in who holds the token; without one set, the server listens on loopback alone."""
    token: str | None = request.app.state.token
    if token is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        raise HTTPException(
            401,
            "Send the header «Authorization: Bearer …» with the token of DALA_API_TOKEN.",
            headers={"WWW-Authenticate": "Bearer"},
        )


def current_time() -> dt.datetime:
    """Now; a test puts its own in place."""
    return dt.datetime.now(dt.UTC)


def _in_calendar(moment: dt.datetime) -> dt.datetime:
    # At either end of the calendar a change of time zone overflows.
    if not 1900 <= moment.year <= 2200:
        raise ValueError("must be between the years 1900 and 2200")
    return moment


Transaction = Annotated[sa.Connection, Depends(open_transaction, scope="function")]
Now = Annotated[dt.datetime, Depends(current_time)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
FarmSlug = Annotated[str, Path(examples=["turkistan-01"])]
Limit = Annotated[int, Query(ge=1, le=1_000, description="rows of one page")]
After = Annotated[
    str, Query(max_length=200, description="the page begins after this id; see the Link header")
]
Season = Annotated[int, Query(ge=1990, le=2100, description="year of harvest", examples=[2025])]
