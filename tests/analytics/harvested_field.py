"""A harvest of which everything is known: the yield of each place, the delay, the overlap."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.yield_tables import YieldPoints, point_yield

Array = NDArray[np.float64]

LENGTH_M, WIDTH_M, SPEED_M_S, TURN_S = 300.0, 6.0, 2.0, 20
RECORDS = round(LENGTH_M / SPEED_M_S)  # of 1 s in a pass


def true_yield(x: ArrayLike, y: ArrayLike) -> Array:
    """Yield of a place: waves along the passes and across them. [kg/ha]"""
    across, along = np.asarray(x, float), np.asarray(y, float)
    return 4000.0 + 800.0 * np.sin(along / 25.0) + 400.0 * np.cos(across / 40.0)


def harvest(
    *,
    passes: int = 16,
    spacing_m: float = WIDTH_M,
    delay_s: int = 0,
    one_way: bool = False,
    noise: float = 0.0,
    moisture: float = 14.0,
    even: bool = False,
) -> YieldPoints:
    """Harvest a field of straight passes to and fro, with a turn of 20 s after each.

    Each pass cuts what the one before left: ``spacing_m`` of its width. The sensor sees grain
    ``delay_s`` after it was cut, partly while the header is up.
    """
    steps = SPEED_M_S * np.arange(1, RECORDS + 1)
    parts = []
    for number in range(passes):
        up = one_way or number % 2 == 0
        y = steps if up else LENGTH_M - steps
        middle = y - SPEED_M_S / 2 if up else y + SPEED_M_S / 2
        x = np.full(RECORDS, number * spacing_m)
        cut_m = WIDTH_M if number == 0 else spacing_m
        # What is cut lies to the right of a pass: its middle is off the machine's.
        cut_x = x + (WIDTH_M - cut_m) / 2
        ripe = np.full(RECORDS, 4000.0) if even else true_yield(cut_x, middle)
        flow = ripe / 10_000.0 * cut_m * SPEED_M_S
        turn = np.linspace(0.0, spacing_m, TURN_S)
        rows = np.column_stack([x, y, flow, np.ones(RECORDS)])
        end = np.full(TURN_S, y[-1])
        turning = np.column_stack([x[-1] + turn, end, np.zeros(TURN_S), np.zeros(TURN_S)])
        parts.append(np.vstack([rows, turning]))
    x, y, cut, down = np.vstack(parts).T
    seen = np.concatenate([np.zeros(delay_s), cut])[: cut.size]
    seen = seen * (1.0 + noise * np.random.default_rng(5).standard_normal(seen.size))
    one, working = np.ones(x.size), down == 1
    coverage = np.where(working, WIDTH_M * SPEED_M_S, 0.0)
    return YieldPoints(
        x=x,
        y=y,
        yield_kg_ha=point_yield(seen, coverage),
        flow_kg_s=seen,
        coverage_m2_s=coverage,
        mass_kg=seen,
        area_m2=coverage,
        interval_s=one,
        speed_m_s=SPEED_M_S * one,
        moisture_pct=moisture * one,
        working=working,
        passes=np.repeat(np.arange(passes), RECORDS + TURN_S),
        crs="+proj=aeqd +lat_0=51.000000 +lon_0=71.000000 +datum=WGS84 +units=m",
    )


def field_mass(passes: int, spacing_m: float) -> float:
    """Mass of the field: the yield surface over the ground of each metre of way. [kg]"""
    y = SPEED_M_S * (np.arange(RECORDS) + 0.5)
    total = 0.0
    for number in range(passes):
        cut_m = WIDTH_M if number == 0 else spacing_m
        x = number * spacing_m + (WIDTH_M - cut_m) / 2
        total += float(true_yield(x, y).sum()) * cut_m * SPEED_M_S / 10_000.0
    return total


def turned(points: YieldPoints, degrees: float, east: float, north: float) -> YieldPoints:
    """The same field, turned around its origin and moved."""
    angle = np.radians(degrees)
    return points._replace(
        x=points.x * np.cos(angle) - points.y * np.sin(angle) + east,
        y=points.x * np.sin(angle) + points.y * np.cos(angle) + north,
    )


def reordered(points: YieldPoints, order: ArrayLike) -> YieldPoints:
    """The same passes, harvested in another order; ``order`` numbers them."""
    rows = np.concatenate([np.flatnonzero(points.passes == number) for number in np.asarray(order)])
    return YieldPoints(
        **{
            name: value[rows] if isinstance(value, np.ndarray) else value
            for name, value in points._asdict().items()
        }
    )
