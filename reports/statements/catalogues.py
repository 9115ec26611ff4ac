"""What a statement takes from orders and the press: dated data with a source, never constants.

The files stand in ``catalogue/``; a statement carries what it used of them, and their digests.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

RAIN_FED, UNKNOWN = "rain-fed", "_U"
TARIFFS, TECHNOLOGIES = "water_tariff_bands", "irrigation_technologies"


def _bytes(name: str) -> bytes:
    return (files("reports.statements") / "catalogue" / f"{name}.toml").read_bytes()


@cache
def catalogue(name: str) -> Mapping[str, Any]:
    """A catalogue as it is written."""
    return tomllib.loads(_bytes(name).decode())


def digest(name: str) -> str:
    """SHA-256 of a catalogue's file."""
    return hashlib.sha256(_bytes(name)).hexdigest()


def technology(method: str | None) -> str:
    """What an irrigation method counts as; its own name where the catalogue has it not."""
    if method is None:
        return RAIN_FED
    known = catalogue(TECHNOLOGIES)["technologies"]
    return next((name for name, one in known.items() if method in one["methods"]), method)


def saves_water(method: str | None) -> bool | None:
    """Whether a method is a water-saving one; None where that is unknown or nothing is watered."""
    known = catalogue(TECHNOLOGIES)["technologies"].get(technology(method))
    return None if known is None else bool(known["water_saving"])


def tariff_band(tariff_kzt_m3: float | None, method: str | None, day: dt.date) -> str:
    """The band of a tariff on a day: ``2-4``, ``20+``; or why there is none."""
    if tariff_kzt_m3 is None:
        return UNKNOWN
    if saves_water(method) is not False:
        return "no-band-known"
    in_force = [one for one in catalogue(TARIFFS)["bands"] if one["valid_from"] <= day]
    if not in_force:
        return "no-band-in-force"
    low = 0.0
    for step in max(in_force, key=lambda one: one["valid_from"])["steps"]:
        high = step.get("up_to_kzt_m3")
        if high is None or tariff_kzt_m3 <= high:
            return f"{low:g}+" if high is None else f"{low:g}-{high:g}"
        low = high
    raise ValueError("the last step of tariff bands has no upper end")


def used(name: str) -> dict[str, Any]:
    """A catalogue as a manifest carries it: plain values, dates as text."""
    return {"digest": digest(name), "content": _plain(catalogue(name))}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value
