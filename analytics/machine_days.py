"""A device's day, whatever it is: the results that are kept of its track."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from analytics import grazing
from analytics.flights import flights
from analytics.grazing import HOLD_H, Presence
from analytics.machine_work import machine_work
from analytics.track_geometry import FieldShape, TrackArrays

METHOD_VERSION = "machine-work-2"  # rises when the same track would give other figures

DRONES = frozenset({"drone", "herding-drone"})
COLLARS = frozenset({"collar"})

_DAY, _WORK, _FLIGHT, _HERD, _GRAZING = "day", "work", "flight", "herd", "grazing"


class DayResult(NamedTuple):
    """One result of a day; ``number`` counts those of one kind."""

    kind: str  # day (the machine's as a whole), work (on a field), flight, herd or grazing
    number: int
    field_id: int | None  # the field worked or the pasture grazed; None: outside, or no matter
    figures: dict[str, Any]
    result: Any  # the NamedTuple the figures are of, with geometry


def work_of_day(
    track: TrackArrays,
    fields: Mapping[int, FieldShape],
    *,
    kind: str,
    day_us: tuple[int, int],
    pastures: Mapping[int, FieldShape] | None = None,
    assumed_width_m: float = np.nan,
    livestock_units: float = np.nan,
    hold_h: float = HOLD_H,
) -> list[DayResult]:
    """All that a device did in a day.

    Parameters
    ----------
    track
        Its points. Give a herding drone's and a collar's from ``hold_h`` before the day on, since
        the evening before tells where the animals are in the morning.
    fields, pastures
        By id; machines work on fields, animals graze pastures.
    kind
        Of the device: ``drone``, ``herding-drone``, ``collar``; any other is a machine.
    day_us
        The local midnights that begin and end the day. [µs since 1970, UTC]
    assumed_width_m
        Of the implement, where the track does not say. [m]
    livestock_units
        Of one animal of the herd.
    """
    begin, end = day_us
    today = track.at((track.time_us >= begin) & (track.time_us < end))
    if kind in COLLARS:
        before = track.at(track.time_us < end)
        stays = grazing.collar_presence(before, pastures or {}, hold_h=hold_h)
        return _grazed(stays, pastures or {}, day_us, livestock_units)
    if kind not in DRONES:
        return _machine(today, fields, assumed_width_m)
    flown = [
        DayResult(_FLIGHT, number, None, one.to_figures(), one)
        for number, one in enumerate(flights(today))
    ]
    rounds = grazing.herd_rounds(track.at(track.time_us < end))
    herd = grazing.herd_of_day([one for one in rounds if one.start_us >= begin])
    if herd is not None:
        flown.append(DayResult(_HERD, 0, None, herd.to_figures(), herd))
    stays = grazing.herd_presence(rounds, pastures or {}, hold_h=hold_h)
    return flown + _grazed(stays, pastures or {}, day_us, livestock_units)


def _machine(
    today: TrackArrays, fields: Mapping[int, FieldShape], assumed_width_m: float
) -> list[DayResult]:
    work = machine_work(today, fields, assumed_width_m=assumed_width_m)
    if work is None:
        return []
    whole = DayResult(_DAY, 0, None, work.day.to_figures(), work.day)
    return [whole] + [
        DayResult(_WORK, number, one.field_id, one.to_figures(), one)
        for number, one in enumerate(work.fields)
    ]


def _grazed(
    stays: Presence,
    pastures: Mapping[int, FieldShape],
    day_us: tuple[int, int],
    livestock_units: float,
) -> list[DayResult]:
    (today,) = grazing.pasture_days(
        stays, pastures, np.array(day_us, np.int64), livestock_units=livestock_units
    )
    return [
        DayResult(_GRAZING, number, one.pasture_id, one.to_figures(), one)
        for number, one in enumerate(today)
    ]
