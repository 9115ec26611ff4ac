"""What machine work amounts to: results with their units, and as plain figures for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from shapely.geometry.base import BaseGeometry

NO_STATE = "no-work-state"  # the machine does not say when it works: no passes, no areas
NO_WIDTH = "no-width"  # less than 95 % of the way at work has a width: areas are unknown
PART_WIDTH = "width-partial"  # the rest of the way at work is missing from the areas
ASSUMED_WIDTH = "width-assumed"  # not from the machine, but from the caller
NO_FUEL = "no-fuel-rate"  # known for less than 90 % of the time: fuel per hectare is unknown


class Times(NamedTuple):
    """Hours by state."""

    work_h: float
    idle_h: float  # standing, work state not on
    transport_h: float  # moving, work state off
    unknown_h: float  # no points, or moving without a work state

    @property
    def total_h(self) -> float:
        """All of it. [h]"""
        return sum(self)

    def shares(self) -> dict[str, float]:
        """Shares of the time; they add up to 1."""
        names = ("work_share", "idle_share", "transport_share", "unknown_share")
        return {name: part / self.total_h for name, part in zip(names, self, strict=True)}


class Fuel(NamedTuple):
    """Litres by state, where the rate is known; NaN where it never is."""

    work_l: float
    idle_l: float
    transport_l: float
    coverage: float  # share of the time with points for which a rate is known

    @property
    def total_l(self) -> float:
        """What is known to be burnt. [L]"""
        return self.work_l + self.idle_l + self.transport_l


class Pass(NamedTuple):
    """Uninterrupted work."""

    start_us: int
    end_us: int
    distance_m: float
    heading_deg: float  # mean: as reported, else the course between points
    width_m: float  # mean over the way; NaN unknown


class FieldWork(NamedTuple):
    """A day's work on one field, or outside of all (``field_id`` None, then without gaps)."""

    field_id: int | None
    start_us: int
    end_us: int
    passes: tuple[Pass, ...]
    times: Times  # in the field
    distance_km: float  # in the field, any state
    work_distance_km: float
    worked_ha: float  # covered once or more
    gross_ha: float  # width times way
    overlap_ha: float  # gross less worked
    gap_ha: float  # left out between passes
    field_ha: float
    width_m: float  # the greatest
    applied_l: float  # rate times gross area
    fuel: Fuel  # in the field
    footprint: BaseGeometry  # worked ground, longitudes and latitudes
    reasons: tuple[str, ...]

    @property
    def fuel_l_ha(self) -> float:
        """Fuel burnt in the field, turns and stops too, per hectare worked."""
        known = NO_FUEL not in self.reasons and self.worked_ha > 0
        return self.fuel.total_l / self.worked_ha if known else np.nan

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        in_field_h = self.times.work_h + self.times.idle_h + self.times.transport_h
        figures = {
            "passes": len(self.passes),
            **_times(self.times),
            "distance_km": self.distance_km,
            "work_distance_km": self.work_distance_km,
            "work_speed_m_s": ratio(self.work_distance_km, self.times.work_h * 3.6),
            "width_m": self.width_m,
            "worked_ha": self.worked_ha,
            "gross_ha": self.gross_ha,
            "overlap_ha": self.overlap_ha,
            "gap_ha": self.gap_ha,
            "field_ha": self.field_ha,
            "worked_share": ratio(self.worked_ha, self.field_ha),
            "productivity_ha_h": ratio(self.worked_ha, in_field_h),
            "applied_l": self.applied_l,
            "application_l_ha": ratio(self.applied_l, self.gross_ha),
            **_fuel(self.fuel),
            "fuel_l_ha": self.fuel_l_ha,
        }
        return plain(figures) | {"reasons": list(self.reasons)}


class MachineDay(NamedTuple):
    """A machine's day as a whole."""

    start_us: int
    end_us: int
    points: int
    jumps: int  # points left out: not reachable from the others
    no_fix: int  # points left out: without a position
    times: Times
    distance_km: float
    work_distance_km: float
    worked_ha: float  # sum over fields and outside; NaN where one is unknown
    fuel: Fuel
    reasons: tuple[str, ...]

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        known = NO_FUEL not in self.reasons and self.worked_ha > 0
        figures = {
            "points": self.points,
            "jumps": self.jumps,
            "no_fix": self.no_fix,
            **_times(self.times),
            "distance_km": self.distance_km,
            "work_distance_km": self.work_distance_km,
            "worked_ha": self.worked_ha,
            **_fuel(self.fuel),
            "fuel_l_ha": self.fuel.total_l / self.worked_ha if known else np.nan,
        }
        return plain(figures) | {"reasons": list(self.reasons)}


class Work(NamedTuple):
    """The day, and its work field by field in the order of the fields; outside comes last."""

    day: MachineDay
    fields: tuple[FieldWork, ...]


def _times(times: Times) -> dict[str, float]:
    return times._asdict() | times.shares()


def _fuel(fuel: Fuel) -> dict[str, float]:
    return {
        "fuel_l": fuel.total_l,
        "fuel_work_l": fuel.work_l,
        "fuel_idle_l": fuel.idle_l,
        "fuel_transport_l": fuel.transport_l,
        "fuel_coverage": fuel.coverage,
    }


def ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as JSON takes them: NaN becomes None, numbers are rounded to a ten-thousandth."""
    return {
        name: (
            value
            if value is None or isinstance(value, int | str)
            else (round(float(value), 4) if np.isfinite(value) else None)
        )
        for name, value in figures.items()
    }
