"""The seasons of crop zones, from what was entered and measured to figures and days to store."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.assimilation import compare, moisture_sd
from analytics.balance_inputs import Conventions
from analytics.crop_document import CropDocument, crop_from_mapping
from analytics.daily import applied, moisture, side_by_side, storing
from analytics.daily.choices import choices_of
from analytics.daily.entered import Entered
from analytics.daily.loading import Loaded, load
from analytics.daily.plans import METHOD_VERSION, Plan
from analytics.daily.side_by_side import Columns, ZoneInputs
from analytics.daily.storing import SeasonNumbers
from analytics.judgement import Judgement, ZoneFacts, judge
from analytics.options import Option
from analytics.season_run import SeasonRun, Water
from analytics.sections import ScenarioError, Section
from analytics.soil_document import soil_from_mapping
from analytics.soils import Soil
from storage.results import BalanceDays

Array = NDArray[np.float64]

METHOD = "FAO-56 dual Kc"
WEATHER_NOTE = "weather input: "
ENTERED_AGREES = 0.1  # with the meter: as near as flow times hours comes to it


class Judged(NamedTuple):
    """What the computed crop zones came to."""

    seasons: dict[int, dict[str, Any]]  # rows of season_results by crop zone
    runs: list[SeasonNumbers]

    def days(self, stored: Mapping[int, Any]) -> Iterator[BalanceDays]:
        """Days to store: those whose inputs are not as the stored ones' were."""
        for run in self.runs:
            if (changed := storing.changed_days(run, stored)) is not None:
                yield changed


class _Zone(NamedTuple):
    """A crop zone with everything its season needs; no inputs where no balance is possible."""

    plan: Plan
    water: Water
    inputs: ZoneInputs | None
    notes: list[str]


def judge_all(connection: sa.Connection, entered: Entered, todo: Sequence[Plan]) -> Judged:
    """Compute the seasons of the plans, zones of all farms side by side."""
    loaded = load(connection, entered, todo)
    zones = [_zone(plan, entered, loaded) for plan in todo]
    groups: dict[Conventions | None, list[_Zone]] = defaultdict(list)
    for one in zones:
        groups[None if one.inputs is None else one.inputs.choices.balance].append(one)
    judged = Judged({}, [])
    for conventions, members in groups.items():
        if conventions is None:
            _without_balance(members, entered, judged)
        else:
            _side_by_side(conventions, members, entered, loaded, judged)
    return judged


def _zone(plan: Plan, entered: Entered, loaded: Loaded) -> _Zone:
    water = applied.water(plan, entered, loaded.readings, loaded.fresh_days(plan))
    try:
        chosen = choices_of(plan.zone)
        found = loaded.weather_of(plan, entered, chosen.reference)
        if found is None:
            return _Zone(plan, water, None, ["no weather was measured in this season: no balance"])
        weather, findings = found
        notes = list(findings) if plan.begin == 0 else _earlier_findings(plan)
        crop, soil = _documents(plan, notes)
        theta_0 = Section("soil", plan.field.soil).number(
            "theta_0",
            0,
            1,
            default=soil.theta_fc,  # nobody knows it: as after a wet winter
        )
    except ScenarioError as error:
        return _Zone(plan, water, None, [f"no balance: {error}"])
    return _Zone(plan, water, ZoneInputs(plan, crop, soil, theta_0, chosen, weather, water), notes)


def _documents(plan: Plan, notes: list[str]) -> tuple[CropDocument, Soil]:
    crop = crop_from_mapping(plan.zone.crop_parameters)
    soil, of_soil = soil_from_mapping(plan.field.soil)
    notes += [*crop.notes, *of_soil]
    return crop, soil


def _earlier_findings(plan: Plan) -> list[str]:
    """What the whole season's weather looked like when it was last read from its first day."""
    known = plan.standing.notes if plan.standing else ()
    return [note for note in known if note.startswith(WEATHER_NOTE)]


def _side_by_side(
    conventions: Conventions,
    members: Sequence[_Zone],
    entered: Entered,
    loaded: Loaded,
    judged: Judged,
) -> None:
    zones = [one.inputs for one in members if one.inputs is not None]
    columns = side_by_side.lay_out(zones)
    measured, measured_sd = _measured(zones, columns, entered, loaded)
    corrects = np.array([one.choices.assimilates for one in zones])
    fresh = side_by_side.compute(
        columns,
        conventions,
        np.where(corrects, measured, np.nan),
        np.where(corrects, measured_sd, np.nan),
    )
    numbers = storing.complete_columns(zones, columns, fresh, measured)
    seeds = [entered.seed(one.plan.field, one.plan.zone) for one in zones]
    chains = storing.digests(zones, seeds, columns, measured, measured_sd)
    balance = storing.as_balance(columns, numbers)
    waters = [_whole_water(one, columns, index) for index, one in enumerate(zones)]
    season_days = np.array(
        [(one.plan.zone.harvested - one.plan.zone.planted).days + 1 for one in zones]
    )
    run = SeasonRun(
        columns.days, columns.fields, columns.start, conventions, columns.areas_ha, waters,
        columns.inside, balance, season_days,
    )  # fmt: skip
    facts = [
        _facts(one.plan, entered, water, one.crop.crop.ky, one.choices.option)._replace(
            days_without_weather=_interpolated(one)
        )
        for one, water in zip(zones, waters, strict=True)
    ]
    for index, judgement in enumerate(judge(run, facts)):
        one, last = members[index], _rests_on(index, zones, chains)
        values = _values(one, judgement, last)
        values |= _soil_figures(numbers, index) | _weather_coverage(zones[index])
        values["conventions"] |= conventions._asdict() | _kcb_fitted(one.plan, conventions)
        values["water_coverage_pct"] = waters[index].coverage_pct
        values["notes"] += _entered_beside(zones[index].plan, entered, waters[index])
        judged.seasons[one.plan.zone.id] = values
    judged.runs.append(SeasonNumbers(zones, numbers, chains))


def _rests_on(index: int, zones: Sequence[ZoneInputs], chains: Sequence[Sequence[bytes]]) -> bytes:
    """The digest that a zone's season rests on: of all zones behind its offtake, if it has one."""
    offtake = zones[index].water.offtake
    if offtake is None:
        return chains[index][-1]
    together = [
        chain[-1] for one, chain in zip(zones, chains, strict=True) if one.water.offtake == offtake
    ]
    return hashlib.sha256(b"".join([chains[index][-1], *sorted(together)])).digest()


def _measured(
    zones: Sequence[ZoneInputs], columns: Columns, entered: Entered, loaded: Loaded
) -> tuple[Array, Array]:
    """Measured depletion of the fresh days and its standard deviation, (days, zones). [mm]"""
    measured = np.full(columns.inside.shape, np.nan)
    roots = np.asarray(columns.days.root_depth)
    for index, one in enumerate(zones):
        part = slice(one.plan.begin, one.plan.length)
        measured[part, index] = moisture.measured_depletion(
            entered.streams.get(one.plan.farm.id, []),
            one.plan.field.id,
            loaded.readings,
            loaded.fresh_days(one.plan),
            roots[part, index],
            one.soil.theta_fc,
        )
    return measured, np.where(np.isnan(measured), np.nan, moisture_sd(roots))


def _whole_water(one: ZoneInputs, columns: Columns, index: int) -> Water:
    """Applied water of the whole season: of the days that stand and of the fresh ones."""
    length, stored = one.plan.length, one.plan.stored
    known = np.concatenate(
        [stored["water_known"] > 0, np.array([label != "none" for label in one.water.source])]
    )
    return one.water._replace(
        volume_m3=columns.volume_m3[:length, index],
        efficiency=columns.efficiency[:length, index],
        wetted_fraction=columns.wetted[:length, index],
        coverage_pct=100.0 * float(known.mean()),
    )


def _facts(
    plan: Plan, entered: Entered, water: Water, ky: float | None, option: Option | None
) -> ZoneFacts:
    zone, field = plan.zone, plan.field
    return ZoneFacts(
        zone.area_ha,
        zone.crop,
        zone.irrigation_method,
        water,
        [
            one
            for one in entered.baselines.get(field.id, [])
            if one.crop == zone.crop and one.season != zone.season
        ],
        [one for one in entered.adjustments.get(zone.id, []) if one.withdrawn_at is None],
        entered.loads.get(zone.id, []),
        ky,
        option,
    )


def _values(one: _Zone, judgement: Judgement, rests_on: bytes) -> dict[str, Any]:
    """The row of a season's result but for its coverage."""
    plan = one.plan
    digest = hashlib.sha256(rests_on + plan.entered_digest.encode()).hexdigest()
    return judgement.figures | {
        "yield_source": judgement.yield_source,
        "savings_option": judgement.savings_option,
        "baseline_source": judgement.baseline_source,
        "uncertainty": judgement.uncertainty,
        "method": "; ".join((METHOD, *_reference_words(one), *judgement.methods)),
        "method_version": METHOD_VERSION,
        "conventions": dict(plan.zone.conventions),
        "notes": [*one.notes, *judgement.notes],
        "input_digest": digest,
        "entered_digest": plan.entered_digest,
        "computed_to": plan.days.dates[-1],
    }


def _reference_words(one: _Zone) -> list[str]:
    """Reference evapotranspiration where it is not the daily one of FAO-56."""
    if one.inputs is None:
        return []
    reference = one.inputs.choices.reference
    if reference.method == "penman-monteith-hourly":
        return ["ET0 summed from hours"]
    if reference.method == "hargreaves":
        fitted = f"{reference.intercept_mm:g} mm + {reference.slope:g} of it"
        return [f"ET0 estimated by Hargreaves, {fitted}"]
    return []


def _kcb_fitted(plan: Plan, conventions: Conventions) -> dict[str, str]:
    if not conventions.adjust_kcb:
        return {}
    window = f"mean of {side_by_side.KCB_WINDOW_DAYS} days, until the season ends"
    return {"kcb_fitted_to": "mean of each stage" if plan.ended else window}


def _soil_figures(numbers: Mapping[str, Array], index: int) -> dict[str, float | None]:
    """Simulated against measured depletion, before any correction."""
    measured = numbers["measured_depletion_mm"][:, index]
    simulated = numbers["depletion_mm"][:, index] + numbers["correction_mm"][:, index]
    found = compare(simulated, measured)
    days = int((~np.isnan(numbers["et0_mm"][:, index])).sum())
    return {
        "soil_coverage_pct": 100.0 * float((~np.isnan(measured)).sum()) / days,
        "soil_bias_mm": _known(float(found.bias)),
        "soil_rmse_mm": _known(float(found.rmse)),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _interpolated(one: ZoneInputs) -> int:
    """Days whose temperature, or wind, stands between those of measured days."""
    fresh = sum("interpolated" in source for source in one.weather.source)
    return int(one.plan.stored["weather_interpolated"].sum()) + fresh


def _entered_beside(plan: Plan, entered: Entered, water: Water) -> list[str]:
    """A note where people entered another volume than the field's meter counted."""
    if water.offtake is not None or "metered" not in water.source:
        return []
    first, last = (
        dt.datetime.fromtimestamp(at / 1e6, dt.UTC) for at in plan.days.edges_us[[0, -1]]
    )
    said = sum(
        one.volume_m3
        for one in entered.events.get(plan.field.id, [])
        if first < one.ended_at <= last
    )
    counted = float(water.volume_m3.sum())
    if said == 0 or abs(said - counted) <= ENTERED_AGREES * max(said, counted):
        return []
    return [f"{said:.0f} m³ are entered, the meter counted {counted:.0f} m³: the meter stands"]


def _weather_coverage(one: ZoneInputs) -> dict[str, float]:
    fresh = sum(source == "measured" for source in one.weather.source)
    stored = int(one.plan.stored["weather_measured"].sum())
    return {"weather_coverage_pct": 100.0 * (stored + fresh) / one.plan.length}


def _without_balance(members: Sequence[_Zone], entered: Entered, judged: Judged) -> None:
    """Zones without weather, or whose crop or soil cannot be read: what meters and scales say."""
    facts = [_facts(one.plan, entered, one.water, None, None) for one in members]
    for one, judgement in zip(members, judge(None, facts), strict=True):
        water = np.ascontiguousarray(one.water.volume_m3).tobytes()
        values = _values(one, judgement, hashlib.sha256(water).digest())
        values |= {"weather_coverage_pct": 0.0, "water_coverage_pct": one.water.coverage_pct}
        judged.seasons[one.plan.zone.id] = values
