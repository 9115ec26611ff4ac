"""What the API says of water supplies and investments, which statements of the programme need."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from api.models import Out
from entry.models import Purpose, Source


class SupplyOut(Out):
    """Where the water of a field comes from."""

    id: int = Field(examples=[4])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    valid_from: dt.date
    source: Source
    name: str
    tariff_kzt_m3: float | None
    reference: str
    created_at: dt.datetime
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None


class InvestmentOut(Out):
    """What a farm spent once, to serve for years."""

    id: int = Field(examples=[2])
    farm: str = Field(examples=["turkistan-01"])
    made_on: dt.date
    purpose: Purpose
    amount_kzt: float
    subsidy_kzt: float | None
    area_ha: float | None
    service_life_years: float
    reference: str
    created_at: dt.datetime
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None
