"""What the API says of irrigation advice, with units in the names."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from api.models import Out
from reports.advice_words import Decision
from reports.messages import Language


class SaidOut(Out):
    """A message: its key and values for programs, its text for people."""

    key: str = Field(examples=["advice.reason.line_reached"])
    values: dict[str, Any] = Field(
        description="days as ISO 8601, numbers with their unit in the name",
        examples=[{"day": "2025-07-03", "depletion_mm": 79.6, "line_mm": 75.0}],
    )
    text: str = Field(
        examples=[
            "Without irrigation the refill line is reached on the evening of 3 July: 79.6 mm "
            "missing, the line is 75.0 mm."
        ]
    )


class AdviceRulesOut(Out):
    """The rules that the advice follows."""

    line_share_of_raw: float = Field(
        description="refill line as a share of the readily available water", examples=[1.0]
    )
    room_share_of_forecast_rain: float = Field(
        description="of the rain forecast for two days, left room for", examples=[0.0]
    )
    hours_per_day: float = Field(description="that a system may run", examples=[24.0])


class ExpectedDay(Out):
    """The weather expected on a day."""

    day: dt.date = Field(examples=["2025-07-01"])
    et0_mm: float | None = Field(examples=[6.5])
    et0_sd_mm: float | None = Field(
        description="standard deviation of single days; null for a forecast", examples=[0.9]
    )
    rain_mm: float | None = Field(examples=[0.2])
    source: str = Field(
        description="forecast, climatology or persistence", examples=["climatology"]
    )
    forecaster: str | None = Field(examples=[None])
    issued_at: dt.datetime | None = Field(description="of the forecast", examples=[None])
    measured_days: int = Field(description="that a climatology rests on", examples=[45])
    years: int = Field(description="of which these are", examples=[3])


class IrrigationOut(Out):
    """The next irrigation."""

    day: dt.date = Field(examples=["2025-07-04"])
    irrigation_net_mm: float = Field(description="into the soil", examples=[79.6])
    irrigation_gross_mm: float = Field(description="out of the system", examples=[106.1])
    irrigation_m3: float = Field(examples=[10_613.0])
    irrigation_hours: float | None = Field(
        description="null: the flow of the system is not known", examples=[21.2]
    )


class AdviceDay(Out):
    """One day of the plan; later days count on the irrigation of earlier ones."""

    day: dt.date = Field(examples=["2025-07-04"])
    et0_mm: float = Field(examples=[6.5])
    rain_mm: float = Field(examples=[0.0])
    weather_source: str = Field(examples=["climatology"])
    etc_mm: float = Field(description="without irrigation", examples=[6.5])
    refill_line_mm: float = Field(description="without irrigation", examples=[75.0])
    depletion_without_irrigation_mm: float = Field(description="in the evening", examples=[85.7])
    ks_without_irrigation: float = Field(description="1: no water stress", examples=[0.94])
    depletion_mm: float = Field(description="in the evening, by the plan", examples=[7.8])
    irrigation_net_mm: float = Field(examples=[79.6])
    irrigation_gross_mm: float = Field(examples=[106.1])
    irrigation_m3: float = Field(examples=[10_613.0])
    irrigation_hours: float | None = Field(examples=[21.2])


class ZoneAdvice(Out):
    """Advice for one crop on one field; figures are null where nothing can be advised."""

    crop_zone_id: int
    field_id: int
    field: str = Field(examples=["field-1"])
    crop: str = Field(examples=["cotton"])
    season: int = Field(examples=[2025])
    area_ha: float = Field(examples=[10.0])
    irrigation_method: str | None = Field(description="null: rain-fed", examples=["sprinkler"])
    decision: Decision = Field(examples=["irrigate-in-days"])
    decision_text: str = Field(examples=["Irrigate in 3 days, on 4 July"])
    balance_day: dt.date | None = Field(
        description="evening of the stored balance that the advice begins from"
    )
    stale_days: int | None = Field(
        description="by which that lies before the evening before", examples=[0]
    )
    depletion_mm: float | None = Field(
        description="water missing in the root zone on the evening before", examples=[60.0]
    )
    depletion_sd_mm: float | None = Field(description="its standard deviation")
    taw_mm: float | None = Field(description="total available water", examples=[150.0])
    raw_mm: float | None = Field(description="readily available water", examples=[75.0])
    refill_line_mm: float | None = Field(
        description="depletion at which to irrigate", examples=[75.0]
    )
    next_irrigation: IrrigationOut | None = Field(description="null: none within the days")
    refill_day: dt.date | None = Field(
        description="on whose evening the refill line is reached without irrigation; null: not "
        "within the days",
        examples=["2025-07-03"],
    )
    refill_day_earliest: dt.date | None = Field(
        description="if everything is one standard deviation drier"
    )
    refill_day_latest: dt.date | None = Field(
        description="if wetter; null where refill_day_uncertainty is not empty: not within the days"
    )
    refill_day_uncertainty: list[str] = Field(
        description="what the range comes from: depletion, weather; empty: no range is known"
    )
    stress_days: int | None = Field(
        description="on which the crop is short of water without irrigation", examples=[5]
    )
    first_stress_day: dt.date | None
    lowest_ks: float | None = Field(description="of these days", examples=[0.62])
    days: list[AdviceDay]
    reasons: list[SaidOut]
    assumptions: list[SaidOut]


class AdviceOut(Out):
    """Irrigation advice for today and the next seven days."""

    farm: str = Field(examples=["turkistan-01"])
    name: str
    day: dt.date = Field(description="the farm's day that is advised for", examples=["2025-07-01"])
    last_day: dt.date | None = Field(
        description="last day whose weather is known or expected", examples=["2025-07-08"]
    )
    language: Language
    rules: AdviceRulesOut
    weather: list[ExpectedDay]
    crop_zones: list[ZoneAdvice]
