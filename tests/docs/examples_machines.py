"""The examples of docs/figures/machines.md by the real functions."""

import numpy as np

from analytics import grazing
from analytics.flights import flights
from analytics.machine_work import machine_work
from analytics.track_geometry import TrackArrays, field_shapes
from analytics.work_results import MachineDay, ratio
from tests.analytics.ground import NOON_US, place, rectangle, track
from tests.docs.worked import Computed, Given, example

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def _passes(given: Given, **told: float) -> TrackArrays:
    """Passes north and south around centres so far east, with turns of 20 s between."""
    seconds, east, north, state = [], [], [], []
    now, along = 0.0, np.linspace(0.0, given.length, 101)
    for number, centre in enumerate(np.atleast_1d(given.centres)):
        way = along if number % 2 == 0 else along[::-1]
        seconds.extend([*(now + along / given.speed), now + given.length / given.speed + 0.5])
        east.extend(np.full(along.size + 1, centre))
        north.extend([*way, way[-1]])
        state.extend([*np.ones(along.size), 0])  # the implement goes up
        now = seconds[-1] + 20.0
    return track(seconds, east, north, work_state=state, width_m=given.width, **told)


@example("worked-area")
def worked_area(given: Given) -> Computed:
    fields = field_shapes({1: rectangle((0, given.field_width), (0, given.length))})
    work = machine_work(_passes(given), fields)
    assert work is not None
    figures = work.fields[0].to_figures()
    assert figures["passes"] == given.centres.size
    return {
        name: figures[name]
        for name in ("field_ha", "overlap_ha", "gap_ha", "worked_share", "worked_ha")
    }


def _stretch(given: Given) -> MachineDay:
    """Work, standing and transport one after the other, a point every ten seconds."""
    parts = [
        (given.work_s, given.work_speed, 1, given.work_fuel),
        (given.idle_s, 0.0, 0, given.idle_fuel),
        (given.transport_s, given.transport_speed, 0, given.transport_fuel),
    ]
    speed = np.concatenate([np.full(int(s / 10), v) for s, v, _, _ in parts])
    state = np.concatenate([np.full(int(s / 10), on) for s, _, on, _ in parts])
    fuel = np.concatenate([np.full(int(s / 10), rate) for s, _, _, rate in parts])
    north = np.concatenate([[0.0], np.cumsum(speed * 10.0)])
    seconds = 10.0 * np.arange(north.size)
    ends = np.append(np.arange(speed.size), speed.size - 1)
    points = track(
        seconds, 0.0, north, work_state=state[ends], fuel_rate_l_h=fuel[ends], width_m=given.width
    )
    work = machine_work(points, {})
    assert work is not None
    return work.day


@example("times-and-fuel")
def times_and_fuel(given: Given) -> Computed:
    figures = _stretch(given).to_figures()
    names = (
        "work_h", "idle_h", "transport_h", "work_share", "fuel_work_l", "fuel_l", "worked_ha",
        "fuel_l_ha",
    )  # fmt: skip
    return {name: figures[name] for name in names}


@example("flight")
def flight(given: Given) -> Computed:
    seconds = np.arange(0.0, given.duration + 1.0, 5.0)
    rise = given.highest - given.ground
    height = np.interp(seconds, [0, 20, given.duration - 20, given.duration], [0, rise, rise, 0])
    (found,) = flights(
        track(
            seconds,
            0.0,
            given.speed * seconds,
            elevation_m=given.ground + height,
            width_m=given.seen_width,
        )
    )
    figures = found.to_figures()
    names = ("distance_km", "max_height_m", "mean_speed_m_s", "duration_min", "seen_ha")
    return {name: figures[name] for name in names}


@example("herd-centre")
def herd_centre(given: Given) -> Computed:
    (herd,) = grazing.herd_rounds(track([0, 10], given.east, 0.0, animals_seen=given.animals))
    centre, _ = place(np.array([0.0, 100.0]), 0.0)
    metres_per_degree = 100.0 / (centre[1] - centre[0])
    assert herd.animals == given.animals.max()
    return {
        "centre": (herd.longitude_deg - centre[0]) * metres_per_degree,
        "spread_m": herd.spread_m,
    }


@example("grazing-pressure")
def grazing_pressure(given: Given) -> Computed:
    pastures = field_shapes(
        {1: rectangle((0, 1000), (0, 500)), 2: rectangle((1000, 2000), (0, 500))}
    )
    stays = grazing.Presence(
        start_us=NOON_US + (given.seen * HOUR_US).astype(np.int64),
        end_us=NOON_US + np.array([given.seen[1], 24.0]).astype(np.int64) * HOUR_US,
        pasture=np.array([1, 2]),
        animals=np.full(2, given.animals),
    )
    (day,) = grazing.pasture_days(
        stays, pastures, np.array([NOON_US, NOON_US + DAY_US]), livestock_units=given.unit
    )
    first = day[0].to_figures()
    return {
        "area_ha": first["area_ha"],
        "animal_days": first["animal_days"],
        "known_share": first["known_share"],
        "lsu_days_ha": first["lsu_days_ha"],
        "animal_days_ha": first["animal_days_ha"],
    }


@example("pasture-rest")
def pasture_rest(given: Given) -> Computed:
    area = field_shapes({1: rectangle((0, 1000), (0, 500))})
    (use,) = grazing.pasture_use(given.animal_days[:, None], given.known, area)
    return {
        "used_days": use.used_days,
        "rested_days": use.rested_days,
        "unknown_days": use.unknown_days,
        "resting_days": use.resting_days,
    }


@example("overlap-share")
def overlap_share(given: Given) -> Computed:
    return {"overlap_share": ratio(given.overlap, given.gross)}


@example("applied-product")
def applied_product(given: Given) -> Computed:
    one_pass = Given(given | {"centres": 0.0, "length": given.way, "speed": 3.0})
    work = machine_work(_passes(one_pass, application_rate_l_ha=given.rate), {})
    assert work is not None
    return {"applied_l": work.fields[0].to_figures()["applied_l"]}
