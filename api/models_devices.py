"""What the API says of how devices are: heard, powered, complete, understood."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from api.models import Out

State = Literal["reporting", "silent", "resting", "never", "disabled"]


class DeviceStateOut(Out):
    """A device as it stands; null: it never told."""

    id: str = Field(examples=["turkistan-01-field-1-probe"])
    kind: str = Field(examples=["soil-probe"])
    name: str
    field_id: int | None
    wire_id: str | None = Field(examples=["lora:a84041ffff123456"])
    state: State = Field(
        description="reporting: heard within a day; resting: a machine that was not, as is usual; "
        "never: registered and not heard yet"
    )
    heard_at: dt.datetime | None = Field(description="when something new of it was last stored")
    interval_s: int | None = Field(description="between readings", examples=[600])
    battery_level_pct: float | None = Field(examples=[87.0])
    battery_voltage_v: float | None = Field(examples=[3.6])
    battery_at: dt.datetime | None
    signal_dbm: float | None = Field(examples=[-97.0])
    signal_at: dt.datetime | None
    missing_messages: int = Field(description="numbers that never came and are not given up")
    missing_since: dt.datetime | None
    rejected_messages: int = Field(description="that could not be stored, ever")
    rejected_at: dt.datetime | None = Field(description="the last of them")


class HeardDayOut(Out):
    """What was measured on a day."""

    day: dt.date = Field(examples=["2025-07-20"])
    readings: int = Field(description="usable ones", examples=[576])
    points: int = Field(description="of its track")


class HeardDaysOut(Out):
    """Day by day what came of a device; a day without anything is there with zeros."""

    device_id: str
    readings_a_day: float | None = Field(
        description="as the intervals of its datastreams amount to; null: none is known",
        examples=[576.0],
    )
    days: list[HeardDayOut]


class RefusalOut(Out):
    """Messages of a device that could not be stored, for one reason."""

    reason: str = Field(examples=["bad-message"])
    messages: int = Field(examples=[3])
    detail: str | None = Field(description="of the newest", examples=["no record has a value"])
    topic: str | None
    payload: str | None = Field(description="how the newest begins: text, or hex digits in pairs")
    last_at: dt.datetime | None = Field(description="null: only counted, for there were too many")
