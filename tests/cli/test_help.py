"""Every verb explains itself."""

import pytest
from typer.testing import CliRunner

from dala import VERBS, app

GROUPS = (
    ["rejected"], ["rejected", "retry"], ["rejected", "export"],
    ["farm"], ["farm", "add"], ["farm", "show"], ["field", "add"], ["crop", "add"],
    ["account"], ["report"],
)  # fmt: skip


@pytest.mark.parametrize("words", [[], *([name] for name, _ in VERBS), *GROUPS], ids="-".join)
def test_help_is_there_for_every_verb(words: list[str]) -> None:
    # What stands in brackets is markup to who draws the help: it was cut out, or was a trace.
    result = CliRunner().invoke(app, [*words, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(("name", "verb"), VERBS)
def test_no_word_of_a_verbs_help_is_lost(name: str, verb: object) -> None:
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})

    told = " ".join(result.stdout.split())
    for sentence in str(verb.__doc__).strip().splitlines():
        assert " ".join(sentence.split()) in told
