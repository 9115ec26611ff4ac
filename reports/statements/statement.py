"""A statement: what is said of a subject in a season, as it stood at a time, before it is filed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import rfc8785
import sqlalchemy as sa

from reports.statements import areas, catalogues, cube, ground
from reports.statements.columns import Observation
from reports.statements.cube import Cube
from reports.statements.facts import Facts, Zone, gather
from reports.statements.families import (
    FAMILIES,
    savings_coverage,
    water_coverage,
    yield_coverage,
)
from reports.statements.figures import moment, spoke
from reports.statements.ground import Ground
from reports.statements.kinds import KINDS, Kind
from reports.statements.observations import Observing
from reports.statements.suppression import LEAST_FARMS
from storage import farms
from storage.statement_facts import Period

# Of a crop zone, whether it is among what a kind of statement covers, and why not.
COVERAGES: Mapping[str, Callable[[Zone], str]] = {
    "WATER_COVERAGE": water_coverage,
    "SAVINGS_COVERAGE": savings_coverage,
    "YIELD_COVERAGE": yield_coverage,
}
COVERED = frozenset({"covered", "weighed-loads", "yield-monitor"})


class CannotBeFiled(ValueError):
    """What is asked for can be no statement, or not now; the message says why."""


class Asked(NamedTuple):
    """What a statement is to be of: a farm or an area; a season, or a part of one."""

    kind: str
    season: int
    farm: str | None = None  # short name
    area: str | None = None  # such as KZ, KZ-61
    period: Period | None = None  # first day, and the day after the last

    def check(self) -> None:
        """CannotBeFiled for what is no statement."""
        if self.kind not in KINDS:
            raise CannotBeFiled(f"there is no kind {self.kind!r} of report: {', '.join(KINDS)}")
        if (self.farm is None) == (self.area is None):
            raise CannotBeFiled("name a farm or an area, one of the two")
        if self.period is None:
            return
        if self.kind != "water" or self.farm is None:
            raise CannotBeFiled(
                "only a farm's water statement is of a part of a season: others are of the whole, "
                "and an area's has a line for each month"
            )
        if not self.period[0] < self.period[1]:
            raise CannotBeFiled("a period ends after it begins")


class Statement(NamedTuple):
    """What is said, and of whom."""

    asked: Asked
    farm_id: int | None
    subject: Mapping[str, Any]  # as a manifest has it
    as_of: dt.datetime
    content: Mapping[str, Any]
    ground: Ground

    @property
    def digest(self) -> str:
        """SHA-256 of the content: the same, and nothing new is said."""
        return hashlib.sha256(rfc8785.dumps(self.content)).hexdigest()


def of(connection: sa.Connection, asked: Asked, *, as_of: dt.datetime) -> Statement:
    """Make a statement of what stood at a time.

    That of an area is made of all farms of the country, for what stays empty in it depends on what
    other areas' statements tell: whoever asks sees every farm.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm or area.
    CannotBeFiled
        If what is asked for is no statement.
    """
    asked.check()
    kind = KINDS[asked.kind]
    if asked.farm is not None:
        return _of_farm(connection, asked, kind, as_of)
    found = gather(connection, season=asked.season, as_of=as_of)
    area = areas.get(found.areas, str(asked.area))
    cells = cube.of_areas(found, FAMILIES)
    observing = Observing(found, cells, kind, None)
    below = [one for one in found.areas.values() if one.above == area.code]
    observations = _counts(found, observing, kind, area.code)
    observations += observing.of_cells(
        area.code, area.code, {one.family: one.divided for one in kind.shown}
    )
    for one in below:
        observations += _counts(found, observing, kind, one.code)
        observations += observing.of_cells(
            one.code, one.code, {shown.family: shown.below for shown in kind.shown}
        )
    members = {farm.id for farm in found.farms if area.code in found.farm_areas[farm.id]}
    subject = {"level": area.level, "area": area.code, "names": dict(area.names)}
    content = _content(
        found, kind, members, observations, _excluded(cells, kind, area.code), of_area=True
    )
    return Statement(asked, None, subject, as_of, content, _ground(found, kind, members))


def _of_farm(connection: sa.Connection, asked: Asked, kind: Kind, as_of: dt.datetime) -> Statement:
    farm = farms.get(connection, str(asked.farm))
    found = gather(
        connection, season=asked.season, as_of=as_of, period=asked.period, farm_id=farm.id
    )
    cells = cube.of_farm(found, FAMILIES)
    observing = Observing(found, cells, kind, farm.slug)
    area = farm.region_code or catalogues.UNKNOWN
    observations = list(
        observing.of_cells("", area, {one.family: one.divided for one in kind.shown})
    )
    subject = {"level": "farm", "area": area, "farm": farm.slug, "name": farm.name}
    content = _content(found, kind, {farm.id}, observations, _left_out(found, kind), of_area=False)
    return Statement(asked, farm.id, subject, as_of, content, _ground(found, kind, {farm.id}))


def _ground(facts: Facts, kind: Kind, members: set[int]) -> Ground:
    zones = [one.zone for one in facts.zones if one.farm.id in members]
    return ground.of_season(facts.season, members, zones, devices=kind.name == "programme")


# --- denominators ---------------------------------------------------------------------------------


def _reporting(facts: Facts, kind: Kind) -> set[int]:
    """Farms of which a kind of statement says something."""
    if kind.coverage is None:
        return {one.farm.id for one in facts.zones if one.row is not None}
    why = COVERAGES[kind.coverage]
    return {one.farm.id for one in facts.zones if why(one) in COVERED}


def _counts(facts: Facts, observing: Observing, kind: Kind, area: str) -> list[Observation]:
    members = {farm.id for farm in facts.farms if area in facts.farm_areas[farm.id]}
    counts = {
        "FARMS_REGISTERED": members,
        "FARMS_REPORTING": members & _reporting(facts, kind),
    }
    if kind.name == "programme":
        counts["FARMS_DIGITAL"] = members & spoke(facts)
    return [observing.count(area, name, len(found)) for name, found in counts.items()]


def _excluded(cells: Cube, kind: Kind, area: str) -> list[dict[str, Any]]:
    """By reason, what an area's statement leaves out; hectares where enough farms have them."""
    if kind.coverage is None:
        return []
    found = []
    for key in cells.along("land", area, kind.coverage):
        if key.value not in COVERED:
            line: dict[str, Any] = {"reason": key.value}
            if key not in cells.empty:
                zones = [one.of.zone for one in cells.cells[key]]
                line |= {"crop_zones": len(zones), "area_ha": sum(one.area_ha for one in zones)}
            found.append(line)
    return found


def _left_out(facts: Facts, kind: Kind) -> list[dict[str, Any]]:
    """Crop zone by crop zone, what a farm's statement leaves out, and what the analysis noted."""
    if kind.coverage is None:
        return []
    why = COVERAGES[kind.coverage]
    return [
        {
            "field": one.field.name,
            "crop": one.zone.crop,
            "area_ha": one.zone.area_ha,
            "reason": why(one),
            "notes": [] if one.row is None else list(one.row["notes"]),
        }
        for one in facts.zones
        if why(one) not in COVERED
    ]


# --- what figures rest on -------------------------------------------------------------------------


def _content(
    facts: Facts,
    kind: Kind,
    members: set[int],
    observations: Sequence[Observation],
    excluded: Sequence[Mapping[str, Any]],
    *,
    of_area: bool,
) -> dict[str, Any]:
    zones = [one for one in facts.zones if one.farm.id in members]
    reporting = members & _reporting(facts, kind)
    remarks = []
    if kind.name == "programme" and not any(one.farm_id in members for one in facts.investments):
        remarks.append("No investment is on record: no cost per m³ saved is stated.")
    return {
        "coverage": {
            "farms_registered": len(members),
            "farms_reporting": len(reporting),
            "crop_zones": len(zones),
            "excluded": list(excluded),
        },
        "remarks": remarks,
        "methods": _methods(zones),
        "inputs": _inputs(facts, zones, members, of_area=of_area),
        "observations": list(observations),
    }


def _methods(zones: Sequence[Zone]) -> list[dict[str, Any]]:
    """Methods, versions and conventions of the results, and how many crop zones have each."""
    rows = [one.row for one in zones if one.row is not None]
    found = Counter(
        (row["method"], row["method_version"], rfc8785.dumps(dict(row["conventions"])).decode())
        for row in rows
    )
    return [
        {"method": method, "version": version, "conventions": conventions, "crop_zones": count}
        for (method, version, conventions), count in sorted(found.items())
    ]


def _inputs(
    facts: Facts, zones: Sequence[Zone], members: set[int], *, of_area: bool
) -> dict[str, Any]:
    """Digests of all that the figures were made of."""
    rows = [one.row for one in zones if one.row is not None]
    fields = {one.field.id for one in zones}
    return {
        "season_results": [
            {"id": row["id"], "digest": row["input_digest"]}
            for row in sorted(rows, key=lambda row: int(row["id"]))
        ],
        "yield_monitor_results": [
            one._asdict() for one in facts.harvests if one.field_id in fields
        ],
        "records": _records(facts, zones, members, of_area=of_area),
        "catalogues": {
            name: catalogues.used(name) for name in (catalogues.TARIFFS, catalogues.TECHNOLOGIES)
        },
    }


def _records(
    facts: Facts, zones: Sequence[Zone], members: set[int], *, of_area: bool
) -> dict[str, str | None]:
    """Digests of what people entered, by what it is; of which farm each record is stands beside it.

    Of an area there is none of one or two farms' records: few numbers can be found by trying them.
    """
    owner = {one.field.id: one.farm.id for one in zones}
    records: dict[str, list[tuple[int, NamedTuple]]] = {
        "farms": [(one.id, one) for one in facts.farms],
        "fields": sorted({one.field.id: (one.farm.id, one.field) for one in zones}.values()),
        "crop_zones": [(one.farm.id, one.zone) for one in zones],
        "water_supplies": [
            (owner[one.field_id], one) for one in facts.supplies.values() if one.field_id in owner
        ],
        "investments": [(one.farm_id, one) for one in facts.investments],
        "devices": [(one.farm_id, one) for one in facts.devices.values()],
    }
    found: dict[str, str | None] = {}
    for name, rows in records.items():
        theirs = [(farm, row) for farm, row in rows if farm in members]
        is_few = of_area and 0 < len({farm for farm, _ in theirs}) < LEAST_FARMS
        plain = rfc8785.dumps([_plain(row._asdict()) for _, row in theirs])
        found[name] = None if is_few else hashlib.sha256(plain).hexdigest()
    return found


def _plain(value: Any) -> Any:
    """What JSON can say of a row: days as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dt.datetime):
        return moment(value)
    return value.isoformat() if isinstance(value, dt.date) else value
