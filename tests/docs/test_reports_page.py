"""What docs/reports.md tells people to type is what the verbs and the API take."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

import dala
from api.models_report_orders import ReportScheduleIn, ReportSubscriptionIn
from api.models_reports import ReportIn

PAGE = (Path(__file__).resolve().parents[2] / "docs/reports.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
COMMANDS = re.findall(r"^dala .*$", BLOCKS, re.MULTILINE)
BODIES = re.findall(r"\$API/([a-z-]+)\s+-d '(.*?)'", BLOCKS, re.DOTALL)
MODELS: dict[str, type[BaseModel]] = {
    "reports": ReportIn,
    "report-schedules": ReportScheduleIn,
    "report-subscriptions": ReportSubscriptionIn,
}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one_of_ours_with_its_options(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    command, context = typer.main.get_command(dala.app), None
    while hasattr(command, "resolve_command"):
        parent = command.make_context("dala", [], parent=context, resilient_parsing=True)
        _, command, words = command.resolve_command(parent, words)
        context = parent

    with command.make_context(command.name, list(words), parent=context) as parsed:
        assert parsed.args == []


def test_the_page_goes_from_a_key_to_a_countersigned_head() -> None:
    verbs = [" ".join(line.split()[1:3]) for line in COMMANDS]

    assert verbs[0] == "report key"
    assert {"report schedule", "report subscribe", "evidence cosign"} <= set(verbs)
    assert any(line.startswith("dala verify") for line in COMMANDS)


def test_every_body_is_what_the_api_takes() -> None:
    assert {name for name, _ in BODIES} == set(MODELS)
    for name, body in BODIES:
        MODELS[name].model_validate_json(body)
