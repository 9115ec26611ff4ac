"""Ground covered once, more than once and left out, on a field whose parts are known by hand."""

import pytest
import shapely

from analytics.coverage import coverage
from analytics.machine_work import machine_work, swaths_of
from analytics.track_geometry import field_shapes

from .test_machine_work import CENTRES, FIELD, LENGTH, drive

SHAPES = field_shapes(FIELD)


def covered(*tracks):
    return coverage([swaths_of(one, SHAPES)[7] for one in tracks], SHAPES[7])


def test_passes_that_overlap_by_a_metre_and_leave_a_stretch_out():
    found = covered(drive())

    # 21 passes of 10 m, a metre over the one before but for the first and the one after the
    # forgotten eleventh: 19 strips of 1 m, and between 91 m and 99 m nothing.
    assert found.more_ha == pytest.approx(19 * 1.0 * LENGTH / 1e4, rel=1e-3)
    assert found.gaps_ha == pytest.approx(8.0 * LENGTH / 1e4, rel=0.01)
    assert found.once_ha == pytest.approx((21 * 10.0 - 2 * 19) * LENGTH / 1e4, rel=1e-3)


def test_its_parts_share_no_ground_and_are_what_the_work_covered():
    found = covered(drive())
    (work,) = machine_work(drive(), SHAPES).fields

    parts = [
        shapely.make_valid(SHAPES[7].plane.project(one))
        for one in (found.once, found.more, found.gaps)
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert shapely.intersection(parts[one], parts[other]).area < 1.0  # of 60,000 m²
    assert found.once_ha + found.more_ha == pytest.approx(work.worked_ha, rel=1e-3)
    # Nothing is covered three times here: what is covered again is what is covered more than once.
    assert found.more_ha == pytest.approx(work.overlap_ha, rel=0.02)


def test_a_second_day_covers_again_what_the_first_covered():
    first, second = drive(CENTRES[:4]), drive(CENTRES[3:6], begin=86_400.0)
    alone, both = covered(first), covered(first, second)

    # The fourth pass again: of its 10 m, a metre was covered twice before, 9 m are now. The fifth
    # lies a metre over it, which counts already, and the sixth a metre over the fifth.
    assert both.more_ha - alone.more_ha == pytest.approx((9.0 + 1.0) * LENGTH / 1e4, rel=2e-3)


def test_a_pass_that_goes_on_in_pieces_covers_its_ground_once():
    # 4 000 points of one pass are drawn in strips of 200 steps, end to end.
    long = drive([5.0], interval=0.05)

    assert long.time_us.size > 2_000
    assert covered(long).more_ha == 0.0


def test_a_field_on_which_no_width_is_known_is_left_out():
    assert swaths_of(drive(width_m=float("nan")), SHAPES) == {}
