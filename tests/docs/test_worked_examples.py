"""Every figure that an output states is explained, and its example by hand is what we compute."""

import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from analytics.savings_report import savings_report
from analytics.scenario import DAY_COLUMNS
from api import models, models_advice, models_work
from storage.tables import BALANCE_NUMBERS
from tests.docs import (
    examples_advice,
    examples_balance,
    examples_machines,
    examples_savings,
    examples_weather,
    examples_yield,
)
from tests.docs.worked import COMPUTE, PAGES, ROOT, Example, Step, agrees, examples, worked_out

INDEX = ROOT / "docs/figures.md"
SUBJECTS = (
    examples_advice, examples_balance, examples_machines, examples_savings, examples_weather,
    examples_yield,
)  # fmt: skip
ALL = list(examples())
STATED = (
    models.FarmSummary, models.RegionSummary, models.CountrySummary, models_advice.AdviceOut,
    models_work.WorkOut, models_work.YieldMapOut,
)  # fmt: skip


class Row(typing.NamedTuple):
    """A row of a table of figures, or of facts that nobody computes."""

    page: Path
    names: list[str]
    examples: list[tuple[str, str]]  # name and address of each linked one
    is_fact: bool


def _rows() -> Iterator[Row]:
    for page in (INDEX, *PAGES):
        kind = ""
        for line in page.read_text().splitlines():
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if not cells:
                kind = ""
            elif cells[0] in {"figure", "fact"}:
                kind = cells[0]
            elif kind and not cells[0].startswith("-"):
                links = re.findall(r"\[([a-z0-9-]+)\]\(([^)]+)\)", cells[-1])
                names = re.findall(r"`([\w.]+)`", cells[0])
                yield Row(page, names, links, kind == "fact")


ROWS = list(_rows())


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_arithmetic_of_an_example_comes_to_what_is_printed(one: Example) -> None:
    for step in one.steps:
        found = worked_out(step.arithmetic)
        assert _is_printed(found, step), f"{step.name}: {step.arithmetic} = {found}"


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_an_example_is_what_the_service_computes(one: Example) -> None:
    computed, steps = COMPUTE[one.name](one.given), {step.name: step for step in one.steps}
    result = one.steps[-1]

    assert set(computed) <= set(steps), "a value that the page does not show"
    assert result.name in computed, "the result of an example is computed"
    for name, value in computed.items():
        # People round as they go: the last digit of what leads to the result may be one off.
        within = 0.5 if steps[name] is result else 1.0
        assert _is_printed(value, steps[name], within=within), f"{name}: we compute {value}"


def _is_printed(value: Any, step: Step, *, within: float = 0.5) -> bool:
    if isinstance(value, bool):
        return step.printed.split()[0] == ("yes" if value else "no")
    return agrees(float(value), step.numbers[0], within=within)


def test_every_example_has_its_function_and_every_function_its_example() -> None:
    names = [one.name for one in ALL]

    assert sorted(names) == sorted(COMPUTE)
    assert len(names) == len(set(names))
    assert {function.__module__ for function in COMPUTE.values()} == {
        subject.__name__ for subject in SUBJECTS
    }


def test_every_figure_has_an_example() -> None:
    known = {one.name for one in ALL}
    without = [row.names for row in ROWS if not row.is_fact and not row.examples]
    unknown = [name for row in ROWS for name, _ in row.examples if name not in known]

    assert without == []
    assert unknown == []


def test_links_to_places_in_pages_lead_there() -> None:
    broken = []
    for page in (INDEX, *PAGES):
        for file, place in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
            text = (page.parent / file).read_text() if file else page.read_text()
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            places = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
            if place not in places | set(re.findall(r'<a id="([^"]+)">', text)):
                broken.append(f"{page.name}: {file}#{place}")

    assert broken == []


def test_every_number_that_an_output_states_is_documented() -> None:
    documented = {name.split(".")[-1] for row in ROWS for name in row.names}
    stated = {name for model in STATED for name in _numbers_of(model)}
    stated |= {*BALANCE_NUMBERS, *(column for column, _ in DAY_COLUMNS)}
    stated |= {"depletion_start_mm", "depletion_end_mm", "closure_mm"}  # of ScenarioRun.totals
    stated |= _keys(savings_report(_CASES)) | _keys(examples_yield.file_report())

    assert sorted(stated - documented) == []


def _numbers_of(model: type[BaseModel]) -> Iterator[str]:
    """Names of the numbers of a model and of the models in it; numbers of things are none."""
    for name, field in model.model_fields.items():
        kinds = set(_kinds(field.annotation))
        for inner in kinds:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _numbers_of(inner)
        if kinds & {int, float} and not name.endswith("id"):
            yield field.alias or name


def _kinds(annotation: Any) -> Iterator[Any]:
    inside = typing.get_args(annotation)
    if not inside:
        yield annotation
    for one in inside:
        yield from _kinds(one)


def _keys(report: Any) -> set[str]:
    """Names of a report, and of what is in it; causes and reasons are not names."""
    if isinstance(report, list):
        return set().union(*map(_keys, report))
    if not isinstance(report, Mapping):
        return set()
    below = {name: value for name, value in report.items() if name not in _NOT_NAMED_BELOW}
    return set(report).union(*map(_keys, below.values())) - _WORDS


_NOT_NAMED_BELOW = {"shared_m3", "flagged", "adjustments"}
_WORDS = {
    "method", "option", "notes", "adjustments", "cases", "ratio", "ols", "counterfactual",
    "mass_source", "yield_source", "source", "flow_delay", "map",
    "indicator_case",
}  # fmt: skip
_CASE = {
    "baseline_NIR_mm": [640, 700, 660],
    "baseline_gross_metered_mm": [980, 1050, 1010],
    "reporting_NIR_mm": 698,
    "reporting_gross_metered_mm": 820,
    "area_ha": 50,
    "option": "B",
    "adjustments": [{"volume_m3": 1, "u_volume_m3": 1, "reason": "r", "author": "a"}],
    "shared": {"meter_calibration": 100},
    "reporting_ETa_mm": 806,
    "counterfactual_ETa_mm": 842,
}
_CASES = {
    "cases": [_CASE, _CASE],
    "indicator_case": {
        "area_ha": 12, "irrigation_mm": 620, "rain_mm": 110, "ETc_mm": 800, "ETa_mm": 720,
        "T_mm": 640, "DP_mm": 25, "Dr_start_before_day1_mm": 40, "Dr_end_mm": 65, "Ky": 0.85,
        "yield_max_kg_ha": 4000,
    },
}  # fmt: skip
