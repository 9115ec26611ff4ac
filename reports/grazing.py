"""How hard each pasture of a farm was grazed, and when it rested."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from analytics.grazing import pasture_use
from analytics.machine_days import COLLARS
from analytics.work_results import ratio
from reports.sums import Summary
from storage.fields import Field
from storage.machine_results import MachineResult

_COLLARED = "collars"  # animals with collars are one herd: a dead collar hides no pasture


def pastures(
    known: Sequence[Field],
    kinds: Mapping[str, str],
    grazing: Sequence[MachineResult],
    herds: Sequence[MachineResult],
    *,
    livestock_units: float | None = None,
) -> list[Summary]:
    """Animal days of each pasture, day by day and in all, and the days it was used and rested.

    Days are counted from the first to the last on which a herd was known to be somewhere. A day
    is known as far as the herd known least is; below half, a pasture without animals is unknown,
    not rested.
    """
    seen = [one.day for one in (*grazing, *herds)]
    if not known or not seen:
        return []
    first = min(seen)
    days = [first + dt.timedelta(days=n) for n in range((max(seen) - first).days + 1)]
    column = {field.id: index for index, field in enumerate(known)}
    grazed = np.zeros((len(days), len(known)))
    for one in grazing:
        if one.field_id in column:
            grazed[(one.day - first).days, column[one.field_id]] += one.figures["animal_days"]
    shares = _known_shares(kinds, [*grazing, *herds], first, len(days))
    uses = pasture_use(grazed, shares, {field.id: field for field in known})
    return [
        {
            "field_id": field.id,
            "field": field.name,
            "area_ha": field.area_ha,
            "observed_from": days[0].isoformat(),
            "observed_to": days[-1].isoformat(),
            "used_days": use.used_days,
            "rested_days": use.rested_days,
            "unknown_days": use.unknown_days,
            "resting_days": use.resting_days,
            **_pressure(use.animal_days, field.area_ha, livestock_units),
            "daily": [
                {"day": day.isoformat(), **_pressure(float(amount), field.area_ha, livestock_units)}
                for day, amount in zip(days, grazed[:, column[field.id]], strict=True)
                if amount > 0
            ],
        }
        for field, use in zip(known, uses, strict=True)
    ]


def _known_shares(
    kinds: Mapping[str, str], rows: Sequence[MachineResult], first: dt.date, days: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of each day, the share for which the herd that is known least is known, shape (days,)."""
    of_herd: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = defaultdict(
        lambda: np.zeros(days)
    )
    for one in rows:
        herd = _COLLARED if kinds[one.device_id] in COLLARS else one.device_id
        place = (one.day - first).days
        share = one.figures.get("known_share") or 0.0
        of_herd[herd][place] = max(of_herd[herd][place], share)
    return np.asarray(np.min(list(of_herd.values()), axis=0))


def _pressure(animal_days: float, area_ha: float, livestock_units: float | None) -> Summary:
    found: Summary = {
        "animal_days": animal_days,
        "animal_days_ha": ratio(animal_days, area_ha),
    }
    if livestock_units is not None:
        found["lsu_days_ha"] = found["animal_days_ha"] * livestock_units
    return found
