"""Readings as a SenML pack of few bytes, for a link that is paid by the kilobyte.

What readings share is said once: the time they begin at (``bt``), the unit (``bu``), and the name
or the beginning of it (``bn``); the device is known from the topic. A value is what the sensor
shows, no more digits: in CBOR a whole number, a half or single float where that is exact, or a
decimal fraction (RFC 8428 section 6 allows each), whichever is shortest. So the same reading
becomes the same double from JSON and from CBOR.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import cbor2

from seeds.buffers import Number
from storage.quantities import CATALOGUE

_LABELS = {"bn": -2, "bt": -3, "bu": -4, "n": 0, "u": 1, "v": 2, "t": 6}  # RFC 8428, Table 4
_DIGITS = {  # decimals that sensors resolve, in the unit that is stored
    "soil_moisture": 4,
    "soil_ec": 3,
    "water_total": 3,
    "water_flow": 3,
    "battery_voltage": 3,
    "yield_mass_flow": 3,
}
_OTHER_DIGITS = 2
_MOST_DIGITS = 12  # of a value in a unit of the sensor's own: float noise is cut off
_EXACT_IN_HALF = 11  # bits of a half float's significand
_SECOND_MS = 1_000


class Reading(NamedTuple):
    """One value as a sensor gave it."""

    name: str  # quantity[/depth_cm][:channel]
    value: Decimal
    unit: str | None  # SenML; None is the unit the quantity is stored in
    time_ms: int  # since 1970, or of a clock that only counts


def rounded(name: str, value: Decimal, unit: str | None = None) -> Decimal:
    """A value with the digits its sensor can resolve, and none that say nothing."""
    quantity = name.partition("/")[0].partition(":")[0]
    if unit is None and quantity in CATALOGUE:
        digits = _DIGITS.get(quantity, _OTHER_DIGITS)
        if value.as_tuple().exponent < -digits:  # type: ignore[operator]  # finite: see the caller
            value = round(value, digits)
    elif len(value.as_tuple().digits) > _MOST_DIGITS:
        value = Decimal(f"{value:.{_MOST_DIGITS}g}")
    value = value.normalize()
    return value if value else Decimal(0)  # there is no minus zero


def pack(
    readings: Sequence[Reading], number: Number, *, cbor: bool, from_ms: int | None = None
) -> bytes:
    """One numbered SenML pack.

    Parameters
    ----------
    from_ms
        Times are told relative to this moment of the readings' own clock, and the pack is without
        a base time: :func:`dated` gives it one each time it is sent. By default times are absolute.
    """
    head: dict[str, Any] = {"n": "boot", "v": number.boot}
    base_ms = from_ms
    if base_ms is None:
        base_ms = min((one.time_ms for one in readings), default=0) // _SECOND_MS * _SECOND_MS
        if readings:
            head["bt"] = base_ms // _SECOND_MS
    records = [head, {"n": "seq", "v": number.seq}, *_records(readings, base_ms)]
    return _cbor(records) if cbor else _json(records)


def empty(number: Number, *, cbor: bool) -> bytes:
    """A message that says nothing but its number: the readings under it are no more."""
    return pack((), number, cbor=cbor)


def dated(payload: bytes, age_ms: int) -> bytes:
    """A pack without a base time, as of now: its times count from so long before its arrival."""
    seconds = _seconds(-age_ms)
    if payload[:1] == b"[":
        records = json.loads(payload)
        return _text([{"bt": float(seconds)} | records[0], *records[1:]])
    records = cbor2.loads(payload)
    return cbor2.dumps([{_LABELS["bt"]: seconds} | records[0], *records[1:]], canonical=True)


def renumbered(payload: bytes, number: Number) -> bytes:
    """The same pack, or track message, under another number."""
    if payload[:1] in (b"[", b"{"):
        message = json.loads(payload)
        if isinstance(message, dict):
            return json.dumps(message | number._asdict()).encode()
        message[0]["v"], message[1]["v"] = number
        return _text(message)
    message = cbor2.loads(payload)
    value = _LABELS["v"]
    message[0][value], message[1][value] = number
    return cbor2.dumps(message, canonical=True)


def fitting(
    readings: Sequence[Reading], number: Number, budget_bytes: int, *, cbor: bool
) -> tuple[int, int]:
    """How many of the first readings fit into a budget, at least one, and the bytes they take."""
    size = len(pack(readings, number, cbor=cbor))
    if size <= budget_bytes:
        return len(readings), size
    fit, size, too_many = 1, len(pack(readings[:1], number, cbor=cbor)), len(readings)
    while too_many - fit > 1:
        middle = (fit + too_many) // 2
        needed = len(pack(readings[:middle], number, cbor=cbor))
        if needed <= budget_bytes:
            fit, size = middle, needed
        else:
            too_many = middle
    return fit, size


# --- records


def _records(readings: Sequence[Reading], base_ms: int) -> Iterable[dict[str, Any]]:
    """Those without a unit first, for a base unit stays in force; then family by family."""
    unit_said = ""
    by_unit = sorted(readings, key=lambda one: (one.unit or "", _family(one.name)))
    for (unit, family), group in groupby(
        by_unit, key=lambda one: (one.unit or "", _family(one.name))
    ):
        shared = {} if unit == unit_said else {"bu": unit}
        unit_said = unit
        for record, one in _named(family, list(group)):
            after = one.time_ms - base_ms
            when = {"t": _seconds(after)} if after else {}
            yield shared | record | when | {"v": one.value}
            shared = {}


def _named(family: str, group: list[Reading]) -> Iterable[tuple[dict[str, Any], Reading]]:
    """Names of one quantity, the shorter way: each whole, once; or its end beside every value."""
    whole = sorted(group, key=lambda one: one.name)  # keeps the order of time
    names = {one.name for one in group}
    ends = sum(2 + len(one.name) - len(family) for one in group)
    if len(names) > 1 and 2 + len(family) + ends < sum(2 + len(name) for name in names):
        for index, one in enumerate(group):
            beginning = {} if index else {"bn": family}
            yield beginning | {"n": one.name[len(family) :]}, one
        return
    said = ""
    for one in whole:
        yield ({} if one.name == said else {"bn": one.name}), one
        said = one.name


def _family(name: str) -> str:
    """What the names of one quantity have in common, with the sign that ends it."""
    quantity = name.partition("/")[0].partition(":")[0]
    return name[: len(quantity) + 1]


def _seconds(time_ms: int) -> Decimal:
    return (Decimal(time_ms) / _SECOND_MS).normalize()


# --- numbers and bytes


def _cbor(records: Iterable[dict[str, Any]]) -> bytes:
    labelled = [
        {
            _LABELS[label]: _shortest(value) if isinstance(value, Decimal) else value
            for label, value in record.items()
        }
        for record in records
    ]
    return cbor2.dumps(labelled, canonical=True)


@lru_cache(maxsize=4_096)
def _shortest(value: Decimal) -> Decimal | float:
    """What canonical CBOR writes in the fewest bytes without changing the double it stands for."""
    if value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    as_float = float(value)
    # Canonical CBOR writes the shortest float that is exact; a tagged decimal has 4 bytes or more.
    choices: tuple[Decimal | float, ...] = as_float, value
    return min(choices, key=lambda one: len(cbor2.dumps(one, canonical=True)))


def _json(records: Iterable[dict[str, Any]]) -> bytes:
    plain = [{label: _plain(value) for label, value in record.items()} for record in records]
    return _text(plain)


def _plain(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _text(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records, separators=(",", ":")).encode()
