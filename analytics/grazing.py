"""Herds and pastures: where the animals were, and how hard each pasture was grazed.

Animals are observed by herding drones, which count what they see from each point of a round, or
carry a collar each. Between observations nobody knows: an observation is held until the next one
of its herd or collar, at most ``HOLD_H`` hours, and what lies beyond is unknown, not empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from analytics.track_geometry import (
    Array,
    FieldShape,
    Integers,
    LocalPlane,
    TrackArrays,
    clean,
)
from analytics.work_results import plain, ratio

HOLD_H = 24.0  # a herd seen once a day is taken to stay until it is seen again
ROUND_GAP_S = 300.0  # longer without a point: another round
DRONE_M_S, ANIMAL_M_S = 40.0, 20.0  # faster between points is a jump of the receiver
ENOUGH_KNOWN = 0.5  # of a day, to say that a pasture without animals rested
NOWHERE = -1  # the pasture of animals that are in none

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


class Herd(NamedTuple):
    """Where a herd was, seen in one round or over one day."""

    start_us: int
    end_us: int
    rounds: int
    latitude_deg: float  # centre, weighted by the animals seen from each point
    longitude_deg: float
    spread_m: float  # root mean square distance from the centre, weighted likewise
    animals: float  # the most seen at once: at least so many there are

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        figures = {
            "rounds": self.rounds,
            "spread_m": self.spread_m,
            "animals": self.animals,
        }
        place = {  # a ten-thousandth of a degree would be 11 m
            "latitude_deg": round(self.latitude_deg, 6),
            "longitude_deg": round(self.longitude_deg, 6),
        }
        return plain(figures) | place


class Presence(NamedTuple):
    """Animals that are known to be somewhere for a while, arrays of shape (stays,)."""

    start_us: Integers
    end_us: Integers
    pasture: Integers  # id, or NOWHERE
    animals: Array


class HasArea(Protocol):
    """Whatever knows how large a pasture is."""

    @property
    def area_ha(self) -> float: ...


class PastureDay(NamedTuple):
    """One pasture on one day."""

    pasture_id: int
    animal_days: float  # one animal for 24 h is one
    area_ha: float
    known_share: float  # of the day, for which an observation holds
    livestock_units: float  # of one animal, as the caller says; NaN unknown

    @property
    def animal_days_ha(self) -> float:
        """Grazing pressure. [animal days ha⁻¹ day⁻¹]"""
        return ratio(self.animal_days, self.area_ha)

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        return plain(
            {
                "animal_days": self.animal_days,
                "animal_days_ha": self.animal_days_ha,
                "lsu_days_ha": self.animal_days_ha * self.livestock_units,
                "area_ha": self.area_ha,
                "known_share": self.known_share,
            }
        )


class PastureUse(NamedTuple):
    """One pasture over a stretch of days."""

    pasture_id: int
    used_days: int
    rested_days: int  # no animals, on days of which enough is known
    unknown_days: int
    resting_days: int  # without use up to the last day, whether known to rest or not
    animal_days: float
    animal_days_ha: float


def herd_rounds(track: TrackArrays, *, max_gap_s: float = ROUND_GAP_S) -> list[Herd]:
    """The rounds of a herding drone on which it saw animals.

    Needs position, time and ``animals_seen``. The drone's places stand for the animals': the
    centre of a circle flown around a herd is the herd's, and its radius goes into the spread.
    """
    good = clean(track, max_speed_m_s=DRONE_M_S).track
    counted = good.at(good.animals_seen >= 0)
    if not counted.time_us.size:
        return []
    cuts = np.flatnonzero(np.diff(counted.time_us) > max_gap_s * 1e6) + 1
    parts = (counted.at(part) for part in np.split(np.arange(counted.time_us.size), cuts))
    return [_herd(part) for part in parts if (part.animals_seen > 0).any()]


def _herd(track: TrackArrays) -> Herd:
    weight = track.animals_seen
    lat, lon, spread = _centre(track.latitude_deg, track.longitude_deg, weight, 0.0)
    start, end = int(track.time_us[0]), int(track.time_us[-1])
    return Herd(start, end, 1, lat, lon, spread, float(weight.max()))


def herd_of_day(rounds: Sequence[Herd]) -> Herd | None:
    """The rounds of a day as one, each weighing as much as it saw animals."""
    if not rounds:
        return None
    lat, lon, spread, animals = (
        np.array([getattr(one, name) for one in rounds])
        for name in ("latitude_deg", "longitude_deg", "spread_m", "animals")
    )
    place = _centre(lat, lon, animals, spread)
    start, end = min(one.start_us for one in rounds), max(one.end_us for one in rounds)
    return Herd(start, end, len(rounds), *place, float(animals.max()))


def _centre(
    lat: Array, lon: Array, weight: Array, spread_m: Array | float
) -> tuple[float, float, float]:
    """Weighted centre, and the spread around it of places with a spread of their own."""
    plane = LocalPlane(float(lon[0]), float(lat[0]))
    x, y = plane.xy(lon, lat)
    cx, cy = np.average(x, weights=weight), np.average(y, weights=weight)
    square = (x - cx) ** 2 + (y - cy) ** 2 + np.square(spread_m)
    centre = plane.unproject(shapely.Point(cx, cy))
    return centre.y, centre.x, float(np.sqrt(np.average(square, weights=weight)))


def herd_presence(
    rounds: Sequence[Herd], pastures: Mapping[int, FieldShape], *, hold_h: float = HOLD_H
) -> Presence:
    """Where a herd stayed: all of it in the pasture of its centre, from round to round."""
    start = np.array([one.start_us for one in rounds], np.int64)
    lon = np.array([one.longitude_deg for one in rounds], float)
    lat = np.array([one.latitude_deg for one in rounds], float)
    animals = np.array([one.animals for one in rounds], float)
    return Presence(start, _held(start, hold_h), _pastures_at(lon, lat, pastures), animals)


def collar_presence(
    track: TrackArrays, pastures: Mapping[int, FieldShape], *, hold_h: float = HOLD_H
) -> Presence:
    """Where the one animal that wears a collar stayed, from point to point."""
    good = clean(track, max_speed_m_s=ANIMAL_M_S).track
    where = _pastures_at(good.longitude_deg, good.latitude_deg, pastures)
    return Presence(good.time_us, _held(good.time_us, hold_h), where, np.ones(good.time_us.size))


def together(presences: Iterable[Presence]) -> Presence:
    """Herds and collars side by side; an animal that is in both would count twice."""
    parts = list(presences)
    if not parts:
        none = np.empty(0, np.int64)
        return Presence(none, none, none, np.empty(0))
    return Presence(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _held(start_us: Integers, hold_h: float) -> Integers:
    """Until when each observation holds: the next one, or so many hours."""
    end = start_us + np.int64(hold_h * _HOUR_US)
    end[:-1] = np.minimum(end[:-1], start_us[1:])
    return end


def _pastures_at(lon: Array, lat: Array, pastures: Mapping[int, FieldShape]) -> Integers:
    """The id of the pasture at each place; the first, where pastures lie over one another."""
    found = np.full(lon.shape, NOWHERE, np.int64)
    for pasture_id, pasture in pastures.items():
        shapely.prepare(pasture.boundary)
        inside = shapely.contains_xy(pasture.boundary, lon, lat)
        found[inside & (found == NOWHERE)] = pasture_id
    return found


def day_edges_us(first: dt.date, days: int, timezone: str) -> Integers:
    """The local midnights that begin and end each day, shape (days + 1,). [µs since 1970, UTC]"""
    zone = ZoneInfo(timezone)
    midnights = (
        dt.datetime.combine(first + dt.timedelta(days=day), dt.time(), zone)
        for day in range(days + 1)
    )
    return np.array([round(one.timestamp()) * 1_000_000 for one in midnights], np.int64)


def animal_days(presence: Presence, pasture_ids: Sequence[int], edges_us: Integers) -> Array:
    """Animals times days in each pasture on each day, shape (days, pastures)."""
    found = np.zeros((edges_us.size - 1, len(pasture_ids)))
    for day, (begin, end) in enumerate(pairwise(edges_us)):
        stay = np.minimum(presence.end_us, end) - np.maximum(presence.start_us, begin)
        amount = np.maximum(stay, 0) / _DAY_US * presence.animals
        for column, pasture_id in enumerate(pasture_ids):
            found[day, column] = amount[presence.pasture == pasture_id].sum()
    return found


def known_share(presence: Presence, edges_us: Integers) -> Array:
    """Share of each day for which at least one observation holds, shape (days,)."""
    order = np.argsort(presence.start_us)
    start, end = presence.start_us[order], presence.end_us[order]
    reached = np.maximum.accumulate(end) if end.size else end
    start = np.maximum(start, np.concatenate([start[:1], reached[:-1]]))  # what is new in each
    share = np.zeros(edges_us.size - 1)
    for day, (begin, close) in enumerate(pairwise(edges_us)):
        new = np.minimum(end, close) - np.maximum(start, begin)
        share[day] = np.maximum(new, 0).sum() / (close - begin)
    return share


def pasture_days(
    presence: Presence,
    pastures: Mapping[int, FieldShape],
    edges_us: Integers,
    *,
    livestock_units: float = np.nan,
) -> list[list[PastureDay]]:
    """Each day, the pastures that had animals on it."""
    grazed = animal_days(presence, list(pastures), edges_us)
    known = known_share(presence, edges_us)
    return [
        [
            PastureDay(key, float(amount), pasture.area_ha, float(known[day]), livestock_units)
            for (key, pasture), amount in zip(pastures.items(), amounts, strict=True)
            if amount > 0
        ]
        for day, amounts in enumerate(grazed)
    ]


def pasture_use(grazed: Array, known: Array, pastures: Mapping[int, HasArea]) -> list[PastureUse]:
    """Use and rest of each pasture.

    Parameters
    ----------
    grazed : array, shape (days, pastures)
        Animal days, in the order of ``pastures``; those of several herds are added.
    known : array, shape (days,)
        Share of each day for which observations hold; of several herds, the lowest.
    """
    used = grazed > 0
    told = (known >= ENOUGH_KNOWN)[:, None]
    resting = np.argmax(used[::-1], axis=0) if used.size else np.zeros(len(pastures), int)
    resting = np.where(used.any(axis=0), resting, used.shape[0])
    return [
        PastureUse(
            key,
            int(used[:, column].sum()),
            int((~used & told)[:, column].sum()),
            int((~used & ~told)[:, column].sum()),
            int(resting[column]),
            float(grazed[:, column].sum()),
            ratio(float(grazed[:, column].sum()), pasture.area_ha),
        )
        for column, (key, pasture) in enumerate(pastures.items())
    ]
