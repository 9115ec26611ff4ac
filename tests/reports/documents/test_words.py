"""Documents have words for all they may say, in every language, and no word that nothing says."""

import ast
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from entry.models import Purpose, Source
from reports.documents.contents import CONTENTS
from reports.documents.tables import GROUPS, INDICATORS
from reports.documents.words import DECIMALS, Words, natural, texts
from reports.messages import LANGUAGES, Language
from reports.statements import catalogues
from reports.statements.columns import DIVISIONS
from reports.statements.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS, STATEMENTS = ROOT / "reports/documents", ROOT / "reports/statements"
# Keys that the code puts together, by the parts that they are put together of.
PUT_TOGETHER = {
    *(f"indicator.{one}" for one in INDICATORS),
    *(f"group.{one}" for one in GROUPS),
    *(f"table.{one}" for one in ("TIME_PERIOD", *DIVISIONS)),
    *(f"head.{one}" for one in ("TIME_PERIOD", "REF_AREA", *DIVISIONS)),
    *(f"methods.{one}" for kind in CONTENTS.values() for one in kind.methods),
    *(f"chart.{bars.caption}" for kind in CONTENTS.values() for bars in kind.bars),
}
DATA = ("codes", "unit", "remark", "comment")


def keys_of(table: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from keys_of(value, f"{before}{name}.")
        else:
            yield before + name


def strings_in(folder: Path, pattern: str) -> set[str]:
    found = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(pattern, node.value) else set()
    return found


def calls(name: str) -> Iterator[ast.Call]:
    for path in DOCUMENTS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
                yield node


def sections() -> set[str]:
    return set(texts("en")) - set(DATA)


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_the_languages_have_the_same_words(language: Language) -> None:
    assert set(keys_of(texts(language))) == set(keys_of(texts("en")))


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_words_ask_for_the_same_values_in_every_language(language: Language) -> None:
    def asked(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for section in sections():
        for name, text in texts("en")[section].items():
            assert asked(text) == asked(texts(language)[section][name]), (section, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_empty_or_left_in_english(language: Language) -> None:
    own = Words(language)
    for key in keys_of(texts(language)):
        section, name = key.split(".", 1)
        if section in DATA or section == "format":
            continue
        words = texts(language)[section][name]
        assert words.strip(), key
        if language != "en":
            assert re.search("[а-яәғқңөұүһі]", words.lower()) or key in {
                "document.utc", "document.days", "table.areas_by", "table.continued",
            }, key  # fmt: skip
    assert own.unit("count") == ""


def test_every_key_that_the_code_says_has_words() -> None:
    known = {f"{section}.{name}" for section in sections() for name in texts("en")[section]}
    said = strings_in(DOCUMENTS, rf"({'|'.join(sections())})\.[A-Za-z_]+") | PUT_TOGETHER

    assert said <= known, said - known


def test_no_words_stand_there_that_nothing_says() -> None:
    known = {f"{section}.{name}" for section in sections() for name in texts("en")[section]}
    said = strings_in(DOCUMENTS, rf"({'|'.join(sections())})\.[A-Za-z_]+") | PUT_TOGETHER
    # Said as f"section.{name}", the name being a word of its own in the code.
    names = strings_in(DOCUMENTS, r"[a-z_]+")
    left = {one for one in known - said if one.split(".")[1] not in names}

    assert left == set()


def test_whatever_a_figure_is_of_has_a_name() -> None:
    """By what the code, the catalogues and the forms of entry may say."""
    codes = texts("en")["codes"]
    technologies = {*catalogues.catalogue(catalogues.TECHNOLOGIES)["technologies"], "rain-fed"}
    reasons = strings_in(STATEMENTS, r"(not-computed|rain-fed|covered|no-[a-z-]+)")
    bands = {"no-band-known", "no-band-in-force"}

    assert set(codes["IRRIGATION_TECHNOLOGY"]) == technologies
    assert set(codes["WATER_SOURCE"]) == {*get_args(Source), "_U"}
    assert set(codes["PURPOSE"]) == set(get_args(Purpose))
    assert reasons - bands <= set(codes["COVERAGE"])
    assert bands <= set(codes["TARIFF_BAND"])


def test_every_indicator_and_unit_of_the_figures_is_known() -> None:
    source = (STATEMENTS / "figures.py").read_text()
    found = set(re.findall(r'Figure\(\s*"([A-Z0-9_]+)"', source)) | set(
        re.findall(r'"([A-Z]+_MEASURED)"', (STATEMENTS / "families.py").read_text())
    )
    units = set(re.findall(r'Figure\(\s*"?[A-Za-z0-9_]+"?, "([^"]+)"', source)) | {"m3"}
    thousands = {f"thousand {unit}" for kind in KINDS.values() for unit in kind.in_thousands}

    assert len(found) > 20
    assert found <= set(INDICATORS)
    assert units | thousands <= set(DECIMALS) == set(texts("en")["unit"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_manifests_say_in_english_is_said_in_every_language(language: Language) -> None:
    comments = set(
        re.findall(r'why(?:_missing)?="([^"]+)"', (STATEMENTS / "figures.py").read_text())
    )
    comments |= set(re.findall(r'why = "([^"]+)"', (STATEMENTS / "figures.py").read_text()))
    remarks = set(
        re.findall(r'remarks\.append\("([^"]+)"', (STATEMENTS / "statement.py").read_text())
    )

    assert comments == set(texts(language)["comment"])
    assert remarks == set(texts(language)["remark"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_crops_are_called_as_on_the_page(language: Language) -> None:
    source = (ROOT / f"dashboard/src/words/{language}/names.ts").read_text()
    crops = dict(re.findall(r'"crop\.([a-z-]+)": "([^"]+)"', source))

    assert len(crops) > 20
    assert texts(language)["codes"]["CROP"] == crops


def test_codes_are_said_in_words_and_names_stay_as_entered() -> None:
    words = Words("ru")

    assert (
        words.coded("SAVINGS_OPTION", "B metered seasons") == "вариант B IPMVP, сезоны по счётчику"
    )
    assert words.coded("TIME_PERIOD", "2025-06") == "06.2025"
    assert words.coded("TARIFF_BAND", "2-4") == "2–4"
    assert words.coded("CROP", "amaranth") == "amaranth"
    assert words.coded("FIELD", "_T") == ""
    assert words.number(1234.56, "m3") == "1\u202f235"
    assert words.moment("2026-11-26T04:33:59.5Z") == "26.11.2026 04:33 UTC"


def test_field_ten_comes_after_field_nine() -> None:
    assert sorted(["Поле 10", "Поле 9", "поле 1"], key=natural) == ["поле 1", "Поле 9", "Поле 10"]


def test_names_come_as_in_the_alphabet_of_kazakh() -> None:
    names = ["Шымкент", "Қызылорда", "Абай", "Күршім", "Өскемен", "Павлодар", "Әйтеке"]

    assert sorted(names, key=natural) == [
        "Абай", "Әйтеке", "Күршім", "Қызылорда", "Өскемен", "Павлодар", "Шымкент",
    ]  # fmt: skip
