"""Nobody can tell from published cells what one or two farms said, by no sum and no difference."""

import itertools
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import null_space

from reports.statements import cube
from reports.statements.cube import Cube, Key
from reports.statements.facts import Facts
from reports.statements.families import FAMILIES
from reports.statements.suppression import Universe
from tests.reports.statements import made_facts

ROOT = Path(__file__).resolve().parents[3]
FAMILY = {family.name: family for family in FAMILIES}


def attacks(facts: Facts, cells: Cube) -> list[str]:
    """What somebody who knows all that is published can tell of one or two farms.

    By the definition: a linear combination of published figures that is of their pieces alone.
    Nothing of how cells were chosen is used.
    """
    universes: dict[str, Universe] = defaultdict(Universe)
    rows: dict[str, set[int]] = defaultdict(set)
    for key, items in cells.cells.items():
        for part in FAMILY[key.family].parts(universes, items, key.dimension):
            if key not in cells.empty and part.bits:
                rows[part.universe].add(part.bits)
    told = []
    for name, published in rows.items():
        owners = universes[name].owners
        matrix = np.array([[(bits >> n) & 1 for n in range(len(owners))] for bits in published])
        told += [f"{name} of farms {few}" for few in of_few(matrix, owners)]
    return told


def of_few(known: NDArray[Any], owners: Sequence[int]) -> list[tuple[int, ...]]:
    """One or two farms of whose pieces alone a combination of known sums is."""
    free = null_space(known.astype(float))
    farms = sorted(set(owners))
    told = []
    for few in itertools.chain(((one,) for one in farms), itertools.combinations(farms, 2)):
        theirs = [n for n, owner in enumerate(owners) if owner in few]
        if np.linalg.matrix_rank(free[theirs], tol=1e-8) < len(theirs):
            told.append(few)
    return told


def attacks_on_savings(facts: Facts, cells: Cube) -> list[tuple[int, ...]]:
    """The same of the lines of savings together: recoverable flow is the one less the other."""
    zones = [one for one in facts.zones if one.row and one.row["apparent_savings_m3"] is not None]
    places = {one.zone.id: place for place, one in enumerate(zones)}
    known = []
    for key, items in cells.cells.items():
        if key.family == "savings" and key not in cells.empty:
            apparent, real, recoverable = np.zeros((3, 2, len(zones)))
            for one in items:
                place = places[one.of.zone.id]
                apparent[0, place] = 1.0
                if one.of.row["consumptive_savings_m3"] is not None:
                    real[1, place] = 1.0
                    recoverable[:, place] = -1.0, 1.0
            known += [apparent.ravel(), real.ravel(), recoverable.ravel()]
    return of_few(np.array(known), 2 * [one.farm.id for one in zones]) if known else []


@pytest.mark.parametrize("seed", range(60))
def test_no_combination_of_what_is_published_tells_of_one_or_two_farms(seed: int) -> None:
    facts = made_facts.country(seed, farms=4 + seed % 13)
    cells = cube.of_areas(facts, FAMILIES)

    assert attacks(facts, cells) == []
    assert attacks_on_savings(facts, cells) == []


@pytest.mark.parametrize("laid_over", [True, False])
def test_recoverable_flow_does_not_tell_what_the_one_saved_who_applied_nothing(
    laid_over: bool,
) -> None:
    # Of four farms, the last has no real saving: real less recoverable is what the other three
    # saved apparently, and all four's less that is the last one's.
    saved = {"apparent_savings_m3": 5.0, "baseline_m3": 20.0}
    real = {"consumptive_savings_m3": 2.0, "recoverable_change_m3": -3.0}
    facts = made_facts.of_rows([saved | real] * 3 + [saved | (real if laid_over else {})])
    cells = cube.of_areas(facts, FAMILIES)

    assert (Key("savings", "KZ", None, "") in cells.empty) is not laid_over


def test_without_complementary_cells_the_attack_would_succeed() -> None:
    facts = made_facts.country(7, farms=12)
    cells = cube.of_areas(facts, FAMILIES)
    few = {key for key, items in cells.cells.items() if len({one.farm_id for one in items}) < 3}

    assert few < cells.empty
    assert attacks(facts, cells._replace(empty=frozenset(few))) != []


def test_the_same_cells_stay_empty_each_time() -> None:
    # The country's report and a region's are made apart: what stays empty must be the same in both.
    # Of threads that share the work of a decomposition, the order of sums is another each time.
    code = (
        "from tests.reports.statements import made_facts as m; from reports.statements import cube;"
        "from reports.statements.families import FAMILIES;"
        "print(sorted(map(repr, cube.of_areas(m.country(3, 60), FAMILIES).empty)))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]

    assert len(told[0]) > 1_000
    assert told[0] == told[1]
