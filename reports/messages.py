"""A message is a key with values; its words come from ``texts/``, in the language asked for."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

Language = Literal["en", "ru", "kk"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FOLDER = Path(__file__).parent / "texts"
# By the last word of a value's name: how many decimals it is shown with.
_DECIMALS = {"mm": 1, "m3": 0, "hours": 1, "h": 0, "ha": 1, "pct": 0}
_SPANS = (("d", 86_400), ("h", 3_600), ("min", 60))


class Message(TypedDict):
    """What is said, without its words."""

    key: str
    values: dict[str, Any]


def message(key: str, **values: Any) -> Message:
    """A message; days and times are ISO 8601, numbers have their unit in their name.

    A time has the offset of the place it is told for, a span is in seconds, quantities are names
    of the catalogue.
    """
    return {"key": key, "values": values}


def render(one: Message, language: Language) -> str:
    """The message in words.

    Raises
    ------
    KeyError
        If the language has no words for the key, or they ask for a value that is not given.
    """
    words = text_of(one["key"], language)
    if not isinstance(words, str):
        words = words[PLURALS[language](one["values"][words["count"]])]
    shown = {name: shown_as(name, value, language) for name, value in one["values"].items()}
    return words.format(**shown)


def text_of(key: str, language: Language) -> str | Mapping[str, str]:
    """The words of a key, a path in the file; a mapping where it has a plural."""
    found: Any = texts(language)
    for part in key.split("."):
        found = found[part]
    return found  # type: ignore[no-any-return]


@cache
def texts(language: Language) -> Mapping[str, Any]:
    """The file of a language."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def shown_as(name: str, value: Any, language: Language) -> str:
    """A value as people write it: a date in words, a number with its decimals."""
    if isinstance(value, float):
        return number(value, _DECIMALS.get(name.rpartition("_")[2], 1), language)
    if isinstance(value, str) and (name == "day" or name.endswith("_day")):
        return day(dt.date.fromisoformat(value), language)
    if isinstance(value, str) and name.endswith("_time"):
        return time(dt.datetime.fromisoformat(value), language)
    if isinstance(value, int) and name.endswith("_span"):
        return span(value, language)
    if isinstance(value, list) and name == "quantities":
        return ", ".join(text_of(f"format.quantity.{one}", language) for one in value)  # type: ignore[misc]
    return str(value)


def number(value: float, decimals: int, language: Language) -> str:
    """A number with its decimals, thousands parted."""
    form = texts(language)["format"]
    plain = f"{value + 0.0:,.{decimals}f}"
    if float(plain.replace(",", "")) == 0:
        plain = plain.removeprefix("-")
    return plain.translate(str.maketrans({",": form["thousands"], ".": form["decimal"]}))


def day(date: dt.date, language: Language) -> str:
    """A day without its year."""
    form = texts(language)["format"]
    return str(form["day"].format(day=date.day, month=form["months"][date.month - 1]))


def time(moment: dt.datetime, language: Language) -> str:
    """A moment as the clock of its own offset shows it, with its year."""
    form = texts(language)["format"]["time"]
    words = form.format(day=day(moment.date(), language), year=moment.year, clock=f"{moment:%H:%M}")
    return str(words)


def span(seconds: int, language: Language) -> str:
    """How long something takes, in the largest unit that leaves no rest."""
    units = texts(language)["format"]["span"]
    for name, size in _SPANS:
        if seconds >= size and seconds % size == 0:
            return str(units[name].format(count=seconds // size))
    return str(units["s"].format(count=seconds))


def _one_or_other(count: int) -> str:
    return "one" if count == 1 else "other"


def _russian(count: int) -> str:
    tens, ones = count % 100, count % 10
    if ones == 1 and tens != 11:
        return "one"
    return "few" if 2 <= ones <= 4 and not 12 <= tens <= 14 else "many"


# Plural forms of whole numbers (Unicode CLDR).
PLURALS: Mapping[Language, Callable[[int], str]] = {
    "en": _one_or_other,
    "ru": _russian,
    "kk": _one_or_other,
}
FORMS: Mapping[Language, tuple[str, ...]] = {
    "en": ("one", "other"),
    "ru": ("one", "few", "many", "other"),
    "kk": ("one", "other"),
}
