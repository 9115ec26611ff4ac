"""What a season's balance, meters and scales amount to: the figures of crop zones.

The season is run as it was and as the old practice would have had it: the same weather, soil and
crop. What the old practice took comes from metered seasons where there are any, else from a run of
the balance, which the result says. Less withdrawn is the apparent saving, less consumed the real.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from analytics import counterfactual, indicators, old_practice
from analytics.counterfactual import Consumed
from analytics.harvest import Load, harvest_figures
from analytics.indicators import M3_PER_HA_PER_MM, relative_yield
from analytics.old_practice import Baseline, Member, Old
from analytics.options import Evidence, Option, assumed, option_of, volume_parts
from analytics.season_run import SeasonRun, Water
from analytics.uncertainty import Part, Stated, as_json

LEVEL = 0.95
LEAST_DAYS_TO_SIMULATE = 30  # fewer days of a season carry no counterfactual
MOST_WITHOUT_WEATHER = 0.5  # of the days: beyond, a requirement is mostly guessed
FLOODED = frozenset({"rice"})  # watered to stand, not to field capacity
METERED, COMPUTED = "metered seasons", "balance counterfactual"

Figures = dict[str, float | None]


class Adjustment(Protocol):
    """A non-routine adjustment of the baseline that stands."""

    @property
    def volume_m3(self) -> float: ...
    @property
    def u_volume_m3(self) -> float: ...


class ZoneFacts(NamedTuple):
    """What is known of a crop zone beside its balance."""

    area_ha: float
    crop: str
    irrigation_method: str | None  # None: rain-fed
    water: Water
    baselines: Sequence[Baseline] = ()  # of the same crop on the same field, other seasons
    adjustments: Sequence[Adjustment] = ()  # not withdrawn
    loads: Sequence[Load] = ()
    ky: float | None = None  # seasonal yield response of the crop
    option: Option | None = None  # demanded; None: the best that the evidence carries
    days_without_weather: int = 0  # whose temperature was interpolated


class Judgement(NamedTuple):
    """Figures of a crop zone's season, named as in the results table."""

    figures: Figures
    yield_source: str | None
    savings_option: Option | None
    baseline_source: str | None
    uncertainty: dict[str, Any]  # of "apparent" and "consumptive", as uncertainty.as_json has it
    methods: list[str]
    notes: list[str]


SUMS = (
    "et0", "etc", "eta", "transpiration", "evaporation", "deep_percolation", "runoff", "rain",
    "irrigation_net", "capillary_rise", "correction",
)  # fmt: skip


def judge(run: SeasonRun | None, zones: Sequence[ZoneFacts]) -> list[Judgement]:
    """The figures of crop zones side by side. What cannot be said is None, and the notes say why.

    ``run`` has the zones in the same order; None where no balance could be computed.
    """
    judgements = [Judgement(_applied(zone), None, None, None, {}, [], []) for zone in zones]
    if run is not None and zones:
        for one, figures in zip(judgements, _balances(run), strict=True):
            one.figures.update(figures)
        judgements = _with_savings(run, zones, judgements)
    for index, (zone, one) in enumerate(zip(zones, judgements, strict=True)):
        harvest, source = harvest_figures(zone.loads, zone.area_ha, zone.crop, one.notes)
        one.figures.update(harvest)
        one.figures.update(indicators.of_zones([(zone.area_ha, one.figures)]))
        one.figures["relative_yield_estimate"] = _relative_yield(one.figures, zone.ky)
        judgements[index] = one._replace(yield_source=source)
    return judgements


def _applied(zone: ZoneFacts) -> Figures:
    return {"applied_m3": float(np.sum(zone.water.volume_m3))}


def _relative_yield(figures: Figures, ky: float | None) -> float | None:
    """Yield by the yield without water stress, as FAO-33 estimates it; never a measurement."""
    eta, etc = figures.get("eta_mm"), figures.get("etc_mm")
    if ky is None or eta is None or etc is None:
        return None
    return _known(float(relative_yield(eta, etc, ky)))


def _balances(run: SeasonRun) -> list[Figures]:
    """What the balance says of each zone."""
    columns = {f"{name}_mm": run.total(name) for name in SUMS}
    columns |= {
        "closure_mm": run.closure,
        "net_requirement_mm": run.requirement,
        "effective_rain_mm": run.effective_rain,
        "storage_change_mm": run.storage_change,
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, map(_known, row), strict=True)) for row in rows]


# --- savings ----------------------------------------------------------------------------------


def _with_savings(
    run: SeasonRun, zones: Sequence[ZoneFacts], judgements: Sequence[Judgement]
) -> list[Judgement]:
    options = [_option(run, index, zone, judgements[index]) for index, zone in enumerate(zones)]
    if not any(options):
        return list(judgements)
    simulated = np.array([option == "D" for option in options])
    practice = np.array([old_practice.surface_irrigation(zone.crop) for zone in zones])
    computed = run.old_irrigator(practice[:, 0], practice[:, 1], only=simulated)
    of_offtakes = _of_offtakes(run, zones, options)
    old: list[Old | None] = []
    for index, (zone, option) in enumerate(zip(zones, options, strict=True)):
        found = None
        if option == "D":
            found = old_practice.of_balance(computed, index, zone.crop)
        elif option is not None:
            found = of_offtakes.get(index) or old_practice.of_field(zone.baselines, run, index)
            judgements[index].notes.extend(_extrapolated(zone, float(run.requirement[index])))
        old.append(None if found is None else _adjusted(zone, found))
    eta = counterfactual.consumed(run, old, computed, [zone.crop for zone in zones])
    return [
        one if practised is None else _stated(zone, one, practised, option, eta, index)
        for index, (zone, one, practised, option) in enumerate(
            zip(zones, judgements, old, options, strict=True)
        )
    ]


def _evidence(zone: ZoneFacts) -> Evidence:
    source, offtake = zone.water.source, zone.water.offtake is not None
    return Evidence(
        seasons=len(zone.baselines),
        metered="metered" in source and not offtake,
        entered="entered" in source,
        offtake=offtake,
    )


def _option(run: SeasonRun, index: int, zone: ZoneFacts, judgement: Judgement) -> Option | None:
    """The option to judge by; None, with a note, where no saving can be stated."""
    evidence = _evidence(zone)
    if zone.irrigation_method is None and not judgement.figures["applied_m3"]:
        judgement.notes.append("rain-fed: there is no irrigation to save")
        return None
    found = option_of(evidence)
    if found is not None and zone.option not in {None, found}:
        if zone.option == "D":
            found = "D"
        else:
            judgement.notes.append(
                f"option {zone.option} was asked for; what is known carries option {found}"
            )
    reason = _unjudgeable(run, index, zone, found)
    if reason is not None:
        judgement.notes.append(f"{reason}: no saving can be stated")
        return None
    return found


def _unjudgeable(run: SeasonRun, index: int, zone: ZoneFacts, option: Option | None) -> str | None:
    """Why no saving can be stated; None where one can."""
    if option is None:
        return "no water was metered or entered"
    if not np.isfinite(run.requirement[index]):
        return "the balance has a day without weather"
    length = int(run.inside[:, index].sum())
    if zone.days_without_weather > MOST_WITHOUT_WEATHER * length:
        return f"weather is interpolated on {zone.days_without_weather} of {length} days"
    return _no_computed_baseline(zone, length) if option == "D" else _no_metered_baseline(zone)


def _no_metered_baseline(zone: ZoneFacts) -> str | None:
    needed = any(one.net_requirement_mm > 0 for one in zone.baselines)
    return None if needed else "no baseline season required irrigation"


def _no_computed_baseline(zone: ZoneFacts, length: int) -> str | None:
    if length < LEAST_DAYS_TO_SIMULATE:
        return f"no baseline seasons are known, and {length} days carry no computed one"
    if zone.crop in FLOODED:
        return f"no baseline seasons are known, and the old flooding of {zone.crop} is not computed"
    return None


def _extrapolated(zone: ZoneFacts, requirement: float) -> list[str]:
    """A note where the season asked for more, or less, than any baseline season did."""
    needs = [one.net_requirement_mm for one in zone.baselines]
    if min(needs) <= requirement <= max(needs):
        return []
    return [
        f"the requirement of {requirement:.0f} mm is beyond that of the baseline seasons, "
        f"{min(needs):.0f} to {max(needs):.0f} mm: the baseline is extrapolated"
    ]


def _of_offtakes(
    run: SeasonRun, zones: Sequence[ZoneFacts], options: Sequence[Option | None]
) -> dict[int, Old]:
    """The old practice of zones behind an offtake, each offtake as a whole."""
    behind: dict[Hashable, list[Member]] = defaultdict(list)
    for index, (zone, option) in enumerate(zip(zones, options, strict=True)):
        if option == "C":
            member = Member(index, zone.area_ha, zone.baselines)
            behind[zone.water.offtake].append(member)
    result: dict[int, Old] = {}
    for members in behind.values():
        result |= old_practice.of_offtake(members, run)
    return result


def _adjusted(zone: ZoneFacts, old: Old) -> Old:
    """The old practice with the zone's non-routine adjustments."""
    if not zone.adjustments:
        return old
    per_mm = M3_PER_HA_PER_MM * zone.area_ha
    added = sum(one.volume_m3 for one in zone.adjustments) / per_mm
    error = float(np.hypot.reduce([one.u_volume_m3 for one in zone.adjustments])) / per_mm
    part = Part("adjustments", error)
    return old._replace(depth_mm=max(old.depth_mm + added, 0.0), parts=(*old.parts, part))


def _stated(
    zone: ZoneFacts, one: Judgement, old: Old, option: Option | None, eta: Consumed, index: int
) -> Judgement:
    """The judgement with both savings of a crop zone."""
    per_mm = M3_PER_HA_PER_MM * zone.area_ha
    applied = float(np.sum(zone.water.volume_m3))
    apparent = Stated(per_mm * old.depth_mm - applied, _apparent_parts(zone, old, applied))
    figures = one.figures | {"baseline_m3": per_mm * old.depth_mm} | _figures("apparent", apparent)
    uncertainty = {"apparent": as_json(apparent)}
    notes = list(one.notes)
    if option == "C":
        notes.append("metered at an offtake: the saving is judged for all its fields as a whole")
    if zone.adjustments:
        figures["adjustments_m3"] = sum(each.volume_m3 for each in zone.adjustments)
        figures["adjustments_u_m3"] = float(
            np.hypot.reduce([each.u_volume_m3 for each in zone.adjustments])
        )
    saved = eta.saved(index)
    if np.isnan(saved):
        notes.append("nothing was applied, so the old practice cannot be laid over its days")
    else:
        parts = _in_volume(counterfactual.consumptive_parts(eta, index, old), per_mm)
        real = Stated(per_mm * saved, parts)
        figures |= _figures("consumptive", real)
        uncertainty["consumptive"] = as_json(real)
        # The fall in flow back to rivers and wells is a change downwards: negative.
        figures["recoverable_change_m3"] = real.value - apparent.value
    return one._replace(
        figures=figures,
        savings_option=option,
        baseline_source=COMPUTED if old.computed else METERED,
        uncertainty=uncertainty,
        methods=[*one.methods, old.method],
        notes=notes,
    )


def _apparent_parts(zone: ZoneFacts, old: Old, applied: float) -> tuple[Part, ...]:
    per_mm = M3_PER_HA_PER_MM * zone.area_ha
    saved = per_mm * old.depth_mm - applied
    parts = [
        *_in_volume(old.parts, per_mm),
        *volume_parts(_evidence(zone), applied),
        Part("area", assumed("area") * saved),
    ]
    unknown = 1.0 - zone.water.coverage_pct / 100.0
    if unknown > 0:
        # What flowed on days without a meter: anything up to what the old practice took on them.
        parts.append(Part("unmetered_days", unknown * per_mm * old.depth_mm / 3**0.5))
    return tuple(parts)


def _in_volume(parts: Sequence[Part], per_mm: float) -> tuple[Part, ...]:
    """Parts of a depth [mm] as parts of a volume [m³]."""
    return tuple(part._replace(effect=per_mm * part.effect) for part in parts)


def _figures(kind: str, saving: Stated) -> Figures:
    return {
        f"{kind}_savings_m3": saving.value,
        f"{kind}_u_independent_m3": _known(saving.size("own")),
        f"{kind}_u_shared_m3": _known(saving.size("farm", "all")),
        f"{kind}_coverage_factor": _known(saving.alone().quantile(LEVEL)),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
