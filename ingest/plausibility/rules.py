"""Rules that judge a reading by its neighbours in time: pure functions on whole batches.

Rows are readings of many datastreams, sorted by datastream and time; each is given with the two
readings before it. NaN is "not known", and what is not known raises no flag.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

HOUR_US = 3_600_000_000
# Beyond, a reading says little of the next: the weather and a valve may have done anything.
NEIGHBOURS_WITHIN_US = 3 * HOUR_US
# A spike stands out from the readings before it by this many of their scaled median absolute
# deviations, so that a sensor that is merely noisy raises none. Three are common for independent
# values (C. Leys et al., J. Exp. Soc. Psychol. 49, 2013, 764-766); a sensor's are not independent.
SPIKE_DEVIATIONS = 6.0
MAD_TO_DEVIATION = 1.4826  # of a normal distribution
# Where over half of them are equal the median deviation is 0, and the mean one stands in (B.
# Iglewicz, D. Hoaglin, "How to Detect and Handle Outliers", ASQC, 1993).
MEAN_TO_DEVIATION = 1.2533
SPIKE_NEEDS = 4  # readings before it: fewer do not tell the noise
# A counter that ends in its last tenth and begins in its first ran over its end; the same tenths
# as in analytics.irrigation.counter_differences.
WRAPS_FROM, WRAPS_TO = 0.9, 0.1

Array = np.ndarray[Any, Any]


class Limits(NamedTuple):
    """What the catalogue allows, one for each row."""

    step: Array  # NaN: may jump
    per_hour: Array


def is_far(
    values: Array, times: Array, other_values: Array, other_times: Array, limits: Limits
) -> Array:
    """Whether readings are further apart than the time between them allows; never beyond 3 hours.

    Times in µs; order does not matter.
    """
    apart_us = np.abs(times - other_times)
    allowed = limits.step + limits.per_hour * (apart_us / HOUR_US)
    far: Array = (np.abs(values - other_values) > allowed) & (apart_us <= NEIGHBOURS_WITHIN_US)
    return far


def is_near(
    values: Array, times: Array, other_values: Array, other_times: Array, limits: Limits
) -> Array:
    """Whether readings are as close as the time between them asks; not known beyond 3 hours."""
    apart_us = np.abs(times - other_times)
    allowed = limits.step + limits.per_hour * (apart_us / HOUR_US)
    near: Array = (np.abs(values - other_values) <= allowed) & (apart_us <= NEIGHBOURS_WITHIN_US)
    return near


def stands_out(values: Array, earlier: Array) -> Array:
    """Whether values differ from the readings before them by more than those differ themselves.

    ``earlier`` has shape (values, readings before each), NaN where there is none.
    """
    known = np.sum(~np.isnan(earlier), axis=1)
    enough = known >= SPIKE_NEEDS
    found = np.zeros(len(values), bool)
    if enough.any():
        chosen = earlier[enough]
        middle = np.nanmedian(chosen, axis=1)
        apart = np.abs(chosen - middle[:, None])
        median = MAD_TO_DEVIATION * np.nanmedian(apart, axis=1)
        deviation = np.where(median > 0, median, MEAN_TO_DEVIATION * np.nanmean(apart, axis=1))
        found[enough] = np.abs(values[enough] - middle) > SPIKE_DEVIATIONS * deviation
    return found


def is_reset(values: Array, before: Array, modulus: Array) -> Array:
    """Whether counters began again; running over the end, where that is known, is none."""
    wrapped = (before > WRAPS_FROM * modulus) & (values < WRAPS_TO * modulus)
    reset: Array = (values < before) & ~wrapped
    return reset
