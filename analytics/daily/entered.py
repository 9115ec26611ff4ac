"""What people entered about the crop zones of some farms, and a digest of it for each zone."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from storage import (
    adjustments,
    calibrations,
    devices,
    fields,
    harvests,
    irrigation,
    placements,
)
from storage.adjustments import Adjustment
from storage.calibrations import Calibration
from storage.devices import Datastream, Device
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.harvests import HarvestLoad
from storage.irrigation import BaselineSeason, IrrigationEvent
from storage.placements import Period

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


OF_FIELDS = {"water_total", "soil_moisture"}  # what is measured of a field and not of its farm


class Stream(NamedTuple):
    """A datastream with the device that fills it, for as long as it measured one field."""

    stream: Datastream
    device: Device
    period: Period | None = None  # none: it has never moved
    calibrations: tuple[Calibration, ...] = ()  # in order of time

    @property
    def field_id(self) -> int | None:
        """The field it counts for; none: the farm."""
        if self.period is not None:
            return self.period.field_id
        return self.stream.field_id or self.device.field_id

    @property
    def history(self) -> tuple[object, ...]:
        """What its figures rest on beside its readings, where it moved or was calibrated."""
        known = [(one.valid_from, one.slope, one.intercept) for one in self.calibrations]
        return (*([self.period] if self.period else []), *known)


class Entered(NamedTuple):
    """Farms, their crop zones and devices, and what was entered about them."""

    farms: dict[int, Farm]
    zones: list[tuple[Field, CropZone]]  # of every season: zones of one field share its meters
    streams: dict[int, list[Stream]]  # by farm
    events: dict[int, list[IrrigationEvent]]  # by field
    baselines: dict[int, list[BaselineSeason]]  # by field
    loads: dict[int, list[HarvestLoad]]  # by crop zone
    adjustments: dict[int, list[Adjustment]]  # by crop zone

    def seed(self, field: Field, zone: CropZone) -> str:
        """What the daily balance of a zone rests on beside its days: text for a digest."""
        soil, crop = sorted(field.soil.items()), sorted(zone.crop_parameters.items())
        return repr((zone.planted, zone.area_ha, soil, crop, sorted(zone.conventions.items())))

    def has_offtake(self, farm_id: int) -> bool:
        """Whether a meter of the farm counts for all of its fields."""
        return any(
            one.stream.quantity == "water_total" and one.field_id is None
            for one in self.streams.get(farm_id, [])
        )

    def digest(self, field: Field, zone: CropZone) -> str:
        """SHA-256 of everything entered that the zone's figures rest on, in hex.

        Behind an offtake they rest on what is known of the farm's other fields, too.
        """
        farm = self.farms[field.farm_id]
        beside = [other for of, other in self.zones if of.farm_id == field.farm_id]
        together = {field.id}
        if self.has_offtake(farm.id):
            together |= {of.id for of, _ in self.zones if of.farm_id == farm.id}
        streams = [
            (one.stream, one.field_id, one.device.sensor_height_m, *one.history)
            for one in self.streams.get(field.farm_id, [])
            if one.field_id in {None, field.id}
            or (one.field_id in together and one.stream.quantity == "water_total")
        ]
        texts = (
            farm,
            field,
            zone,
            [(one.id, one.field_id, one.planted, one.harvested, one.area_ha) for one in beside],
            streams,
            [self.events.get(one, []) for one in sorted(together)],
            [self.baselines.get(one, []) for one in sorted(together)],
            self.loads.get(zone.id, []),
            self.adjustments.get(zone.id, []),
        )
        return hashlib.sha256(repr(texts).encode()).hexdigest()


def load(connection: sa.Connection, farms: Sequence[Farm]) -> Entered:
    """Everything entered about the farms."""
    ids = [farm.id for farm in farms]
    zones = fields.zones_of_farms(connection, ids)
    known = devices.of_farms(connection, ids)
    by_id = {device.id: device for device in known}
    field_ids = sorted({field.id for field, _ in zones})
    zone_ids = [zone.id for _, zone in zones]
    start, end = ALWAYS
    streams = streams_of(connection, by_id)
    return Entered(
        {farm.id: farm for farm in farms},
        zones,
        _by(streams, lambda one: one.device.farm_id or 0),
        _by(irrigation.events(connection, field_ids, start=start, end=end), lambda e: e.field_id),
        _by(irrigation.baselines(connection, field_ids), lambda one: one.field_id),
        _by(harvests.of_zones(connection, zone_ids), lambda one: one.crop_zone_id),
        _by(adjustments.of_zones(connection, zone_ids), lambda one: one.crop_zone_id),
    )


def streams_of(connection: sa.Connection, known: Mapping[str, Device]) -> list[Stream]:
    """The datastreams of devices; one that moved is several, each for its time at one field."""
    found = devices.datastreams(connection, list(known))
    moved = _by(placements.of_devices(connection, list(known)), lambda one: one.device_id)
    calibrated = calibrations.of_streams(connection, [one.id for one in found])
    streams = []
    for one in found:
        device, placed = known[one.device_id], moved.get(one.device_id, [])
        mended = tuple(calibrated.get(one.id, ()))
        periods: list[Period | None] = []
        if one.quantity in OF_FIELDS:
            periods += placements.periods(one, device, placed)
        streams += [Stream(one, device, period, mended) for period in periods or [None]]
    return streams


def _by(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)
