"""Tidy observations with the names of SDMX: the one form of a statement's figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reports.statements.columns import MISSING, NORMAL, SUPPRESSED, Observation, key_of
from reports.statements.cube import Cube, Item, Key
from reports.statements.facts import Facts
from reports.statements.figures import OF_FAMILY, Figure
from reports.statements.kinds import Kind

_THOUSAND, DECIMALS_OF_THOUSAND = 1_000.0, 3
DECIMALS = 6  # of a unit


class Observing:
    """Makes observations of the cells that a kind of statement shows."""

    def __init__(self, facts: Facts, cube: Cube, kind: Kind, farm: str | None) -> None:
        self._facts, self._cube, self._kind, self._farm = facts, cube, kind, farm

    def of_cells(
        self, area: str, ref_area: str, divided: Mapping[str, Sequence[str | None]]
    ) -> Iterator[Observation]:
        """Observations of an area's cells, by family and its divisions, and the ratios of them."""
        found: dict[tuple[str, str, str | None, str], Observation] = {}
        for family, dimensions in divided.items():
            for dimension in dimensions:
                for key in self._cube.along(family, area, dimension):
                    for made in self._of_cell(key, ref_area):
                        found[family, made["INDICATOR"], dimension, key.value] = made
        yield from found.values()
        for ratio in self._kind.ratios:
            for (family, indicator, dimension, value), top in found.items():
                bottom = found.get((*ratio.denominator, dimension, value))
                if (family, indicator) == ratio.numerator and bottom is not None:
                    figure = Figure(ratio.indicator, ratio.unit, _by(top, bottom, ratio.factor))
                    place = {name: top[name] for name in key_of(top) if name != "INDICATOR"}
                    is_empty = SUPPRESSED in {top["OBS_STATUS"], bottom["OBS_STATUS"]}
                    yield self._observation(figure, place, None if is_empty else top["FARMS"])

    def count(self, ref_area: str, indicator: str, number: int) -> Observation:
        """A number of farms: a denominator, which stands whatever else stays empty."""
        place = self._place(ref_area)
        return self._observation(Figure(indicator, "count", float(number)), place, number)

    def _of_cell(self, key: Key, ref_area: str) -> Iterator[Observation]:
        items = self._cube.cells[key]
        place = self._place(ref_area)
        if key.dimension is not None:
            name = "COVERAGE" if key.dimension.endswith("_COVERAGE") else key.dimension
            place[name] = key.value
        if key.dimension == "FIELD":
            place |= _of_field(items)
        farms = None if key in self._cube.empty else len({one.farm_id for one in items})
        for figure in OF_FAMILY[key.family](self._facts, items, key.dimension):
            yield self._observation(figure, place, farms)

    def _place(self, ref_area: str) -> dict[str, str]:
        period = self._facts.period
        days = None if period is None else f"{period[0]}/P{(period[1] - period[0]).days}D"
        place = {"REF_AREA": ref_area, "TIME_PERIOD": days or str(self._facts.season)}
        return place if self._farm is None else place | {"FARM": self._farm}

    def _observation(
        self, figure: Figure, place: Mapping[str, str], farms: int | None
    ) -> Observation:
        """``farms``: how many the figure is of; None: too few to tell."""
        unit, scale, decimals = figure.unit, 1.0, DECIMALS
        if unit in self._kind.in_thousands:
            unit, scale = f"thousand {unit}", 1.0 / _THOUSAND
            decimals += DECIMALS_OF_THOUSAND
        said: Observation = {**place, "INDICATOR": figure.indicator, "UNIT_MEASURE": unit}
        if farms is None:
            return said | {"OBS_STATUS": SUPPRESSED}
        said["FARMS"] = farms
        if figure.value is None:
            comment = {"COMMENT": figure.why_missing} if figure.why_missing else {}
            return said | {"OBS_STATUS": MISSING} | comment
        said |= {"OBS_STATUS": NORMAL, "OBS_VALUE": _rounded(figure.value * scale, decimals)}
        if figure.ci95 is not None:
            low, high = figure.ci95
            said |= {
                "CI95_LOW": _rounded(low * scale, decimals),
                "CI95_HIGH": _rounded(high * scale, decimals),
            }
        if figure.demonstrated is not None:
            said["DEMONSTRATED"] = figure.demonstrated
        return said


def _of_field(items: Sequence[Item]) -> dict[str, str]:
    """What a field is otherwise, where it is one thing."""
    zones = [getattr(one.of, "zone", one.of) for one in items]
    crops = {getattr(zone, "zone", zone).crop for zone in zones}
    return {"CROP": crops.pop()} if len(crops) == 1 else {}


def _by(top: Observation, bottom: Observation, factor: float) -> float | None:
    numerator, denominator = top.get("OBS_VALUE"), bottom.get("OBS_VALUE")
    if numerator is None or not denominator:
        return None
    return float(factor * numerator / denominator)


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0  # no negative zero
