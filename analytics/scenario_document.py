"""A scenario as its TOML document says it: [site], [season], [crop] and [soil], checked key by key.

A recorded season has the same tables, and more that a single field's balance does not need.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args

from analytics.balance import Conventions, Drainage, EventTiming, NewRootZone
from analytics.crop_document import CROP_KEYS, CropDocument, crop_from_mapping
from analytics.crops import Crop
from analytics.growth import CropPlan, days_since
from analytics.sections import ScenarioError, Section
from analytics.soil_document import SOIL_KEYS, soil_from_mapping
from analytics.soils import Soil

__all__ = ["Scenario", "ScenarioError", "parse_scenario"]


# Keys of the four tables; ``name`` and what else a recorded season has of its place included.
KEYS: dict[str, frozenset[str]] = {
    "site": frozenset(
        {"name", "latitude_deg", "longitude_deg", "elevation_m", "wind_height_m", "timezone"}
    ),
    "season": frozenset({"name", "start", "end", "event_timing", "drainage", "new_root_zone"}),
    "crop": CROP_KEYS | {"adjust_p", "adjust_kcb"},
    "soil": SOIL_KEYS | {"name", "theta_0"},
}
LIKE = 0.8  # of difflib's measure: one letter off, or two


class Scenario(NamedTuple):
    """What a scenario says, checked."""

    latitude_deg: float
    elevation_m: float
    wind_height_m: float
    start: date
    end: date
    conventions: Conventions
    crop: Crop
    soil: Soil
    theta_0: float  # water content of the root zone before the first day [m³ m⁻³]
    cuts: tuple[date, ...] = ()  # of a hay crop
    later_cycle: Crop | None = None  # its growth after each cut
    notes: tuple[str, ...] = ()  # on crop numbers and soil constants that nobody measured

    @property
    def days(self) -> int:
        """Length of the season, both ends counted."""
        return (self.end - self.start).days + 1

    @property
    def plan(self) -> CropPlan:
        """The crop with its cuts, counted from the season's start."""
        return CropPlan(self.crop, days_since(self.start, self.cuts), self.later_cycle)


def parse_scenario(document: Mapping[str, Any]) -> Scenario:
    """Check a scenario read from TOML.

    Keys with a default: wind_height_m 2, event_timing "start-of-day", drainage "after-et",
    adjust_p and adjust_kcb true (FAO-56's own), curve_number none. The crop may be a name
    (``analytics.crop_document``), the soil a texture (``analytics.soil_document``).

    Raises
    ------
    ScenarioError
        Naming the key and what it may be.
    """
    site, season, crop, soil = (
        Section(name, document.get(name)) for name in ("site", "season", "crop", "soil")
    )
    unknown = _unknown_keys((site, season, crop, soil))
    start, end = season.date("start"), season.date("end")
    if end < start:
        raise ScenarioError(f"season.end: {end} is before season.start {start}")
    usual = Conventions()
    grown = crop_from_mapping(crop.table)
    _check_cuts(grown, start, end)
    constants, estimated = soil_from_mapping(soil.table)
    return Scenario(
        latitude_deg=site.number("latitude_deg", -90, 90),
        elevation_m=site.number("elevation_m", -450, 6000),
        wind_height_m=site.number("wind_height_m", 0.5, 100, default=2.0),
        start=start,
        end=end,
        conventions=Conventions(
            event_timing=season.choice("event_timing", get_args(EventTiming), usual.event_timing),
            drainage=season.choice("drainage", get_args(Drainage), usual.drainage),
            adjust_p=crop.flag("adjust_p", default=usual.adjust_p),
            adjust_kcb=crop.flag("adjust_kcb", default=usual.adjust_kcb),
            new_root_zone=season.choice(
                "new_root_zone", get_args(NewRootZone), usual.new_root_zone
            ),
        ),
        crop=grown.crop,
        soil=constants,
        theta_0=soil.number("theta_0", 0, 1),
        cuts=grown.cuts,
        later_cycle=grown.later_cycle,
        notes=(*grown.notes, *estimated, *unknown),
    )


def _unknown_keys(sections: Iterable[Section]) -> list[str]:
    """Notes on keys that nothing reads; one that is nearly a known one is a slip.

    Raises
    ------
    ScenarioError
        Naming the key and the one that it resembles.
    """
    notes = []
    for section in sections:
        known = KEYS[section.name]
        for key in section.table:
            if key in known:
                continue
            if near := get_close_matches(key, known, n=1, cutoff=LIKE):
                raise ScenarioError(f"{section.name}.{key}: is no key; is {near[0]} meant?")
            notes.append(f"{section.name}.{key} is no key of a scenario and is left out")
    return notes


def _check_cuts(grown: CropDocument, start: date, end: date) -> None:
    for cut in grown.cuts:
        if not start <= cut <= end:
            raise ScenarioError(f"crop.cuts: {cut} is not in the season, {start} to {end}")
