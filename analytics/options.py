"""The four options of the IPMVP, and what each may err by: one table of assumptions.

A  one key parameter is measured, the other stipulated: entered applications, flow times hours.
B  all is metered at the inlet of the field.
C  one meter at the offtake of a farm or canal serves several fields: judged as a whole.
D  calibrated simulation: no season before the change is known, a run of the balance stands for it.

References
----------
.. [1] EVO, "International Performance Measurement and Verification Protocol", core concepts.
.. [2] C. Brouwer et al., "Irrigation scheduling", FAO Irrigation Water Management Training Manual
   4, Rome, 1989, Annex I, Table 8 (field application efficiencies).
.. [3] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998, Table 20 (p. 149).
"""

from typing import Literal, NamedTuple, get_args

from analytics.uncertainty import Part, Shared

Option = Literal["A", "B", "C", "D"]
OPTIONS: tuple[Option, ...] = get_args(Option)


class Assumption(NamedTuple):
    """A number that nobody measured on the spot."""

    value: float
    of: str  # what the value is a share of, or its unit
    shared: Shared  # by whom the error is shared
    source: str


# Relative standard uncertainties (k = 1) unless ``of`` says otherwise.
ASSUMPTIONS: dict[str, Assumption] = {
    "meter": Assumption(
        0.010, "metered volume", "own", "ISO 4064-1 class 2 (2 %), a third of its variance: assumed"
    ),
    "meter_calibration": Assumption(
        0.0173, "metered volume", "all", "ISO 4064-1 class 2 (2 %), two thirds: assumed"
    ),
    "stipulated_hours": Assumption(0.05, "entered volume", "own", "assumed"),
    "stipulated_flow": Assumption(0.10, "entered volume", "farm", "assumed: of a pump's plate"),
    "area": Assumption(0.005, "saving", "own", "assumed: of a boundary drawn on an image"),
    "station_et0": Assumption(
        0.05, "ET0, in a difference of two runs", "farm", "assumed: sensors of a class 2 station"
    ),
    "station_et0_drift": Assumption(
        0.02, "ET0, between baseline seasons and this one", "farm", "assumed"
    ),
    "model": Assumption(0.15, "difference of two runs of the balance", "all", "assumed"),
    "soil_and_crop": Assumption(0.01, "ETa, in a difference of two runs", "own", "assumed"),
    "efficiency_assumption": Assumption(
        0.10, "stated efficiency of the old practice", "all", "assumed"
    ),
    "efficiency_now": Assumption(0.05, "stated efficiency of this season", "all", "assumed"),
    "old_efficiency": Assumption(
        0.60, "of what is withdrawn, surface irrigation", "all", "FAO Training Manual 4, Table 8"
    ),
    "old_efficiency_spread": Assumption(
        0.15, "half width of an even spread about it", "all", "assumed: 0.45 to 0.75"
    ),
    "old_practice": Assumption(
        0.15, "withdrawal of the counterfactual", "all", "assumed: the rule he watered by"
    ),
    "old_practice_of_the_field": Assumption(
        0.10, "withdrawal of the counterfactual", "own", "assumed: one farmer and another"
    ),
    "old_practice_eta": Assumption(
        0.05, "ETa of the counterfactual", "all", "assumed: he may have watered too late"
    ),
    "counterfactual_model": Assumption(
        0.30, "difference to the counterfactual's ETa", "all", "assumed: twice that of model"
    ),
    "furrow_wetted": Assumption(
        0.8, "of the surface, 0.6 to 1.0 evenly", "all", "FAO-56 Table 20, narrow beds"
    ),
    "border_wetted": Assumption(1.0, "of the surface", "all", "FAO-56 Table 20"),
}  # fmt: skip


def assumed(name: str) -> float:
    """The value of an assumption."""
    return ASSUMPTIONS[name].value


class Evidence(NamedTuple):
    """What there is to judge a crop zone's saving by."""

    seasons: int  # metered seasons before the change
    metered: bool  # on the field itself
    entered: bool
    offtake: bool  # by a meter that serves other fields too


def option_of(evidence: Evidence) -> Option | None:
    """The option that the evidence carries; None where nothing says what was applied."""
    if not (evidence.metered or evidence.entered or evidence.offtake):
        return None
    if evidence.seasons == 0:
        return "D"
    if evidence.offtake:
        return "C"
    return "B" if evidence.metered else "A"


# What the applied volume errs by: the cause, and the assumption that says how much.
_VOLUME: dict[str, tuple[tuple[str, str], ...]] = {
    "metered": (("meter", "meter"), ("meter_calibration", "meter_calibration")),
    "entered": (("stipulated_hours", "stipulated_hours"), ("stipulated_flow", "stipulated_flow")),
    "offtake": (("offtake_meter", "meter"), ("meter_calibration", "meter_calibration")),
}


def volume_parts(evidence: Evidence, volume_m3: float) -> tuple[Part, ...]:
    """What the applied volume errs by. [m³]

    The one meter of an offtake errs alike for all fields that it serves.
    """
    kind = "offtake" if evidence.offtake else "metered" if evidence.metered else "entered"
    parts = []
    for cause, name in _VOLUME[kind]:
        shared = "farm" if cause == "offtake_meter" else ASSUMPTIONS[name].shared
        parts.append(Part(cause, assumed(name) * volume_m3, shared))
    return tuple(parts)
