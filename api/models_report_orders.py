"""What the API says and is told of what happens by itself: reports told to webhooks."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from api.models import Out
from api.models_access import Asked
from api.models_reports import Kind

Area = Field(
    default=None,
    max_length=20,
    description="KZ, a region or a district, with all that lies in it; null: of a farm",
)
Farm = Field(default=None, max_length=200, examples=["turkistan-01"])


class ReportSubscriptionIn(Asked):
    """Where reports of a farm or an area are to be told."""

    area: str | None = Area
    farm: str | None = Farm
    kinds: list[Kind] = Field(
        default=[], max_length=10, description="none: every kind", examples=[["harvest"]]
    )
    address: str = Field(
        min_length=3,
        max_length=500,
        description="https://… of a webhook",
        examples=["https://hooks.example.org/dala"],
    )


class ReportSubscriptionOut(Out):
    """Where reports are told."""

    id: int = Field(examples=[3])
    area: str | None = Field(description="null: of a farm", examples=["KZ-61"])
    farm: str | None = Field(description="null: of an area", examples=["turkistan-01"])
    kinds: list[str] = Field(description="none: every kind", examples=[["harvest"]])
    address: str = Field(examples=["https://hooks.example.org/dala"])
    created_by: str = Field(
        description="who is told what they may read", examples=["client:minagro"]
    )
    created_at: dt.datetime


class NewReportSubscriptionOut(ReportSubscriptionOut):
    """A subscription, and what its messages are signed with; not shown again."""

    secret: str | None = Field(
        description="as Standard Webhooks 1.0 has it; null when sent again", examples=["whsec_…"]
    )


class ReportDeliveryOut(Out):
    """What became of a message about a report."""

    id: int = Field(examples=[41])
    subscription_id: int = Field(examples=[3])
    number: str | None = Field(
        description="null: who asks may not read it", examples=["water-2026-0001"]
    )
    revision: int | None = Field(description="0: as first filed", examples=[0])
    event: Literal["filed", "revised"]
    status: Literal["pending", "sent", "given-up"]
    attempts: int = Field(examples=[2])
    next_attempt_at: dt.datetime | None = Field(description="null: it is over")
    last_error: str | None = Field(examples=["the answer was 503: no success"])
    created_at: dt.datetime
    sent_at: dt.datetime | None
