"""What the API says of soil moisture by depth."""

from __future__ import annotations

from pydantic import Field

from api.models import Out
from reports.soil_probes import Resolution


class SoilDepthOut(Out):
    """A probe in one depth: two arrays of the same length."""

    device_id: str = Field(examples=["turkistan-01-field-1-probe"])
    datastream_id: int = Field(examples=[4])
    depth_cm: float = Field(examples=[20.0])
    start_s: list[int] = Field(
        description="when each hour or local day begins, seconds since 1970 UTC",
        examples=[[1_751_310_000, 1_751_396_400]],
    )
    mean_m3_m3: list[float] = Field(
        description="volumetric water content", examples=[[0.2411, 0.2376]]
    )


class SoilMoistureOut(Out):
    """Soil moisture of a crop's season by depth; hours or days without a reading are left out."""

    field_id: int = Field(examples=[1])
    crop_zone: int = Field(examples=[7])
    season: int = Field(examples=[2025])
    resolution: Resolution = Field(examples=["day"])
    theta_fc_m3_m3: float | None = Field(
        description="at field capacity; null: the soil is not known", examples=[0.31]
    )
    theta_wp_m3_m3: float | None = Field(description="at the wilting point", examples=[0.14])
    depths: list[SoilDepthOut] = Field(description="the shallowest first; empty: no probe")
