"""What savings err by: named parts, what they share, and how they add up from field to country.

A part is the effect of one standard deviation of one cause on one saving [m³], with its sign. Parts
of one cause that savings share add linearly, within a farm or everywhere; different causes, and
what each field errs by alone, add in quadrature.

References
----------
.. [1] JCGM 100:2008, "Guide to the expression of uncertainty in measurement", 5.2 (correlated
   inputs), G.4.1 (effective degrees of freedom after Welch and Satterthwaite).
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.savings import Saving

Array = NDArray[np.float64]
Shared = Literal["own", "farm", "all"]


class Part(NamedTuple):
    """One cause's effect on one saving."""

    cause: str
    effect: float  # of one standard deviation, signed [m³]; NaN where unknown
    shared: Shared = "own"
    degrees_of_freedom: float = np.inf


class Stated(NamedTuple):
    """A saving with what its uncertainty is made of."""

    value: float  # [m³]
    parts: tuple[Part, ...]
    farm: Hashable = None

    def alone(self) -> Saving:
        """This saving by itself."""
        return add_up([self])

    def size(self, *shared: Shared) -> float:
        """Standard uncertainty from the parts that are shared so. [m³]"""
        effects = [part.effect for part in self.parts if part.shared in shared]
        return float(np.sqrt(sum(effect**2 for effect in effects)))


def add_up(savings: Iterable[Stated]) -> Saving:
    """Add savings of fields, farms or regions.

    The degrees of freedom are the effective ones of Welch and Satterthwaite. What a field errs by
    alone counts with those of its baseline, also where it is known better (as is usual for
    one field); what is shared is assumed rather than estimated from seasons, and counts as known.
    """
    stated = list(savings)
    alone: dict[int, tuple[float, float]] = {}
    for number, saving in enumerate(stated):
        own = [part for part in saving.parts if part.shared == "own"]
        freedom = min((part.degrees_of_freedom for part in own), default=np.inf)
        alone[number] = (sum(part.effect**2 for part in own), freedom)
    shared = [one for one in _summed(stated).values() if one.shared != "own"]
    together = [(one.effect**2, one.degrees_of_freedom) for one in shared]
    variance, freedoms = np.array([*alone.values(), *together]).reshape(-1, 2).T
    value = math.fsum(one.value for one in stated)
    return Saving(value, float(np.sqrt(variance.sum())), _effective(variance, freedoms))


def by_cause(savings: Iterable[Stated]) -> dict[tuple[str, Shared], float]:
    """Standard uncertainty of the sum from each cause and way of sharing. [m³]"""
    variances: dict[tuple[str, Shared], float] = defaultdict(float)
    for one in _summed(savings).values():
        variances[one.cause, one.shared] += one.effect**2
    return {key: variance**0.5 for key, variance in variances.items()}


def _summed(savings: Iterable[Stated]) -> dict[Hashable, Part]:
    """Parts of one cause added up where they are shared: what is left adds in quadrature."""
    found: dict[Hashable, Part] = {}
    for number, saving in enumerate(savings):
        for place, part in enumerate(saving.parts):
            whose = {"own": (number, place), "farm": saving.farm, "all": None}[part.shared]
            key = part.cause, part.shared, whose
            known = found.get(key)
            found[key] = (
                part
                if known is None
                else known._replace(
                    effect=known.effect + part.effect,
                    degrees_of_freedom=min(known.degrees_of_freedom, part.degrees_of_freedom),
                )
            )
    return found


def _effective(variance: Array, freedom: Array) -> float:
    """Effective degrees of freedom of a sum of variances (JCGM 100, Eq. G.2b)."""
    if np.any(freedom < 1):
        return 0.0
    spread = float(np.sum(variance**2 / freedom))
    return float(variance.sum() ** 2 / spread) if spread > 0 else np.inf


def as_json(saving: Stated) -> dict[str, Any]:
    """The parts as they are stored; what is unknown, or infinite, is null."""
    alone = saving.alone()
    return {
        "u_m3": _finite(alone.uncertainty),
        "degrees_of_freedom": _finite(alone.degrees_of_freedom),
        "parts": [
            {
                "cause": part.cause,
                "u_m3": _finite(part.effect),
                "shared": part.shared,
                "degrees_of_freedom": _finite(part.degrees_of_freedom),
            }
            for part in saving.parts
        ],
    }


def from_json(value: float, stored: Mapping[str, Any], farm: Hashable) -> Stated:
    """A saving as it was stored by :func:`as_json`."""
    return Stated(
        value,
        tuple(
            Part(
                part["cause"],
                np.nan if part["u_m3"] is None else part["u_m3"],
                part["shared"],
                np.inf if part["degrees_of_freedom"] is None else part["degrees_of_freedom"],
            )
            for part in stored["parts"]
        ),
        farm,
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
