"""Measured soil moisture: what it says of the root zone, and how it corrects the balance.

The correction is a Kalman filter of one number a field, the depletion of its root zone [1]_.
Between measurements the variance P of its error grows by that of a day's model error. A
measurement whose error has the variance R moves the depletion by the share K = P / (P + R) of the
innovation, what was measured less what was computed, and leaves the variance (1 - K) P. The water
this adds or takes is stated by the balance as its correction, never hidden in a flow.

References
----------
.. [1] R. E. Kalman, "A new approach to linear filtering and prediction problems", Journal of Basic
   Engineering 82 (1960), 35-45.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Assumptions, each an argument where it is used. A day's model error is a quarter of a summer day's
# ETa, independent of its neighbours': 15 mm after 100 days without a measurement. The water content
# at sowing is a guess. A calibrated probe is right within 0.02, and one place is not the field.
MODEL_SD_MM = 1.5
INITIAL_THETA_SD = 0.03  # [m³ m⁻³]
SENSOR_THETA_SD = 0.02  # of a probe's mean over the root zone [m³ m⁻³]
PLACE_THETA_SD = 0.02  # of one place, as the field's mean [m³ m⁻³]

GATE_SD = 4.0  # an innovation beyond so many standard deviations is a fault of the sensor
REACH_CM = 20.0  # a sensor speaks for no soil farther above or below it
LEAST_COVERED = 0.8  # share of the root zone that sensors must speak for

MM_PER_CM = 10.0


class Update(NamedTuple):
    """An evening's depletion after its measurement, arrays of shape (fields,)."""

    depletion: Array  # [mm]
    variance: Array  # [mm²]
    innovation: Array  # measured less computed [mm]; NaN where nothing was measured
    gain: Array  # share of the innovation that was taken, 0 where none was or it was refused


def assimilate(
    depletion: Array,
    variance: Array,
    measured: Array,
    measured_sd: Array,
    *,
    blind: ArrayLike = False,
    gate_sd: float = GATE_SD,
) -> Update:
    """Move depletions towards measured ones, by how far each can be trusted.

    Parameters
    ----------
    depletion, variance : array, shape (fields,)
        Computed, and the variance of its error. [mm], [mm²]
    measured, measured_sd : array, shape (fields,)
        Measured, NaN for none, and its standard deviation as a statement about the field. [mm]
    blind : bool or array, shape (fields,)
        Where the sensors cannot tell, under standing water: nothing is taken.
    gate_sd : float
        Innovations beyond so many of their standard deviations, √(P + R), are refused.
    """
    error = measured_sd**2
    innovation = measured - depletion
    believed = (np.abs(innovation) <= gate_sd * np.sqrt(variance + error)) & ~np.asarray(blind)
    gain = np.where(believed, variance / (variance + error), 0.0)
    moved = np.where(believed, depletion + gain * innovation, depletion)
    return Update(moved, (1.0 - gain) * variance, innovation, gain)


def moisture_sd(
    root_depth_m: ArrayLike,
    *,
    sensor_sd: float = SENSOR_THETA_SD,
    place_sd: float = PLACE_THETA_SD,
) -> Array:
    """Standard deviation of a measured depletion, as a statement about the field. [mm]

    The probe's own error and that of standing for the field are independent; both are errors of
    the mean water content of the root zone [m³ m⁻³].
    """
    return np.asarray(1000.0 * np.hypot(sensor_sd, place_sd) * np.asarray(root_depth_m, float))


def depletion_from_moisture(
    theta: ArrayLike,
    depths_cm: ArrayLike,
    root_depth_m: ArrayLike,
    theta_fc: ArrayLike,
    *,
    reach_cm: float = REACH_CM,
    least_covered: float = LEAST_COVERED,
) -> Array:
    """Depletion of the root zone by sensors at several depths, shape (days,). [mm]

    Parameters
    ----------
    theta : array, shape (days, depths)
        Measured water content, NaN where a sensor was silent. [m³ m⁻³]
    depths_cm : array, shape (depths,)
        Depth of each sensor, in any order.
    root_depth_m : float or array, shape (days,)
    theta_fc : float or array, shape (depths,)
        At field capacity, of the soil around each sensor. [m³ m⁻³]
    reach_cm : float
        A sensor stands for the soil nearer to it than to another that spoke that day, at most so
        far above and below it.
    least_covered : float
        The day is NaN where sensors stand for less than this share of the root zone. What no
        sensor reaches counts as wet as the mean of what they do.

    Raises
    ------
    ValueError
        If shapes do not fit, or two sensors have one depth.

    Notes
    -----
    Negative where the root zone holds more than at field capacity.
    """
    measured, depths, capacity = _profile(theta, depths_cm, theta_fc)
    roots = np.broadcast_to(100.0 * np.asarray(root_depth_m, float), len(measured))[:, None]
    top, bottom = _nearest(~np.isnan(measured), depths)
    top = np.clip(np.maximum(top, depths - reach_cm), 0.0, roots)
    bottom = np.minimum(np.minimum(bottom, depths + reach_cm), roots)
    thickness = np.where(np.isnan(measured), 0.0, np.maximum(bottom - top, 0.0))
    covered = thickness.sum(axis=1)
    missing = MM_PER_CM * (np.nan_to_num(capacity - measured) * thickness).sum(axis=1)
    share = covered / roots[:, 0]
    enough = (share >= least_covered - 1e-9) & (covered > 0)
    return np.asarray(np.where(enough, missing / np.where(enough, share, 1.0), np.nan))


def _profile(
    theta: ArrayLike, depths_cm: ArrayLike, theta_fc: ArrayLike
) -> tuple[Array, Array, Array]:
    """The sensors in order of depth."""
    depths = np.atleast_1d(np.asarray(depths_cm, float))
    measured = np.atleast_2d(np.asarray(theta, float))
    if depths.ndim != 1 or measured.ndim != 2 or measured.shape[1] != len(depths):
        raise ValueError(f"theta is {measured.shape}, depths_cm is {depths.shape}")
    if len(np.unique(depths)) != len(depths):
        raise ValueError(f"two sensors have one depth: {depths.tolist()}")
    order = np.argsort(depths)
    capacity = np.broadcast_to(np.asarray(theta_fc, float), depths.shape)
    return measured[:, order], depths[order], capacity[order]


def _nearest(spoke: NDArray[np.bool_], depths: Array) -> tuple[Array, Array]:
    """Top and bottom of the soil that is nearest to each sensor among those that spoke. [cm]"""
    at = np.where(spoke, depths, np.nan)
    above = np.fmax.accumulate(np.where(spoke, at, -np.inf), axis=1)
    below = np.fmin.accumulate(np.where(spoke, at, np.inf)[:, ::-1], axis=1)[:, ::-1]
    above = np.concatenate([np.full((len(at), 1), -np.inf), above[:, :-1]], axis=1)
    below = np.concatenate([below[:, 1:], np.full((len(at), 1), np.inf)], axis=1)
    return (above + depths) / 2.0, (below + depths) / 2.0


class Comparison(NamedTuple):
    """How simulated values lie to measured ones, arrays of shape (fields,) or numbers."""

    n: Array  # days that have both
    bias: Array  # mean of simulated less measured
    rmse: Array  # root of the mean square of that
    nse: Array  # Nash-Sutcliffe: 1 perfect, 0 no better than the measured mean


def compare(simulated: ArrayLike, measured: ArrayLike) -> Comparison:
    """Compare day by day, along the first axis, where both are known; NaN where no day has both.

    Compare what was computed before a correction (measured less innovation), not after it: a
    balance that was moved to its measurements agrees with them.
    """
    ours, theirs = np.broadcast_arrays(np.asarray(simulated, float), np.asarray(measured, float))
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    count = both.sum(axis=0)
    divisor = np.where(count > 0, count, np.nan)

    def mean(values: Array) -> Array:
        return np.asarray(np.where(both, values, 0.0).sum(axis=0) / divisor)

    error = ours - theirs
    square, spread = mean(error**2), mean((theirs - mean(theirs)) ** 2)
    nse = 1.0 - square / np.where(spread > 0, spread, np.nan)
    return Comparison(np.asarray(count), mean(error), np.sqrt(square), nse)
