"""Our own devices' readings: SenML packs on `dala/v1/{device}/senml` (docs/protocol.md).

A resolved name is `quantity`, `quantity/depth_cm`, `quantity:channel` or
`quantity/depth_cm:channel`, alone or behind `urn:dev:dala:{device}:`. The records `boot` and `seq`
number the message. No unit means the unit the quantity is stored in.
"""

import re
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from ingest.codecs import senml_pack, units
from ingest.messages import Context, Decoded, Reading, Rejected
from storage.quantities import CATALOGUE
from storage.readings import Quality

URN = "urn:dev:dala:"
_NAME = re.compile(r"([A-Za-z0-9_]+)(?:/(\d{1,5}(?:\.\d{1,3})?))?(?::(\d{1,4}))?")
_SERVER_TIME = int(Quality.SERVER_TIME)
_NUMBERING = frozenset({"boot", "seq"})
LARGEST_COUNT = 2**53  # JSON numbers are exact up to here


class Target(NamedTuple):
    """Where the values of one name and unit go."""

    quantity: str
    depth_cm: float | None
    channel: int | None
    conversion: units.Conversion | None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one pack into readings, keeping the good records of a pack that has bad ones.

    Times that count from "now" are resolved against the arrival and marked so: the same message
    delivered twice then has two times, and only `boot` and `seq` tell that it is one.

    Raises
    ------
    PayloadError
        If the pack has to be refused as a whole.
    """
    (device,) = context.levels
    prefix = f"{URN}{device}:"
    records, rejected = senml_pack.read(payload)
    readings: list[Reading] = []
    numbering: dict[str, int] = {}
    for record in senml_pack.resolve(records, context.received_at_us):
        name = record.name.removeprefix(prefix)
        if name in _NUMBERING:
            problem = _number(name, record.value, numbering)
        else:
            problem = _add(readings, device, name, record)
        if problem is not None:
            reason, detail = problem
            rejected.append(Rejected(reason, f"record {record.position}: {detail}"))
    return Decoded(
        device, readings, [], rejected, boot=numbering.get("boot"), seq=numbering.get("seq")
    )


def _add(
    readings: list[Reading], device: str, name: str, record: senml_pack.Resolved
) -> Rejected | None:
    """Append the reading of one record, or say why there is none."""
    where = target(name, record.unit)
    if isinstance(where, Rejected):
        return where
    quantity, depth_cm, channel, conversion = where
    value, time_us = record.value, record.time_us
    if type(value) is bool and quantity == "valve_open":
        value, conversion = float(value), None
    if type(value) is not float:
        return _no_number(name, record)
    if conversion is not None:
        value = conversion(value)
    if not isfinite(value):
        return Rejected("value-not-finite", f"{name} is {value}: leave out what was not measured")
    if time_us is None:
        return Rejected("time-out-of-range", f"the time of {name} is not between 1970 and 9999")
    source, quality = ("server", _SERVER_TIME) if record.relative else ("device", 0)
    readings.append(
        Reading(device, quantity, value, time_us, source, depth_cm, channel, quality)  # type: ignore[arg-type]
    )
    if record.sum is not None:
        return Rejected("sum-not-stored", f"{name} has a sum (s, bs); its value was stored")
    return None


def _no_number(name: str, record: senml_pack.Resolved) -> Rejected:
    if record.value == senml_pack.SEVERAL:
        return Rejected("several-values", f"{name} has more than one of v, vs, vb and vd")
    if record.value is not None:
        kind = {str: "text (vs) or data (vd)", bool: "a switch (vb)"}[type(record.value)]
        return Rejected("not-a-number", f"{name} is {kind}; send a number as v")
    if record.sum is not None:
        return Rejected("sum-not-stored", f"{name} has only a sum (s, bs); send the counter as v")
    return Rejected("no-value", f"{name} has no value; send a number as v")


def _number(name: str, value: object, numbering: dict[str, int]) -> Rejected | None:
    """Note one of the two numbers of a message."""
    if type(value) is not float or not 0 <= value < LARGEST_COUNT or value != int(value):
        return Rejected("bad-numbering", f"{name} is {value!r}; send a whole number from 0 up")
    if numbering.setdefault(name, int(value)) != value:
        return Rejected("bad-numbering", f"{name} is given twice, and differs")
    return None


@lru_cache(maxsize=8192)
def target(name: str, unit: str | None) -> Target | Rejected:
    """What a name (without its device) and a unit mean, or why they mean nothing to us."""
    if not senml_pack.is_name(name):
        return Rejected("bad-name", f"{name[:80]!r} is not a SenML name (RFC 8428 section 4.5.1)")
    if name.startswith(URN):
        return Rejected("foreign-device", f"{name[:80]!r} names another device than the topic does")
    parts = _NAME.fullmatch(name)
    if parts is None or parts[1] not in CATALOGUE:
        return Rejected(
            "unknown-quantity",
            f"{name[:80]!r} is not quantity, quantity/depth_cm or quantity:channel "
            "with a quantity of the catalogue",
        )
    quantity, depth, channel = parts.groups()
    try:
        conversion = None if unit is None else units.conversion(unit, quantity)
    except KeyError:
        stored = CATALOGUE[quantity].unit
        written = repr(unit)[:60]
        return Rejected("unknown-unit", f"{written} of {quantity} (stored in {stored}) is unknown")
    except ValueError as error:
        return Rejected("wrong-unit", str(error))
    return Target(
        quantity,
        None if depth is None else float(depth),
        None if channel is None else int(channel),
        conversion,
    )
