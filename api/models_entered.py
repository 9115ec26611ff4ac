"""What the API says of what people entered, with units in the names."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from api.models import Out


class CropZoneOut(Out):
    """One crop on one field in one season."""

    id: int = Field(examples=[7])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    season: int = Field(description="year of harvest", examples=[2025])
    crop: str = Field(examples=["cotton"])
    planted: dt.date = Field(examples=["2025-04-20"])
    harvested: dt.date = Field(examples=["2025-09-30"])
    area_ha: float = Field(examples=[62.5])
    irrigation_method: str | None
    application_efficiency: float | None
    wetted_fraction: float | None
    system_flow_m3_h: float | None
    crop_parameters: dict[str, Any]
    conventions: dict[str, Any]
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])


class IrrigationEventOut(Out):
    """One application of water on a field, as entered."""

    id: int = Field(examples=[12])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    started_at: dt.datetime = Field(examples=["2025-06-12T01:00:00Z"])
    ended_at: dt.datetime = Field(examples=["2025-06-12T13:00:00Z"])
    volume_m3: float = Field(examples=[3_200.0])
    wetted_fraction: float | None
    efficiency: float | None
    source: str
    note: str
    created_at: dt.datetime
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None


class LoadOut(Out):
    """A weighed load, as entered."""

    id: int = Field(examples=[31])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    crop_zone_id: int = Field(examples=[7])
    season: int = Field(examples=[2025])
    ticket: str = Field(examples=["A-1042"])
    weighed_at: dt.datetime = Field(examples=["2025-09-21T09:30:00Z"])
    net_kg: float = Field(examples=[8_400.0])
    moisture_pct: float | None
    impurity_pct: float | None
    area_ha: float | None
    source: str
    created_at: dt.datetime
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None


class AdjustmentOut(Out):
    """A non-routine adjustment of a baseline."""

    id: int = Field(examples=[3])
    farm: str = Field(examples=["turkistan-01"])
    field_id: int = Field(examples=[1])
    field: str = Field(examples=["field-1"])
    crop_zone_id: int = Field(examples=[7])
    season: int = Field(examples=[2025])
    volume_m3: float = Field(examples=[-12_000.0])
    u_volume_m3: float = Field(examples=[1_500.0])
    reason: str
    author: str = Field(examples=["account:aigul"])
    created_at: dt.datetime
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None


class ForecastOut(Out):
    """A forecast that was kept."""

    farm: str = Field(examples=["turkistan-01"])
    source: str
    issued_at: dt.datetime
    days: int = Field(description="that it has", examples=[7])


class LineRead(Out):
    """A line of a file, and what is wrong with it."""

    line: int = Field(description="in the file, from 1 on; the header is the first", examples=[7])
    errors: list[str] = Field(examples=[["volume_m3: Input should be greater than or equal to 0"]])


class LinesRead(Out):
    """What became of a file, or would become of it."""

    kind: str = Field(examples=["irrigation-events"])
    dry_run: bool = Field(description="true: nothing was kept")
    lines: int = Field(examples=[120])
    stored: int = Field(description="all of the lines or none", examples=[120])
    refused: int = Field(examples=[0])
    problems: list[LineRead] = Field(description="of lines that are wrong")
