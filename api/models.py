"""What the API says, with units in the names: ``_mm``, ``_m3``, ``_kg_ha``."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """A part of an answer; a value that is not known is null, never left out."""

    model_config = ConfigDict(extra="forbid")


class Saving(Out):
    """A volume saved, with its 95 % interval."""

    value: float = Field(description="m³; negative: more was used", examples=[195_295.0])
    ci95: tuple[float, float] | None = Field(
        description="m³; null where a crop zone knows a single season before",
        examples=[[154_274.0, 236_316.0]],
    )
    demonstrated: bool = Field(description="more than two standard errors above zero")


class OptionSavings(Out):
    """Savings of the crop zones that were judged alike."""

    option: str | None = Field(description="A, B, C or D of the IPMVP", examples=["B"])
    baseline_source: str | None = Field(
        description="metered seasons, or balance counterfactual: computed, not metered",
        examples=["metered seasons"],
    )
    crop_zones: int
    area_ha: float | None
    apparent_savings_m3: Saving | None
    consumptive_savings_m3: Saving | None


class Cause(Out):
    """A cause of uncertainty."""

    cause: str = Field(examples=["meter_calibration"])
    shared: str = Field(
        description="own: of each crop zone alone; farm: alike on a farm; all: alike everywhere",
        examples=["all"],
    )
    u_m3: float | None = Field(description="standard uncertainty of the sum from this cause")


class Uncertainty(Out):
    """What the savings err by, the largest cause first."""

    apparent: list[Cause]
    consumptive: list[Cause]


class Indicators(Out):
    """Ratios of sums; null where an input is missing everywhere."""

    relative_water_supply: float | None = Field(description="irrigation and rain by ETc")
    relative_irrigation_supply: float | None = Field(
        description="irrigation by ETc less effective rain, where any was applied"
    )
    depleted_fraction: float | None = Field(
        description="ETa by water supplied less what the soil kept"
    )
    beneficial_fraction: float | None = Field(description="transpiration by ETa")
    crop_water_productivity_kg_m3: float | None = Field(description="harvest by ETa")
    irrigation_water_productivity_kg_m3: float | None = Field(description="harvest by irrigation")


class Adjustment(Out):
    """A non-routine adjustment of the baseline, as entered."""

    id: int
    volume_m3: float = Field(description="added to the baseline, signed")
    u_volume_m3: float = Field(description="standard uncertainty")
    reason: str = Field(examples=["leaching of salts before sowing"])
    author: str
    entered_at: dt.datetime


class Water(Out):
    """Water of a season."""

    applied_m3: float | None = Field(description="withdrawn: metered, else entered")
    applied_mm: float | None
    irrigated_ha: float | None = Field(description="of crop zones on which water was applied")
    baseline_m3: float | None = Field(
        description="what the old practice would have taken, adjustments included"
    )
    baseline_area_ha: float | None
    adjustments_m3: float | None = Field(description="non-routine ones, as part of the baseline")
    apparent_savings_m3: Saving | None = Field(description="less withdrawn; null: no baseline")
    consumptive_savings_m3: Saving | None = Field(description="less consumed (real saving)")
    recoverable_change_m3: float | None = Field(description="change in flow that others could use")
    savings_by_option: list[OptionSavings]
    uncertainty: Uncertainty
    et0_mm: float | None
    etc_mm: float | None
    eta_mm: float | None
    rain_mm: float | None
    deep_percolation_mm: float | None
    closure_mm: float | None = Field(description="largest error of the water balance")
    indicators: Indicators
    water_productivity_kg_m3: float | None = Field(description="yield per m³ evapotranspired")
    coverage_pct: float | None = Field(description="share of days measured; the lower of both")
    weather_coverage_pct: float | None = Field(description="share of days with measured weather")
    water_coverage_pct: float | None = Field(description="share of days with metered water")
    soil_coverage_pct: float | None = Field(description="share of days with measured soil moisture")
    method: str | None
    method_version: str | None


class CropYield(Out):
    """Yield of one crop."""

    crop: str
    sown_ha: float | None
    harvested_ha: float | None
    mass_t: float | None
    yield_kg_ha: float | None
    yield_centner_ha: float | None = Field(description="ц/га")


class ResponseEstimate(Out):
    """What the water balance lets expect: an estimate, never a measurement."""

    relative_yield: float = Field(description="by the yield without water stress", examples=[0.93])
    method: str


class MonitorOut(Out):
    """What harvesters' yield monitors counted, whether or not loads were weighed."""

    mass_t: float = Field(description="as harvested", examples=[152.4])
    harvested_ha: float | None = Field(
        description="ground covered; null: no harvester tells its width", examples=[48.8]
    )
    moisture_pct: float | None = Field(description="mean by mass", examples=[13.0])
    scale_factor: float | None = Field(
        description="weighed loads by monitor, both wet, of crop zones that have both and that the "
        "monitor saw nine tenths of",
        examples=[1.02],
    )


class Yield(Out):
    """Yield of a season."""

    sown_ha: float | None
    harvested_ha: float | None
    mass_t: float | None = Field(description="clean, at standard moisture")
    bunker_mass_t: float | None = Field(description="as harvested")
    yield_kg_ha: float | None
    yield_centner_ha: float | None = Field(description="ц/га")
    moisture_pct: float | None
    source: str | None = Field(
        description="weighed loads, or yield monitor where none was weighed",
        examples=["weighed loads"],
    )
    monitor: MonitorOut | None
    response_estimate: ResponseEstimate | None
    by_crop: list[CropYield]


class DeviceCounts(Out):
    """Devices, and those heard from within a day."""

    total: int
    reporting: int
    silent: int


class _Sums(Out):
    area_ha: float
    water: Water
    yield_: Yield = Field(alias="yield")

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class SoilComparison(Out):
    """Simulated depletion of the root zone against measured, before any correction."""

    coverage_pct: float = Field(description="share of days with a measurement")
    bias_mm: float | None = Field(description="mean of simulated less measured")
    rmse_mm: float | None
    correction_mm: float | None = Field(description="water that measurements added over the season")


class CropZoneSummary(_Sums):
    """One crop on one field in one season."""

    id: int
    field: str
    field_id: int
    crop: str
    planted: dt.date
    harvested: dt.date
    irrigation_method: str | None
    savings_option: str | None = Field(description="A, B, C or D of the IPMVP")
    baseline_source: str | None
    soil: SoilComparison | None = Field(description="null: no soil probe")
    adjustments: list[Adjustment]
    notes: list[str]


class FarmSummary(_Sums):
    """A farm in one season."""

    farm: str = Field(examples=["maricopa-2013"])
    name: str
    region: str | None
    season: int | None
    as_of: str | None
    irrigated_before_ha: float | None = Field(description="area under irrigation the season before")
    devices: DeviceCounts
    crop_zones: list[CropZoneSummary]


class FarmLine(_Sums):
    """A farm in the table of its region."""

    farm: str
    name: str


class RegionLine(_Sums):
    """A region in the table of the country, a district in its region's; null: farms of none."""

    region: str | None
    names: dict[str, str]
    farms_registered: int
    farms_reporting: int


class RegionSummary(_Sums):
    """A region, or a district, in one season."""

    region: str = Field(examples=["KZ-61"])
    names: dict[str, str]
    covers: Literal["region", "own-farms"] = Field(
        description="own-farms: sums and counts are of those farms alone that the caller sees"
    )
    season: int
    as_of: str | None
    farms_registered: int
    farms_reporting: int
    irrigated_before_ha: float | None = Field(description="area under irrigation the season before")
    devices: DeviceCounts
    districts: list[RegionLine] = Field(description="those that have farms; of a district: none")
    farms: list[FarmLine]


class CountrySummary(_Sums):
    """The country in one season."""

    season: int
    as_of: str | None
    regions_registered: int
    regions_reporting: int
    farms_registered: int
    farms_reporting: int
    irrigated_before_ha: float | None = Field(description="area under irrigation the season before")
    devices: DeviceCounts
    regions: list[RegionLine]


class CountrySeen(CountrySummary):
    """The country as far as the caller sees it."""

    covers: Literal["country", "own-farms"] = Field(
        description="own-farms: sums and counts are of those farms alone that the caller sees"
    )


class SeasonOut(Out):
    """A season of which crops are entered."""

    season: int = Field(description="year of harvest", examples=[2025])
    farms: int
    crop_zones: int


class RegionOut(Out):
    """A region."""

    code: str = Field(examples=["KZ-61"])
    kato_prefix: str | None = Field(examples=["61"])
    name_kk: str
    name_ru: str
    name_en: str


class FarmOut(Out):
    """A farm."""

    slug: str = Field(examples=["maricopa-2013"])
    name: str
    region_code: str | None
    timezone: str = Field(examples=["Asia/Almaty"])
    latitude_deg: float
    longitude_deg: float
    elevation_m: float


class DatastreamOut(Out):
    """A sequence of readings of one quantity."""

    id: int
    quantity: str = Field(examples=["soil_moisture"])
    unit: str = Field(examples=["m³/m³"])
    depth_cm: float | None
    channel: int | None
    field_id: int | None


class DeviceOut(Out):
    """A device and what it measures."""

    id: str = Field(examples=["turkistan-01-field-1-probe"])
    kind: str = Field(examples=["soil-probe"])
    name: str
    field_id: int | None
    disabled: bool
    datastreams: list[DatastreamOut]


class SampleOut(Out):
    """A reading as stored."""

    time: dt.datetime = Field(examples=["2025-07-01T01:00:00Z"])
    value: float = Field(examples=[0.231])
    quality: int = Field(description="0 is good; from 16 on the reading is kept but not used")


class BucketOut(Out):
    """The usable readings of an hour or a local day."""

    start: dt.datetime = Field(examples=["2025-06-30T19:00:00Z"])
    samples: int = Field(examples=[4])
    mean: float = Field(examples=[0.231])
    low: float
    high: float
    total: float
    last_value: float


class ReadingsOut(Out):
    """Readings of a datastream."""

    datastream_id: int
    quantity: str = Field(examples=["soil_moisture"])
    unit: str = Field(examples=["m³/m³"])
    resolution: str = Field(examples=["day"])
    readings: list[SampleOut] | list[BucketOut]


class Health(Out):
    """Whether the service is up."""

    status: str = Field(examples=["ok"])


class Ready(Health):
    """Whether it can answer."""

    database: str
    revision: str | None


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(
        pattern=r"^urn:dala:problem:[a-z-]+$",
        description="for programs, stable; docs/api.md lists them",
        examples=["urn:dala:problem:not-found"],
    )
    title: str
    status: int
    detail: str = Field(examples=["There is no farm 'nowhere'."])
    request_id: str | None = Field(
        default=None, description="under which it was logged; X-Request-ID of the answer too"
    )
