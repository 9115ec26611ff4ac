"""What a map of a farm shows on one day."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from api.models import Out


class FieldWaterOut(Out):
    """A crop on a field on the day, and how much water it lacks; a table has a line for each."""

    field_id: int = Field(examples=[1])
    crop_zone_id: int = Field(examples=[7])
    crop: str = Field(examples=["cotton"])
    season: int = Field(examples=[2025])
    irrigation_method: str | None = Field(description="null: rain-fed", examples=["drip"])
    area_ha: float = Field(examples=[62.5])
    balance_day: dt.date | None = Field(
        description="evening that the figures are of, before the day; null: none of 30 days",
        examples=["2025-06-30"],
    )
    depletion_mm: float | None = Field(
        description="water missing in the root zone", examples=[60.0]
    )
    taw_mm: float | None = Field(description="total available water", examples=[150.0])
    raw_mm: float | None = Field(description="readily available water", examples=[75.0])


class SeasonSpanOut(Out):
    """A season of a farm."""

    season: int = Field(description="year of harvest", examples=[2025])
    first: dt.date = Field(description="first sowing", examples=["2025-04-20"])
    last: dt.date = Field(description="last harvest", examples=["2025-09-30"])


class WaterStatusOut(Out):
    """How the fields of a farm stand with water on a day; fields without a crop are left out."""

    farm: str = Field(examples=["turkistan-01"])
    day: dt.date = Field(description="the farm's", examples=["2025-07-01"])
    seasons: list[SeasonSpanOut] = Field(description="of the farm, the newest first")
    crop_zones: list[FieldWaterOut]


class PositionOut(Out):
    """A device and the newest point that it sent; null where it sends none."""

    device_id: str = Field(examples=["kostanay-01-tractor"])
    kind: str = Field(examples=["tractor"])
    name: str = Field(examples=["Tractor"])
    field_id: int | None = Field(description="that it stands on", examples=[1])
    silent: bool = Field(description="as of now: an alert says so")
    heard_at: dt.datetime | None = Field(description="last message")
    time: dt.datetime | None = Field(description="of the point, within 31 days before")
    latitude_deg: float | None = Field(examples=[53.3546])
    longitude_deg: float | None = Field(examples=[63.2895])
    heading_deg: float | None = Field(description="clockwise from north", examples=[270.0])
    speed_m_s: float | None = Field(examples=[2.5])
    work_state: int | None = Field(description="ISO 11783 DDI 141: 0 off, 1 on", examples=[1])


class HerdPositionOut(Out):
    """A herd where it was seen last, within 31 days before."""

    device_id: str = Field(description="of the drone or collar that saw it")
    name: str
    day: dt.date = Field(examples=["2025-07-01"])
    latitude_deg: float = Field(examples=[53.33096])
    longitude_deg: float = Field(examples=[63.2895])
    animals: float = Field(description="the most seen at once: at least so many", examples=[230])


class PositionsOut(Out):
    """Where devices and herds of a farm are, or were at the end of a day."""

    farm: str = Field(examples=["kostanay-01"])
    before: dt.datetime = Field(description="points before this moment were looked at")
    devices: list[PositionOut]
    herds: list[HerdPositionOut]
