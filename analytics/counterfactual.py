"""What the old practice would have consumed: the season run with it, and with each cause moved.

The runs keep weather, soil and crop. What two runs differ by in ETa is the fall in consumption;
what a run differs by when one cause is moved by its standard deviation is that cause's effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.old_practice import ROW_CROPS, Old
from analytics.options import assumed
from analytics.season_run import SeasonRun, WhatIf
from analytics.uncertainty import Part

Array = NDArray[np.float64]
FURROW_REACH = 0.4  # from 0.6 to 1.0 of the surface (FAO-56 Table 20)


class Consumed(NamedTuple):
    """Season's ETa as it was and under the old practice, arrays of shape (zones,). [mm]

    The others are effects of one standard deviation on the difference of the two.
    """

    eta: Array  # as it was, by the model alone
    eta_without: Array  # under the old practice
    baseline: Array  # of the old depth's own error
    et0: Array  # of the station's ET0
    efficiency: Array  # of the stated efficiencies
    wetted: Array  # of the old wetted fraction, where it is assumed

    def saved(self, zone: int) -> float:
        """Fall in consumption. [mm]"""
        return float(self.eta_without[zone] - self.eta[zone])


def consumed(
    run: SeasonRun, old: Sequence[Old | None], computed: WhatIf, crops: Sequence[str]
) -> Consumed:
    """Run all zones; NaN where a zone has no old practice or no day to lay it over.

    ``computed`` is the old irrigator's run, for the zones whose old practice came from it.
    """
    simulated = np.array([one is not None and one.computed for one in old])
    depth = np.array(
        [np.nan if one is None or one.computed else one.depth_mm for one in old], float
    )
    share = np.array([1.0 if one is None else one.efficiency for one in old], float)
    wetted = np.array([1.0 if one is None else one.wetted for one in old], float)
    error = np.array([0.0 if one is None else _own_error(one) for one in old], float)
    of_et0 = assumed("station_et0")

    def before(gross: Array, efficiency: Array, et0_factor: float = 1.0) -> Array:
        return run.with_gross(
            np.maximum(gross, 0.0), np.minimum(efficiency, 1.0), wetted, et0_factor=et0_factor
        ).eta

    with_et0 = _reach(lambda sd: before(depth, share, 1.0 + sd), of_et0)
    # Whoever waters by the soil lets nothing dry out: his ETa follows ET0, whatever is lost.
    with_et0 = np.where(simulated, of_et0 * computed.eta, with_et0)
    with_stored = _reach(
        lambda sd: before(depth, share * (1.0 + sd)), assumed("efficiency_assumption")
    )
    with_stored = np.where(simulated, 0.0, with_stored)
    now_et0 = _reach(lambda sd: run.as_applied(et0_factor=1.0 + sd).eta, of_et0)
    now_stored = _reach(
        lambda sd: run.as_applied(efficiency_factor=1.0 + sd).eta, assumed("efficiency_now")
    )
    with_depth = _reach(lambda sd: before(depth + sd * error, share), 1.0)
    return Consumed(
        eta=run.as_applied().eta,
        eta_without=np.where(simulated, computed.eta, before(depth, share)),
        baseline=np.where(simulated, 0.0, np.abs(with_depth)),
        et0=with_et0 - now_et0,
        efficiency=np.hypot(with_stored, now_stored),
        wetted=_wetted_spread(run, computed, simulated, crops),
    )


def _reach(eta: Callable[[float], Array], deviation: float) -> Array:
    """Effect of one standard deviation: half of what a step up and a step down differ by.

    (JCGM 100, 5.1.3, note 2.) ETa bends where a crop has all it can use: one step says too much.
    """
    return np.asarray((eta(deviation) - eta(-deviation)) / 2.0)


def consumptive_parts(found: Consumed, zone: int, old: Old) -> tuple[Part, ...]:
    """What the fall in consumption errs by. [mm]"""
    model = assumed("counterfactual_model" if old.computed else "model")
    freedom = min((part.degrees_of_freedom for part in old.parts), default=np.inf)
    baseline = Part("baseline", float(found.baseline[zone]), "own", freedom)
    if any(part.cause == "baseline_of_offtake" for part in old.parts):
        baseline = baseline._replace(cause="baseline_of_offtake", shared="farm")
    practice = assumed("old_practice_eta") * float(found.eta_without[zone])
    parts = (
        baseline,
        Part("old_practice", practice if old.computed else 0.0, "all"),
        Part("soil_and_crop", assumed("soil_and_crop") * float(found.eta[zone])),
        Part("model", model * found.saved(zone), "all"),
        Part("efficiency_assumption", float(found.efficiency[zone]), "all"),
        Part("wetted_fraction_assumption", float(found.wetted[zone]), "all"),
        Part("station_et0", float(found.et0[zone]), "farm"),
    )
    return tuple(part for part in parts if part.effect != 0.0)


def _own_error(old: Old) -> float:
    """What the depth errs by that no other cause of the consumption has. [mm]"""
    causes = ("baseline", "baseline_of_offtake", "adjustments")
    return float(np.sqrt(sum(part.effect**2 for part in old.parts if part.cause in causes)))


def _wetted_spread(
    run: SeasonRun, computed: WhatIf, simulated: NDArray[np.bool_], crops: Sequence[str]
) -> Array:
    """Effect of the furrows' wetted fraction on the old irrigator's ETa. [mm]"""
    furrows = simulated & np.array([crop in ROW_CROPS for crop in crops], bool)
    whole = run.old_irrigator(assumed("old_efficiency"), 1.0, only=furrows).eta
    slope = np.abs(whole - computed.eta) / (1.0 - assumed("furrow_wetted"))
    return np.asarray(np.where(furrows, slope * FURROW_REACH / np.sqrt(12.0), 0.0))
