"""The inputs of a savings case: named numbers, checked, every error naming its key."""

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from analytics.options import OPTIONS, Evidence, Option, assumed, volume_parts
from analytics.uncertainty import Part, Shared

Inputs = Mapping[str, Any]

CASE_KEYS = frozenset(
    {"note", "farm", "option", "area_ha", "u_area_rel", "adjustments", "shared"}
    | {"baseline_NIR_mm", "baseline_gross_metered_mm", "reporting_NIR_mm"}
    | {"reporting_gross_metered_mm", "u_meter_reporting_rel"}
    | {"counterfactual_gross_mm", "u_counterfactual_rel"}
    | {"reporting_ETa_mm", "counterfactual_ETa_mm", "u_ETa_mm"}
)
LIKE = 0.85  # of difflib's measure: a letter or two off in a long name
LARGEST = 1e12  # no depth, area or volume on Earth comes near it


class SavingsError(ValueError):
    """An input of the savings report that is missing or makes no sense, by its key."""


class EnteredAdjustment(NamedTuple):
    """A non-routine adjustment of the baseline."""

    volume_m3: float
    u_volume_m3: float
    reason: str
    author: str


class Consumption(NamedTuple):
    """Season's ETa as it was and under the old practice. [mm]"""

    eta: float
    eta_without: float
    u_eta: float  # of the difference, of this field alone


class Case(NamedTuple):
    """One case: a baseline, a season and what either errs by."""

    baseline_nir: list[float]  # empty: the baseline is computed
    baseline_gross: list[float]
    counterfactual_mm: float | None
    u_counterfactual_rel: float | None
    nir: float | None
    gross: float
    area_ha: float
    u_meter: float
    u_area: float
    option: Option | None
    adjustments: list[EnteredAdjustment]
    shared: list[Part]  # [m³]
    consumption: Consumption | None
    farm: str | None


def read_case(inputs: Inputs) -> Case:
    """Check the inputs of a case."""
    check_keys(inputs, CASE_KEYS)
    option = _option(inputs)
    computed = option == "D" or (option is None and "counterfactual_gross_mm" in inputs)
    nir = [] if computed else numbers(inputs, "baseline_NIR_mm")
    gross = [] if computed else numbers(inputs, "baseline_gross_metered_mm")
    if len(nir) != len(gross):
        raise SavingsError(
            f"baseline_gross_metered_mm: {len(gross)} seasons, baseline_NIR_mm has {len(nir)}"
        )
    area = number(inputs, "area_ha")
    if area <= 0:
        raise SavingsError(f"area_ha: must be above 0, got {area:g}")
    applied = number(inputs, "reporting_gross_metered_mm")
    parts = _of_option(option, inputs, 10.0 * area * applied)
    return Case(
        baseline_nir=nir,
        baseline_gross=gross,
        counterfactual_mm=number(inputs, "counterfactual_gross_mm") if computed else None,
        u_counterfactual_rel=_share(inputs, "u_counterfactual_rel")
        if "u_counterfactual_rel" in inputs
        else None,
        nir=None if computed else number(inputs, "reporting_NIR_mm"),
        gross=applied,
        area_ha=area,
        u_meter=_meter(inputs, parts, 10.0 * area * applied),
        u_area=_share(inputs, "u_area_rel", default=0.0),
        option="D" if computed else option,
        adjustments=[_adjustment(*one) for one in _listed(inputs, "adjustments")],
        shared=[*_shared(inputs), *(part for part in parts if part.shared != "own")],
        consumption=_consumption(inputs),
        farm=_text(inputs, "farm") if "farm" in inputs else None,
    )


def _option(inputs: Inputs) -> Option | None:
    given = inputs.get("option")
    for option in OPTIONS:
        if given == option:
            return option
    if given is not None:
        raise SavingsError(f"option: expected one of {', '.join(OPTIONS)}, got {given!r}")
    return None


def _of_option(option: Option | None, inputs: Inputs, volume_m3: float) -> tuple[Part, ...]:
    """What the applied volume errs by, where an option is named and the meter's error is not."""
    if option is None or "u_meter_reporting_rel" in inputs:
        return ()
    evidence = Evidence(
        seasons=0, metered=option in {"B", "D"}, entered=option == "A", offtake=option == "C"
    )
    return volume_parts(evidence, volume_m3)


def _meter(inputs: Inputs, parts: Sequence[Part], volume_m3: float) -> float:
    """Relative error of the applied volume that no other field shares."""
    own = sum(part.effect for part in parts if part.shared == "own")
    assumed_rel = own / volume_m3 if volume_m3 > 0 else 0.0
    return _share(inputs, "u_meter_reporting_rel", default=assumed_rel)


def _consumption(inputs: Inputs) -> Consumption | None:
    if "reporting_ETa_mm" not in inputs and "counterfactual_ETa_mm" not in inputs:
        return None
    eta = number(inputs, "reporting_ETa_mm")
    return Consumption(
        eta,
        number(inputs, "counterfactual_ETa_mm"),
        number(inputs, "u_ETa_mm", default=assumed("soil_and_crop") * eta),
    )


def _adjustment(key: str, given: object) -> EnteredAdjustment:
    if not isinstance(given, Mapping):
        raise SavingsError(f"{key}: expected an object with volume_m3, reason and author")
    inside = {f"{key}.{name}": value for name, value in given.items()}
    return EnteredAdjustment(
        signed(inside, f"{key}.volume_m3"),
        number(inside, f"{key}.u_volume_m3", default=0.0),
        _text(inside, f"{key}.reason"),
        _text(inside, f"{key}.author"),
    )


def _shared(inputs: Inputs) -> list[Part]:
    """Effects of causes that this case shares with others: a volume, or one within a farm."""
    given = inputs.get("shared", {})
    if not isinstance(given, Mapping):
        raise SavingsError("shared: expected an object of causes with their effect in m³")
    parts = []
    for cause, stated in given.items():
        key, effect = f"shared.{cause}", stated
        whose: Shared = "all"
        if isinstance(stated, Mapping):
            whose = _whose(stated.get("shared", "all"), f"{key}.shared")
            key, effect = f"{key}.u_m3", stated.get("u_m3")
        parts.append(Part(cause, _finite(effect, key), whose))
    return parts


def _whose(given: object, key: str) -> Shared:
    if given == "farm":
        return "farm"
    if given == "all":
        return "all"
    raise SavingsError(f"{key}: expected farm or all, got {given!r}")


def _listed(inputs: Inputs, key: str) -> list[tuple[str, object]]:
    given = inputs.get(key, [])
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise SavingsError(f"{key}: expected a list")
    return [(f"{key}[{index}]", one) for index, one in enumerate(given)]


def _text(inputs: Inputs, key: str) -> str:
    value = inputs.get(key)
    if value is None:
        raise SavingsError(f"{key}: is missing")
    if not isinstance(value, str) or not value.strip():
        raise SavingsError(f"{key}: expected words, got {value!r}")
    return value


def check_keys(inputs: Inputs, known: frozenset[str]) -> None:
    """Raise SavingsError for a key that is nearly a known one: its number would be left out.

    Other keys are the author's own.
    """
    for key in inputs:
        if key not in known and (near := get_close_matches(key, known, n=1, cutoff=LIKE)):
            raise SavingsError(f"{key}: is no key; is {near[0]} meant?")


def _share(inputs: Inputs, key: str, *, default: float | None = None) -> float:
    """A relative uncertainty: a share of 1, not a percentage."""
    value = number(inputs, key, default=default)
    if value > 1:
        raise SavingsError(f"{key}: must be from 0 to 1 (per cent divided by 100), got {value:g}")
    return value


def number(inputs: Inputs, key: str, *, default: float | None = None) -> float:
    """A number that is not negative."""
    value = signed(inputs, key, default=default)
    if value < 0:
        raise SavingsError(f"{key}: must not be negative, got {value:g}")
    return value


def signed(inputs: Inputs, key: str, *, default: float | None = None) -> float:
    """A number."""
    if key not in inputs and default is not None:
        return default
    if key not in inputs:
        raise SavingsError(f"{key}: is missing")
    return _finite(inputs[key], key)


def numbers(inputs: Inputs, key: str) -> list[float]:
    """A number for each season, none of them negative."""
    if key not in inputs:
        raise SavingsError(f"{key}: is missing")
    values = inputs[key]
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise SavingsError(f"{key}: expected a list with a number for each season")
    found = [_finite(value, f"{key}[{index}]") for index, value in enumerate(values)]
    if min(found) < 0:
        raise SavingsError(f"{key}: must not be negative, got {min(found):g}")
    return found


def _finite(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SavingsError(f"{key}: expected a number, got {value!r}")
    if abs(value) > LARGEST:
        raise SavingsError(f"{key}: must not be beyond {LARGEST:g}, got {value:g}")
    return float(value)
