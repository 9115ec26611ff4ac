"""Water saved: against an adjusted baseline, and in consumption, each with its uncertainty.

Apparent saving is the fall in what was withdrawn, real saving the fall in what was consumed; the
remainder is water that no longer flows back to be used by others. The three stand side by side and
are never added. A saving below two standard errors is not demonstrated; a negative one is shown.

Uncertainties are standard ones (k = 1); depths in mm, areas in ha, volumes in m³.

References
----------
.. [1] EVO, "International Performance Measurement and Verification Protocol": adjusted baseline,
   the rule of two standard errors.
.. [2] JCGM 100:2008, "Guide to the expression of uncertainty in measurement".
.. [3] FAO Water Report 46, 2020: apparent and real savings.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from analytics.baselines import Prediction
from analytics.indicators import M3_PER_HA_PER_MM

Array = NDArray[np.float64]


class Saving(NamedTuple):
    """A saved volume with its standard uncertainty. [m³]"""

    value: float
    uncertainty: float  # NaN where unknown
    degrees_of_freedom: float = np.inf

    def quantile(self, level: float) -> float:
        """Two-sided quantile of Student's t for a confidence level; NaN without freedom."""
        upper = (1 + level) / 2
        if np.isinf(self.degrees_of_freedom):
            return float(ndtri(upper))
        if self.degrees_of_freedom < 1:
            return np.nan
        return float(stdtrit(self.degrees_of_freedom, upper))

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Confidence interval; None where the uncertainty is unknown."""
        reach = self.quantile(level) * self.uncertainty
        return None if np.isnan(reach) else (self.value - reach, self.value + reach)

    @property
    def demonstrated(self) -> bool:
        """Whether the saving is more than twice its standard uncertainty."""
        return bool(self.value > 2 * self.uncertainty)


def apparent_saving(
    baseline: Prediction,
    gross_depth: float,
    area_ha: float,
    *,
    u_meter_rel: float = 0.0,
    u_area_rel: float = 0.0,
) -> Saving:
    """Fall in withdrawal against the baseline adjusted to this season. [m³]

    Parameters
    ----------
    baseline : Prediction
        Gross irrigation that the earlier practice would have taken this season. [mm]
    gross_depth : float
        Gross irrigation metered this season. [mm]
    area_ha : float
        Area irrigated this season.
    u_meter_rel, u_area_rel : float
        Relative standard uncertainty of the meter and of the area.
    """
    volume_per_mm = M3_PER_HA_PER_MM * area_ha
    saved = baseline.depth - gross_depth
    of_depth = np.hypot(baseline.standard_error, u_meter_rel * gross_depth)
    uncertainty = volume_per_mm * np.hypot(of_depth, saved * u_area_rel)
    return Saving(volume_per_mm * saved, float(uncertainty), baseline.degrees_of_freedom)


class FieldSavings(NamedTuple):
    """Saved volume of each field, arrays of shape (fields,). [m³]"""

    value: Array
    u_independent: Array  # of each field alone
    u_shared: Array  # of what all fields have in common, with its sign

    def total(self) -> Saving:
        """The fields together: shared errors add up, the others partly cancel."""
        return combine(self.value, self.u_independent, {"shared": self.u_shared})


def consumptive_savings(
    eta: ArrayLike,
    eta_without: ArrayLike,
    area_ha: ArrayLike,
    *,
    u_eta: ArrayLike = 0.0,
    u_without: ArrayLike = 0.0,
    u_shared_rel: ArrayLike = 0.0,
) -> FieldSavings:
    """Fall in consumption against what the field would have consumed otherwise. [m³]

    Parameters
    ----------
    eta, eta_without : array, shape (fields,)
        Season's actual evapotranspiration, and that of the same season under the earlier
        practice. [mm]
    area_ha : array, shape (fields,)
    u_eta, u_without : array
        Standard uncertainty of either that the other does not share. [mm]
    u_shared_rel : array
        Relative uncertainty of both alike, such as of ET0: it scales their difference.
    """
    volume_per_mm = M3_PER_HA_PER_MM * np.asarray(area_ha, float)
    saved = np.asarray(eta_without, float) - np.asarray(eta, float)
    value, alone, shared = np.broadcast_arrays(
        volume_per_mm * saved,
        volume_per_mm * np.hypot(u_eta, u_without),
        volume_per_mm * saved * np.asarray(u_shared_rel, float),
    )
    return FieldSavings(*(np.atleast_1d(part) for part in (value, alone, shared)))


def recoverable_change(apparent: float, real: float, non_recoverable: float = 0.0) -> float:
    """Water that no longer flows back: apparent saving less all that is truly saved. [m³]

    ``non_recoverable`` is the fall in flow to where nobody can use it (FAO Water Report 46), which
    is saved as well. Negative where more flows back than before.
    """
    return apparent - real - non_recoverable


def combine(
    values: ArrayLike,
    independent: ArrayLike,
    shared: Mapping[str, ArrayLike] | None = None,
    *,
    degrees_of_freedom: float = np.inf,
) -> Saving:
    """Add savings of fields, farms or regions. [m³]

    Parameters
    ----------
    values, independent : array, shape (parts,)
        Savings and their own standard uncertainties, which add in quadrature.
    shared : mapping of cause to array of shape (parts,)
        Effect on each part of one standard deviation of a common cause (the station's ET0, a
        meter calibration, an assumed efficiency), with its sign: within a cause these add
        linearly, the causes among each other in quadrature.
    degrees_of_freedom : float
        Of the whole; the normal distribution by default.
    """
    alone = np.asarray(independent, float)
    variance = float((alone**2).sum())
    for effect in (shared or {}).values():
        variance += float(np.sum(np.asarray(effect, float))) ** 2
    total = float(np.sum(np.asarray(values, float)))
    return Saving(total, float(np.sqrt(variance)), degrees_of_freedom)
