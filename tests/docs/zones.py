"""Crop zones and rows of results for examples: what an example does not state is unknown."""

import datetime as dt
from typing import Any

import numpy as np

from analytics.balance import State, WaterBalance
from storage.fields import CropZone
from storage.tables import SEASON_NUMBERS

_TEXTS = ("yield_source", "savings_option", "baseline_source", "method", "method_version")


def crop_zone(area_ha: float, crop: str = "cotton") -> CropZone:
    """A crop zone of that area."""
    values: dict[str, Any] = dict.fromkeys(CropZone._fields)
    values |= {
        "id": 1,
        "crop": crop,
        "area_ha": float(area_ha),
        "planted": dt.date(2025, 4, 20),
        "harvested": dt.date(2025, 9, 30),
        "irrigation_method": "furrow",
    }
    return CropZone(**values)


def row(**known: Any) -> dict[str, Any]:
    """A row of season results."""
    return dict.fromkeys((*SEASON_NUMBERS, *_TEXTS)) | {"uncertainty": {}, "notes": []} | known


def season(depletion_start: float, depletion_end: float, **sums: float) -> WaterBalance:
    """A balance whose one day holds the sums of a season [mm]; the others are zero."""
    zero = np.zeros((1, 1))
    columns: dict[str, Any] = dict.fromkeys(WaterBalance._fields, zero)
    columns |= {name: np.array([[value]]) for name, value in sums.items()}
    columns["depletion"] = np.array([[depletion_end]])
    start, end = (
        State(np.array([value]), np.zeros(1), np.ones(1))
        for value in (depletion_start, depletion_end)
    )
    return WaterBalance(**columns | {"start": start, "end": end})
