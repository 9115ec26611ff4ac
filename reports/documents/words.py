"""The words of documents, from ``texts/``: sentences by key, names of codes, numbers with units."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from reports.messages import Language, number
from reports.statements.columns import TOTAL

_FOLDER = Path(__file__).parent / "texts"
_DIGITS = re.compile(r"(\d+)")
_MONTH = re.compile(r"^(\d{4})-(\d{2})$")
UNKNOWN = "_U"
# The letters of Kazakh in their order, those of Russian among them: that of Unicode is another.
_LETTERS = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
_IN_ORDER = {ord(letter): chr(0x1000 + place) for place, letter in enumerate(_LETTERS)}
# Decimals that figures of a unit are shown with; the signed file has more.
DECIMALS = {
    "ha": 1, "m3": 0, "mm": 1, "t": 1, "kg/ha": 0, "c/ha": 1, "%": 1, "count": 0, "KZT": 0,
    "KZT/m3": 2, "thousand ha": 3, "thousand t": 3,
}  # fmt: skip


@cache
def texts(language: Language) -> Mapping[str, Any]:
    """The file of a language."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


class Words:
    """What is said in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._texts = texts(language)

    def say(self, key: str, **values: object) -> str:
        """The words of a key such as ``document.page``; KeyError where there are none."""
        section, _, name = key.partition(".")
        return str(self._texts[section][name]).format(**values)

    def entered(self, section: str, sentence: str) -> str:
        """A sentence of a manifest, which is in English; as it stands where it has no other."""
        return str(self._texts[section].get(sentence, sentence))

    def coded(self, dimension: str, code: str) -> str:
        """What a code of a dimension is called; as it stands where it is nobody's but a farm's."""
        if code == TOTAL:
            return ""
        known = self._texts["codes"].get(dimension, {})
        if code in known and code != "option":
            return str(known[code])
        if dimension == "SAVINGS_OPTION":
            return self._option(code)
        if dimension == "TIME_PERIOD" and (found := _MONTH.match(code)):
            year, month = (int(one) for one in found.groups())
            return self.say("format.month", year=year, month=month)
        if dimension == "TARIFF_BAND":
            return code.replace("-", "–")
        return code

    def _option(self, code: str) -> str:
        """``B metered seasons``: the option of IPMVP, and what the baseline is of."""
        option, _, source = code.partition(" ")
        named = str(self._texts["codes"]["SAVINGS_OPTION"]["option"]).format(option=option)
        return f"{named}, {self.coded('SAVINGS_OPTION', source)}" if source else named

    def number(self, value: float, unit: str) -> str:
        """A figure as people write it, without its unit."""
        return number(value, DECIMALS.get(unit, 1), self.language)

    def unit(self, unit: str) -> str:
        """A unit as people write it; a number of things has none."""
        return str(self._texts["unit"].get(unit, unit))

    def headed(self, indicator: str, unit: str) -> str:
        """An indicator with its unit, as over a column."""
        name, of = self.say(f"indicator.{indicator}"), self.unit(unit)
        return f"{name}, {of}" if of else name

    def day(self, day: dt.date) -> str:
        """A day with its year."""
        return self.say("format.day", year=day.year, month=day.month, day=day.day)

    def moment(self, at: str) -> str:
        """A time of a manifest, to the minute; in UTC, as the manifest has it."""
        time = dt.datetime.fromisoformat(at).astimezone(dt.UTC)
        return self.say("document.utc", time=f"{self.day(time.date())} {time:%H:%M}")


def natural(text: str) -> tuple[object, ...]:
    """A key to sort names by: letters as in Kazakh, and field 10 after field 9."""
    parts = _DIGITS.split(text.casefold().translate(_IN_ORDER))
    return tuple((0, int(one)) if one.isdecimal() else (1, one) for one in parts if one)
