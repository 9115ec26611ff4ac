"""A summary for people at a terminal: units on every number, and words where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

NONE = "—"


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print a farm summary: the farm's line, then its crop zones."""
    console.print(Group(_heading(summary), _figures(summary), _zones(summary)))


def _heading(summary: Mapping[str, Any]) -> Text:
    place = f", {summary['region']}" if summary["region"] else ""
    as_of = summary["as_of"] or "not computed yet: run `dala analyze`"
    text = Text(f"{summary['name']}{place} — season {summary['season'] or NONE}\n", style="bold")
    return text.append(f"as of {as_of}", style="dim")


def _figures(summary: Mapping[str, Any]) -> Table:
    water, harvest, devices = summary["water"], summary["yield"], summary["devices"]
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    rows = (
        ("Area", _number(summary["area_ha"], "ha", 1)),
        (
            "Water applied",
            f"{_number(water['applied_m3'], 'm³')}  ({_number(water['applied_mm'], 'mm')})",
        ),
        ("Baseline, adjusted", _number(water["baseline_m3"], "m³", none="no baseline seasons")),
        ("Apparent saving", saving(water["apparent_savings_m3"])),
        ("Consumptive (real) saving", saving(water["consumptive_savings_m3"])),
        ("Recoverable flow, change", _number(water["recoverable_change_m3"], "m³")),
        ("ETa", f"{_number(water['eta_mm'], 'mm')}  of ETc {_number(water['etc_mm'], 'mm')}"),
        ("Water productivity", _number(water["water_productivity_kg_m3"], "kg/m³", 2)),
        *_yields(harvest),
        ("Devices reporting", f"{devices['reporting']} of {devices['total']}"),
        (
            "Coverage",
            f"weather {_number(water['weather_coverage_pct'], '%')}, "
            f"water {_number(water['water_coverage_pct'], '%')} of days",
        ),
        ("Method", water["method"] or NONE),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table


def _yields(harvest: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not harvest["by_crop"]:
        return [("Yield", f"{NONE}  (no weighed loads)")]
    return [
        (
            f"Yield, {one['crop']}",
            _both(one["yield_kg_ha"], "kg/ha", one["yield_centner_ha"], "ц/га", 1),
        )
        for one in harvest["by_crop"]
    ]


def _zones(summary: Mapping[str, Any]) -> RenderableType:
    if not summary["crop_zones"]:
        return Text("No crop zone in this season.")
    table = Table(box=box.SIMPLE, pad_edge=False, title="Crop zones", title_justify="left")
    table.add_column("field")
    table.add_column("crop")
    for name in ("ha", "applied\nmm", "ETa\nmm", "saved, 1000 m³\n(95 % interval)", "kg/ha"):
        table.add_column(name, justify="right")
    for zone in summary["crop_zones"]:
        water, harvest = zone["water"], zone["yield"]
        table.add_row(
            zone["field"],
            zone["crop"],
            _number(zone["area_ha"], "", 1),
            _number(water["applied_mm"], ""),
            _number(water["eta_mm"], ""),
            _in_thousands(water["apparent_savings_m3"]),
            _number(harvest["yield_kg_ha"], ""),
        )
    return table


def _in_thousands(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return NONE
    value, ci95 = one["value"] / 1_000.0, one["ci95"]
    reach = "unknown" if ci95 is None else " … ".join(f"{edge / 1_000.0:.1f}" for edge in ci95)
    return f"{value:.1f} ({reach})"


def saving(one: Mapping[str, Any] | None) -> str:
    """A saving in words: value, 95 % interval, and whether it is demonstrated."""
    if one is None:
        return f"{NONE}  (no baseline to compare with)"
    verdict = "demonstrated" if one["demonstrated"] else "not demonstrated"
    return f"{_number(one['value'], 'm³')}  (95 %: {_interval(one['ci95'])} m³; {verdict})"


def _interval(ci95: tuple[float, float] | None) -> str:
    return "unknown" if ci95 is None else f"{_number(ci95[0], '')} … {_number(ci95[1], '')}"


def _both(
    value: float | None, unit: str, other: float | None, other_unit: str, digits: int = 0
) -> str:
    return f"{_number(value, unit)}  ({_number(other, other_unit, digits)})"


def _number(value: float | None, unit: str, digits: int = 0, *, none: str = NONE) -> str:
    if value is None:
        return none
    # A narrow no-break space parts the thousands, as the SI brochure asks.
    return f"{value:,.{digits}f}".replace(",", "\u202f") + (f" {unit}" if unit else "")
