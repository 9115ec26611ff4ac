"""The kinds of statements: which cells each shows of its area, and of the areas right below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WHOLE = None  # not divided


class Shown(NamedTuple):
    """Divisions of a family: of the statement's subject, and of the areas right below it."""

    family: str
    divided: Sequence[str | None]
    below: Sequence[str | None] = ()


class Ratio(NamedTuple):
    """A figure by another of the same division, known where both are."""

    indicator: str
    unit: str
    numerator: tuple[str, str]  # family and indicator
    denominator: tuple[str, str]
    factor: float = 1.0


class Kind(NamedTuple):
    """A kind of statement."""

    name: str
    title: Mapping[str, str]
    shown: Sequence[Shown]
    coverage: str | None = None  # the division that says which crop zones are left out, and why
    ratios: Sequence[Ratio] = ()
    in_thousands: frozenset[str] = frozenset()  # units that it states by the thousand


_SHARE = Ratio(
    "SHARE_HARVESTED", "%", ("harvest", "HARVESTED_AREA"), ("land", "AREA"), factor=100.0
)

WATER = Kind(
    "water",
    {
        "kk": "Пайдаланылған су туралы есеп",
        "ru": "Отчёт об использовании воды",
        "en": "Water statement",
    },
    (
        Shown("land", (WHOLE, "WATER_COVERAGE"), (WHOLE,)),
        Shown(
            "water",
            (
                WHOLE,
                "TIME_PERIOD",
                "IRRIGATION_TECHNOLOGY",
                "WATER_SOURCE",
                "MEASUREMENT",
                "TARIFF_BAND",
                "FIELD",
            ),
            (WHOLE,),
        ),
    ),
    "WATER_COVERAGE",
)
SAVINGS = Kind(
    "savings",
    {
        "kk": "Су үнемдеу туралы есеп",
        "ru": "Отчёт об экономии воды",
        "en": "Savings statement",
    },
    (
        Shown("land", (WHOLE, "SAVINGS_COVERAGE"), (WHOLE,)),
        Shown("savings", (WHOLE, "SAVINGS_OPTION", "IRRIGATION_TECHNOLOGY", "FIELD"), (WHOLE,)),
    ),
    "SAVINGS_COVERAGE",
)
YIELDS = Kind(
    "yields",
    {
        "kk": "Дақылдар бойынша өнімділік",
        "ru": "Урожайность по культурам",
        "en": "Yields by crop",
    },
    (
        Shown("land", (WHOLE, "CROP", "YIELD_COVERAGE"), ("CROP",)),
        Shown("harvest", (WHOLE, "CROP", "FIELD"), ("CROP",)),
    ),
    "YIELD_COVERAGE",
)
HARVEST = Kind(
    "harvest",
    {"kk": "Егін жинау мәліметі", "ru": "Сводка об уборке урожая", "en": "Harvest bulletin"},
    (
        Shown("land", (WHOLE, "CROP", "YIELD_COVERAGE"), (WHOLE, "CROP")),
        Shown("harvest", (WHOLE, "CROP"), (WHOLE, "CROP")),
    ),
    "YIELD_COVERAGE",
    (_SHARE,),
    frozenset({"ha", "t"}),
)
PROGRAMME = Kind(
    "programme",
    {
        "kk": "Бағдарлама көрсеткіштері",
        "ru": "Показатели программы",
        "en": "Programme indicators",
    },
    (
        Shown("land", (WHOLE, "IRRIGATION_TECHNOLOGY", "WATER_SAVING"), (WHOLE, "WATER_SAVING")),
        Shown("water", (WHOLE,), (WHOLE,)),
        Shown("savings", (WHOLE,), (WHOLE,)),
        Shown("measured", (WHOLE,), (WHOLE,)),
        Shown("devices", (WHOLE,), (WHOLE,)),
        Shown("investments", (WHOLE, "PURPOSE"), (WHOLE,)),
        Shown("costs", (WHOLE,)),
    ),
)
KINDS: Mapping[str, Kind] = {one.name: one for one in (WATER, SAVINGS, YIELDS, HARVEST, PROGRAMME)}
