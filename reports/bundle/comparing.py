"""Two contents of a report side by side: which figures are the same, and which are not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reports.statements import manifest
from reports.statements.columns import ATTRIBUTES, key_of

# Of numbers: processors round sums and powers otherwise in the last digit. And one unit of the
# decimals that observations are rounded to, on the edge of which that digit may stand.
RELATIVE, ABSOLUTE = 1e-9, 1.000001e-6
NUMBERS = frozenset({"OBS_VALUE", "CI95_LOW", "CI95_HIGH"})
SAID = ("coverage", "remarks", "methods")


class Difference(NamedTuple):
    """What a report says otherwise than its inputs."""

    what: str
    filed: str
    again: str

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.what} is {self.filed} in the report, and {self.again} by its inputs"


class Compared(NamedTuple):
    """What came of a comparison."""

    figures: int  # that are in the report
    rounded: int  # of them, the same but for the last digits
    differences: list[Difference]


def compare(report: Mapping[str, Any], again: Mapping[str, Any]) -> Compared:
    """Compare the content of a report with one that was made again."""
    content = report["content"]
    filed, made = _by_key(content), _by_key(again)
    rounded, differences = 0, []
    for key in filed.keys() | made.keys():
        one, other = filed.get(key), made.get(key)
        if one == other:
            continue
        if one is not None and other is not None and _are_near(one, other):
            rounded += 1
        else:
            differences.append(Difference(_named(key), _told(one), _told(other)))
    differences.sort()
    for name in SAID:
        differences += _members(name, content[name], again[name])
    return Compared(len(filed), rounded, differences)


def inputs(report: Mapping[str, Any], again: Mapping[str, Any], *, devices: bool) -> list[str]:
    """Kinds of inputs whose digest in the report is not that of the bundle's; results are apart.

    Without ``devices`` what they said all year round is not in the bundle.
    """
    filed, made = report["content"]["inputs"], again["inputs"]
    names = sorted(filed["records"].keys() | made["records"].keys())
    others = [
        name.replace("_", " ")
        for name in names
        if (devices or name != "devices")
        and filed["records"].get(name) != made["records"].get(name)
    ]
    counted = [sorted(one["digest"] for one in of["yield_monitor_results"]) for of in (filed, made)]
    others += ["yield monitors"] if counted[0] != counted[1] else []
    return others + (["catalogues"] if filed["catalogues"] != made["catalogues"] else [])


def _by_key(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {manifest.canonical(key_of(one)).decode(): one for one in content["observations"]}


def _are_near(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one.keys() != other.keys():
        return False
    return all(
        math.isclose(one[name], other[name], rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        if name in NUMBERS
        else one[name] == other[name]
        for name in one
    )


def _named(key: str) -> str:
    found = json.loads(key)
    of = [f"{name} {value}" for name, value in found.items() if name != "INDICATOR"]
    return f"{found['INDICATOR']} ({', '.join(of)})"


def _told(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "not there"
    if "OBS_VALUE" not in one:
        return str(one.get("COMMENT", "not known"))
    value = f"{one['OBS_VALUE']!r} {one['UNIT_MEASURE']}"
    if "CI95_LOW" in one:
        value += f" ({one['CI95_LOW']!r} to {one['CI95_HIGH']!r})"
    rest = [str(one[name]) for name in ATTRIBUTES if name in {"DEMONSTRATED"} and name in one]
    return ", demonstrated: ".join([value, *rest])


def _members(name: str, filed: Any, again: Any) -> Iterator[Difference]:
    """Members of what is said beside the figures, each by itself where it has parts."""
    if filed == again:
        return
    if isinstance(filed, Mapping) and isinstance(again, Mapping):
        for part in sorted(filed.keys() | again.keys()):
            yield from _members(f"{name}.{part}", filed.get(part), again.get(part))
    else:
        yield Difference(name, _short(filed), _short(again))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
