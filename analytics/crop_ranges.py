"""What FAO-56 prints for the crops of Kazakhstan, ranges as ranges (Allen et al., 1998).

``analytics.crop_catalogue`` chooses one value of each; a reader sees here what there was to choose
from. A single printed value is a range of that value alone.
"""

from typing import NamedTuple

Range = tuple[float, float]  # least and greatest printed value

TABLES: dict[str, str] = {  # figure group: where it is printed
    "stages": "FAO-56 Table 11, pp. 104-108",
    "kc": "FAO-56 Table 12, pp. 110-114",
    "h_max_m": "FAO-56 Table 12, pp. 110-114",
    "kcb": "FAO-56 Table 17, pp. 137-141",
    "zr_max_m": "FAO-56 Table 22, pp. 163-165",
    "p": "FAO-56 Table 22, pp. 163-165",
    "ky": "FAO-56 Table 24, p. 181",
}


class Printed(NamedTuple):
    """One crop's figures as printed; ``TABLES`` says where. None where FAO-56 prints none."""

    kc_ini: float
    kc_mid: Range
    kc_end: Range
    h_max_m: Range
    kcb_ini: float | None
    kcb_mid: Range | None
    kcb_end: Range | None
    zr_max_m: Range
    p: float  # at 5 mm/day of ETc
    ky: float | None  # of the whole season


# crop         Kc ini mid       end       h max     Kcb ini mid       end       Zr max    p    Ky
_PRINTED = """
spring-wheat 0.30   1.15      0.25-0.40 1.00      0.15    1.10      0.15-0.30 1.00-1.50 0.55 1.15
winter-wheat 0.40   1.15      0.25-0.40 1.00      0.15    1.10      0.15-0.30 1.50-1.80 0.55 1.05
barley       0.30   1.15      0.25      1.00      0.15    1.10      0.15      1.00-1.50 0.55 -
oats         0.30   1.15      0.25      1.00      0.15    1.10      0.15      1.00-1.50 0.55 -
maize        0.30   1.20      0.35-0.60 2.00      0.15    1.15      0.15-0.50 1.00-1.70 0.55 1.25
rice         1.05   1.20      0.60-0.90 1.00      1.00    1.15      0.45-0.70 0.50-1.00 0.20 -
cotton       0.35   1.15-1.20 0.50-0.70 1.20-1.50 0.15    1.10-1.15 0.40-0.50 1.00-1.70 0.65 0.85
sugar-beet   0.35   1.20      0.70      0.50      0.15    1.15      0.50      0.70-1.20 0.55 1.00
potato       0.50   1.15      0.75      0.60      0.15    1.10      0.65      0.40-0.60 0.35 1.10
sunflower    0.35   1.00-1.15 0.35      2.00      0.15    0.95-1.10 0.25      0.80-1.50 0.45 0.95
safflower    0.35   1.00-1.15 0.25      0.80      0.15    0.95-1.10 0.20      1.00-2.00 0.60 0.80
rapeseed     0.35   1.00-1.15 0.35      0.60      0.15    0.95-1.10 0.25      1.00-1.50 0.60 -
flax         0.35   1.10      0.25      1.20      0.15    1.05      0.20      1.00-1.50 0.50 -
soybean      0.40   1.15      0.50      0.50-1.00 0.15    1.10      0.30      0.60-1.30 0.50 0.85
chickpea     0.40   1.00      0.35      0.40      0.15    0.95      0.25      0.60-1.00 0.50 -
lentil       0.40   1.10      0.30      0.50      0.15    1.05      0.20      0.60-0.80 0.50 -
alfalfa      0.40   0.95      0.90      0.70      -       -         -         1.00-2.00 0.55 1.10
alfalfa-cut  0.40   1.20      1.15      0.70      0.30    1.15      1.10      1.00-2.00 0.55 1.10
tomato       0.60   1.15      0.70-0.90 0.60      0.15    1.10      0.60-0.80 0.70-1.50 0.40 1.05
onion        0.70   1.05      0.75      0.40      0.15    0.95      0.65      0.30-0.60 0.30 1.10
watermelon   0.40   1.00      0.75      0.40      0.15    0.95      0.70      0.80-1.50 0.40 1.10
apple        0.50   1.20      0.95      4.00      0.45    1.15      0.90      1.00-2.00 0.50 -
"""


def _range(cell: str) -> Range | None:
    low, _, high = cell.partition("-")
    return None if cell == "-" else (float(low), float(high or low))


def _printed(cells: list[str]) -> Printed:
    ranges = [_range(cell) for cell in cells]
    kc_ini, kc_mid, kc_end, height, kcb_ini, kcb_mid, kcb_end, roots, p, ky = ranges
    if not (kc_ini and kc_mid and kc_end and height and roots and p):
        raise ValueError(f"a printed row lacks what every crop has: {cells}")
    single_kcb_ini, single_ky = (pair[0] if pair else None for pair in (kcb_ini, ky))
    return Printed(
        kc_ini[0], kc_mid, kc_end, height, single_kcb_ini, kcb_mid, kcb_end, roots, p[0], single_ky
    )


PRINTED: dict[str, Printed] = {
    crop: _printed(cells) for crop, *cells in map(str.split, _PRINTED.strip().splitlines())
}
PRINTED["alfalfa-first-cut"] = PRINTED["alfalfa-later-cut"] = PRINTED.pop("alfalfa-cut")
