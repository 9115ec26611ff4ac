"""The columns of observations, with the names of SDMX.

A manifest leaves out dimensions that are not divided (``_T``) and attributes that are not known;
:func:`whole` puts them back, so that a table has every column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOTAL = "_T"
# Codes of CL_OBS_STATUS: normal, missing, suppressed.
NORMAL, MISSING, SUPPRESSED = "A", "M", "Q"
DIVISIONS = (
    "FIELD",
    "CROP",
    "IRRIGATION_TECHNOLOGY",
    "WATER_SAVING",
    "WATER_SOURCE",
    "MEASUREMENT",
    "TARIFF_BAND",
    "SAVINGS_OPTION",
    "COVERAGE",
    "PURPOSE",
)
DIMENSIONS = ("REF_AREA", "FARM", "TIME_PERIOD", "INDICATOR", *DIVISIONS)
ATTRIBUTES = (
    "OBS_VALUE",
    "UNIT_MEASURE",
    "OBS_STATUS",
    "CI95_LOW",
    "CI95_HIGH",
    "DEMONSTRATED",
    "FARMS",
    "COMMENT",
)
COLUMNS = (*DIMENSIONS, *ATTRIBUTES)

Observation = dict[str, Any]


def whole(observation: Mapping[str, Any]) -> Observation:
    """An observation with every column."""
    divided = {name: observation.get(name, TOTAL) for name in DIMENSIONS}
    return divided | {name: observation.get(name) for name in ATTRIBUTES}


def key_of(observation: Mapping[str, Any]) -> dict[str, str]:
    """The dimensions of an observation that are divided: what it is of."""
    return {name: observation[name] for name in DIMENSIONS if name in observation}
