"""Points that disagree with the rest of the field or with their surroundings, by place and value.

For yield points without passes, after the protocol of Vega et al. (2019): points near the field's
edge, values far from the mean of all, and values that disagree with those around them by the
local Moran index or by their leverage in the Moran plot.
"""

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.stats import norm

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def edge_of_points(x: ArrayLike, y: ArrayLike, gap_m: float) -> shapely.Geometry:
    """Ground that points stand for: gaps between them narrower than ``gap_m`` belong to it.

    A morphological closing, which follows bays of the field as a concave hull does.
    """
    places = shapely.points(np.asarray(x, float), np.asarray(y, float))
    discs = shapely.buffer(places, gap_m / 2.0, quad_segs=4)
    return shapely.buffer(shapely.union_all(discs), -gap_m / 2.0, quad_segs=4)


def near_edge(x: ArrayLike, y: ArrayLike, ground: shapely.Geometry, distance_m: float) -> Flags:
    """Points outside the ground or within a distance of its edge."""
    inner = shapely.buffer(ground, -distance_m)
    shapely.prepare(inner)
    return ~np.asarray(shapely.intersects_xy(inner, np.asarray(x, float), np.asarray(y, float)))


def global_outliers(values: ArrayLike, deviations: float) -> Flags:
    """Values at least so many standard deviations from the mean."""
    v = np.asarray(values, float)
    if v.size < 2:
        return np.zeros(v.shape, bool)
    return np.asarray(np.abs(v - v.mean()) >= deviations * v.std(ddof=1))


def spatial_lag(
    x: ArrayLike, y: ArrayLike, values: ArrayLike, reach_m: float
) -> tuple[Array, NDArray[np.int64]]:
    """Mean of the neighbours within ``reach_m`` of each point (NaN without), and their number."""
    v, place = np.asarray(values, float), np.column_stack([x, y]).astype(float)
    pairs = cKDTree(place).query_pairs(reach_m, output_type="ndarray")
    one, other = pairs[:, 0], pairs[:, 1]
    number = np.bincount(pairs.ravel(), minlength=v.size)
    total = np.bincount(one, v[other], v.size) + np.bincount(other, v[one], v.size)
    unknown = np.full(v.shape, np.nan)
    return np.divide(total, number, out=unknown, where=number > 0), number


def local_moran_outliers(
    values: ArrayLike, lag: ArrayLike, number: ArrayLike, significance: float
) -> Flags:
    """Values on the other side of the mean than their surroundings, significantly.

    Parameters
    ----------
    values, lag, number : array, shape (points,)
        The value, and mean and number of its neighbours as ``spatial_lag`` gives them.
    significance : float
        One-sided, of each point by itself: not adjusted for the number of points.

    Notes
    -----
    The index is I = z w / m2 with z the deviation from the mean, w the mean of the neighbours'
    deviations and m2 the mean square. Its mean and variance are those under permutation of the
    other values while the point keeps its own [2]_.

    References
    ----------
    .. [1] L. Anselin, "Local indicators of spatial association - LISA", Geographical Analysis 27,
       93-115, 1995.
    .. [2] R. R. Sokal, N. L. Oden, B. A. Thomson, "Local spatial autocorrelation in a biological
       model", Geographical Analysis 30, 331-354, 1998.
    """
    v, k = np.asarray(values, float), np.asarray(number, float)
    z, n = v - v.mean(), v.size
    m2 = float((z**2).mean())
    if n < 3 or m2 == 0:
        return np.zeros(v.shape, bool)
    index = z / m2 * (np.asarray(lag, float) - v.mean())
    own = z**2 / ((n - 1) * m2)
    weights = 1.0 / np.where(k > 0, k, np.nan) - 1.0 / (n - 1)  # Σw² - (Σw)²/(n-1)
    variance = z**2 / m2 * (n / (n - 2)) * weights * (1.0 - own)
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    with np.errstate(invalid="ignore"):
        likely = norm.cdf((index + own) / spread)
    return np.asarray((index < 0) & (likely < significance))


def moran_plot_outliers(values: ArrayLike, lag: ArrayLike) -> Flags:
    """Points with too much weight in the regression of the neighbours' mean on the value.

    Cut-offs for k = 2 coefficients and n points: |DFFITS| > 3 √(k/(n-k)), |1 - covariance ratio|
    > 3k/(n-k), leverage > 3k/n.

    References
    ----------
    .. [1] D. A. Belsley, E. Kuh, R. E. Welsch, "Regression diagnostics", Wiley, 1980, ch. 2.
    """
    v, w = np.asarray(values, float), np.asarray(lag, float)
    known, k = np.isfinite(w), 2
    n = int(known.sum())
    outlier = np.zeros(v.shape, bool)
    z = v[known] - v[known].mean() if n else v[known]
    square = float((z**2).sum())
    if n < 5 or square == 0:
        return outlier
    leverage = 1.0 / n + z**2 / square
    slope = float(z @ w[known]) / square
    residual = w[known] - w[known].mean() - slope * z
    whole = float((residual**2).sum())
    without = (whole - residual**2 / (1.0 - leverage)) / (n - k - 1)  # variance without the point
    if not (without > 0).all():
        return outlier  # a straight line through all: none stands out
    student = residual / np.sqrt(without * (1.0 - leverage))
    dffits = student * np.sqrt(leverage / (1.0 - leverage))
    ratio = (without / (whole / (n - k))) ** k / (1.0 - leverage)
    outlier[known] = (
        (np.abs(dffits) > 3.0 * np.sqrt(k / (n - k)))
        | (np.abs(1.0 - ratio) > 3.0 * k / (n - k))
        | (leverage > 3.0 * k / n)
    )
    return outlier
