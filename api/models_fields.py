"""What the API says of fields, and what it is told of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field, create_model

from api.models import Out
from storage.tables import BALANCE_NUMBERS, BALANCE_OPTIONAL


class FieldOut(Out):
    """A field with its newest boundary."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["field-1"])
    area_ha: float = Field(examples=[62.5])
    area_source: str = Field(examples=["geodesic"])
    official_field_id: str | None = Field(examples=["19-205-015-123"])
    soil: dict[str, Any] = Field(description="keys of a scenario's [soil]")
    soil_source: str = Field(examples=["stated"])
    land_use: str = Field(description="arable or pasture", examples=["arable"])
    geometry: dict[str, Any] | None = Field(description="GeoJSON, WGS 84")


class BoundaryOut(Out):
    """A version of a field's boundary."""

    field_id: int = Field(examples=[1])
    version: int = Field(description="from 1 on", examples=[2])
    area_ha: float = Field(examples=[62.5])
    geometry_source: str = Field(examples=["shapefile fields.zip"])
    created_at: dt.datetime = Field(examples=["2025-04-02T08:30:00Z"])
    created_by: str = Field(description="empty: not entered here", examples=["account:aigul"])
    geometry: dict[str, Any] = Field(description="GeoJSON, WGS 84")


_OF_DAYS = {
    "et0_mm": "reference evapotranspiration",
    "etc_mm": "of the crop without water stress",
    "eta_mm": "as the soil's water allowed it",
    "depletion_mm": "water missing in the root zone at the end of the day",
    "irrigation_net_mm": "that entered the soil",
}


class _BalanceHead(Out):
    day: dt.date = Field(description="the farm's", examples=["2025-07-01"])
    weather_source: str = Field(description="measured, or how it was filled", examples=["measured"])
    water_source: str = Field(description="metered, entered or none", examples=["metered"])
    method_version: str


_NUMBERS: dict[str, Any] = {
    name: (
        float | None if name in BALANCE_OPTIONAL else float,
        Field(description=_OF_DAYS.get(name)),
    )
    for name in BALANCE_NUMBERS
}
BalanceDay: Any = create_model(
    "BalanceDay",
    __base__=_BalanceHead,
    __module__=__name__,
    __doc__="One day of the soil water balance.",
    **_NUMBERS,
)


class WaterBalanceOut(Out):
    """The daily balance of a field's crop zone."""

    field_id: int = Field(examples=[1])
    crop_zone: int = Field(description="its id", examples=[7])
    crop: str = Field(examples=["cotton"])
    season: int = Field(examples=[2025])
    days: list[BalanceDay]


class FieldWritten(Out):
    """A field as it stands now, and what people should look at."""

    field: FieldOut
    boundary_version: int | None = Field(description="null: it has none", examples=[1])
    warnings: list[str] = Field(examples=[["overlaps field-6 by 0.40 ha"]])


class PlaceRead(Out):
    """A boundary of a file, and what becomes of it."""

    number: int = Field(description="in the file, from 1 on", examples=[1])
    name: str | None = Field(examples=["field-7"])
    action: str = Field(
        description="new field, new boundary, same boundary, or refused", examples=["new field"]
    )
    area_ha: float | None = Field(examples=[62.5])
    errors: list[str]
    warnings: list[str]


class BoundariesRead(Out):
    """A file of boundaries, place by place."""

    kind: str = Field(description="geojson, shapefile, kml or isoxml", examples=["shapefile"])
    dry_run: bool = Field(description="true: nothing was kept")
    stored: int = Field(description="fields that are new or have a new boundary", examples=[12])
    refused: int = Field(examples=[0])
    places: list[PlaceRead]
