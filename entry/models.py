"""What people say of a farm, with units in the names; console and API take the same."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class In(BaseModel):
    """A part of a request; what is not known here is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("is no time zone of the IANA's, such as Asia/Almaty")
    return name


Zone = Annotated[str, AfterValidator(_zone)]


def _text(value: str) -> str:
    if any(ord(one) < 32 or 0xD800 <= ord(one) <= 0xDFFF for one in value):
        raise ValueError("must be text without control characters")
    return value


def _season_day(day: dt.date) -> dt.date:
    if not 1990 <= day.year <= 2100:
        raise ValueError("must be between the years 1990 and 2100")
    return day


def _in_calendar(moment: dt.datetime) -> dt.datetime:
    # At either end of the calendar a change of time zone overflows.
    if not 1900 <= moment.year <= 2200:
        raise ValueError("must be between the years 1900 and 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_text)]
Note = Annotated[str, Field(max_length=1_000), AfterValidator(_text)]
Reference = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_text)]
Day = Annotated[dt.date, AfterValidator(_season_day)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Share = Annotated[float, Field(gt=0, le=1)]
Hectares = Annotated[float, Field(gt=0, le=1_000_000)]
Document = Annotated[dict[str, Any], Field(max_length=60)]


class FarmIn(In):
    """A farm to be."""

    slug: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$",
        description="its name in addresses, for good",
        examples=["my-farm"],
    )
    name: Text = Field(examples=["My farm"])
    region_code: str | None = Field(default=None, max_length=10, examples=["KZ-61"])
    timezone: Zone = Field(examples=["Asia/Almaty"])
    latitude_deg: float = Field(ge=-90, le=90, examples=[43.3])
    longitude_deg: float = Field(ge=-180, le=180, examples=[68.25])
    elevation_m: float = Field(ge=-500, le=6_000, examples=[210.0])


class FarmChange(In):
    """What is to be another of a farm."""

    name: Text | None = Field(default=None, examples=["My farm"])
    region_code: str | None = Field(
        default=None,
        max_length=10,
        description="changed by who sees every farm",
        examples=["KZ-61"],
    )
    timezone: Zone | None = Field(default=None, examples=["Asia/Almaty"])
    latitude_deg: float | None = Field(default=None, ge=-90, le=90)
    longitude_deg: float | None = Field(default=None, ge=-180, le=180)
    elevation_m: float | None = Field(default=None, ge=-500, le=6_000)


class FieldChange(In):
    """What is to be another of a field."""

    name: Text | None = Field(default=None, examples=["field-7"])
    official_field_id: Text | None = Field(default=None, examples=["19-205-015-123"])
    soil: Document | None = Field(
        default=None, description="keys of a scenario's [soil]", examples=[{"texture": "loam"}]
    )
    soil_source: Text | None = Field(default=None, examples=["survey of 2024"])
    land_use: Literal["arable", "pasture"] | None = None


class FieldIn(In):
    """A field to be: with a boundary, or with the area that a document states."""

    name: Text = Field(examples=["field-7"])
    geometry: dict[str, Any] | None = Field(
        default=None,
        description="GeoJSON Polygon or MultiPolygon, longitude and latitude in WGS 84",
        examples=[
            {
                "type": "Polygon",
                "coordinates": [
                    [[68.25, 43.3], [68.26, 43.3], [68.26, 43.31], [68.25, 43.31], [68.25, 43.3]]
                ],
            }
        ],
    )
    official_area_ha: Hectares | None = Field(
        default=None, description="as documents state it; compared with the boundary's"
    )
    area_tolerance_pct: float = Field(
        default=5, ge=0, le=100, description="by which the boundary's area may differ from it"
    )
    official_field_id: Text | None = Field(default=None, examples=["19-205-015-123"])
    soil: Document = Field(default={}, examples=[{"texture": "loam"}])
    soil_source: Text = Field(default="stated", examples=["survey of 2024"])
    land_use: Literal["arable", "pasture"] = "arable"

    @model_validator(mode="after")
    def _has_an_area(self) -> FieldIn:
        if self.geometry is None and self.official_area_ha is None:
            raise ValueError("give a geometry, or official_area_ha")
        return self


class CropZoneIn(In):
    """One crop on one field in one season."""

    field_id: Id = Field(examples=[1])
    season: int = Field(ge=1990, le=2100, description="year of harvest", examples=[2025])
    crop: Text = Field(examples=["cotton"])
    planted: Day = Field(examples=["2025-04-20"])
    harvested: Day = Field(description="last day of the balance", examples=["2025-09-30"])
    area_ha: Hectares | None = Field(default=None, description="the field's, unless given")
    irrigation_method: Text | None = Field(
        default=None, description="none: rain-fed", examples=["drip"]
    )
    application_efficiency: Share | None = Field(default=None, examples=[0.9])
    wetted_fraction: Share | None = Field(default=None, examples=[0.4])
    system_flow_m3_h: float | None = Field(default=None, gt=0, le=100_000, examples=[120.0])
    crop_parameters: Document = Field(
        default={}, description="keys of a scenario's [crop]", examples=[{"name": "cotton"}]
    )
    conventions: Document = Field(default={}, examples=[{"event_timing": "start-of-day"}])

    @model_validator(mode="after")
    def _in_order(self) -> CropZoneIn:
        if not self.planted < self.harvested:
            raise ValueError("harvested must be after planted")
        if self.harvested.year != self.season:
            raise ValueError("season must be the year of harvest")
        if (self.harvested - self.planted).days > 800:
            raise ValueError("planted and harvested must be within 800 days")
        return self


class CropZoneChange(In):
    """What is to be another of a crop zone."""

    planted: Day | None = Field(default=None, examples=["2025-04-22"])
    harvested: Day | None = Field(default=None, examples=["2025-09-20"])
    area_ha: Hectares | None = None
    irrigation_method: Text | None = None
    application_efficiency: Share | None = None
    wetted_fraction: Share | None = None
    system_flow_m3_h: float | None = Field(default=None, gt=0, le=100_000)
    crop_parameters: Document | None = None
    conventions: Document | None = None


class IrrigationIn(In):
    """One application of water on a field."""

    field_id: Id = Field(examples=[1])
    started_at: Moment = Field(examples=["2025-06-12T06:00:00+05:00"])
    ended_at: Moment = Field(examples=["2025-06-12T18:00:00+05:00"])
    volume_m3: float = Field(ge=0, le=10_000_000, examples=[3_200.0])
    wetted_fraction: Share | None = None
    efficiency: Share | None = Field(default=None, description="share that enters the soil")
    source: Text = Field(default="entered", description="who says so", examples=["water book"])
    note: Note = ""

    @model_validator(mode="after")
    def _in_order(self) -> IrrigationIn:
        if not self.started_at < self.ended_at:
            raise ValueError("ended_at must be after started_at")
        if (self.ended_at - self.started_at).days > 60:
            raise ValueError("started_at and ended_at must be within 60 days")
        return self


class LoadIn(In):
    """One load over the scales, as harvested."""

    crop_zone_id: Id = Field(examples=[7])
    ticket: Text = Field(description="counts once for a crop zone", examples=["A-1042"])
    weighed_at: Moment = Field(examples=["2025-09-21T14:30:00+05:00"])
    net_kg: float = Field(gt=0, le=200_000, examples=[8_400.0])
    moisture_pct: float | None = Field(default=None, ge=0, le=99, examples=[11.5])
    impurity_pct: float | None = Field(default=None, ge=0, le=99, examples=[2.0])
    area_ha: Hectares | None = Field(default=None, description="that it came from, where known")
    source: Text = Field(default="entered", examples=["scales of the elevator"])


class AdjustmentIn(In):
    """What changed beside the practice that is judged."""

    crop_zone_id: Id = Field(examples=[7])
    volume_m3: float = Field(
        ge=-1e9, le=1e9, description="added to the adjusted baseline, signed", examples=[-12_000.0]
    )
    u_volume_m3: float = Field(ge=0, le=1e9, description="standard uncertainty", examples=[1_500.0])
    reason: Note = Field(min_length=1, examples=["leaching of salts before sowing"])


class ForecastDayIn(In):
    """The weather forecast for a farm's local day."""

    day: Day = Field(examples=["2025-07-02"])
    tmax_c: float = Field(ge=-60, le=60, examples=[36.0])
    tmin_c: float = Field(ge=-60, le=60, examples=[19.0])
    rain_mm: float = Field(ge=0, le=500, examples=[0.0])
    solar_mj_m2: float | None = Field(default=None, ge=0, le=45)
    tdew_c: float | None = Field(default=None, ge=-60, le=40)
    rh_min_pct: float | None = Field(default=None, ge=0, le=100)
    wind_m_s: float | None = Field(default=None, ge=0, le=60, description="at 2 m")

    @model_validator(mode="after")
    def _in_order(self) -> ForecastDayIn:
        if self.tmax_c < self.tmin_c:
            raise ValueError("tmax_c must not be below tmin_c")
        return self


class ForecastIn(In):
    """A forecast of one issue; the same issue again replaces its days."""

    source: Text = Field(description="who forecast it", examples=["Kazhydromet"])
    issued_at: Moment = Field(examples=["2025-07-01T06:00:00+05:00"])
    days: list[ForecastDayIn] = Field(min_length=1, max_length=60)


Source = Literal["river", "canal", "reservoir", "groundwater", "drainage", "wastewater", "other"]
Purpose = Literal["water-saving-irrigation", "telemetry", "machinery", "other"]


class SupplyIn(In):
    """Where the water of a field comes from, from a day on until the next that is entered."""

    field_id: int = Field(ge=1, le=2**63 - 1, examples=[1])
    valid_from: Day = Field(examples=["2025-04-01"])
    source: Source = Field(examples=["canal"])
    name: Annotated[str, AfterValidator(_text)] = Field(
        default="", max_length=200, description="of the canal, river or well"
    )
    tariff_kzt_m3: float | None = Field(
        default=None, ge=0, le=100_000, description="price of a m³; null: not known", examples=[3.2]
    )
    reference: Reference = Field(description="contract or order", examples=["contract 17"])


class InvestmentIn(In):
    """What a farm spent once, to serve for years."""

    farm: str = Field(max_length=200, examples=["turkistan-01"])
    made_on: Day = Field(examples=["2024-03-15"])
    purpose: Purpose = Field(examples=["water-saving-irrigation"])
    amount_kzt: float = Field(gt=0, le=1e15, examples=[185_000_000.0])
    subsidy_kzt: float | None = Field(
        default=None, ge=0, le=1e15, description="part of the amount; null: not known"
    )
    area_ha: float | None = Field(default=None, gt=0, le=1e7, examples=[120.0])
    service_life_years: float = Field(
        gt=0, le=100, description="over which its cost is spread", examples=[10.0]
    )
    reference: Reference = Field(description="contract, act or invoice", examples=["act 5"])
