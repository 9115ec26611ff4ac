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
    console.print(
        Group(_heading(summary), _figures(summary), _zones(summary), _adjustments(summary))
    )


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
        ("Irrigated", _irrigated(summary)),
        ("Baseline, adjusted", _baseline(water)),
        ("Apparent saving", saving(water["apparent_savings_m3"])),
        ("Consumptive (real) saving", saving(water["consumptive_savings_m3"])),
        ("Recoverable flow, change", _number(water["recoverable_change_m3"], "m³")),
        ("ETa", f"{_number(water['eta_mm'], 'mm')}  of ETc {_number(water['etc_mm'], 'mm')}"),
        ("Water productivity", _number(water["water_productivity_kg_m3"], "kg/m³", 2)),
        ("Use of water", _indicators(water["indicators"])),
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


def _irrigated(summary: Mapping[str, Any]) -> str:
    now, before = summary["water"]["irrigated_ha"], summary["irrigated_before_ha"]
    past = "" if before is None else f"  (season before: {_number(before, 'ha', 1)})"
    return _number(now, "ha", 1) + past


def _baseline(water: Mapping[str, Any]) -> str:
    """The baseline, and in words where it was not metered."""
    if water["baseline_m3"] is None:
        return f"{NONE}  (none: rain-fed, or no water on record)"
    parts = [
        f"option {one['option']}, {one['baseline_source']}, {_number(one['area_ha'], 'ha', 1)}"
        for one in water["savings_by_option"]
        if one["option"] is not None
    ]
    stated = _number(water["baseline_m3"], "m³")
    if water["adjustments_m3"] is not None:
        parts.append(f"of it {_number(water['adjustments_m3'], 'm³')} non-routine adjustments")
    return stated + (f"  ({'; '.join(parts)})" if parts else "")


def _indicators(indicators: Mapping[str, float | None]) -> str:
    names = (
        ("relative_water_supply", "RWS"),
        ("relative_irrigation_supply", "RIS"),
        ("depleted_fraction", "depleted"),
        ("beneficial_fraction", "beneficial"),
    )
    return ", ".join(f"{word} {_number(indicators[name], '', 2)}" for name, word in names)


def _yields(harvest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Yield of each crop; what the balance lets expect is called an estimate."""
    lines = [
        (
            f"Yield, {one['crop']}",
            _both(one["yield_kg_ha"], "kg/ha", one["yield_centner_ha"], "ц/га", 1)
            + f" on {_number(one['harvested_ha'], '', 1)} of {_number(one['sown_ha'], 'ha', 1)}",
        )
        for one in harvest["by_crop"]
    ] or [("Yield", f"{NONE}  (no weighed loads, no yield monitor)")]
    if harvest["mass_t"] is not None:
        clean, bunker = (_number(harvest[name], "t", 1) for name in ("mass_t", "bunker_mass_t"))
        lines.append(("Harvest", f"{clean} clean, {bunker} as harvested  ({harvest['source']})"))
    if (monitor := harvest["monitor"]) is not None:
        lines.append(("Yield monitor", _monitor(monitor)))
    if (response := harvest["response_estimate"]) is not None:
        share = _number(100.0 * response["relative_yield"], "%")
        lines.append(("Yield by water, estimate", f"{share} of that without water stress"))
    return lines


def _monitor(monitor: Mapping[str, Any]) -> str:
    mass, area = _number(monitor["mass_t"], "t", 1), _number(monitor["harvested_ha"], "ha", 1)
    factor = monitor["scale_factor"]
    check = "" if factor is None else f"; loads by monitor {factor:.3f}"
    return f"{mass} as harvested on {area}{check}"


def _zones(summary: Mapping[str, Any]) -> RenderableType:
    if not summary["crop_zones"]:
        return Text("No crop zone in this season.")
    table = Table(box=box.SIMPLE, pad_edge=False, title="Crop zones", title_justify="left")
    table.add_column("field")
    table.add_column("crop")
    for name in (
        "ha", "applied\nmm", "ETa\nmm", "saved, 1000 m³\n(95 % interval)", "kg/ha",
        "soil\n± mm",
    ):  # fmt: skip
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
            _number((zone["soil"] or {}).get("rmse_mm"), "", 1),
        )
    return table


def _adjustments(summary: Mapping[str, Any]) -> RenderableType:
    entered = [
        (zone["field"], one) for zone in summary["crop_zones"] for one in zone["adjustments"]
    ]
    if not entered:
        return Text("")
    table = Table(box=box.SIMPLE, pad_edge=False, title="Adjustments", title_justify="left")
    for name in ("no.", "field", "m³", "reason", "author"):
        table.add_column(name, justify="right" if name in {"no.", "m³"} else "left")
    for field, one in entered:
        volume = f"{_number(one['volume_m3'], '')} ± {_number(one['u_volume_m3'], '')}"
        table.add_row(str(one["id"]), field, volume, one["reason"], one["author"])
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
