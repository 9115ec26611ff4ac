"""Every fault on the running line, then every promise; and that a broken promise would be seen."""

from pathlib import Path

import pytest

from tests.faults.faults import FAULTS, plan
from tests.faults.harness import Run
from tests.faults.servers import mosquitto_program

SEED, COUNT = 2026, 21  # each kind once


@pytest.mark.slow
def test_whatever_breaks_nothing_is_lost_nothing_is_doubled(tmp_path: Path) -> None:
    if mosquitto_program() is None:
        pytest.skip("needs mosquitto, of the distribution's package mosquitto")

    report = Run(tmp_path, SEED, COUNT).run()  # raises with the story of what went wrong

    assert report.faults.total() == COUNT >= 20
    assert FAULTS.keys() - report.faults.keys() <= {"disk full"}  # where nothing may be mounted
    assert report.readings > 1_000
    assert min(report.quarantined, report.rejected, report.holes) > 0


def test_a_seed_is_a_plan_and_every_kind_comes_before_any_comes_again() -> None:
    drawn = plan(7, 3 * len(FAULTS))

    assert drawn == plan(7, 3 * len(FAULTS)) != plan(8, 3 * len(FAULTS))
    assert set(drawn[: len(FAULTS)]) == FAULTS.keys()
    assert {drawn.count(name) for name in FAULTS} == {3}
