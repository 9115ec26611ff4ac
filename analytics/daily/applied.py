"""Water applied on a crop zone: by its meters, else as people entered it, else by an offtake's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.daily.entered import Entered, Stream
from analytics.daily.measured import Readings
from analytics.daily.plans import Plan
from analytics.irrigation import daily_volumes
from analytics.season_run import Water
from analytics.weather import LocalDays
from storage.fields import CropZone, Field

Array = NDArray[np.float64]

LOOKBACK = dt.timedelta(days=30)  # to the reading that a first difference needs


def water(plan: Plan, entered: Entered, readings: Readings, days: LocalDays) -> Water:
    """What was applied on each of the days, which may be the last ones of the plan's."""
    field, zone = plan.field, plan.zone
    streams = entered.streams.get(field.farm_id, [])
    efficiency, wetted, volume = _entered(plan, entered, days)
    label = "entered" if entered.events.get(field.id) else "none"
    if label == "none" and zone.irrigation_method is None:
        label = "rain-fed"
    share = _share(zone, [z for f, z in entered.zones if f.id == field.id], days)
    meters = _meters(streams, field.id, readings)
    if meters:
        volume_m3, covered = _counted(meters, readings, days)
        standing = _standing(meters, days)
        source = np.where(covered, "metered", np.where(standing, "none", label))
        return _water((volume_m3 + ~standing * volume) * share, efficiency, wetted, source)
    offtakes = _meters(streams, None, readings) if zone.irrigation_method else []
    if offtakes and not entered.events.get(field.id):
        volume_m3, covered = _counted(offtakes, readings, days)
        share = _share(zone, _without_meter(entered, field, readings), days)
        source = np.where(covered, "metered at the offtake", "none")
        made = _water(volume_m3 * share, efficiency, wetted, source)
        # Another season behind the same meter is another whole.
        return made._replace(offtake=(zone.season, *(one.stream.id for one in offtakes)))
    return _water(volume * share, efficiency, wetted, np.full(len(days.dates), label))


def _water(volume: Array, efficiency: Array, wetted: Array, source: NDArray[np.str_]) -> Water:
    known = 100.0 * float((source != "none").mean()) if source.size else 0.0
    return Water(volume, efficiency, wetted, source.tolist(), known)


def _meters(streams: Sequence[Stream], field_id: int | None, readings: Readings) -> list[Stream]:
    return [
        one
        for one in streams
        if one.stream.quantity == "water_total"
        and one.field_id == field_id
        and len(_known_at(one, readings))
    ]


def _known_at(meter: Stream, readings: Readings) -> NDArray[np.int64]:
    """When a meter is known to have stood where it did: at its readings, and as it came or went."""
    found = readings.values(meter)
    if found is None:
        return np.empty(0, np.int64)
    counted = None if meter.period is None else readings.counted(meter)
    if counted is None:
        return found[0]
    ends = np.concatenate([counted.start, counted.end])
    return np.concatenate([found[0], np.round(ends * 1e6).astype(np.int64)])


def _standing(meters: Sequence[Stream], days: LocalDays) -> NDArray[np.bool_]:
    """Days on which at least one of the meters stood on the field, for a part of the day or all."""
    found = np.zeros(len(days.dates), bool)
    for meter in meters:
        start, end = (None, None) if meter.period is None else meter.period[1:]
        begins = -np.inf if start is None else start.timestamp() * 1e6
        ends = np.inf if end is None else end.timestamp() * 1e6
        found |= (days.edges_us[1:] > begins) & (days.edges_us[:-1] < ends)
    return found


def _without_meter(entered: Entered, field: Field, readings: Readings) -> list[CropZone]:
    """Irrigated crop zones of the farm that share its offtake: those without another measure."""
    streams = entered.streams.get(field.farm_id, [])
    return [
        zone
        for of, zone in entered.zones
        if of.farm_id == field.farm_id
        and zone.irrigation_method
        and not _meters(streams, of.id, readings)
        and not entered.events.get(of.id)
    ]


def _share(zone: CropZone, sharing: Sequence[CropZone], days: LocalDays) -> Array:
    """The zone's part, by area, of what the zones that are growing on a day receive together."""
    dates = np.array(days.dates, "datetime64[D]")
    together = np.zeros(len(dates))
    for one in sharing:
        growing = (dates >= np.datetime64(one.planted)) & (dates <= np.datetime64(one.harvested))
        together += np.where(growing, one.area_ha, 0.0)
    return np.asarray(zone.area_ha / np.maximum(together, zone.area_ha))


def _counted(
    meters: Sequence[Stream], readings: Readings, days: LocalDays
) -> tuple[Array, NDArray[np.bool_]]:
    """Volume of each day [m³], and the days between a first and a last reading of a meter."""
    volume, covered = np.zeros(len(days.dates)), np.zeros(len(days.dates), bool)
    for meter in meters:
        counted, times = readings.counted(meter), _known_at(meter, readings)
        if counted is not None and len(times):
            volume += daily_volumes(counted, days.edges_us / 1e6)
            # Midnight sharp, where it left, belongs to the day that ends there.
            gone = meter.period is not None and meter.period.end is not None
            day = np.searchsorted(days.edges_us, times, side="left" if gone else "right") - 1
            covered[max(day.min(), 0) : max(day.max(), -1) + 1] = True
    return volume, covered


def _entered(plan: Plan, entered: Entered, days: LocalDays) -> tuple[Array, Array, Array]:
    """Efficiency, wetted fraction and entered volume [m³] of each day; the zone's where none is."""
    zone, count = plan.zone, len(days.dates)
    volume = np.zeros(count)
    efficiency = np.full(count, _given(zone.application_efficiency))
    wetted = np.full(count, _given(zone.wetted_fraction))
    for event in entered.events.get(plan.field.id, []):
        ends = np.int64(event.ended_at.timestamp() * 1e6)
        day = int(np.searchsorted(days.edges_us, ends, side="left")) - 1
        if not 0 <= day < count:
            continue
        volume[day] += event.volume_m3
        efficiency[day] = _given(event.efficiency, efficiency[day])
        wetted[day] = _given(event.wetted_fraction, wetted[day])
    return efficiency, wetted, volume


def _given(value: float | None, otherwise: float = 1.0) -> float:
    return otherwise if value is None else value
