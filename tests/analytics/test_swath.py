"""Ground of the records and what was covered before, by hand."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.swath import directions, free_share, swaths


def two_passes(spacing: float, length: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Swaths of two passes north, 6 m wide, records of 2 m, and the number of their pass."""
    y = np.tile(2.0 * np.arange(1, length + 1), 2)
    x, run = np.repeat([0.0, spacing], length), np.repeat([0, 1], length)
    one = np.ones(x.size)
    return swaths(x, y, run, 6.0 * one, 2.0 * one, one > 0), run


def test_a_swath_ends_at_its_record_and_is_as_wide_as_the_header():
    places, _ = two_passes(6.0)

    # The record at (0, 4) going north covers y from 2 to 4 and x from -3 to 3.
    assert places[1].equals(shapely.box(-3, 2, 3, 4))


def test_records_at_rest_header_up_or_of_unknown_width_have_no_swath():
    x, y = np.zeros(6), np.array([2.0, 4.0, 6.0, 8.0, 8.0, 8.0])
    width = np.array([6.0, np.nan, 6.0, 6.0, 6.0, 6.0])
    length = np.array([2.0, 2.0, 2.0, 2.0, 0.0, 0.0])
    working = np.array([True, True, False, True, True, True])

    places = swaths(x, y, np.zeros(6, int), width, length, working)

    assert [place is not None for place in places] == [True, False, False, True, False, False]


def test_directions_do_not_look_into_the_next_pass():
    x, y = np.array([0.0, 0.0, 0.0, 6.0, 6.0, 6.0]), np.array([0.0, 1.0, 2.0, 2.0, 1.0, 0.0])

    dx, dy = directions(x, y, [0, 0, 0, 1, 1, 1])

    assert_allclose(dx, 0.0)
    assert_allclose(dy, [1, 1, 1, -1, -1, -1])


def test_neighbouring_passes_that_only_touch_have_no_overlap():
    assert_allclose(free_share(*two_passes(6.0)), 1.0)


def test_the_later_pass_bears_the_overlap():
    # 6 m wide and 4.5 m apart: 1.5 m of each of its records was harvested before.
    share = free_share(*two_passes(4.5))

    assert_allclose(share[:20], 1.0)
    assert_allclose(share[20:], 4.5 / 6.0)


def test_ground_that_two_passes_covered_counts_once():
    # A third pass right upon the first two, which overlap by 2 m around it: nothing is free.
    y = np.tile(2.0 * np.arange(1, 21), 3)
    x, run = np.repeat([0.0, 4.0, 2.0], 20), np.repeat([0, 1, 2], 20)
    one = np.ones(60)
    share = free_share(swaths(x, y, run, 6.0 * one, 2.0 * one, one > 0), run)

    assert_allclose(share[20:40], 4.0 / 6.0)
    assert_allclose(share[40:], 0.0, atol=1e-9)


def test_a_pass_does_not_overlap_itself():
    angle = np.linspace(0, np.pi, 40)  # a half circle of 10 m: rectangles meet at its inner side
    x, y, one = 10 * np.cos(angle), 10 * np.sin(angle), np.ones(40)
    run = np.zeros(40, int)

    assert_allclose(free_share(swaths(x, y, run, 6 * one, 0.8 * one, one > 0), run), 1.0)


def test_a_heap_of_swaths_is_no_field():
    # 3000 records within a metre, as if degrees stood for metres: no answer, but at once.
    x, y = np.random.default_rng(1).uniform(0, 1, (2, 3000))
    run, one = np.arange(3000) // 2, np.ones(3000)

    assert_allclose(free_share(swaths(x, y, run, 6 * one, 2 * one, one > 0), run), 1.0)


@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.floats(0, 40), st.floats(0, 6.28)), min_size=1, max_size=12
    )
)
def test_what_is_free_adds_up_to_the_ground_covered(starts):
    # Each pass is one record, so the free shares are what it added to the union.
    x, y, along = np.array(starts).T
    x, y = np.stack([x, x + 8 * np.cos(along)], 1), np.stack([y, y + 8 * np.sin(along)], 1)
    run = np.repeat(np.arange(len(starts)), 2)
    working = np.tile([False, True], len(starts))
    one = np.ones(run.size)
    places = swaths(x.ravel(), y.ravel(), run, 5 * one, 8 * one, working)

    free = free_share(places, run)[1::2] * 40.0

    assert_allclose(free.sum(), shapely.union_all(places[1::2]).area, rtol=1e-5)
