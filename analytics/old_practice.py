"""What the practice before the change would have taken this season, and how sure that is.

From metered seasons of the field (options A and B), from those of all fields behind one offtake
(C), or, where no season before is known, from an irrigator of surface irrigation whom the balance
lets water this season (D): that one is computed and is called so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from analytics.baselines import Baseline as Relation
from analytics.baselines import linear_baseline, ratio_baseline
from analytics.options import assumed
from analytics.season_run import SeasonRun, WhatIf
from analytics.uncertainty import Part, Shared

SEASONS_FOR_A_LINE = 6

# Crops that stand in rows are watered in furrows, the others between borders.
ROW_CROPS = frozenset(
    {
        "cotton", "maize", "sugar-beet", "potato", "sunflower", "soybean", "tomato", "onion",
        "cabbage", "watermelon",
    }
)  # fmt: skip


class Baseline(Protocol):
    """A metered season before the change."""

    @property
    def season(self) -> int: ...
    @property
    def net_requirement_mm(self) -> float: ...
    @property
    def gross_irrigation_mm(self) -> float: ...
    @property
    def application_efficiency(self) -> float | None: ...
    @property
    def wetted_fraction(self) -> float | None: ...


class Old(NamedTuple):
    """The old practice laid over this season, for one crop zone."""

    depth_mm: float  # gross
    efficiency: float
    wetted: float
    parts: tuple[Part, ...]  # what the depth errs by [mm]
    method: str
    computed: bool = False  # by a run of the balance, not from metered seasons


class Member(NamedTuple):
    """A crop zone behind an offtake that serves several."""

    zone: int  # its column in the run
    area_ha: float
    baselines: Sequence[Baseline]


def relation(need: Sequence[float], given: Sequence[float]) -> tuple[Relation, str]:
    """Gross irrigation by requirement, and how it was found; a line needs more seasons."""
    if len(need) >= SEASONS_FOR_A_LINE:
        line = linear_baseline(need, given)
        if line.slope > 0:
            return line, f"baseline by regression on requirement, {len(need)} seasons"
    return ratio_baseline(need, given), f"baseline by ratio to requirement, {len(need)} seasons"


def of_field(baselines: Sequence[Baseline], run: SeasonRun, zone: int) -> Old:
    """From the metered seasons of the field itself."""
    found, method = relation(
        [one.net_requirement_mm for one in baselines],
        [one.gross_irrigation_mm for one in baselines],
    )
    requirement, etc = float(run.requirement[zone]), float(run.etc[zone])
    efficiency, wetted = _practice(baselines)
    depth, parts = _predicted(found, requirement, etc, "baseline", "own")
    return Old(depth, efficiency, wetted, parts, method)


def of_offtake(members: Sequence[Member], run: SeasonRun) -> dict[int, Old]:
    """From the metered seasons of all fields behind an offtake, judged as a whole.

    Each zone gets the share of its requirement, and its share of the one error: their sum is the
    whole's. Empty where no season is known of all of them.
    """
    seasons = _seasons_of_all(members)
    if not seasons:
        return {}
    area = np.array([one.area_ha for one in members])
    weight = area / area.sum()
    need, given = (
        [
            sum(
                w * getattr(_of(one.baselines, season), name)
                for w, one in zip(weight, members, strict=True)
            )
            for season in seasons
        ]
        for name in ("net_requirement_mm", "gross_irrigation_mm")
    )
    found, method = relation(need, given)
    columns = [one.zone for one in members]
    requirement, etc = run.requirement[columns], run.etc[columns]
    whole = float(weight @ requirement)
    depth, parts = _predicted(found, whole, float(weight @ etc), "baseline_of_offtake", "farm")
    share = requirement / whole if whole > 0 else np.ones_like(requirement)
    result = {}
    for one, part in zip(members, share, strict=True):
        efficiency, wetted = _practice(one.baselines)
        scaled = tuple(p._replace(effect=p.effect * float(part)) for p in parts)
        result[one.zone] = Old(
            depth * float(part), efficiency, wetted, scaled, f"{method} of the whole offtake"
        )
    return result


def of_balance(computed: WhatIf, zone: int, crop: str) -> Old:
    """From the old irrigator's run of the balance."""
    efficiency, wetted = surface_irrigation(crop)
    gross = float(computed.gross[zone])
    spread = assumed("old_efficiency_spread") / np.sqrt(3.0) / efficiency
    one_application = gross / max(float(computed.applications[zone]), 1.0)
    et0 = assumed("station_et0") * float(computed.eta[zone]) / efficiency
    parts = (
        Part("old_practice_of_the_field", assumed("old_practice_of_the_field") * gross),
        # One watering more or less is chance: evenly spread over one application.
        Part("last_watering", one_application / np.sqrt(12.0)),
        Part("old_practice", assumed("old_practice") * gross, "all"),
        Part("efficiency_assumption", float(spread) * gross, "all"),
        Part("station_et0", et0, "farm"),
    )
    method = "baseline computed: surface irrigation to field capacity, not metered"
    return Old(gross, efficiency, wetted, parts, method, computed=True)


def surface_irrigation(crop: str) -> tuple[float, float]:
    """Efficiency and wetted fraction of surface irrigation, by FAO's tables."""
    wetted = assumed("furrow_wetted") if crop in ROW_CROPS else assumed("border_wetted")
    return assumed("old_efficiency"), wetted


def _predicted(
    found: Relation, requirement: float, etc: float, cause: str, shared: Shared
) -> tuple[float, tuple[Part, ...]]:
    """Depth for this season's requirement, and what it errs by. [mm]

    Were the station's ET0 wrong as it was in the earlier seasons, the relation would have taken
    that up; what it drifted since moves the requirement.
    """
    prediction = found.predict(requirement)
    drifted = found.predict(requirement + assumed("station_et0_drift") * etc)
    return prediction.depth, (
        Part(cause, prediction.standard_error, shared, prediction.degrees_of_freedom),
        Part("station_et0", drifted.depth - prediction.depth, "farm"),
    )


def _practice(baselines: Sequence[Baseline]) -> tuple[float, float]:
    """Efficiency and wetted fraction of the seasons before; surface irrigation's where unknown."""
    return (
        _mean([one.application_efficiency for one in baselines], assumed("old_efficiency")),
        _mean([one.wetted_fraction for one in baselines], assumed("border_wetted")),
    )


def _mean(values: Sequence[float | None], otherwise: float) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else otherwise


def _seasons_of_all(members: Sequence[Member]) -> list[int]:
    known = [{one.season for one in member.baselines} for member in members]
    return sorted(set.intersection(*known)) if known else []


def _of(baselines: Sequence[Baseline], season: int) -> Baseline:
    return next(one for one in baselines if one.season == season)
