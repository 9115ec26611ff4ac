"""What the API says of machines day by day and of the ground they covered."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from api.models import Out
from api.models_work import REASONS


class FieldDayOut(Out):
    """A machine's day on one field; null: outside of all."""

    field_id: int | None
    field: str | None = Field(examples=["field-1"])
    passes: int = Field(examples=[65])
    work_h: float = Field(description="in the field, as the hours below", examples=[4.11])
    idle_h: float
    transport_h: float
    work_distance_km: float = Field(examples=[37.1])
    work_speed_m_s: float | None = Field(description="mean while at work", examples=[2.5])
    width_m: float | None = Field(examples=[12.0])
    worked_ha: float | None = Field(description="covered once or more", examples=[43.3])
    overlap_ha: float | None = Field(description="covered again", examples=[1.19])
    gap_ha: float | None = Field(description="left out between passes", examples=[0.11])
    field_ha: float | None = Field(examples=[43.4])
    fuel_l: float | None = Field(examples=[181.5])
    fuel_l_ha: float | None = Field(examples=[4.2])
    application_l_ha: float | None = Field(description="of what it spreads")
    reasons: list[str] = Field(description=REASONS)


class FlightOut(Out):
    """A flight of a drone."""

    duration_h: float = Field(examples=[0.16])
    distance_km: float
    max_height_m: float | None = Field(description="above where it began", examples=[60.0])
    mean_speed_m_s: float | None
    seen_ha: float | None = Field(examples=[10.4])
    reasons: list[str]


class HerdDayOut(Out):
    """Where a herd was seen on a day."""

    latitude_deg: float = Field(examples=[53.33096])
    longitude_deg: float
    spread_m: float = Field(description="root mean square distance from the centre")
    animals: float = Field(description="the most seen at once: at least so many")


class GrazedOut(Out):
    """A pasture with animals on a day."""

    field_id: int
    field: str | None = Field(examples=["pasture-1"])
    animal_days: float = Field(description="one animal for 24 h is one", examples=[287.5])
    animal_days_ha: float = Field(examples=[1.6])


class MachineDayOut(Out):
    """What a machine, a drone or a herd did on a day; hours of machines alone."""

    day: dt.date = Field(examples=["2025-05-15"])
    device_id: str = Field(examples=["kostanay-01-tractor"])
    machine: str = Field(examples=["Tractor"])
    kind: str = Field(examples=["tractor"])
    work_h: float | None
    idle_h: float | None
    transport_h: float | None
    unknown_h: float | None = Field(description="without points, or moving without a work state")
    distance_km: float | None
    worked_ha: float | None = Field(description="on fields and outside")
    fuel_l: float | None
    fuel_l_ha: float | None
    reasons: list[str] = Field(description=REASONS)
    fields: list[FieldDayOut]
    flights: list[FlightOut]
    herd: HerdDayOut | None
    grazed: list[GrazedOut]


class WorkDaysOut(Out):
    """Days of a farm's machines, drones and herds."""

    farm: str = Field(examples=["kostanay-01"])
    name: str
    timezone: str = Field(examples=["Asia/Almaty"])
    start: dt.date | None = Field(description="first day; null: nothing was ever worked")
    end: dt.date | None = Field(description="the day after the last")
    newest: dt.date | None = Field(description="the last day of which anything is known")
    days: list[MachineDayOut]


class CoveredOut(Out):
    """What a part of the map is."""

    kind: Literal["once", "more", "gap", "flight", "seen"] = Field(
        description="ground covered once, more than once, left out between passes; a flight's path "
        "and the ground that it saw"
    )
    field_id: int | None
    area_ha: float | None = Field(description="of a path: null")
    day: dt.date | None = Field(description="of a flight")
    flight: int | None = Field(description="its place among those of the day, from 0")


class CoveredFeature(Out):
    """A part of the map."""

    type: Literal["Feature"]
    geometry: dict[str, Any] = Field(description="GeoJSON, WGS 84")
    properties: CoveredOut


class WorkMapOut(Out):
    """A GeoJSON feature collection: what a machine covered over the days, or a drone's flights."""

    type: Literal["FeatureCollection"]
    device_id: str = Field(examples=["kostanay-01-tractor"])
    kind: str = Field(examples=["tractor"])
    start: dt.date
    end: dt.date
    features: list[CoveredFeature]
