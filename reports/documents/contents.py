"""What a document of each kind of report brings to the front: key figures, bars, a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reports.documents.charts import Bars
from reports.documents.shown import Shown

_SAVED = ("APPARENT_SAVING", "REAL_SAVING")


class Contents(NamedTuple):
    """What stands before the tables."""

    key_figures: Sequence[str]  # indicators of the whole
    bars: Sequence[Bars]
    of_areas: Shown  # circles
    of_fields: Shown | None  # colours
    methods: Sequence[str]  # keys of their words


CONTENTS: Mapping[str, Contents] = {
    "water": Contents(
        ("WATER_APPLIED", "WATER_APPLIED_DEPTH", "IRRIGATED_AREA", "AREA"),
        (
            Bars("WATER_APPLIED", ("WATER_APPLIED",), ("TIME_PERIOD",)),
            Bars("WATER_APPLIED", ("WATER_APPLIED",), below=True),
            Bars("WATER_APPLIED", ("WATER_APPLIED",), ("FIELD",)),
            Bars("WATER_APPLIED", ("WATER_APPLIED",), ("IRRIGATION_TECHNOLOGY",)),
        ),
        Shown("WATER_APPLIED"),
        Shown("WATER_APPLIED_DEPTH"),
        ("water", "bands"),
    ),
    "savings": Contents(
        ("APPARENT_SAVING", "REAL_SAVING", "RECOVERABLE_CHANGE", "BASELINE_WATER"),
        (
            Bars("SAVING", _SAVED, below=True),
            Bars("SAVING", _SAVED, ("FIELD",)),
            Bars("SAVING", _SAVED, ("IRRIGATION_TECHNOLOGY",)),
        ),
        Shown("APPARENT_SAVING"),
        # m³ by ha are tenths of a millimetre.
        Shown("APPARENT_SAVING", "BASELINE_AREA", 0.1, "mm", "depth_saved"),
        ("savings", "interval"),
    ),
    "yields": Contents(
        ("AREA", "HARVESTED_AREA", "CROP_ZONES"),
        (
            Bars("YIELD_CENTNER", ("YIELD_CENTNER",), ("CROP",)),
            Bars("YIELD_CENTNER", ("YIELD_CENTNER",), ("FIELD",)),
        ),
        Shown("FARMS_REPORTING"),
        Shown("YIELD_CENTNER", of_crops=True),
        ("yields",),
    ),
    "harvest": Contents(
        ("AREA", "HARVESTED_AREA", "SHARE_HARVESTED"),
        (
            Bars("SHARE_HARVESTED", ("SHARE_HARVESTED",), below=True),
            Bars("MASS_CLEAN", ("MASS_CLEAN",), ("CROP",)),
        ),
        Shown("HARVESTED_AREA"),
        None,
        ("harvest", "yields"),
    ),
    "programme": Contents(
        ("FARMS_DIGITAL", "DEVICES_REPORTING", "APPARENT_SAVING", "COST_PER_M3_SAVED"),
        (
            Bars("AREA", ("AREA",), ("IRRIGATION_TECHNOLOGY",)),
            Bars("SAVING", _SAVED, below=True),
        ),
        Shown("FARMS_DIGITAL"),
        None,
        ("programme", "water", "savings", "interval"),
    ),
}
