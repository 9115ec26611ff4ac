"""The time from cutting to the mass sensor, fitted to where passes in opposite directions meet.

A late sensor moves what it saw along the pass: forward on one pass, back on the next. At the
right shift the two agree best.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from analytics.swath import directions
from analytics.yield_tables import Array, YieldPoints, point_yield, runs, work_runs

Rows = NDArray[np.int64]

MAX_DELAY_S = 25.0  # combines need 5 to 15 s
NEGATIVE_S = 6.0  # searched as well, so that a minimum at zero has two sides
FILLING_S = 5.0  # a pass begins with an empty machine: its first flow tells nothing
NEIGHBOURS = 4
REACH_WIDTHS = 2.5  # neighbours of another pass are no further than this
OPPOSITE = -0.7  # cosine between directions of travel
MIN_PAIRS = 200
SIDE_S = 3.0  # a clear minimum is lower than so far to either side ...
MIN_Z = 2.0  # ... by so many standard errors, passes being the independent parts


class DelayFit(NamedTuple):
    """The fitted delay; ``delay_s`` is 0 where there is no clear minimum, and ``note`` says why."""

    delay_s: float
    clear: bool
    note: str  # a key; "fitted" where the delay is used
    best_s: float  # where the curve is lowest, clear or not
    step_s: float  # the records' interval: no finer delay can be seen
    sharpness: float  # relative rise of the curve 3 s to the less steep side
    z: float  # that rise by its standard error
    points: int  # that have neighbours in passes of the opposite direction
    shifts_s: Array  # the curve: mean squared difference to those neighbours, by ...
    mismatch: Array  # ... the variance of the yield


def no_fit(note: str, step_s: float = float("nan")) -> DelayFit:
    """Keep the delay at zero, for a reason."""
    nan, none = float("nan"), np.empty(0)
    return DelayFit(0.0, False, note, nan, step_s, nan, nan, 0, none, none)


def fit_flow_delay(points: YieldPoints, *, max_delay_s: float = MAX_DELAY_S) -> DelayFit:
    """Find the delay at which yields agree best with their neighbours' of opposite passes.

    Every shift is judged on the same points: those that have a flow at each of them.
    """
    usable = points.working & (points.passes >= 0) & np.isfinite(points.x + points.y)
    if np.isnan(points.interval_s).any() or not usable.any():
        return no_fit("no-passes-or-intervals")
    moving = usable & (points.interval_s > 0)
    if not moving.any():
        return no_fit("no-passes-or-intervals")
    step = float(np.median(points.interval_s[moving]))
    shifts = np.arange(-np.floor(NEGATIVE_S / step), np.floor(max_delay_s / step) + 1) * step
    yields, judged = _shifted_yields(points, usable, shifts)
    rows = np.flatnonzero(judged)
    one, others = _opposite_neighbours(points, rows)
    if one.size < MIN_PAIRS:
        return no_fit("too-few-opposite-passes", step)
    squares, run = _squared_differences(yields, one, others), runs(points.passes)[one]
    return _judge(shifts, squares, run, float(yields[:, one].var()), step)


def _shifted_yields(
    points: YieldPoints, usable: NDArray[np.bool_], shifts: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Yield of each place at each shift (shifts, points), and which places have all of them."""
    run = runs(points.passes)
    ends = np.cumsum(points.interval_s)
    work = np.bincount(run, weights=points.interval_s)
    begin = (np.cumsum(work) - work)[run]
    seen = usable & (ends + shifts[0] - begin > FILLING_S)
    flows = np.full((shifts.size, run.size), np.nan)
    for number, shift in enumerate(shifts):
        source = np.searchsorted(ends, ends + shift - 1e-6)
        inside = np.minimum(source, run.size - 1)
        seen &= (source < run.size) & (run[inside] == run) & usable[inside]
        flows[number] = points.flow_kg_s[inside]
    yields = point_yield(flows, points.coverage_m2_s)
    seen &= np.isfinite(yields).all(axis=0)
    if seen.any():  # one absurd value must not speak for the field
        low, high = np.quantile(yields[:, seen], [0.01, 0.99])
        yields = np.clip(yields, low, high)
    return yields, seen


def _opposite_neighbours(points: YieldPoints, rows: Rows) -> tuple[Rows, Rows]:
    """Rows, and (rows, neighbours) the nearest of them that went the other way; -1 where none."""
    dx, dy = directions(points.x, points.y, work_runs(points))
    rows = rows[np.isfinite(dx[rows])]
    width = points.coverage_m2_s / np.where(points.speed_m_s > 0, points.speed_m_s, np.nan)
    known = np.isfinite(width[rows])
    if not known.any():
        return rows[:0], np.empty((0, NEIGHBOURS), np.int64)
    reach = REACH_WIDTHS * float(np.median(width[rows][known]))
    axis = 0.5 * np.angle(np.sum((dx[rows] + 1j * dy[rows]) ** 2))  # of travel, to and fro
    forward = dx[rows] * np.cos(axis) + dy[rows] * np.sin(axis) > 0
    # Grain comes from the middle of a record's way, half of it behind the position.
    half = np.nan_to_num(points.speed_m_s * points.interval_s / 2.0)
    place = np.column_stack([points.x - half * dx, points.y - half * dy])
    ones, others = [], []
    for here, there in ((rows[forward], rows[~forward]), (rows[~forward], rows[forward])):
        if here.size and there.size:
            _, near = cKDTree(place[there]).query(
                place[here], k=NEIGHBOURS, distance_upper_bound=reach
            )
            found = near < there.size
            other = np.where(found, there[np.minimum(near, there.size - 1)], -1)
            cosine = dx[here][:, None] * dx[other] + dy[here][:, None] * dy[other]
            ones.append(here)
            others.append(np.where(found & (cosine < OPPOSITE), other, -1))
    if not ones:
        return rows[:0], np.empty((0, NEIGHBOURS), np.int64)
    one, other = np.concatenate(ones), np.concatenate(others)
    met = (other >= 0).any(axis=1)
    return one[met], other[met]


def _squared_differences(yields: Array, one: Rows, others: Rows) -> Array:
    """Of each place to the mean of its neighbours, at each shift: (shifts, places)."""
    there = others >= 0
    around = np.where(there, yields[:, others], 0.0).sum(axis=2) / there.sum(axis=1)
    return np.asarray((yields[:, one] - around) ** 2)


def _judge(shifts: Array, squares: Array, run: Rows, variance: float, step: float) -> DelayFit:
    mismatch = squares.mean(axis=1)
    best = int(np.argmin(mismatch))
    side = max(1, round(SIDE_S / step))
    if variance == 0 or mismatch[best] == mismatch.max():
        return no_fit("yield-does-not-vary", step)
    inner = best - side >= 0 and best + side < shifts.size
    sharpness = z = float("nan")
    if inner:
        rise = [mismatch[best + way] / mismatch[best] - 1.0 for way in (-side, side)]
        sharpness = float(min(rise)) if mismatch[best] > 0 else float("inf")
        z = min(_paired_z(squares[best + way] - squares[best], run) for way in (-side, side))
    clear = inner and z >= MIN_Z
    if not clear:
        note = "no-clear-minimum"
    elif shifts[best] < 0:
        note = "flow-ahead-of-place"  # the file was shifted too far before
    else:
        note = "fitted"
    delay = float(shifts[best]) if note == "fitted" else 0.0
    return DelayFit(
        delay, clear, note, float(shifts[best]), step, sharpness, float(z), run.size, shifts,
        mismatch / variance,
    )  # fmt: skip


def _paired_z(difference: Array, run: Rows) -> float:
    """Mean difference by its standard error, where the points of a pass go together."""
    _, group = np.unique(run, return_inverse=True)
    sums = np.bincount(group, weights=difference)
    count = sums.size
    spread = float(np.sqrt((sums**2).sum() * count / max(count - 1, 1)))
    return float(sums.sum()) / spread if spread > 0 else 0.0
