"""What a farm would have withdrawn: gross irrigation predicted from earlier seasons.

Baseline seasons relate metered gross irrigation to the net irrigation requirement (NIR) of the
same crop, so that a dry year is not compared with a wet one. Depths in mm.

References
----------
.. [1] EVO, "International Performance Measurement and Verification Protocol", core concepts.
.. [2] W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4 (combined ratio).
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class BaselineError(ValueError):
    """Baseline seasons that cannot carry a prediction."""


class Prediction(NamedTuple):
    """Gross irrigation expected under the conditions of another season. [mm]"""

    depth: float
    standard_error: float  # NaN where the baseline is too short to know
    degrees_of_freedom: float


class Baseline(Protocol):
    """A relation between net requirement and gross irrigation."""

    def predict(self, requirement: float) -> Prediction:
        """Gross irrigation for a net irrigation requirement [mm]."""
        ...


class RatioBaseline(NamedTuple):
    """Gross irrigation in proportion to the requirement: sum of the one by sum of the other."""

    ratio: float  # relative irrigation supply
    u_ratio: float  # NaN with a single season
    residual: float  # standard deviation about the ratio [mm]
    seasons: int

    def predict(self, requirement: float) -> Prediction:
        """Gross irrigation for a net irrigation requirement [mm]."""
        error = float(np.hypot(self.residual, requirement * self.u_ratio))
        return Prediction(self.ratio * requirement, error, self.seasons - 1)


class LinearBaseline(NamedTuple):
    """Gross irrigation by least squares: intercept + slope x requirement."""

    intercept: float  # [mm]
    slope: float
    residual: float  # standard deviation about the line [mm]
    r_squared: float
    mean_requirement: float  # [mm]
    spread: float  # sum of squared deviations of the requirement [mm²]
    mean_gross: float  # [mm]
    seasons: int

    def predict(self, requirement: float) -> Prediction:
        """Gross irrigation for a net irrigation requirement [mm]."""
        leverage = (requirement - self.mean_requirement) ** 2 / self.spread
        error = self.residual * float(np.sqrt(1 + 1 / self.seasons + leverage))
        return Prediction(self.intercept + self.slope * requirement, error, self.seasons - 2)


def ratio_baseline(requirement: ArrayLike, gross: ArrayLike) -> RatioBaseline:
    """Fit the ratio of gross irrigation to net requirement. Both [mm], shape (seasons,).

    Raises BaselineError without a season, or where no season required irrigation.
    """
    need, given = _seasons(requirement, gross)
    if need.sum() <= 0:
        raise BaselineError("no baseline season required irrigation")
    ratio = float(given.sum() / need.sum())
    n = need.size
    if n < 2:
        return RatioBaseline(ratio, np.nan, np.nan, n)
    residual = float(np.sqrt(((given - ratio * need) ** 2).sum() / (n - 1)))
    return RatioBaseline(ratio, residual / np.sqrt(n) / float(need.mean()), residual, n)


def linear_baseline(requirement: ArrayLike, gross: ArrayLike) -> LinearBaseline:
    """Fit gross irrigation on net requirement by least squares. Both [mm], shape (seasons,).

    Raises BaselineError with fewer than three seasons, or where the requirement never varied.
    """
    need, given = _seasons(requirement, gross)
    if need.size < 3:
        raise BaselineError(f"a line needs three baseline seasons, there are {need.size}")
    x, y = need - need.mean(), given - given.mean()
    spread = float(x @ x)
    if spread <= 1e-9 * float(need @ need):
        raise BaselineError("the requirement was the same in all baseline seasons")
    slope = float(x @ y) / spread
    error = float(((y - slope * x) ** 2).sum())
    total = float(y @ y)
    return LinearBaseline(
        intercept=float(given.mean() - slope * need.mean()),
        slope=slope,
        residual=float(np.sqrt(error / (need.size - 2))),
        r_squared=1 - error / total if total > 0 else np.nan,
        mean_requirement=float(need.mean()),
        spread=spread,
        mean_gross=float(given.mean()),
        seasons=need.size,
    )


def _seasons(requirement: ArrayLike, gross: ArrayLike) -> tuple[Array, Array]:
    need, given = np.atleast_1d(np.asarray(requirement, float), np.asarray(gross, float))
    if need.shape != given.shape or need.ndim != 1:
        raise BaselineError(f"{need.size} requirements stand against {given.size} metered seasons")
    if need.size == 0:
        raise BaselineError("there is no baseline season")
    if not (np.isfinite(need).all() and np.isfinite(given).all()):
        raise BaselineError("a baseline season has no number")
    return need, given
