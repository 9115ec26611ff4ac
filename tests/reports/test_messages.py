"""What the code may say has words in every language, and the words ask for what the code gives."""

import ast
import datetime as dt
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reports.messages import (
    FORMS,
    LANGUAGES,
    PLURALS,
    Language,
    day,
    message,
    number,
    render,
    span,
    text_of,
    texts,
    time,
)
from storage.quantities import CATALOGUE

REPORTS = Path(__file__).resolve().parents[2] / "reports"
ONLY_FORMATS = "format"  # how a language writes numbers and days: no message


def said_in_code() -> dict[str, set[frozenset[str]]]:
    """Every key given to ``message`` in reports/, with the values it is given there."""
    found: dict[str, set[frozenset[str]]] = {}
    for path in REPORTS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "message":
                (key,) = node.args
                assert isinstance(key, ast.Constant), f"{path.name}:{node.lineno}: key in pieces"
                names = frozenset(word.arg or "" for word in node.keywords)
                found.setdefault(str(key.value), set()).add(names)
    return found


def keys_of(table: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, str) or "count" in value:
            yield before + name
        else:
            yield from keys_of(value, f"{before}{name}.")


def messages_in(language: Language) -> set[str]:
    table = {k: v for k, v in texts(language).items() if k != ONLY_FORMATS}
    return set(keys_of(table))


def forms(key: str, language: Language) -> list[str]:
    words = text_of(key, language)
    if isinstance(words, str):
        return [words]
    return [words[form] for form in FORMS[language]]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_code_says_something():
    assert len(said_in_code()) > 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_in_code_has_words_that_ask_for_its_values_alone(language):
    for key, uses in said_in_code().items():
        for names in uses:
            for text in forms(key, language):
                assert placeholders(text) <= names, (key, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_a_message_is_told_by_its_words(language):
    for key, uses in said_in_code().items():
        told = set().union(*(placeholders(text) for text in forms(key, language)))
        words = text_of(key, language)
        if not isinstance(words, str):
            told.add(words["count"])
        for names in uses:
            assert names == told, key


def test_the_languages_have_the_same_messages():
    assert messages_in("ru") == messages_in("en") == messages_in("kk")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_stand_in_a_file_that_nothing_says(language):
    tables = {key for key in messages_in(language) if ".table." in key}

    assert messages_in(language) - tables == set(said_in_code())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_every_form_of_its_language_and_no_other(language):
    plurals = [text_of(key, language) for key in messages_in(language)]
    found = [one for one in plurals if not isinstance(one, str)]

    assert found
    for one in found:
        assert set(one) == {"count", *FORMS[language]}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        # Unicode CLDR 46, cardinal rules of whole numbers.
        ("en", {0: "other", 1: "one", 2: "other", 11: "other", 21: "other", 101: "other"}),
        ("kk", {0: "other", 1: "one", 2: "other", 21: "other"}),
        (
            "ru",
            {0: "many", 1: "one", 2: "few", 4: "few", 5: "many", 11: "many", 12: "many", 14: "many"}
            | {20: "many", 21: "one", 22: "few", 25: "many", 101: "one", 111: "many", 112: "many"},
        ),
    ],
)
def test_plural_forms_are_those_of_cldr(language, expected):
    assert {count: PLURALS[language](count) for count in expected} == expected


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "Поливать через 1 день, 2 июля"),
        (3, "Поливать через 3 дня, 2 июля"),
        (7, "Поливать через 7 дней, 2 июля"),
    ],
)
def test_russian_counts_days(days, words):
    said = message("advice.decision.irrigate-in-days", days=days, day="2025-07-02")

    assert render(said, "ru") == words


def test_numbers_are_written_as_the_language_does():
    assert number(12345.678, 1, "en") == "12\u202f345.7"
    assert number(12345.678, 1, "ru") == number(12345.678, 1, "kk") == "12\u202f345,7"
    assert number(-0.04, 1, "en") == "0.0"
    assert number(-1234.0, 0, "ru") == "-1\u202f234"


def test_days_are_written_as_the_language_does():
    date = dt.date(2025, 5, 9)

    assert [day(date, language) for language in LANGUAGES] == ["9 May", "9 мая", "9 мамыр"]


def test_a_message_without_a_value_it_needs_is_an_error():
    with pytest.raises(KeyError):
        render(message("advice.reason.season_over"), "en")
    with pytest.raises(KeyError):
        render(message("advice.reason.of_the_moon"), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_quantity_of_the_catalogue_has_a_name(language):
    names = texts(language)["format"]["quantity"]

    assert set(names) == set(CATALOGUE)
    assert len(set(names.values())) == len(names)


def test_a_time_is_told_by_the_clock_of_its_place_and_a_span_in_whole_units():
    noon = dt.datetime.fromisoformat("2025-05-09T14:50+05:00")

    assert [time(noon, language) for language in LANGUAGES] == [
        "9 May 2025, 14:50",
        "9 мая 2025 г., 14:50",
        "2025 ж. 9 мамыр, 14:50",
    ]
    assert [span(one, "en") for one in (86_400, 7_200, 5_400, 90)] == [
        "1 d",
        "2 h",
        "90 min",
        "90 s",
    ]
    assert span(600, "ru") == "10 мин"
    assert span(3_600, "kk") == "1 сағ"
