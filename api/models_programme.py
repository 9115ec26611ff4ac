"""What the API says of water supplies and investments, which statements of the programme need."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models import Out

Source = Literal["river", "canal", "reservoir", "groundwater", "drainage", "wastewater", "other"]
Purpose = Literal["water-saving-irrigation", "telemetry", "machinery", "other"]
_FIRST, _LAST = dt.date(1990, 1, 1), dt.date(2100, 12, 31)
_ID = 2**63 - 1


class SupplyIn(BaseModel):
    """Where the water of a field comes from, from a day on until the next that is entered."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    field_id: int = Field(ge=1, le=_ID, examples=[1])
    valid_from: dt.date = Field(ge=_FIRST, le=_LAST, examples=["2025-04-01"])
    source: Source = Field(examples=["canal"])
    name: str = Field(default="", max_length=200, description="of the canal, river or well")
    tariff_kzt_m3: float | None = Field(
        default=None, ge=0, le=100_000, description="price of a m³; null: not known", examples=[3.2]
    )
    reference: str = Field(
        min_length=1, max_length=500, description="contract or order", examples=["contract 17"]
    )


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


class InvestmentIn(BaseModel):
    """What a farm spent once, to serve for years."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    farm: str = Field(max_length=200, examples=["turkistan-01"])
    made_on: dt.date = Field(ge=_FIRST, le=_LAST, examples=["2024-03-15"])
    purpose: Purpose = Field(examples=["water-saving-irrigation"])
    amount_kzt: float = Field(gt=0, le=1e15, examples=[185_000_000.0])
    subsidy_kzt: float | None = Field(
        default=None, ge=0, le=1e15, description="part of the amount; null: not known"
    )
    area_ha: float | None = Field(default=None, gt=0, le=1e7, examples=[120.0])
    service_life_years: float = Field(
        gt=0, le=100, description="over which its cost is spread", examples=[10.0]
    )
    reference: str = Field(
        min_length=1, max_length=500, description="contract, act or invoice", examples=["act 5"]
    )


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
