"""Kept answers: never one of other inputs, and no more of them than there is room for."""

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request, Response

from api import answers
from api.answers import Answers, Found, as_json, program_digest, tagged
from api.models import BucketOut
from storage.series import Bucket


class Inputs:
    """Something an answer is made of, which may change while it is made."""

    def __init__(self, *, changes: int = 0) -> None:
        self.value, self.changes, self.made = 0, changes, 0

    def make(self) -> bytes:
        self.made += 1
        said = self.value
        if self.changes:
            self.changes, self.value = self.changes - 1, self.value + 1
        return f"{said} and {self.value}".encode()


def ask(kept: Answers, inputs: Inputs, tag: str = "") -> Response:
    request: Any = SimpleNamespace(
        app=SimpleNamespace(state=SimpleNamespace(answers=kept)),
        state=SimpleNamespace(),
        headers={"if-none-match": tag},
    )
    return tagged(request, lambda: Found(kept.tag(inputs.value)), inputs.make)


@pytest.fixture
def kept() -> Answers:
    return Answers(program="one", room_bytes=1_000)


def test_an_answer_of_the_same_inputs_is_made_once(kept: Answers) -> None:
    inputs = Inputs()

    first, second = ask(kept, inputs), ask(kept, inputs)

    assert (first.body, second.body, inputs.made) == (b"0 and 0", b"0 and 0", 1)
    assert first.headers["etag"] == second.headers["etag"] == kept.tag(0)


def test_who_has_it_is_told_so_without_making_it(kept: Answers) -> None:
    inputs = Inputs()

    answer = ask(kept, inputs, f'"other", W/{kept.tag(0)}')

    assert (answer.status_code, answer.body, inputs.made) == (304, b"", 0)
    assert answer.headers["etag"] == kept.tag(0)


def test_other_inputs_make_another_answer(kept: Answers) -> None:
    inputs = Inputs()
    before = ask(kept, inputs)
    inputs.value = 1

    after = ask(kept, inputs, before.headers["etag"])

    assert (after.status_code, after.body) == (200, b"1 and 1")


def test_an_answer_half_of_before_and_half_of_after_is_made_again(kept: Answers) -> None:
    answer = ask(kept, Inputs(changes=2))

    assert answer.body == b"2 and 2"
    assert answer.headers["etag"] == kept.tag(2)
    assert [kept.get(kept.tag(value)) for value in range(3)] == [None, None, b"2 and 2"]


def test_inputs_that_never_rest_make_an_answer_that_nobody_keeps(kept: Answers) -> None:
    answer = ask(kept, Inputs(changes=100))

    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert kept.get(kept.tag(0)) is None


def test_another_program_forms_other_tags_from_the_same_inputs() -> None:
    assert Answers(program="one").tag(1) != Answers(program="two").tag(1)
    assert Answers().tag(1) == Answers(program=program_digest()).tag(1)


def test_the_program_is_every_source_that_forms_an_answer(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in answers.SOURCES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.py").write_text("WATER = 1\n")
    monkeypatch.setattr(answers, "__file__", str(tmp_path / "api" / "answers.py"))
    before = program_digest()
    assert program_digest() == before

    (tmp_path / "reports" / "part.py").write_text("WATER = 2\n")

    assert program_digest() != before


def test_what_was_not_asked_for_the_longest_makes_room() -> None:
    kept = Answers(program="one", room_bytes=10 * (100 + answers.BESIDE_BYTES))
    for number in range(10):
        kept.put(kept.tag(number), bytes(100))
    kept.get(kept.tag(0))

    kept.put(kept.tag(10), bytes(100))

    assert [n for n in range(11) if kept.get(kept.tag(n)) is None] == [1]


def test_many_small_answers_take_no_more_room_than_few_large_ones() -> None:
    kept = Answers(program="one", room_bytes=10 * answers.BESIDE_BYTES)
    for number in range(1_000):
        kept.put(kept.tag(number), b"")
    for _ in range(10):
        kept.put(kept.tag(999), b"[]")  # the same is held once

    assert [n for n in range(1_000) if kept.get(kept.tag(n)) is not None] == [*range(991, 1_000)]


def test_an_answer_that_would_push_out_all_others_is_not_kept(kept: Answers) -> None:
    kept.put(kept.tag(0), bytes(100))
    kept.put(kept.tag(1), bytes(126))  # more than an eighth of the room

    assert kept.get(kept.tag(0)) is not None
    assert kept.get(kept.tag(1)) is None


def test_plain_values_are_the_json_that_models_make() -> None:
    time = dt.datetime(2025, 7, 1, 1, 0, 0, 250_000, dt.UTC)
    bucket = Bucket(time, 4, 0.1 + 0.2, -1e-7, 1e22, 0.0, 0.5)

    request = Request({"type": "http", "method": "GET", "headers": [], "state": {}})
    answer = as_json(request, [bucket._asdict()])

    assert answer.media_type == "application/json"
    assert json.loads(answer.body) == [BucketOut(**bucket._asdict()).model_dump(mode="json")]
    unknown = {"day": time.date(), "kcb": None, "ks": float("nan")}
    day = json.loads(as_json(request, unknown).body)
    assert day == {"day": "2025-07-01", "kcb": None, "ks": None}
