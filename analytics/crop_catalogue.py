"""The crops of Kazakhstan in FAO-56's numbers.

Coefficients are the printed value, or the middle of the printed range unless the note says
otherwise: Kc and height Table 12 (pp. 110-114), Kcb Table 17 (pp. 137-141), roots and depletion
fraction Table 22 (pp. 163-165), yield response Table 24 (p. 181) of FAO Irrigation and Drainage
Paper 56 (Allen et al., 1998). ``printed`` has the ranges, ``analytics.catalogue`` other crops.
Stage lengths are those of the row of Table 11 (pp. 104-108) that each entry names, chosen for a
growing season like Kazakhstan's. FAO-56 gives no height and root depth at planting: 0.05 m, and
0.20 m after Annex 8 (p. 279: 0.15 to 0.20 m), unless the note says otherwise.
"""

from typing import NamedTuple

from analytics.crop_ranges import PRINTED, Printed
from analytics.crops import Crop
from analytics.single_coefficient import SingleKc


class Entry(NamedTuple):
    """A crop with where its stage lengths come from, and what was chosen where FAO leaves room."""

    crop: Crop
    stages: str  # the row of Table 11
    kc: SingleKc
    printed: Printed
    note: str = ""


def _crop(
    kcb: tuple[float, float, float],
    stages: tuple[int, int, int, int],
    *,
    height: float,
    roots: float,
    p: float,
    ky: float | None = None,
    at_planting: tuple[float, float] = (0.05, 0.20),
) -> Crop:
    return Crop(*kcb, *stages, at_planting[0], height, at_planting[1], roots, p, ky)


_MACHINE_HARVEST = (
    "Kc and Kcb end as for harvest by machine, from dry grain (lower end of the range)"
)
_CEREAL_NORTH = "the shortest cereal season of Table 11; the north sows in May and reaps in August"

CATALOGUE: dict[str, Entry] = {
    "cotton": Entry(
        _crop((0.15, 1.125, 0.45), (30, 50, 55, 45), height=1.35, roots=1.35, p=0.65, ky=0.85),
        "cotton, April, Texas",
        kc=SingleKc(0.35, 1.175, 0.60),
        printed=PRINTED["cotton"],
    ),
    "rice": Entry(
        _crop((1.00, 1.15, 0.575), (30, 30, 60, 30), height=1.0, roots=0.75, p=0.20),
        "rice, May, tropics and Mediterranean",
        note="p is of the water content at saturation, not at field capacity",
        kc=SingleKc(1.05, 1.20, 0.75),
        printed=PRINTED["rice"],
    ),
    "maize": Entry(
        _crop((0.15, 1.15, 0.15), (30, 40, 50, 30), height=2.0, roots=1.35, p=0.55, ky=1.25),
        "maize (grain), April, Spain and California",
        note="Kc and Kcb end as for grain dried on the field to about 18 % moisture",
        kc=SingleKc(0.30, 1.20, 0.35),
        printed=PRINTED["maize"],
    ),
    "sugar-beet": Entry(
        _crop((0.15, 1.15, 0.50), (50, 40, 50, 40), height=0.5, roots=0.95, p=0.55, ky=1.0),
        "sugar beet, April, Idaho",
        kc=SingleKc(0.35, 1.20, 0.70),
        printed=PRINTED["sugar-beet"],
    ),
    "alfalfa": Entry(
        _crop(
            (0.30, 0.90, 0.85),
            (10, 30, 108, 25),
            height=0.7,
            roots=1.5,
            p=0.55,
            ky=1.1,
            at_planting=(0.10, 1.50),
        ),
        "alfalfa, total season: 10, 30, then as long as the season; here 173 days",
        note="cuttings averaged: no Kcb printed, so Kc of Table 12 less 0.05; an established stand",
        kc=SingleKc(0.40, 0.95, 0.90),
        printed=PRINTED["alfalfa"],
    ),
    "alfalfa-first-cut": Entry(
        _crop(
            (0.30, 1.15, 1.10),
            (10, 30, 25, 10),
            height=0.7,
            roots=1.5,
            p=0.55,
            ky=1.1,
            at_planting=(0.10, 1.50),
        ),
        "alfalfa, first cutting cycle, April, Idaho",
        note="an established stand",
        kc=SingleKc(0.40, 1.20, 1.15),
        printed=PRINTED["alfalfa-first-cut"],
    ),
    "alfalfa-later-cut": Entry(
        _crop(
            (0.30, 1.15, 1.10),
            (5, 20, 10, 10),
            height=0.7,
            roots=1.5,
            p=0.55,
            ky=1.1,
            at_planting=(0.10, 1.50),
        ),
        "alfalfa, other cutting cycles, June, Idaho",
        note="an established stand",
        kc=SingleKc(0.40, 1.20, 1.15),
        printed=PRINTED["alfalfa-later-cut"],
    ),
    "spring-wheat": Entry(
        _crop((0.15, 1.10, 0.15), (15, 25, 50, 30), height=1.0, roots=1.25, p=0.55, ky=1.15),
        "barley, oats, wheat, November, Central India",
        note=f"{_MACHINE_HARVEST}; {_CEREAL_NORTH}",
        kc=SingleKc(0.30, 1.15, 0.25),
        printed=PRINTED["spring-wheat"],
    ),
    "winter-wheat": Entry(
        _crop((0.15, 1.10, 0.15), (160, 75, 75, 25), height=1.0, roots=1.65, p=0.55, ky=1.05),
        "winter wheat, October, Idaho",
        note=_MACHINE_HARVEST,
        kc=SingleKc(0.40, 1.15, 0.25),
        printed=PRINTED["winter-wheat"],
    ),
    "barley": Entry(
        _crop((0.15, 1.10, 0.15), (15, 25, 50, 30), height=1.0, roots=1.25, p=0.55),
        "barley, oats, wheat, November, Central India",
        note=_CEREAL_NORTH,
        kc=SingleKc(0.30, 1.15, 0.25),
        printed=PRINTED["barley"],
    ),
    "oats": Entry(
        _crop((0.15, 1.10, 0.15), (15, 25, 50, 30), height=1.0, roots=1.25, p=0.55),
        "barley, oats, wheat, November, Central India",
        note=_CEREAL_NORTH,
        kc=SingleKc(0.30, 1.15, 0.25),
        printed=PRINTED["oats"],
    ),
    "sunflower": Entry(
        _crop((0.15, 1.025, 0.25), (25, 35, 45, 25), height=2.0, roots=1.15, p=0.45, ky=0.95),
        "sunflower, April and May, Mediterranean and California",
        kc=SingleKc(0.35, 1.075, 0.35),
        printed=PRINTED["sunflower"],
    ),
    "soybean": Entry(
        _crop((0.15, 1.10, 0.30), (20, 35, 60, 25), height=0.75, roots=0.95, p=0.50, ky=0.85),
        "soybean, May, Central USA",
        kc=SingleKc(0.40, 1.15, 0.50),
        printed=PRINTED["soybean"],
    ),
    "potato": Entry(
        _crop((0.15, 1.10, 0.65), (25, 30, 45, 30), height=0.6, roots=0.5, p=0.35, ky=1.1),
        "potato, May, continental climate",
        kc=SingleKc(0.50, 1.15, 0.75),
        printed=PRINTED["potato"],
    ),
    "onion": Entry(
        _crop((0.15, 0.95, 0.65), (15, 25, 70, 40), height=0.4, roots=0.45, p=0.30, ky=1.1),
        "onion (dry), April, Mediterranean",
        kc=SingleKc(0.70, 1.05, 0.75),
        printed=PRINTED["onion"],
    ),
    "tomato": Entry(
        _crop((0.15, 1.10, 0.70), (30, 40, 45, 30), height=0.6, roots=1.1, p=0.40, ky=1.05),
        "tomato, April and May, Mediterranean",
        kc=SingleKc(0.60, 1.15, 0.80),
        printed=PRINTED["tomato"],
    ),
    "rapeseed": Entry(
        _crop((0.15, 1.025, 0.25), (20, 35, 45, 25), height=0.6, roots=1.25, p=0.60),
        "safflower, April, California",
        note="Table 11 has no rapeseed; the nearest oil crop stands in",
        kc=SingleKc(0.35, 1.075, 0.35),
        printed=PRINTED["rapeseed"],
    ),
    "safflower": Entry(
        _crop((0.15, 1.025, 0.20), (25, 35, 55, 30), height=0.8, roots=1.5, p=0.60, ky=0.8),
        "safflower, March, high latitudes",
        kc=SingleKc(0.35, 1.075, 0.25),
        printed=PRINTED["safflower"],
    ),
    "flax": Entry(
        _crop((0.15, 1.05, 0.20), (25, 35, 50, 40), height=1.2, roots=1.25, p=0.50),
        "flax, April, Europe",
        kc=SingleKc(0.35, 1.10, 0.25),
        printed=PRINTED["flax"],
    ),
    "chickpea": Entry(
        _crop((0.15, 0.95, 0.25), (20, 30, 40, 20), height=0.4, roots=0.8, p=0.50),
        "beans (dry), May and June, continental climates",
        note="Table 11 has no chickpea; dry beans stand in",
        kc=SingleKc(0.40, 1.00, 0.35),
        printed=PRINTED["chickpea"],
    ),
    "lentil": Entry(
        _crop((0.15, 1.05, 0.20), (20, 30, 60, 40), height=0.5, roots=0.7, p=0.50),
        "lentil, April, Europe",
        kc=SingleKc(0.40, 1.10, 0.30),
        printed=PRINTED["lentil"],
    ),
    "watermelon": Entry(
        _crop((0.15, 0.95, 0.70), (20, 30, 30, 30), height=0.4, roots=1.15, p=0.40, ky=1.1),
        "watermelon, April, Italy",
        kc=SingleKc(0.40, 1.00, 0.75),
        printed=PRINTED["watermelon"],
    ),
    "apple": Entry(
        _crop(
            (0.45, 1.15, 0.90),
            (20, 70, 90, 30),
            height=4.0,
            roots=1.5,
            p=0.50,
            at_planting=(4.0, 1.50),
        ),
        "deciduous orchard, March, high latitudes",
        note="active ground cover, killing frost; grown trees",
        kc=SingleKc(0.50, 1.20, 0.95),
        printed=PRINTED["apple"],
    ),
}

CUT_CYCLES: dict[str, tuple[str, str]] = {  # entries of the growth before and after the first cut
    "alfalfa": ("alfalfa-first-cut", "alfalfa-later-cut"),
}

CROPS: dict[str, Crop] = {name: entry.crop for name, entry in CATALOGUE.items()}
