"""What statements are made of, joined: every crop zone with its farm, areas, result and water."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from reports import monitor
from reports.statements import areas as area_tree
from reports.statements import catalogues
from reports.statements.areas import Area
from reports.sums import Row, ZoneResult
from storage import farms, results, statement_facts
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.statement_facts import Devices, Digest, Investment, MonthOfWater, Period, Supply

M3_PER_HA_MM = 10.0
UNKNOWN = catalogues.UNKNOWN
# Of a volume: what the days leave of the season's is rounding up to here, and unknown beyond.
ROUNDING = 1e-9


class Piece(NamedTuple):
    """Water on a crop zone in one month, from one source, measured in one way."""

    month: str  # 2025-06
    measurement: str
    source: str
    tariff_band: str
    volume_m3: float


@dataclass(frozen=True)
class Zone:
    """A crop zone in the middle of all that belongs to it."""

    farm: Farm
    areas: tuple[str, ...]
    field: Field
    label: str  # the field's name, and the crop where it had several
    zone: CropZone
    result: ZoneResult | None
    water: tuple[Piece, ...]

    @property
    def row(self) -> Row | None:
        """Its result."""
        return None if self.result is None else self.result.row

    @property
    def technology(self) -> str:
        """What its irrigation counts as."""
        return catalogues.technology(self.zone.irrigation_method)

    @property
    def volume_m3(self) -> float:
        """Water of the period."""
        return sum(piece.volume_m3 for piece in self.water)


@dataclass(frozen=True)
class Facts:
    """All that is seen of a season, as it stood at a time."""

    season: int
    as_of: dt.datetime
    period: Period | None
    areas: Mapping[str, Area]
    farms: Sequence[Farm]
    farm_areas: Mapping[int, tuple[str, ...]]
    zones: Sequence[Zone]
    devices: Mapping[int, Devices]
    investments: Sequence[Investment]
    supplies: Mapping[int, Supply]
    harvests: Sequence[Digest]  # of yield monitors


def gather(
    connection: sa.Connection,
    *,
    season: int,
    as_of: dt.datetime,
    period: Period | None = None,
    farm_id: int | None = None,
) -> Facts:
    """Everything that the transaction shows of a season, or of one farm's.

    Parameters
    ----------
    season : int
        Year of harvest.
    as_of : datetime
        Results and records are those that stood then.
    period : tuple of dates, optional
        First day, and the day after the last: water of these days alone.
    """
    areas = area_tree.tree(farms.regions(connection))
    members = statement_facts.farms(connection, as_of=as_of, farm_id=farm_id)
    ids = [farm.id for farm in members]
    found = statement_facts.zones(connection, ids, season=season, as_of=as_of)
    zone_ids = [zone.id for _, zone in found]
    stored = results.seasons(connection, zone_ids, as_of=as_of)
    counted = monitor.of_zones(connection, [zone for _, zone in found], as_of=as_of)
    supplies = statement_facts.supplies(connection, ids, as_of=as_of)
    months: dict[int, list[MonthOfWater]] = defaultdict(list)
    for one in statement_facts.water(connection, zone_ids, as_of=as_of, period=period):
        months[one.crop_zone_id].append(one)
    of_farm = {farm.id: farm for farm in members}
    farm_areas = {farm.id: area_tree.of_farm(areas, farm) for farm in members}
    zones = []
    crops = Counter(field.id for field, _ in found)
    for field, zone in found:
        row = stored.get(zone.id)
        result = None
        if row is not None:
            row = monitor.with_monitor(row, zone, counted.get(zone.id))
            result = ZoneResult(field.farm_id, zone, row)
        water = _pieces(zone, row, months[zone.id], supplies, whole=period is None)
        farm = of_farm[field.farm_id]
        label = field.name if crops[field.id] == 1 else f"{field.name} ({zone.crop})"
        zones.append(Zone(farm, farm_areas[farm.id], field, label, zone, result, water))
    devices = statement_facts.devices(connection, ids, season=season, as_of=as_of)
    return Facts(
        season=season,
        as_of=as_of,
        period=period,
        areas=areas,
        farms=members,
        farm_areas=farm_areas,
        zones=zones,
        devices={one.farm_id: one for one in devices},
        investments=statement_facts.investments(connection, ids, as_of=as_of),
        supplies=supplies,
        harvests=_harvests(connection, found, as_of),
    )


def _pieces(
    zone: CropZone,
    row: Row | None,
    months: Sequence[MonthOfWater],
    supplies: Mapping[int, Supply],
    *,
    whole: bool,
) -> tuple[Piece, ...]:
    """The season's volume, month by month; what no day of a balance tells has no month."""
    applied = None if row is None else row["applied_m3"]
    if not applied:
        return ()
    depth = sum(one.depth_mm for one in months)
    told = min(depth * M3_PER_HA_MM * zone.area_ha, applied)
    pieces = []
    for one in months:
        supply = None if one.supply_id is None else supplies[one.supply_id]
        volume = told * (one.depth_mm if whole else one.inside_mm) / depth
        if volume > 0.0:
            band = catalogues.tariff_band(
                None if supply is None else supply.tariff_kzt_m3, zone.irrigation_method, one.month
            )
            source = UNKNOWN if supply is None else supply.source
            pieces.append(Piece(f"{one.month:%Y-%m}", one.measurement, source, band, volume))
    rest = applied - told
    if whole and rest > ROUNDING * applied:
        pieces.append(Piece(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, rest))
    return tuple(pieces)


def _harvests(
    connection: sa.Connection, found: Sequence[tuple[Field, CropZone]], as_of: dt.datetime
) -> list[Digest]:
    if not found:
        return []
    windows = [monitor.window(zone) for _, zone in found]
    return statement_facts.harvest_digests(
        connection,
        sorted({field.id for field, _ in found}),
        start=min(start for start, _ in windows),
        end=max(end for _, end in windows),
        as_of=as_of,
    )
