"""What water stress may have cost in yield: an estimate, never a measurement.

Yields in the reports are weighed or metered; what stands here is labelled ``estimate``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.indicators import relative_yield

Array = NDArray[np.float64]

KIND = "estimate"
MAX_DEFICIT = 0.5  # the response was found linear up to about here (FAO-33)
VALID, BEYOND = "within-half-deficit", "beyond-half-deficit"


class YieldEstimate(NamedTuple):
    """Estimate for each field, arrays of shape (fields,)."""

    relative_yield: Array  # by the yield without water stress, 0 to 1
    deficit: Array  # 1 - ETa/ETc of the season, or the largest of any stage
    valid: NDArray[np.bool_]  # no deficit beyond one half
    kind: str = KIND

    @property
    def notes(self) -> list[str]:
        """Key of each field's note."""
        return [VALID if good else BEYOND for good in np.atleast_1d(self.valid)]

    def yield_kg_ha(self, maximum_kg_ha: ArrayLike) -> Array:
        """Estimated yield from the yield without water stress. [kg/ha]"""
        return np.asarray(self.relative_yield * np.asarray(maximum_kg_ha, float))


def seasonal_response(eta: ArrayLike, etc: ArrayLike, ky: ArrayLike) -> YieldEstimate:
    """1 - Ya/Ym = Ky (1 - ETa/ETc), each over the whole season.

    Parameters
    ----------
    eta, etc : array, shape (fields,)
        Actual and unstressed crop evapotranspiration of the season. [mm]
    ky : float or array, shape (fields,)
        Seasonal yield response factor.

    References
    ----------
    .. [1] J. Doorenbos, A. H. Kassam, "Yield response to water", FAO Irrigation and Drainage
       Paper 33, Rome, 1979.
    """
    deficit = _deficit(eta, etc)
    return YieldEstimate(relative_yield(eta, etc, ky), deficit, deficit <= MAX_DEFICIT)


def staged_response(eta: ArrayLike, etc: ArrayLike, ky: ArrayLike) -> YieldEstimate:
    """Product over the stages of 1 - Ky (1 - ETa/ETc), Ky of each stage.

    ``eta`` and ``etc`` have shape (stages, fields), ``ky`` (stages,) or (stages, fields). A stage
    that lost all leaves nothing for the others to add to, unlike the sum of deficits.
    """
    actual, full, factor = _stages(eta, etc, ky)
    deficit = _deficit(actual, full)
    product = np.prod(relative_yield(actual, full, factor), axis=0)
    return _worst(product, deficit)


def jensen_response(eta: ArrayLike, etc: ArrayLike, sensitivity: ArrayLike) -> YieldEstimate:
    """Product over the stages of (ETa/ETc)^λ, λ the sensitivity of each stage.

    Shapes as in ``staged_response``.

    References
    ----------
    .. [1] M. E. Jensen, "Water consumption by agricultural plants", in Water Deficits and Plant
       Growth 2, Academic Press, 1968.
    """
    actual, full, exponent = _stages(eta, etc, sensitivity)
    deficit = _deficit(actual, full)
    return _worst(np.prod((1.0 - deficit) ** exponent, axis=0), deficit)


def _stages(eta: ArrayLike, etc: ArrayLike, factor: ArrayLike) -> tuple[Array, Array, Array]:
    actual, full, by_stage = (np.asarray(values, float) for values in (eta, etc, factor))
    if actual.shape != full.shape or by_stage.shape[:1] != actual.shape[:1]:
        raise ValueError(
            f"stages differ: ETa {actual.shape}, ETc {full.shape}, factors {by_stage.shape}"
        )
    if by_stage.ndim < actual.ndim:
        by_stage = by_stage[:, None]
    return actual, full, by_stage


def _deficit(eta: ArrayLike, etc: ArrayLike) -> Array:
    actual, full = np.asarray(eta, float), np.asarray(etc, float)
    return np.asarray(1.0 - actual / np.where(full > 0, full, np.nan))


def _worst(product: Array, deficit: Array) -> YieldEstimate:
    worst = np.asarray(deficit.max(axis=0))
    return YieldEstimate(product, worst, worst <= MAX_DEFICIT)
