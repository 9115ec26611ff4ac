"""Crops, water, loads, adjustments, supplies, investments are entered; each answers id and farm."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.crop_document import crop_from_mapping
from analytics.daily.choices import choices_of
from analytics.sections import ScenarioError
from entry import EntryRefused
from entry.models import AdjustmentIn, CropZoneIn, InvestmentIn, IrrigationIn, LoadIn, SupplyIn
from storage import adjustments, entries, farms, fields
from storage.fields import CropZone
from storage.programme import investments, water_supplies

ROUNDED = 1.05  # a crop zone may be so much larger than its field's boundary says


def enter_crop_zone(connection: sa.Connection, asked: CropZoneIn, by: str) -> tuple[int, int]:
    """Enter what grows on a field in a season."""
    field = fields.get(connection, asked.field_id, stays=True)
    values = asked.model_dump() | {"area_ha": asked.area_ha or field.area_ha}
    check_crop_zone(asked, 0, values["area_ha"])
    if values["area_ha"] > field.area_ha * ROUNDED:
        raise EntryRefused(
            f"The crop zone has {values['area_ha']:g} ha, its field {field.area_ha:g} ha."
        )
    return entries.crop_zones.add(connection, created_by=by, **values), field.farm_id


def check_crop_zone(asked: CropZoneIn, zone_id: int, area_ha: float) -> None:
    """Refuse what no balance could be computed with."""
    values: dict[str, Any] = asked.model_dump() | {"area_ha": area_ha}
    zone = CropZone(id=zone_id, **values)
    try:
        choices_of(zone)
        if asked.crop_parameters:
            crop_from_mapping(asked.crop_parameters)
    except (ScenarioError, ValueError, TypeError) as error:
        raise EntryRefused(str(error)) from error


def enter_irrigation(
    connection: sa.Connection, asked: IrrigationIn, by: str, now: dt.datetime
) -> tuple[int, int]:
    """Enter an application of water."""
    field = fields.get(connection, asked.field_id, stays=True)
    if asked.started_at > now:
        raise EntryRefused("started_at is still to come; enter water when it flows.")
    event_id = entries.irrigation_events.add(connection, created_by=by, **asked.model_dump())
    return event_id, field.farm_id


def enter_load(
    connection: sa.Connection, asked: LoadIn, by: str, now: dt.datetime
) -> tuple[int, int]:
    """Enter a load that was weighed."""
    zone = entries.crop_zones.get(connection, asked.crop_zone_id, stays=True)
    if asked.weighed_at > now:
        raise EntryRefused("weighed_at is still to come.")
    timezone = ZoneInfo(farms.of_id(connection, zone["farm_id"]).timezone)
    if asked.weighed_at.astimezone(timezone).date() < zone["planted"]:
        raise EntryRefused(f"weighed_at is before {zone['crop']} was planted, {zone['planted']}.")
    load_id = entries.harvest_loads.add(connection, created_by=by, **asked.model_dump())
    return load_id, zone["farm_id"]


def enter_adjustment(connection: sa.Connection, asked: AdjustmentIn, by: str) -> tuple[int, int]:
    """Enter what changed beside the practice that is judged."""
    zone = entries.crop_zones.get(connection, asked.crop_zone_id, stays=True)
    if asked.volume_m3 == 0:
        raise EntryRefused("volume_m3 is 0: that adjusts nothing.")
    values = asked.model_dump(exclude={"crop_zone_id"})
    return adjustments.add(connection, zone["id"], author=by, **values), zone["farm_id"]


def enter_supply(connection: sa.Connection, asked: SupplyIn, by: str) -> tuple[int, int]:
    """Enter where the water of a field comes from."""
    field = fields.get(connection, asked.field_id, stays=True)
    number = water_supplies.add(connection, created_by=by, **asked.model_dump())
    return number, field.farm_id


def enter_investment(
    connection: sa.Connection, asked: InvestmentIn, by: str, now: dt.datetime
) -> tuple[int, int]:
    """Enter what a farm invested."""
    farm = farms.get(connection, asked.farm)
    if asked.made_on > now.astimezone(ZoneInfo(farm.timezone)).date():
        raise EntryRefused("made_on is still to come.")
    if asked.subsidy_kzt is not None and asked.subsidy_kzt > asked.amount_kzt:
        raise EntryRefused("subsidy_kzt is a part of amount_kzt, and larger than it.")
    values = asked.model_dump(exclude={"farm"})
    return investments.add(connection, farm_id=farm.id, created_by=by, **values), farm.id
