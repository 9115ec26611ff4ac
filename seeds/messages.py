"""What the simulated devices say: SenML packs and track messages of a season."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from seeds import machines, profile
from seeds.farms import SEASON, SimulatedFarm
from seeds.places import TIMEZONE
from seeds.season import TrueSeason
from seeds.weather import measured, simulate

ZONE = ZoneInfo(TIMEZONE)
PACK_DAYS = 7  # a poor link: one pack a week
DEPTHS_CM = (10, 30, 60, 90)
PROBE_HOURS = (0, 6, 12, 18)
PROBE_NOISE = 0.004  # [m³/m³]
TRACK_PACK = 120  # points a message

# The stations' daily summary: quantity, column of the weather, SenML unit.
SUMMARY = (
    ("air_temperature_max", "tmax_c", "Cel"),
    ("air_temperature_min", "tmin_c", "Cel"),
    ("dew_point", "dew_point_c", "Cel"),
    ("relative_humidity_max", "rh_max_pct", "%RH"),
    ("relative_humidity_min", "rh_min_pct", "%RH"),
    ("solar_radiation_sum", "solar_mj_m2", None),
    ("wind_speed_mean", "wind_m_s", "m/s"),
    ("rain", "rain_mm", None),
)


class Outgoing(NamedTuple):
    """A message of a device, still without its number: ``kind`` ends its topic."""

    kind: str  # senml or track
    body: list[dict[str, Any]]


class Sender(NamedTuple):
    """A simulated device and its season."""

    device_id: str
    device_kind: str
    name: str
    field: str | None
    messages: list[Outgoing]


def numbered(message: Outgoing, device_id: str, boot: int, seq: int) -> bytes:
    """The message as it goes over the wire, with its number."""
    if message.kind == "track":
        return json.dumps({"boot": boot, "seq": seq, "points": message.body}).encode()
    head = {"bn": f"urn:dev:dala:{device_id}:", "n": "boot", "v": boot}
    return json.dumps([head, {"n": "seq", "v": seq}, *message.body]).encode()


def senders(season: Sequence[TrueSeason]) -> Iterator[Sender]:
    """Every device of the farms, farm by farm."""
    for index, one in enumerate(season):
        if index == 0 or season[index - 1].farm is not one.farm:
            yield _station(one.farm)
        if one.field.method:
            yield _meter(one)
            yield _probe(one)
        if one.field.name == "field-1":
            yield _tractor(one)
            yield _harvester(one)
            if not one.farm.setting.irrigated:
                yield _drone(one.farm)


def _epoch(day: dt.date, hour: int, minute: int = 0) -> int:
    """Seconds since 1970 of a local time of the farm."""
    moment = dt.datetime.combine(day, dt.time(hour, minute), ZONE)
    return int(moment.timestamp())


def _packs(records: list[dict[str, Any]]) -> list[Outgoing]:
    """Weekly packs of records with absolute times, told relative to the pack's base time."""
    packs: dict[int, list[dict[str, Any]]] = {}
    for record in records:
        packs.setdefault(record["t"] // (PACK_DAYS * 86_400), []).append(record)
    messages = []
    for pack in packs.values():
        base = pack[0]["t"]
        body = [record | {"t": record["t"] - base} for record in pack]
        messages.append(Outgoing("senml", [{"bt": base} | body[0], *body[1:]]))
    return messages


def _station(farm: SimulatedFarm) -> Sender:
    weather = measured(simulate(farm, SEASON))
    records = []
    for index, day in enumerate(weather.dates):
        for quantity, column, unit in SUMMARY:
            record = {"n": quantity, "t": _epoch(day, 23, 55), "v": getattr(weather, column)[index]}
            records.append(record | ({"u": unit} if unit else {}))
    name = f"{farm.slug}-station"
    return Sender(name, "weather-station", "Weather station", None, _packs(records))


def _meter(season: TrueSeason) -> Sender:
    """A counter in whole cubic metres, read at midnight and around every application."""
    field = season.field
    begins = 1_000.0 * (season.farm.number + 1)
    volumes = {event.day: event.volume_m3 for event in season.irrigation}
    records, total = [], begins
    for number in range(field.days):
        day = field.planted + dt.timedelta(days=number)
        records.append({"n": "water_total", "u": "m3", "t": _epoch(day, 0, 10), "v": total})
        if day in volumes:
            half = float(volumes[day] // 2)
            steps = ((6, total), (10, total + half), (14, total + volumes[day]))
            for hour, value in steps:
                records.append({"n": "water_total", "u": "m3", "t": _epoch(day, hour), "v": value})
            total += volumes[day]
    last = field.planted + dt.timedelta(days=field.days - 1)
    records.append({"n": "water_total", "u": "m3", "t": _epoch(last, 23, 50), "v": total})
    name = f"{season.farm.slug}-{field.name}-meter"
    return Sender(name, "flow-meter", f"Flow meter, {field.name}", field.name, _packs(records))


def _probe(season: TrueSeason) -> Sender:
    """Soil moisture at four depths: the balance's water, by where roots took it, and noise."""
    field, farm = season.field, season.farm
    random = np.random.default_rng([farm.number, int(field.name[-1]), 13])
    depths_m = np.array(DEPTHS_CM) / 100.0
    theta = profile.moisture(season.depletion_mm, season.root_depth_m, field.soil, depths_m)
    records = []
    for number in range(field.days):
        day = field.planted + dt.timedelta(days=number)
        values = theta[number] + random.normal(0, PROBE_NOISE, (len(PROBE_HOURS), len(DEPTHS_CM)))
        for hour, row in zip(PROBE_HOURS, values, strict=True):
            for depth, value in zip(DEPTHS_CM, row, strict=True):
                name = f"soil_moisture/{depth}"
                records.append({"n": name, "t": _epoch(day, hour), "v": round(float(value), 4)})
    name = f"{farm.slug}-{field.name}-probe"
    return Sender(name, "soil-probe", f"Soil probe, {field.name}", field.name, _packs(records))


def _tractor(season: TrueSeason) -> Sender:
    points = machines.tractor(season, _epoch(season.field.planted, 8))
    return Sender(f"{season.farm.slug}-tractor", "tractor", "Tractor", None, _tracks(points))


def _harvester(season: TrueSeason) -> Sender:
    last = season.field.planted + dt.timedelta(days=season.field.days - 1)
    points = machines.harvester(season, _epoch(last, 6))
    return Sender(f"{season.farm.slug}-harvester", "harvester", "Harvester", None, _tracks(points))


def _drone(farm: SimulatedFarm) -> Sender:
    first = dt.date(SEASON, 6, 1)
    days = [first + dt.timedelta(days=number) for number in range(machines.GRAZING_DAYS)]
    points = machines.drone(farm, [_epoch(day, 7) for day in days])
    return Sender(f"{farm.slug}-drone", "herding-drone", "Herding drone", None, _tracks(points))


def _tracks(points: list[dict[str, Any]]) -> list[Outgoing]:
    cuts = range(0, len(points), TRACK_PACK)
    return [Outgoing("track", points[cut : cut + TRACK_PACK]) for cut in cuts]
