"""Machine work for people at a terminal: units in the heads, reasons in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.printing import NONE

Row = Mapping[str, Any]

WORDS = {
    "no-work-state": "it does not say when it works: no passes, no areas",
    "no-width": "less than 95 % of the way at work has a width: areas are unknown",
    "width-partial": "a part of the way at work has no width and is missing from the areas",
    "width-assumed": "its width was assumed",
    "no-fuel-rate": "its fuel rate is known for less than 90 % of the time: no fuel per hectare",
    "no-elevation": "it tells no height: only pauses part its flights",
    "mass-flow-partial": "its mass flow is unknown on over 10 % of the way: the mass is too low",
    "no-moisture": "it tells no moisture: no mass at standard moisture",
    "work-from-flow": "it does not say when it works: grain that flows was taken for work",
}
NOTHING = (
    "No machine, drone or herd has worked {when}. Devices publish their points on "
    "dala/v1/{{device}}/track (docs/protocol.md); `dala analyze` turns them into work. "
    "`--from` and `--to` choose other days."
)


def print_work(work: Row, console: Console) -> None:
    """Print what ``reports.work.of_farm`` found."""
    blocks: list[RenderableType] = [_heading(work)]
    if not any(work[part] for part in ("machines", "drones", "herds", "pastures")):
        when = "yet" if work["start"] is None else "in these days"
        console.print(Group(*blocks, Text(NOTHING.format(when=when))))
        return
    if work["machines"]:
        blocks += [_machines(work["machines"]), _operations(work["fields"])]
    if work["drones"]:
        blocks.append(_drones(work["drones"]))
    if work["herds"]:
        blocks.append(_herds(work["herds"]))
    if work["pastures"]:
        blocks.append(_pastures(work["pastures"]))
    console.print(Group(*blocks, *_reasons(work)))


def _heading(work: Row) -> Text:
    days = ""
    if work["start"] is not None:
        last = dt.date.fromisoformat(work["end"]) - dt.timedelta(days=1)
        days = f" — work from {work['start']} to {last.isoformat()}"
    text = Text(f"{work['name']}{days}\n", style="bold")
    return text.append(f"as of {work['as_of'] or NONE}", style="dim")


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(
        box=box.SIMPLE, pad_edge=False, collapse_padding=True, title=title, title_justify="left"
    )
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _machines(machines: Sequence[Row]) -> Table:
    heads = ("days", "h", "work\n%", "idle\n%", "road\n%", "not\nknown %", "km", "ha", "L", "L/ha")
    table = _table("Machines", ("machine",), heads)
    for one in machines:
        shares = (one[f"{state}_share"] for state in ("work", "idle", "transport", "unknown"))
        table.add_row(
            one["name"],
            str(one["days"]),
            _number(one["hours"], 1),
            *(_percent(share) for share in shares),
            _number(one["distance_km"], 1),
            _number(one["worked_ha"], 1),
            _number(one["fuel_l"]),
            _number(one["fuel_l_ha"], 1),
        )
    return table


def _operations(fields: Sequence[Row]) -> RenderableType:
    if not fields:
        return Text("No operation on a field: machines stayed outside, or tell no work state.\n")
    heads = ("ha", "of\nfield %", "over-\nlap %", "gaps\nha", "ha/h", "L/ha", "t wet\ngrain")
    table = _table("Work on fields", ("field", "machine", "days"), heads)
    for field in fields:
        name = field["field"]
        for one in field["operations"]:
            harvest = one["harvest"] or {}
            table.add_row(
                name,
                one["machine"],
                _days(one["days"]),
                _number(one["worked_ha"], 2),
                _percent(one["worked_share"], 1),
                _percent(one["overlap_share"], 1),
                _number(one["gap_ha"], 2),
                _number(one["productivity_ha_h"], 1),
                _number(one["fuel_l_ha"], 1),
                _number(harvest.get("wet_mass_t"), 1),
            )
            name = ""
    return table


def _drones(drones: Sequence[Row]) -> Table:
    table = _table("Drones", ("drone",), ("days", "flights", "h", "km", "ha seen\n(by flight)"))
    for one in drones:
        table.add_row(
            one["name"],
            str(one["days"]),
            str(one["flights"]),
            _number(one["flight_h"], 1),
            _number(one["path_km"], 1),
            _number(one["seen_ha"], 1),
        )
    return table


def _herds(herds: Sequence[Row]) -> Table:
    heads = ("latitude", "longitude", "spread\nm", "animals", "days\nseen")
    table = _table("Herds, where seen last", ("seen by", "on"), heads)
    for one in herds:
        table.add_row(
            one["name"],
            one["last_day"],
            f"{one['latitude_deg']:.5f}",
            f"{one['longitude_deg']:.5f}",
            _number(one["spread_m"]),
            _number(one["animals"]),
            str(one["days_seen"]),
        )
    return table


def _pastures(pastures: Sequence[Row]) -> Table:
    units = "lsu_days_ha" in pastures[0]
    first, last = pastures[0]["observed_from"], pastures[0]["observed_to"]
    heads = ["ha", "used", "rested", "not\nknown", "resting\nnow", "animal\ndays/ha"]
    title = f"Pastures, days from {first} to {last}"
    table = _table(title, ("pasture",), [*heads, *(["LSU\ndays/ha"] if units else [])])
    for one in pastures:
        table.add_row(
            one["field"],
            _number(one["area_ha"], 1),
            *(str(one[name]) for name in ("used_days", "rested_days", "unknown_days")),
            str(one["resting_days"]),
            _number(one["animal_days_ha"], 1),
            *([_number(one["lsu_days_ha"], 1)] if units else []),
        )
    return table


def _reasons(work: Row) -> list[Text]:
    """Once for each device what it does not tell."""
    said: dict[str, dict[str, None]] = {}
    for one in (*work["machines"], *work["drones"]):
        codes = [*one["reasons"]]
        for operation in one.get("operations", ()):
            codes += [*operation["reasons"], *(operation["harvest"] or {}).get("reasons", ())]
        if codes:
            said[one["name"]] = dict.fromkeys(codes)
    return [
        Text(f"{name}: {WORDS.get(code, code)}", style="dim")
        for name, codes in said.items()
        for code in codes
    ]


def _days(days: Sequence[str]) -> str:
    first, last = (f"{dt.date.fromisoformat(day):%-d %b}" for day in (days[0], days[-1]))
    return first if len(days) == 1 else f"{first}–{last} ({len(days)})"


def _percent(share: float | None, digits: int = 0) -> str:
    return _number(None if share is None else 100.0 * share, digits)


def _number(value: float | None, digits: int = 0) -> str:
    return NONE if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")
