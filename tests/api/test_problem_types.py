"""Every type of problem is told in the docs, and no other is ever answered."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errors import STATUS_CODES, TITLES, Refused, problem, type_of
from api.problem_types import TYPES

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([a-z-]+)` \| ([0-9, ]+) \| (.+) \|$", re.MULTILINE)


def raised() -> Iterator[tuple[str, int, str]]:
    """Where a problem is made, with its status and type."""
    for file in sorted((ROOT / "api").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(getattr(call, "func", None), "id", None)
            if not isinstance(call, ast.Call) or name not in {"Refused", "problem"}:
                continue
            given = call.args[0] if call.args else None
            if not isinstance(given, ast.Constant):  # in errors.py, of an error that has a status
                continue
            status = int(given.value)  # type: ignore[arg-type]
            kinds = [one.value for one in call.keywords if one.arg == "kind"]
            kind = kinds[0].value if kinds and isinstance(kinds[0], ast.Constant) else None
            assert not kinds or kind, f"{file.name}:{call.lineno}: a type is written out"
            yield f"{file.name}:{call.lineno}", status, str(kind or type_of(status))


def test_every_type_that_is_answered_is_known_with_its_status() -> None:
    answered = {}
    for where, status, kind in raised():
        assert kind in TYPES, where
        assert status in TYPES[kind].statuses, where
        answered[kind] = where
    for error, status in STATUS_CODES.items():
        kind = getattr(error, "kind", type_of(status))
        assert status in TYPES[kind].statuses, error
        answered[kind] = error.__name__
    general = {type_of(status) for status in TITLES}  # of routes that there are not, and so on

    assert set(TYPES) == set(answered) | general
    for status in TITLES:
        assert status in TYPES[type_of(status)].statuses


def test_the_docs_tell_every_type_as_it_is() -> None:
    section = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## Errors")[1]
    told = {
        kind: (tuple(int(one) for one in statuses.split(",")), about)
        for kind, statuses, about in ROW.findall(section)
    }

    assert told == {kind: tuple(one) for kind, one in TYPES.items()}


def test_a_type_has_one_title() -> None:
    for kind, one in TYPES.items():
        titles = {
            problem(status, "", kind=kind).body.split(b'"title":')[1].split(b",")[0]
            for status in one.statuses
        }
        assert len(titles) == 1, kind


def test_nobody_is_told_to_come_later_without_being_told_when() -> None:
    with pytest.raises(TypeError, match="Retry-After"):
        Refused(429, "too often")
    assert int(problem(503, "away").headers["retry-after"]) > 0
