"""What the simulated machines do: tracks of tractors, harvesters and herding drones.

A machine drives its field from side to side in passes that overlap a little, as guidance has it;
a point tells every change of the work state as it happens, and the way between every 20 seconds.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from analytics.yields import STANDARD_MOISTURE_PCT
from seeds.farms import GEOD, SEASON, SimulatedFarm, SimulatedField, rectangle
from seeds.season import TrueSeason

Point = dict[str, Any]

INTERVAL_S = 20  # between points while nothing changes
APPROACH_M = 1_000.0  # from the yard to the corner of the field
TURN_OUT_M = 6.0  # beyond the border
HARVEST_MOISTURE_PCT = 13.0  # of the wet mass, as the combine's sensor has it


class Machine(NamedTuple):
    """How a machine works; fuel in L/h."""

    width_m: float
    spacing_m: float  # between passes; the rest of the width is overlap
    speed_m_s: float
    turn_s: int
    stop_every: int  # passes, to fill seed or to unload
    stop_s: int
    work_fuel: float
    idle_fuel: float
    road_fuel: float


SEEDER = Machine(12.0, 11.7, 2.5, 24, 16, 480, work_fuel=44.0, idle_fuel=5.0, road_fuel=16.0)
COMBINE = Machine(9.0, 8.8, 2.2, 20, 8, 180, work_fuel=62.0, idle_fuel=8.0, road_fuel=22.0)


class _Tape:
    """Points in order of time, on a field's plane: metres east and north of its corner."""

    def __init__(self, field: SimulatedField, start: int) -> None:
        self.west, self.south = field.polygon[0]
        self.now = start
        self.points: list[Point] = []

    def add(self, east: float, north: float, heading: float, **values: Any) -> None:
        # North first: the field's east and west borders are meridians of its south corners.
        lon, _, _ = GEOD.fwd(self.west, self.south, 90.0, east)
        _, lat, _ = GEOD.fwd(self.west, self.south, 0.0, north)
        self.points.append(point(self.now, lat, lon, heading) | values)


def tractor(season: TrueSeason, start: int) -> list[Point]:
    """Seeding of a field, with the drill up for a stretch of one pass."""
    random = np.random.default_rng([season.farm.number, 19])
    forgotten = (int(random.integers(3, 30)), float(random.uniform(60.0, 120.0)))
    return _field_work(season.field, start, SEEDER, forgotten)


def harvester(season: TrueSeason, start: int) -> list[Point]:
    """Harvest of a field: over all passes, mass flow adds up to the field's true yield, wet."""
    standard = STANDARD_MOISTURE_PCT.get(season.field.crop_name, HARVEST_MOISTURE_PCT)
    wet = season.yield_kg_ha * (100.0 - standard) / (100.0 - HARVEST_MOISTURE_PCT)
    return _field_work(season.field, start, COMBINE, (-1, 0.0), wet)


def _field_work(
    field: SimulatedField,
    start: int,
    machine: Machine,
    forgotten: tuple[int, float],
    yield_kg_ha: float | None = None,
) -> list[Point]:
    """From the yard over the whole field and back; the last pass may overlap more."""
    width, height = _sides(field)
    tape = _Tape(field, start)
    stop = {"speed_m_s": 0.0, "work_state": 0, "fuel_rate_l_h": machine.idle_fuel}
    _road(tape, machine, (0.0, -APPROACH_M), (0.0, -TURN_OUT_M))
    tape.now += INTERVAL_S
    count = math.ceil((width - machine.width_m) / machine.spacing_m) + 1
    reached = 0.0  # metres from the western border that are worked
    for number in range(count):
        east = min((number + 0.5) * machine.spacing_m, width - machine.width_m / 2)
        cut = east + machine.width_m / 2 - reached
        reached = east + machine.width_m / 2
        work = _at_work(machine, cut, yield_kg_ha)
        upward = number % 2 == 0
        _pass(tape, east, height, upward, machine, work, forgotten[1] * (number == forgotten[0]))
        if number + 1 == count:
            _return(tape, machine, (width, height), upward)
            break
        end = height + TURN_OUT_M if upward else -TURN_OUT_M
        tape.now += 2
        tape.add(east, end, 0.0 if upward else 180.0, **(stop | {"speed_m_s": 1.2}))
        if (number + 1) % machine.stop_every == 0:
            for _ in range(machine.stop_s // INTERVAL_S):
                tape.now += INTERVAL_S
                tape.add(east, end, 0.0 if upward else 180.0, **stop)
        tape.now += machine.turn_s
    return tape.points


def _at_work(machine: Machine, cut_m: float, yield_kg_ha: float | None) -> Point:
    """What a machine says while it works; a harvester weighs what stood on the width it cut."""
    work: Point = {
        "work_state": 1,
        "width_m": machine.width_m,
        "speed_m_s": machine.speed_m_s,
        "fuel_rate_l_h": machine.work_fuel,
    }
    if yield_kg_ha is None:
        return work
    flow = yield_kg_ha * machine.speed_m_s * cut_m / 10_000.0
    return work | {"mass_flow_kg_s": round(flow, 3), "crop_moisture_pct": HARVEST_MOISTURE_PCT}


def _return(tape: _Tape, machine: Machine, sides: tuple[float, float], upward: bool) -> None:
    """Around the field to the yard."""
    out, beside = TURN_OUT_M, sides[0] + TURN_OUT_M
    around = [(beside, sides[1] + out), (beside, -out)] if upward else [(beside, -out)]
    tape.now += machine.turn_s
    _road(tape, machine, *around, (0.0, -out), (0.0, -APPROACH_M))


def _pass(
    tape: _Tape,
    east: float,
    height: float,
    upward: bool,
    machine: Machine,
    work: Point,
    forgotten_m: float,
) -> None:
    """One pass from border to border; a forgotten stretch lies around its middle."""
    up, down = (height - forgotten_m) / 2, (height + forgotten_m) / 2
    step, second = INTERVAL_S * machine.speed_m_s, machine.speed_m_s
    along = [*np.arange(0.0, height, step).tolist(), height]
    if forgotten_m:
        along += [up, up + second, down - second, down]
    begins = tape.now
    # One point a second: where two fall together, the change of state is told.
    for seconds, way in sorted({round(way / second): way for way in along}.items()):
        tape.now = begins + seconds
        lifted = {"work_state": 0} if forgotten_m and up < way < down else {}
        north = way if upward else height - way
        tape.add(east, north, 0.0 if upward else 180.0, **(work | lifted))


def _road(tape: _Tape, machine: Machine, *corners: tuple[float, float]) -> None:
    """From corner to corner at 5 m/s, after two minutes' wait at the first."""
    wait = {"speed_m_s": 0.0, "work_state": 0, "fuel_rate_l_h": machine.idle_fuel}
    drive = {"speed_m_s": 5.0, "work_state": 0, "fuel_rate_l_h": machine.road_fuel}
    for _ in range(120 // INTERVAL_S):
        tape.now += INTERVAL_S
        tape.add(*corners[0], 0.0, **wait)
    for begin, end in pairwise(corners):
        way = math.dist(begin, end)
        heading = math.degrees(math.atan2(end[0] - begin[0], end[1] - begin[1])) % 360.0
        steps = math.ceil(way / (5.0 * INTERVAL_S))
        for share in np.linspace(0.0, 1.0, steps + 1)[1:]:
            tape.now += max(round(way / steps / 5.0), 1)
            east, north = (a + share * (b - a) for a, b in zip(begin, end, strict=True))
            tape.add(east, north, heading, **drive)


def _sides(field: SimulatedField) -> tuple[float, float]:
    """Width to the east and height to the north. [m]"""
    (west, south), (east, _), (_, north) = field.polygon[0], field.polygon[1], field.polygon[2]
    _, _, height = GEOD.inv(west, south, west, north)
    _, _, width = GEOD.inv(west, south, east, south)
    return float(width), float(height)


# --- herds ------------------------------------------------------------------------------------

PASTURES = ("pasture-1", "pasture-2")
PASTURE_SIDES_M = (1_500.0, 1_200.0)
GRAZING_DAYS = 84  # from the first of June
MOVE_DAYS = 14  # then the herd changes pastures
RADIUS_M, FLYING_M, SEEN_M = 200.0, 60.0, 90.0  # circle, height, width of the camera's strip


def pasture_rings(farm: SimulatedFarm) -> dict[str, list[list[float]]]:
    """The pastures of a farm that has a herd: closed rings, side by side south of its fields."""
    if farm.setting.irrigated:
        return {}
    south = farm.latitude_deg - 0.03
    west = farm.longitude_deg + 0.03
    rings = {}
    for name in PASTURES:
        rings[name] = rectangle(west, south, *PASTURE_SIDES_M)
        west = rings[name][1][0]
    return rings


def drone(farm: SimulatedFarm, mornings: Sequence[int]) -> list[Point]:
    """A herding drone that circles its herd every morning, twice, and counts it from each point.

    From no point it sees them all: some stand behind others.
    """
    random = np.random.default_rng([farm.number, SEASON, 23])
    herd = int(random.integers(180, 320))
    rings = list(pasture_rings(farm).values())
    points = []
    for number, start in enumerate(mornings):
        west, south = rings[number // MOVE_DAYS % len(rings)][0]
        east, north = (random.uniform(300.0, side - 300.0) for side in PASTURE_SIDES_M)
        lon, lat, _ = GEOD.fwd(west, south, 90.0, east)
        lon, lat, _ = GEOD.fwd(lon, lat, 0.0, north)
        seen = random.binomial(herd, 0.9, 60)
        for step in range(60):
            bearing = 12.0 * step
            there = GEOD.fwd(lon, lat, bearing, RADIUS_M)
            height = 0.0 if step in (0, 59) else FLYING_M
            points.append(
                point(start + 10 * step, there[1], there[0], (bearing + 90.0) % 360.0)
                | {
                    "elevation_m": farm.setting.elevation_m + height,
                    "speed_m_s": 4.2,
                    "width_m": SEEN_M,
                    "animals_seen": int(seen[step]),
                }
            )
    return points


def point(seconds: int, lat: float, lon: float, heading: float) -> Point:
    """A point as it goes over the wire."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")
    return {
        "time": moment,
        "lat": round(lat, 7),
        "lon": round(lon, 7),
        "heading_deg": round(heading, 1),
    }
