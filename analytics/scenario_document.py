"""A scenario as its TOML document says it: [site], [season], [crop] and [soil], checked key by key.

A recorded season has the same tables, and more that a single field's balance does not need.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar, get_args

from analytics.balance import Conventions, Drainage, EventTiming
from analytics.crops import Crop
from analytics.soils import Soil, total_evaporable_water

Choice = TypeVar("Choice", bound=str)


class ScenarioError(ValueError):
    """A scenario key that is missing or makes no sense."""


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

    @property
    def days(self) -> int:
        """Length of the season, both ends counted."""
        return (self.end - self.start).days + 1


def parse_scenario(document: Mapping[str, Any]) -> Scenario:
    """Check a scenario read from TOML.

    Keys with a default: wind_height_m 2, event_timing "start-of-day", drainage "after-et",
    adjust_p and adjust_kcb true (FAO-56's own), curve_number none.

    Raises
    ------
    ScenarioError
        Naming the key and what it may be.
    """
    site, season, crop, soil = (
        _Section(document, name) for name in ("site", "season", "crop", "soil")
    )
    start, end = season.date("start"), season.date("end")
    if end < start:
        raise ScenarioError(f"season.end: {end} is before season.start {start}")
    usual = Conventions()
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
        ),
        crop=_crop(crop),
        soil=_soil(soil),
        theta_0=soil.number("theta_0", 0, 1),
    )


def _crop(section: "_Section") -> Crop:
    crop = Crop(
        kcb_ini=section.number("kcb_ini", 0, 2),
        kcb_mid=section.number("kcb_mid", 0, 2),
        kcb_end=section.number("kcb_end", 0, 2),
        l_ini=section.number("l_ini", 0, 1000),
        l_dev=section.number("l_dev", 0, 1000),
        l_mid=section.number("l_mid", 0, 1000),
        l_end=section.number("l_end", 0, 1000),
        h_ini_m=section.number("h_ini_m", 0, 20),
        h_max_m=section.number("h_max_m", 0, 20),
        zr_ini_m=section.number("zr_ini_m", 0.01, 10),
        zr_max_m=section.number("zr_max_m", 0.01, 10),
        p=section.number("p", 0.01, 0.99),
    )
    for low, high in (("h_ini_m", "h_max_m"), ("zr_ini_m", "zr_max_m")):
        if getattr(crop, high) < getattr(crop, low):
            raise ScenarioError(f"crop.{high}: is below crop.{low}")
    return crop


def _soil(section: "_Section") -> Soil:
    soil = Soil(
        theta_fc=section.number("theta_fc", 0, 1),
        theta_wp=section.number("theta_wp", 0, 1),
        ze_m=section.number("ze_m", 0.01, 1),
        rew_mm=section.number("rew_mm", 0, 100),
        curve_number=section.optional_number("curve_number", 1, 100),
    )
    if soil.theta_fc <= soil.theta_wp:
        raise ScenarioError("soil.theta_fc: must be above soil.theta_wp")
    evaporable = total_evaporable_water(soil.theta_fc, soil.theta_wp, soil.ze_m)
    if soil.rew_mm >= evaporable:
        raise ScenarioError(
            f"soil.rew_mm: must be below the {evaporable:.1f} mm that can evaporate "
            "from ze_m, 1000 (theta_fc - theta_wp / 2) ze_m"
        )
    return soil


class _Section:
    """One table of the document, asked for its keys one by one."""

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        self.name = name
        table = document.get(name)
        if not isinstance(table, Mapping):
            raise ScenarioError(f"[{name}]: this table is missing")
        self.table = table

    def number(self, key: str, low: float, high: float, *, default: float | None = None) -> float:
        if key not in self.table and default is not None:
            return default
        value = self._required(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(key, f"must be a number from {low:g} to {high:g}", value)
        if not low <= value <= high:
            raise self._error(key, f"must be from {low:g} to {high:g}", value)
        return float(value)

    def optional_number(self, key: str, low: float, high: float) -> float | None:
        return self.number(key, low, high) if key in self.table else None

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self._error(key, "must be true or false", value)
        return value

    def choice(self, key: str, choices: Sequence[Choice], default: Choice) -> Choice:
        value = self.table.get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self._error(key, "must be " + " or ".join(f'"{choice}"' for choice in choices), value)

    def date(self, key: str) -> date:
        value = self._required(key)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self._error(key, "must be a date as 2013-04-23", value) from None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise self._error(key, "must be a date as 2013-04-23", value)

    def _required(self, key: str) -> object:
        if key not in self.table:
            raise ScenarioError(f"{self.name}.{key}: is missing")
        return self.table[key]

    def _error(self, key: str, rule: str, value: object) -> ScenarioError:
        return ScenarioError(f"{self.name}.{key}: {rule}, got {value!r}")
