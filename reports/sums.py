"""Sums and means over the results of crop zones, where some have a figure and some have none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analytics.uncertainty import Stated
from storage.fields import CropZone

Row = Mapping[str, Any]
Summary = dict[str, Any]


@dataclass(frozen=True)
class ZoneResult:
    """A crop zone, the farm it belongs to, and its result."""

    farm_id: int
    zone: CropZone
    row: Row
    # Of each kind of saving, once its causes have been read from the row.
    read: dict[str, Stated] = field(default_factory=dict, compare=False, repr=False)


def total(values: Iterable[float | None]) -> float | None:
    """Sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def area_mean(zones: Sequence[ZoneResult], name: str) -> float | None:
    """Mean of a figure, weighted by area, over the zones that have it."""
    parts = [(one.zone.area_ha, one.row[name]) for one in zones if one.row[name] is not None]
    if not parts:
        return None
    # About the first value: the mean of equal shares must be that share, not 99.99999999999999.
    first = parts[0][1]
    area = math.fsum(part for part, _ in parts)
    return float(first + math.fsum(part * (value - first) for part, value in parts) / area)


def joined(texts: Iterable[str | None]) -> str | None:
    """Differing texts side by side."""
    return "; ".join(sorted({text for text in texts if text})) or None
