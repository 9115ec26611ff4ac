"""What the API says of machine work, tracks and yield maps, with units in the names."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.models import Out

REASONS = "codes of what the machine does not tell: no-work-state, no-width, no-fuel-rate …"


class OperationHarvestOut(Out):
    """What the machine's yield monitor counted in an operation."""

    wet_mass_t: float = Field(description="as harvested", examples=[30.6])
    moisture_pct: float | None = Field(description="mean by mass", examples=[13.0])
    wet_yield_kg_ha: float | None = Field(examples=[705.1])
    unknown_flow_km: float = Field(description="way at work without a mass flow", examples=[0.0])
    reasons: list[str]


class OperationOut(Out):
    """Work of one machine on one field over days that belong together."""

    field_id: int
    field: str = Field(examples=["field-1"])
    days: list[dt.date] = Field(examples=[["2025-05-15"]])
    passes: int = Field(examples=[65])
    work_h: float = Field(description="in the field, as the hours below", examples=[4.11])
    idle_h: float
    transport_h: float
    work_distance_km: float = Field(examples=[37.1])
    width_m: float | None = Field(examples=[12.0])
    worked_ha: float | None = Field(description="covered once or more", examples=[43.3])
    overlap_ha: float | None = Field(description="covered again", examples=[1.19])
    overlap_share: float | None = Field(description="of width times way", examples=[0.027])
    gap_ha: float | None = Field(description="left out between passes", examples=[0.11])
    field_ha: float = Field(examples=[43.4])
    worked_share: float | None = Field(description="of the field", examples=[0.998])
    productivity_ha_h: float | None = Field(examples=[10.5])
    applied_l: float | None = Field(description="rate times area")
    fuel_l: float | None = Field(examples=[181.5])
    fuel_l_ha: float | None = Field(examples=[4.2])
    harvest: OperationHarvestOut | None = Field(description="null: it has no yield monitor")
    reasons: list[str] = Field(description=REASONS)


class FieldOperationOut(OperationOut):
    """An operation as a line of its field."""

    device_id: str = Field(examples=["kostanay-01-tractor"])
    machine: str = Field(examples=["Tractor"])
    kind: str = Field(examples=["tractor"])


class MachineOut(Out):
    """A machine: its hours by state, fuel, and operations in the order they began."""

    device_id: str = Field(examples=["kostanay-01-tractor"])
    name: str = Field(examples=["Tractor"])
    kind: str = Field(examples=["tractor"])
    days: int = Field(description="with points", examples=[1])
    hours: float = Field(description="from the first to the last point of each day", examples=[5.2])
    work_h: float
    idle_h: float
    transport_h: float
    unknown_h: float = Field(description="without points, or moving without a work state")
    work_share: float | None = Field(description="of hours", examples=[0.79])
    idle_share: float | None
    transport_share: float | None
    unknown_share: float | None
    distance_km: float
    work_distance_km: float
    worked_ha: float | None = Field(description="on fields and outside, day by day")
    fuel_l: float | None
    fuel_work_l: float | None
    fuel_idle_l: float | None
    fuel_transport_l: float | None
    fuel_coverage: float = Field(description="share of the hours whose fuel rate is known")
    fuel_l_ha: float | None = Field(description="null with less than nine tenths of the hours")
    reasons: list[str] = Field(description=REASONS)
    operations: list[OperationOut]


class FieldWorkOut(Out):
    """A field and the operations on it."""

    field_id: int
    field: str = Field(examples=["field-1"])
    area_ha: float
    operations: list[FieldOperationOut]


class DroneOut(Out):
    """Flights of a drone."""

    device_id: str
    name: str
    kind: str = Field(examples=["herding-drone"])
    days: int
    flights: int = Field(examples=[84])
    flight_h: float
    path_km: float
    seen_ha: float | None = Field(description="ground seen again on another flight counts again")
    reasons: list[str]


class HerdOut(Out):
    """Where a herd was seen last."""

    device_id: str = Field(description="of the drone that saw it")
    name: str
    days_seen: int
    last_day: dt.date
    latitude_deg: float = Field(description="centre of the animals", examples=[53.33096])
    longitude_deg: float
    spread_m: float = Field(description="root mean square distance from the centre")
    animals: float = Field(description="the most seen at once that day: at least so many")
    most_animals: float = Field(description="on any day")


class GrazedDayOut(Out):
    """A pasture on a day with animals."""

    day: dt.date
    animal_days: float = Field(description="one animal for 24 h is one", examples=[287.5])
    animal_days_ha: float = Field(examples=[1.6])
    lsu_days_ha: float | None = Field(None, description="where livestock_units was asked for")


class PastureOut(Out):
    """How hard a pasture was grazed, and when it rested."""

    field_id: int
    field: str = Field(examples=["pasture-1"])
    area_ha: float
    observed_from: dt.date
    observed_to: dt.date
    used_days: int
    rested_days: int = Field(description="known to be without animals")
    unknown_days: int
    resting_days: int = Field(description="since the last use, up to observed_to")
    animal_days: float
    animal_days_ha: float
    lsu_days_ha: float | None = Field(None, description="where livestock_units was asked for")
    daily: list[GrazedDayOut]


class WorkOut(Out):
    """What machines, drones and herds of a farm did."""

    farm: str = Field(examples=["kostanay-01"])
    name: str
    start: dt.date | None = Field(description="first day; null: nothing was ever worked")
    end: dt.date | None = Field(description="the day after the last")
    as_of: dt.datetime | None
    machines: list[MachineOut]
    fields: list[FieldWorkOut]
    drones: list[DroneOut]
    herds: list[HerdOut]
    pastures: list[PastureOut]


class TrackPointOut(Out):
    """A point as stored; null where the device did not say."""

    time: dt.datetime = Field(examples=["2025-05-15T03:00:20Z"])
    latitude_deg: float = Field(examples=[53.3546])
    longitude_deg: float = Field(examples=[63.2895])
    elevation_m: float | None
    speed_m_s: float | None
    heading_deg: float | None
    work_state: int | None = Field(description="ISO 11783 DDI 141: 0 off, 1 on")
    width_m: float | None
    mass_flow_kg_s: float | None
    crop_moisture_pct: float | None
    application_rate_l_ha: float | None
    fuel_rate_l_h: float | None
    animals_seen: float | None


class TrackOut(Out):
    """Points of a device in order of time."""

    device_id: str = Field(examples=["kostanay-01-tractor"])
    kind: str = Field(examples=["tractor"])
    points: list[TrackPointOut]


class FlowDelayOut(Out):
    """The time from cutting to the mass sensor."""

    delay_s: float = Field(examples=[12.0])
    moisture_delay_s: float
    source: str = Field(description="fitted, or why not", examples=["fitted"])
    best_s: float | None
    step_s: float | None = Field(description="interval of the records: no finer delay can be seen")
    sharpness: float | None
    z: float | None
    points: int


class YieldReportOut(Out):
    """What the map rests on: counts, totals, and how it was brought to the scales."""

    rows: int = Field(examples=[18_204])
    kept: int = Field(description="that the map shows", examples=[15_870])
    flagged: dict[str, int] = Field(examples=[{"header_up": 1_210, "pass_start": 640}])
    method: Literal["local", "spatial"]
    monitor_wet_mass_kg: float = Field(description="as the monitors counted it")
    wet_mass_kg: float = Field(description="weighed where scaled_to is weighed-loads")
    wet_mass_header_up_kg: float
    mass_kg: float = Field(description="at standard moisture, where there is one")
    area_ha: float = Field(description="width times way")
    area_effective_ha: float = Field(description="each place once")
    mass_source: str
    scale_factor: float | None = Field(description="weighed loads by monitor", examples=[1.025])
    scaled_to: str = Field(
        description="weighed-loads; else why not: no-weighed-loads, monitor-area-unknown, "
        "monitor-counted-nothing, monitor-saw-less-than-the-loads-came-from",
        examples=["weighed-loads"],
    )
    moisture_of_loads_pct: float | None = Field(
        description="to whose mean the moisture of the map was shifted"
    )
    standard_moisture_pct: float | None
    bunker_kg: float
    clean_kg: float | None
    sown_ha: float
    mass_over_area_kg_ha: float | None
    map_mean_kg_ha: float | None
    map_by_mass_over_area: float | None = Field(
        description="how well the points kept stand for the field", examples=[0.997]
    )
    flow_delay: FlowDelayOut
    notes: list[dict[str, Any]]


class CellOut(Out):
    """Properties of a cell."""

    yield_kg_ha: float = Field(examples=[706.4])
    deviation_kg_ha: float | None
    points: int
    area_m2: float | None
    filled: bool = Field(description="without points: the mean of its neighbours")
    class_: int = Field(alias="class", description="place in the legend, from 0")

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class CellFeature(Out):
    """A square of the map."""

    type: Literal["Feature"]
    geometry: dict[str, Any] = Field(description="GeoJSON polygon, WGS 84")
    properties: CellOut


class LegendClass(Out):
    """A class of the legend: from ≤ yield < to; null is open."""

    from_kg_ha: float | None
    to_kg_ha: float | None


class YieldMapOut(Out):
    """A GeoJSON feature collection with legend and report as further members."""

    type: Literal["FeatureCollection"]
    field_id: int
    field: str
    season: int
    crop: str | None = Field(examples=["spring-wheat"])
    harvested_on: list[dt.date]
    harvesters: list[str]
    cell_m: float
    legend: list[LegendClass] = Field(description="the same for a crop in every year")
    report: YieldReportOut
    features: list[CellFeature]


class YieldPointOut(Out):
    """A point of a harvester's monitor."""

    longitude_deg: float = Field(examples=[63.2895])
    latitude_deg: float = Field(examples=[53.3546])
    yield_kg_ha: float | None = Field(description="as the map states it", examples=[706.4])
    moisture_pct: float | None = Field(examples=[13.0])
    reason: str | None = Field(
        description="why the map leaves it out: header_up, pass_start, speed_change, overlap, "
        "local_outlier …; null: it is in the map",
        examples=["pass_start"],
    )


class YieldPointsOut(Out):
    """Every point that a yield map was made of."""

    field_id: int
    field: str
    season: int
    crop: str = Field(examples=["spring-wheat"])
    kept: int = Field(description="that the map shows", examples=[15_870])
    points: list[YieldPointOut]
