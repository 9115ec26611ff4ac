"""A crop by its name: of the catalogue, or put together from the rows of FAO-56's tables.

The tables name a crop differently ("radish", "radishes") or name several kinds in one row
("citrus", "barley oats wheat"). A row belongs to a crop if it has its name or begins it, or if one
of the dictionaries below says so.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, Protocol, TypeVar

from analytics.catalogue.table_11 import STAGES, StageRow
from analytics.catalogue.table_12 import KC, KcRow
from analytics.catalogue.table_17 import KCB, KcbRow
from analytics.catalogue.table_22 import ROOTS, RootRow
from analytics.crop_catalogue import CROPS
from analytics.crops import Crop

HEIGHT_AT_PLANTING_M = 0.05
ROOTS_AT_PLANTING_M = 0.20  # Annex 8, p. 279: 0.15 to 0.20 m

_KC_NAMES = {
    "radishes": "radish",
    "faba bean dry seed": "faba bean broad dry seed",
    "green gram cowpeas fresh": "green gram cowpeas harvested fresh",
    "green gram cowpeas dry": "green gram cowpeas harvested dry",
    "winter wheat": "winter wheat frozen soils",
    "alfalfa hay for seed": "alfalfa for seed",
    "clover hay berseem individual cutting periods": "clover hay individual cutting periods",
    "sudangrass hay annual individual cutting periods": "sudangrass individual cutting periods",
    "pineapple multiyear crop bare soil": "pineapple bare soil",
    "pineapple multiyear crop with grass cover": "pineapple with grass cover",
    "tea nonshaded": "tea non-shaded",
    **{
        f"citrus with active ground cover or weeds {share}% canopy": (
            f"citrus active ground cover or weeds {share}% canopy"
        )
        for share in (70, 50, 20)
    },
}
_ROOT_NAMES = {
    "faba bean dry seed": "faba bean broad dry seed",
    "alfalfa hay individual cutting periods": "alfalfa for hay",
    "alfalfa hay for seed": "alfalfa for seed",
    "bermuda hay averaged cutting effects": "bermuda for hay",
    "bermuda hay spring crop for seed": "spring crop for seed",
    "tea nonshaded": "tea non-shaded",
    **{
        f"citrus {cover} {share}% canopy": f"citrus {share}% canopy"
        for cover in ("no ground cover", "with active ground cover or weeds")
        for share in (70, 50, 20)
    },
}
_STAGE_NAMES = {
    "brussel sprouts": "crucifers",
    "onions dry": "onion dry",
    "onions green": "onion green",
    "onions seed": "onion seed",
    "radishes": "radish",
    "watermelon": "water melons",
    "sugar beet": "sugarbeet",
    "faba bean dry seed": "faba bean broad dry",
    "artichokes": "artichoke",
    "castorbean ricinus": "castor beans",
    "barley": "barley oats wheat",
    "oats": "barley oats wheat",
    "spring wheat": "barley oats wheat",
    "maize field grain corn 18% moisture": "maize grain",
    "maize field grain corn harvested wet": "maize grain",
    "alfalfa hay individual cutting periods": "alfalfa first cutting cycle",
    "bermuda hay averaged cutting effects": "bermuda hay several cuttings",
    "bermuda hay spring crop for seed": "bermuda for seed",
    "sudangrass hay annual individual cutting periods": "sudan first cutting cycle",
    "walnut orchard": "walnuts",
    "almonds no ground cover": "deciduous orchard",
    **{
        row.crop: "deciduous orchard"
        for row in KCB
        if row.crop.startswith(("apples cherries pears", "apricots peaches stone fruit"))
    },
}
_TREES_AND_BUSHES = {  # stand all year; Table 17 prints them last
    row.crop
    for row in KCB[[row.crop for row in KCB].index("cacao") :]
    if not row.crop.startswith(("pineapple", "hops"))
}


class UnknownCrop(LookupError):
    """No crop of that name, or not enough of it in the tables to follow its water."""


class _Row(Protocol):
    @property
    def crop(self) -> str: ...


R = TypeVar("R", bound=_Row)


class TableRows(NamedTuple):
    """What FAO-56's tables print for one crop; None or empty where they print nothing."""

    kcb: KcbRow
    kc: KcRow | None
    roots: RootRow | None
    stages: tuple[StageRow, ...]


def find_rows(name: str) -> TableRows:
    """The rows of Tables 17, 12, 22 and 11 for a crop, by its name in Table 17.

    Raises
    ------
    UnknownCrop
        With the nearest names.
    """
    wanted = _plain(name)
    basal = next((row for row in KCB if _plain(row.crop) == wanted), None)
    if basal is None:
        raise UnknownCrop(_not_known(name))
    heights, roots = _rows(basal.crop, KC, _KC_NAMES), _rows(basal.crop, ROOTS, _ROOT_NAMES)
    return TableRows(
        kcb=basal,
        kc=heights[0] if heights else None,
        roots=roots[0] if roots else None,
        stages=tuple(_rows(basal.crop, STAGES, _STAGE_NAMES)),
    )


def find_crop(name: str, region: str = "") -> Crop:
    """A crop by name: one of the catalogue, else put together from FAO-56's tables.

    Parameters
    ----------
    name : str
        A name of the catalogue ("sugar-beet") or of Table 17 ("sorghum grain"); capitals, hyphens
        and spaces do not matter.
    region : str, optional
        Part of what Table 11 prints as region or planting date, where a crop of the tables has
        several rows there. A crop of the catalogue has its row already.

    Notes
    -----
    Of the tables' crops the root depth is the middle of the printed range; at planting the height
    is 0.05 m and the root depth 0.20 m (Annex 8), or the greatest one where that is smaller. Trees
    and bushes are taken as grown: their height and roots are the greatest all season.

    Raises
    ------
    UnknownCrop
        With the nearest names; with the rows of Table 11 where ``region`` does not choose one; or
        with what the tables do not print.
    """
    for own, crop in CROPS.items():
        if _plain(own) == _plain(name):
            return crop
    rows = find_rows(name)
    basal, height, roots = rows.kcb, rows.kc and rows.kc.h_max_m, rows.roots
    if not (basal.kcb_ini and basal.kcb_mid and basal.kcb_end and height and roots):
        raise UnknownCrop(f"FAO-56 prints no complete set of numbers for {basal.crop!r}")
    l_ini, l_dev, l_mid, l_end = _stages(rows, region)
    zr_max = (roots.zr_low_m + roots.zr_high_m) / 2.0
    grown = basal.crop in _TREES_AND_BUSHES
    return Crop(
        kcb_ini=basal.kcb_ini,
        kcb_mid=basal.kcb_mid,
        kcb_end=basal.kcb_end,
        l_ini=l_ini,
        l_dev=l_dev,
        l_mid=l_mid,
        l_end=l_end,
        h_ini_m=height if grown else min(HEIGHT_AT_PLANTING_M, height),
        h_max_m=height,
        zr_ini_m=zr_max if grown else min(ROOTS_AT_PLANTING_M, zr_max),
        zr_max_m=zr_max,
        p=roots.p,
    )


def _stages(rows: TableRows, region: str) -> tuple[int, int, int, int]:
    fixed = [row for row in rows.stages if row.l_mid is not None and row.l_end is not None]
    wanted = region.casefold()
    chosen = [row for row in fixed if wanted in f"{row.planted} {row.region}".casefold()]
    if not fixed:
        raise UnknownCrop(f"FAO-56 Table 11 has no stage lengths for {rows.kcb.crop!r}")
    if len(chosen) != 1:
        listed = "; ".join(f"{row.planted}, {row.region}" for row in fixed)
        raise UnknownCrop(f"{rows.kcb.crop!r} needs a region that chooses one of: {listed}")
    row = chosen[0]
    return row.l_ini, row.l_dev, row.l_mid or 0, row.l_end or 0


def _rows(name: str, table: Sequence[R], aliases: Mapping[str, str]) -> list[R]:
    """Rows of exactly that name; else of the longest name that begins it."""
    wanted = aliases.get(name, name)
    named = [row.crop for row in table if f"{wanted} ".startswith(f"{row.crop} ")]
    longest = max(named, key=len, default=None)
    return [row for row in table if row.crop == longest]


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _not_known(name: str) -> str:
    names = {_plain(known): known for known in (*(row.crop for row in KCB), *CROPS)}
    near = get_close_matches(_plain(name), names, n=4, cutoff=0.6)
    near += [known for known in names if _plain(name) in known and known not in near][:4]
    hint = " or ".join(f'"{names[known]}"' for known in near)
    return f'no crop is called "{name}"' + (f"; near it: {hint}" if hint else "")
