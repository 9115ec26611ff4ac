"""The fitted delay of the mass sensor on fields whose delay is known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.flow_delay import fit_flow_delay
from analytics.yield_monitor import read_points
from tests.analytics.harvested_field import harvest, reordered, turned


@pytest.mark.parametrize("delay", [3, 7, 12, 15])
@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_the_delay_of_a_known_field_is_found(delay, noise):
    fit = fit_flow_delay(harvest(delay_s=delay, noise=noise))

    assert fit.note == "fitted"
    assert abs(fit.delay_s - delay) <= (1.0 if noise else 0.0)
    assert fit.sharpness > 0
    assert fit.shifts_s[np.argmin(fit.mismatch)] == fit.best_s


def test_records_of_two_seconds_tell_the_delay_to_their_interval():
    # The same field, half the speed: each record is 2 s, the delay of 6 records is 12 s.
    points = harvest(delay_s=6)
    slow = points._replace(
        interval_s=2.0 * points.interval_s,
        speed_m_s=points.speed_m_s / 2,
        flow_kg_s=points.flow_kg_s / 2,
        coverage_m2_s=points.coverage_m2_s / 2,
    )

    fit = fit_flow_delay(slow)

    assert (fit.delay_s, fit.step_s) == (12.0, 2.0)


def test_a_field_without_delay_keeps_zero():
    fit = fit_flow_delay(harvest(noise=0.02))

    assert (fit.delay_s, fit.best_s, fit.clear) == (0.0, 0.0, True)


def test_one_direction_tells_no_delay():
    fit = fit_flow_delay(harvest(delay_s=8, one_way=True))

    assert (fit.delay_s, fit.note) == (0.0, "too-few-opposite-passes")


def test_an_even_field_tells_no_delay():
    assert fit_flow_delay(harvest(delay_s=8, even=True)).note == "yield-does-not-vary"


def test_noise_alone_has_no_clear_minimum():
    fit = fit_flow_delay(harvest(even=True, noise=0.2))

    assert (fit.delay_s, fit.clear, fit.note) == (0.0, False, "no-clear-minimum")


def test_flow_shifted_too_far_before_is_told_but_not_shifted_back():
    points = harvest(noise=0.02)
    ahead = points._replace(flow_kg_s=np.append(points.flow_kg_s[3:], np.zeros(3)))

    fit = fit_flow_delay(ahead)

    assert (fit.delay_s, fit.best_s, fit.note) == (0.0, -3.0, "flow-ahead-of-place")


def test_a_delay_needs_passes_and_intervals():
    points = harvest()
    nowhere = points._replace(passes=np.full(points.passes.shape, -1))
    untimed = points._replace(interval_s=np.full(points.x.shape, np.nan))

    assert fit_flow_delay(nowhere).note == "no-passes-or-intervals"
    assert fit_flow_delay(untimed).note == "no-passes-or-intervals"


def test_turning_the_field_or_mixing_its_passes_changes_no_delay():
    points = harvest(delay_s=9, noise=0.1)
    fit = fit_flow_delay(points)

    moved = fit_flow_delay(turned(points, 37.0, 500_000.0, 5_600_000.0))
    assert moved.delay_s == fit.delay_s == 9.0
    # Of neighbours equally near another one may be taken.
    assert_allclose(moved.mismatch, fit.mismatch, rtol=0.05)
    order = np.random.default_rng(3).permutation(16)
    assert fit_flow_delay(reordered(points, order)).delay_s == fit.delay_s


def test_a_real_harvest_has_one_sharp_minimum(shared: Path):
    file = shared / "agronomy" / "yield" / "yieldcleanr_sample1_soy_agleader.txt.gz"

    fit = fit_flow_delay(read_points(file)[1])

    # What a combine needs is 5 to 15 s less the delay that its display took off already: the
    # claim is one valley, to both sides of which the mismatch does nothing but rise.
    assert fit.clear
    lowest = int(np.argmin(fit.mismatch))
    assert (np.diff(fit.mismatch[: lowest + 1]) < 0).all()
    assert (np.diff(fit.mismatch[lowest:]) > 0).all()
    assert fit.mismatch.max() > 1.5 * fit.mismatch.min()
