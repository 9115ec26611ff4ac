"""Operations: days of one machine on one field that belong together, laid over one another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from analytics.track_geometry import FieldShape, gaps
from analytics.work_results import FieldWork, Fuel, Times, plain, ratio

MAX_GAP_DAYS = 3  # rain stops a machine for a while; later it is another operation
SAME_WIDTH = 0.1  # another implement differs more from the one before


class Operation(NamedTuple):
    """Work of one machine on one field over one or more days."""

    field_id: int
    days: tuple[dt.date, ...]
    passes: int
    times: Times  # in the field
    work_distance_km: float
    worked_ha: float  # covered once or more, on whichever day
    gross_ha: float
    overlap_ha: float  # within days and between them
    gap_ha: float  # still left out between passes after the last day
    field_ha: float
    width_m: float
    applied_l: float
    fuel: Fuel
    footprint: BaseGeometry  # longitudes and latitudes
    reasons: tuple[str, ...]

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        in_field_h = self.times.work_h + self.times.idle_h + self.times.transport_h
        enough = self.fuel.coverage >= 0.9
        figures = {
            "passes": self.passes,
            "work_h": self.times.work_h,
            "idle_h": self.times.idle_h,
            "transport_h": self.times.transport_h,
            "work_distance_km": self.work_distance_km,
            "worked_ha": self.worked_ha,
            "gross_ha": self.gross_ha,
            "overlap_ha": self.overlap_ha,
            "gap_ha": self.gap_ha,
            "field_ha": self.field_ha,
            "worked_share": ratio(self.worked_ha, self.field_ha),
            "width_m": self.width_m,
            "productivity_ha_h": ratio(self.worked_ha, in_field_h),
            "applied_l": self.applied_l,
            "fuel_l": self.fuel.total_l,
            "fuel_l_ha": ratio(self.fuel.total_l, self.worked_ha) if enough else np.nan,
        }
        days = [day.isoformat() for day in self.days]
        return {"days": days} | plain(figures) | {"reasons": list(self.reasons)}


def operations(
    works: Iterable[tuple[dt.date, FieldWork]],
    fields: Mapping[int, FieldShape],
    *,
    max_gap_days: int = MAX_GAP_DAYS,
) -> list[Operation]:
    """Join the days of one machine to operations, in order of field and first day.

    A day belongs to the operation before if that was at work on the field at most
    ``max_gap_days`` earlier and with an implement of the same width. Work outside of fields, and
    on fields that are not among ``fields``, belongs to no operation.
    """
    days = sorted(
        ((work.field_id, day, work) for day, work in works if work.field_id in fields),
        key=lambda one: (one[0], one[1], one[2].start_us),
    )
    groups: list[list[tuple[dt.date, FieldWork]]] = []
    for _, day, work in days:
        if groups and _continues(groups[-1][-1], day, work, max_gap_days):
            groups[-1].append((day, work))
        else:
            groups.append([(day, work)])
    return [_joined(group, fields[_field_of(group)]) for group in groups]


def _field_of(group: Sequence[tuple[dt.date, FieldWork]]) -> int:
    field_id = group[0][1].field_id
    assert field_id is not None  # noqa: S101 - work outside of fields was left out above
    return field_id


def _continues(
    before: tuple[dt.date, FieldWork], day: dt.date, work: FieldWork, max_gap_days: int
) -> bool:
    last_day, last = before
    if last.field_id != work.field_id or (day - last_day).days > max_gap_days:
        return False
    widths = (last.width_m, work.width_m)
    return bool(np.isnan(widths).any()) or max(widths) <= (1 + SAME_WIDTH) * min(widths)


def _joined(group: Sequence[tuple[dt.date, FieldWork]], field: FieldShape) -> Operation:
    works = [work for _, work in group]
    covered = shapely.union_all([field.plane.project(work.footprint) for work in works])
    gross = sum(work.gross_ha for work in works)
    width = max(work.width_m for work in works)
    worked = min(covered.area / 1e4, gross) if np.isfinite(gross) else np.nan
    left_out = gaps(covered, width, field.polygon).area / 1e4 if np.isfinite(gross) else np.nan
    return Operation(
        _field_of(group),
        tuple(dict.fromkeys(day for day, _ in group)),
        sum(len(work.passes) for work in works),
        Times(*(float(sum(hours)) for hours in zip(*(one.times for one in works), strict=True))),
        sum(work.work_distance_km for work in works),
        worked,
        gross,
        gross - worked,
        left_out,
        field.area_ha,
        width,
        sum(work.applied_l for work in works),
        _fuel_together(works),
        field.plane.unproject(covered),
        tuple(dict.fromkeys(reason for work in works for reason in work.reasons)),
    )


def _fuel_together(works: Sequence[FieldWork]) -> Fuel:
    """Sums of what is known; the coverage is the mean over the hours with points."""
    hours = np.array([one.times.total_h - one.times.unknown_h for one in works])
    covered = sum(hours * np.array([one.fuel.coverage for one in works]))
    sums = np.array([one.fuel[:3] for one in works])
    litres = np.where(np.isnan(sums).all(axis=0), np.nan, np.nansum(sums, axis=0))
    return Fuel(*(float(one) for one in (*litres, ratio(covered, hours.sum()))))
