"""Outliers by place and value, against statistics computed otherwise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from analytics.spatial_filters import (
    edge_of_points,
    global_outliers,
    local_moran_outliers,
    moran_plot_outliers,
    near_edge,
    spatial_lag,
)
from analytics.yield_filters import Filters, flag_points
from tests.analytics.harvested_field import harvest

SIDE = 20


@pytest.fixture(scope="module")
def square():
    """400 points 10 m apart, a smooth surface with a little noise."""
    x, y = (np.ravel(v) for v in np.meshgrid(10.0 * np.arange(SIDE), 10.0 * np.arange(SIDE)))
    noise = np.random.default_rng(2).normal(0, 0.05, x.size)
    return x, y, 4.0 + np.sin(x / 40) + noise


def test_points_near_the_edge_are_those_within_the_distance(square):
    x, y, _ = square

    edge = near_edge(x, y, edge_of_points(x, y, 30.0), 15.0)

    # Of 20 x 20 points the two outer rings stand 0 and 10 m from the edge: 400 - 16 x 16.
    assert edge.sum() == 400 - 16 * 16
    assert not edge.reshape(SIDE, SIDE)[2:-2, 2:-2].any()


def test_a_bay_of_the_field_has_an_edge(square):
    x, y, _ = square
    land = ~((x > 60) & (x < 130) & (y > 80))  # 70 m wide, wider than a gap between points

    edge = near_edge(x[land], y[land], edge_of_points(x[land], y[land], 30.0), 5.0)

    beside = (x[land] == 60) & (y[land] > 80)
    assert edge[beside].all()


def test_the_lag_is_the_mean_of_the_neighbours(square):
    x, y, v = square

    lag, number = spatial_lag(x, y, v, 10.5)

    table = v.reshape(SIDE, SIDE)
    assert number.reshape(SIDE, SIDE)[5, 5] == 4
    assert number[0] == 2
    assert_allclose(
        lag.reshape(SIDE, SIDE)[5, 5],
        (table[4, 5] + table[6, 5] + table[5, 4] + table[5, 6]) / 4,
    )
    far, none = spatial_lag([0.0, 100.0], [0.0, 0.0], [1.0, 2.0], 10.0)
    assert np.isnan(far).all()
    assert none.tolist() == [0, 0]


def test_significance_of_the_local_index_is_that_of_permutations(square):
    x, y, v = square
    values = v.copy()
    values[[90, 155, 210, 333]] = [2.5, 5.5, 2.6, 4.6]
    lag, number = spatial_lag(x, y, values, 22.0)

    found = local_moran_outliers(values, lag, number, 0.05)

    # By chance itself: how often do as many other values, drawn at random, disagree as much?
    rng = np.random.default_rng(4)
    z = values - values.mean()
    for row in (90, 155, 210, 333, 0, 50, 205):
        others = np.delete(z, row)
        drawn = np.array(
            [rng.choice(others, number[row], replace=False).mean() for _ in range(2000)]
        )
        observed = z[row] * (lag[row] - values.mean())
        likely = (z[row] * drawn <= observed).mean()
        assert found[row] == (observed < 0 and likely < 0.05) or 0.03 < likely < 0.07


def test_leverage_in_the_moran_plot_is_that_of_fits_without_the_point(square):
    x, y, v = square
    values = v.copy()
    values[111] = 9.0
    lag, _ = spatial_lag(x, y, values, 22.0)

    found = moran_plot_outliers(values, lag)

    design, n, k = np.column_stack([np.ones(v.size), values]), v.size, 2
    hat = np.diag(design @ np.linalg.inv(design.T @ design) @ design.T)
    fit = design @ np.linalg.lstsq(design, lag, rcond=None)[0]
    whole = ((lag - fit) ** 2).sum() / (n - k)
    for row in range(0, n, 3):
        rest = np.delete(np.arange(n), row)
        coefficients = np.linalg.lstsq(design[rest], lag[rest], rcond=None)[0]
        variance = ((lag[rest] - design[rest] @ coefficients) ** 2).sum() / (n - 1 - k)
        dffits = (fit[row] - design[row] @ coefficients) / np.sqrt(variance * hat[row])
        ratio = (variance / whole) ** k / (1 - hat[row])
        expected = (
            abs(dffits) > 3 * np.sqrt(k / (n - k))
            or abs(1 - ratio) > 3 * k / (n - k)
            or hat[row] > 3 * k / n
        )
        assert found[row] == expected
    assert found[111]


def test_values_far_from_the_mean_of_all():
    # Nineteen times 0 and once 20: mean 1, standard deviation √(380/19) = 4.472; 19 is 4.25 of it.
    values = np.append(np.zeros(19), 20.0)

    assert_array_equal(np.flatnonzero(global_outliers(values, 4.2)), [19])
    assert not global_outliers(values, 4.3).any()
    assert not global_outliers([7.0], 3.0).any()


def test_a_field_of_one_value_has_no_outlier(square):
    x, y, _ = square
    even = np.full(x.size, 4.0)
    lag, number = spatial_lag(x, y, even, 22.0)

    assert not local_moran_outliers(even, lag, number, 0.05).any()
    assert not moran_plot_outliers(even, lag).any()


def test_the_spatial_method_is_for_points_without_passes_or_by_wish():
    points = harvest(passes=8)
    nowhere = points._replace(passes=np.full(points.passes.shape, -1))

    assert flag_points(nowhere, Filters())["border"].any()
    assert flag_points(points, Filters(method="spatial"))["border"].any()
    assert not flag_points(points, Filters())["border"].any()
    with pytest.raises(ValueError, match="is not one of auto, local, spatial"):
        flag_points(points, Filters(method="kriging"))
