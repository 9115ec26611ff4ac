"""What people decide on irrigation advice."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from api.models import Out
from api.models_access import Asked
from reports.advice_words import Decision

Choice = Literal["accepted", "skipped"]


class DecisionIn(Asked):
    """A decision on the advice for a crop zone on a day."""

    crop_zone_id: int = Field(ge=1, le=2**63 - 1, examples=[7])
    day: dt.date = Field(
        ge=dt.date(1990, 1, 1),
        le=dt.date(2100, 12, 31),
        description="the farm's, that was advised for",
        examples=["2025-07-04"],
    )
    decision: Decision = Field(
        description="the advice as it was shown: refused with 409 if it is another by now",
        examples=["irrigate-now"],
    )
    choice: Choice = Field(examples=["accepted"])
    note: str = Field(
        default="",
        max_length=1_000,
        pattern=r"^[^\x00-\x1f]*$",
        description="one line",
        examples=["the pump is on at 18:00"],
    )


class AdvisedOut(Out):
    """What was advised when it was decided; null where nothing was to be irrigated."""

    decision: Decision = Field(examples=["irrigate-now"])
    irrigation_day: dt.date | None = Field(examples=["2025-07-04"])
    irrigation_net_mm: float | None = Field(description="into the soil", examples=[79.6])
    irrigation_gross_mm: float | None = Field(description="out of the system", examples=[106.1])
    irrigation_m3: float | None = Field(examples=[10_613.0])
    depletion_mm: float | None = Field(description="the evening before", examples=[79.6])
    refill_line_mm: float | None = Field(examples=[75.0])
    reasons: list[dict[str, Any]] = Field(description="messages by key, with their values")


class DecisionOut(Out):
    """A decision on advice, with what had been advised."""

    id: int = Field(examples=[5])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    crop_zone_id: int = Field(examples=[7])
    season: int = Field(examples=[2025])
    day: dt.date = Field(description="the farm's, that was advised for", examples=["2025-07-04"])
    choice: Choice = Field(examples=["accepted"])
    advised: AdvisedOut
    note: str = Field(examples=["the pump is on at 18:00"])
    created_at: dt.datetime
    created_by: str = Field(examples=["account:aigul"])
    withdrawn_at: dt.datetime | None = Field(description="taken back, or decided anew")
    withdrawn_by: str | None
