"""What the API says and is told of what happens by itself: reports told, and reports filed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from api.models import Out
from api.models_access import Asked
from api.models_reports import Kind
from entry.models import Zone

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


Season = Annotated[
    Literal["this-year", "last-year"] | Annotated[int, Field(ge=1990, le=2100)],
    Field(
        description="that is filed: by the local day on which it is due, or one year of harvest",
        examples=["this-year"],
    ),
]
DayOfYear = Annotated[str, Field(pattern=r"^\d\d-\d\d$", examples=["07-01"])]


class ReportScheduleIn(Asked):
    """A report that is to be filed by itself: of a farm or an area."""

    kind: Kind = Field(examples=["harvest"])
    area: str | None = Field(default=None, max_length=20, description="KZ, a region or a district")
    farm: str | None = Farm
    season: Season = "this-year"
    every: Literal["day", "week", "month"]
    on: int | None = Field(
        default=None,
        ge=1,
        le=31,
        description="of each week the day, Monday 1; of each month the day, or its last where it "
        "is shorter",
    )
    at: str = Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="local time",
        examples=["06:00"],
    )
    timezone: Zone = Field(examples=["Asia/Almaty"])
    first_day: DayOfYear | None = Field(default=None, description="of a part of each year alone")
    last_day: DayOfYear | None = Field(
        default=None, description="and included; before the first: of the next year"
    )


class ReportScheduleOut(Out):
    """A report that is filed by itself, when next, and what became of it last."""

    id: int = Field(examples=[3])
    kind: Kind
    area: str | None = Field(description="null: of a farm", examples=["KZ"])
    farm: str | None = Field(description="null: of an area", examples=["turkistan-01"])
    season: str = Field(description="this-year, last-year or a year", examples=["this-year"])
    every: Literal["day", "week", "month"]
    on: int | None = Field(description="day of the week or the month", examples=[1])
    at: str = Field(examples=["06:00"])
    timezone: str = Field(examples=["Asia/Almaty"])
    first_day: str | None = Field(examples=["07-01"])
    last_day: str | None = Field(examples=["11-30"])
    next_due_at: dt.datetime | None = Field(
        description="in the past: it is not done yet; null: the timezone is not known any more"
    )
    number: str | None = Field(
        description="of the report that it filed last", examples=["harvest-2026-0001"]
    )
    revision: int | None = Field(description="that stood then", examples=[12])
    last_error: str | None = Field(description="null: the last attempt did not fail")
    next_attempt_at: dt.datetime | None = Field(description="after a failure")
    created_by: str = Field(description="by whose right it is filed", examples=["account:anna"])
    created_at: dt.datetime
