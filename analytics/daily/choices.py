"""What a crop zone was entered with: the choices that move its figures, checked."""

from __future__ import annotations

from typing import NamedTuple, get_args

from analytics.balance import Conventions, Drainage, EventTiming
from analytics.balance_inputs import NewRootZone
from analytics.daily.stations import ReferenceEt, ReferenceMethod
from analytics.options import OPTIONS, Option
from analytics.sections import Section
from storage.fields import CropZone


class Choices(NamedTuple):
    """Of one crop zone; FAO-56's own where it says nothing."""

    balance: Conventions
    reference: ReferenceEt
    assimilates: bool  # does measured soil moisture correct the balance?
    option: Option | None  # of the IPMVP; None: the best that the evidence carries


def choices_of(zone: CropZone) -> Choices:
    """Read the zone's conventions and crop parameters.

    Raises
    ------
    ScenarioError
        Naming the key and what it may be.
    """
    said, crop = Section("conventions", zone.conventions), Section("crop", zone.crop_parameters)
    usual = Conventions()
    method = said.choice("reference_et", get_args(ReferenceMethod), ReferenceEt().method)
    calibration = Section("conventions.reference_et_calibration", _calibration(zone))
    return Choices(
        Conventions(
            event_timing=said.choice("event_timing", get_args(EventTiming), usual.event_timing),
            drainage=said.choice("drainage", get_args(Drainage), usual.drainage),
            adjust_p=crop.flag("adjust_p", default=usual.adjust_p),
            adjust_kcb=crop.flag("adjust_kcb", default=usual.adjust_kcb),
            new_root_zone=said.choice("new_root_zone", get_args(NewRootZone), usual.new_root_zone),
        ),
        ReferenceEt(
            method,
            calibration.number("intercept_mm", -5, 5, default=0.0),
            calibration.number("slope", 0.1, 3, default=1.0),
            said.number("dew_point_offset_c", 0, 10, default=0.0),
        ),
        said.choice("assimilation", ("on", "off"), "on") == "on",
        said.choice("savings_option", OPTIONS, OPTIONS[0]) if "savings_option" in said else None,
    )


def _calibration(zone: CropZone) -> object:
    return zone.conventions.get("reference_et_calibration") or {}
