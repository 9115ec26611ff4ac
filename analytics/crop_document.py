"""A crop as a document says it: its numbers, or a name that FAO-56 has numbers for.

The keys are those of a scenario's [crop], which the parameters of a stored crop zone share:
``name``, and in four groups and one key ``kcb_ini, kcb_mid, kcb_end``; ``l_ini, l_dev, l_mid,
l_end``; ``h_ini_m, h_max_m``; ``zr_ini_m, zr_max_m``; ``p``. A group is given whole, because part
of a curve does not fit the rest of another, or left to FAO-56. ``region`` chooses a row of Table
11 where a name has several. A crop that is cut for hay has ``cuts``, a list of dates, and, where
its name has no cutting cycles in the catalogue, a table ``later_cycle`` with the stage lengths of
the growth after a cut. ``ky`` is optional.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from analytics.catalogue.assemble import UnknownCrop, find_crop
from analytics.crop_catalogue import CATALOGUE, CUT_CYCLES
from analytics.crops import Crop
from analytics.growth import CropPlan, days_since
from analytics.sections import ScenarioError, Section

Limits = dict[str, tuple[float, float]]  # least and greatest that make sense, by key

_STAGES: Limits = dict.fromkeys(("l_ini", "l_dev", "l_mid", "l_end"), (0, 1000))
GROUPS: tuple[Limits, ...] = (
    {"kcb_ini": (0, 2), "kcb_mid": (0, 2), "kcb_end": (0, 2)},
    _STAGES,
    {"h_ini_m": (0, 20), "h_max_m": (0, 20)},
    {"zr_ini_m": (0.01, 10), "zr_max_m": (0.01, 10)},
    {"p": (0.01, 0.99)},
)
CROP_KEYS = frozenset({"name", "region", "cuts", "later_cycle", "ky"}.union(*GROUPS))


class CropDocument(NamedTuple):
    """What a document says of a crop, checked."""

    crop: Crop  # of the whole season; of a cut crop, of the growth before the first cut
    cuts: tuple[date, ...] = ()
    later_cycle: Crop | None = None  # the growth after each cut
    notes: tuple[str, ...] = ()  # on the numbers that are FAO-56's

    def plan(self, planted: date) -> CropPlan:
        """The crop for ``analytics.growth.grow``, its cuts counted from planting."""
        return CropPlan(self.crop, days_since(planted, self.cuts), self.later_cycle)


def crop_from_mapping(mapping: Mapping[str, Any], name: str = "crop") -> CropDocument:
    """The crop, its cuts, and notes on what of it is FAO-56's.

    Raises
    ------
    ScenarioError
        Naming the key, under the table's ``name``.
    """
    section = Section(name, mapping)
    cuts = section.dates("cuts")
    crop_name = "-".join(section.text("name").casefold().replace("_", " ").split())
    first, later = CUT_CYCLES.get(crop_name, ("", "")) if cuts else ("", "")
    given = _given(section)
    usual, notes = None, []
    absent = [key for group in GROUPS for key in group if key not in given]
    if absent:
        usual = CATALOGUE[first].crop if first else _by_name(section, absent[0])
        notes.append(_note(crop_name, first or crop_name, absent))
    crop = usual._replace(**given) if usual else Crop(**given)
    if (ky := section.optional_number("ky", 0, 3)) is not None:
        crop = crop._replace(ky=ky)
    _check(crop, section)
    if not cuts:
        return CropDocument(crop, notes=tuple(notes))
    lengths = _later_stages(section, later, notes)
    return CropDocument(crop, cuts, crop._replace(**lengths), tuple(notes))


def _given(section: Section) -> dict[str, float]:
    """The numbers of every group that the document has, each group whole."""
    values: dict[str, float] = {}
    for group in GROUPS:
        if any(key in section for key in group):
            for key, (low, high) in group.items():
                values[key] = section.number(key, low, high)
    return values


def _by_name(section: Section, missing: str) -> Crop:
    given = section.text("name")
    if not given:
        raise section.missing(missing, f", and {section.name}.name to find it by")
    try:
        return find_crop(given, section.text("region"))
    except UnknownCrop as error:
        raise section.missing(missing, f", and {section.name}.name: {error}") from None


def _later_stages(section: Section, later: str, notes: list[str]) -> dict[str, float]:
    """Stage lengths of the growth after a cut."""
    if "later_cycle" in section:
        table = Section(f"{section.name}.later_cycle", section.table["later_cycle"])
        return {key: table.number(key, low, high) for key, (low, high) in _STAGES.items()}
    if not later:
        raise section.missing("later_cycle", ": the stage lengths of the growth after a cut")
    usual = CATALOGUE[later]
    notes.append(f"growth after a cut as FAO-56's {usual.stages}")
    return {key: getattr(usual.crop, key) for key in _STAGES}


def _note(name: str, entry: str, keys: list[str]) -> str:
    note = f"{', '.join(keys)} of {name} from FAO-56"
    if entry not in CATALOGUE:
        return note
    chosen = CATALOGUE[entry]
    note += f", stages of {chosen.stages}" if "l_ini" in keys else ""
    return f"{note} ({chosen.note})" if chosen.note else note


def _check(crop: Crop, section: Section) -> None:
    for low, high in (("h_ini_m", "h_max_m"), ("zr_ini_m", "zr_max_m")):
        if getattr(crop, high) < getattr(crop, low):
            raise ScenarioError(f"{section.name}.{high}: is below {section.name}.{low}")
