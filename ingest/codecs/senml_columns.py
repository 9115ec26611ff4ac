"""The usual pack of a known device, read straight into columns: no object for each reading.

Usual is what a device sends all day: named numbers with absolute times, for datastreams that it has
spoken of before. Whatever is not usual is left alone, and :func:`ingest.codecs.senml.decode` reads
it from the beginning: there is one place that knows what is wrong with a pack, and what to keep of
it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ingest.codecs import senml, senml_pack, units
from ingest.messages import LATEST_TIME_US, PayloadError
from storage.devices import StreamKey

_BOOT, _SEQ = -1, -2  # in place of a datastream's id
_EARLIEST_US, _LATEST_US = senml_pack.RELATIVE_BELOW_US, LATEST_TIME_US
_LONGEST_S = senml_pack.LONGEST_S
_OF_NUMBERS = b"0123456789.-"  # none of which is in a label
_LONGEST_SHAPE = 2_048  # bytes, of some seventy values: each device has one that is remembered
_UNUSUAL = ("bv", "bs", "bver", "vs", "vb", "vd", "s", "ut")


class Place(NamedTuple):
    """Where a value goes."""

    stream: int  # a datastream's id
    conversion: units.Conversion | None  # to its unit


class _Base(NamedTuple):
    """Base fields in force."""

    name: str
    time_us: int | None  # None: no time
    unit: str | None


_NUMBERING = {"boot": Place(_BOOT, None), "seq": Place(_SEQ, None)}


class _Record(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The labels of a usual record."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    t: float | UnsetType = UNSET


class Rows:
    """Columns that grow with each pack; a batch is one of them."""

    def __init__(self) -> None:
        self.streams: list[int] = []
        self.times: list[int] = []  # [µs since 1970]
        self.values: list[float] = []

    def __len__(self) -> int:
        return len(self.streams)

    def cut(self, length: int) -> None:
        """Forget what was added beyond a length."""
        for column in (self.streams, self.times, self.values):
            del column[length:]


class Numbers(NamedTuple):
    """How a pack is numbered."""

    boot: int | None
    seq: int | None


class Names:
    """What one device calls its datastreams, learned as it speaks of them."""

    def __init__(self, identity: str, device_id: str, streams: Mapping[StreamKey, int]) -> None:
        self.identity, self.device_id = identity, device_id
        self._prefix = f"{senml.URN}{identity}:"
        self._streams = streams
        self.shape = b""  # of the last pack that was checked, without its numbers
        # By base name, then by name, or by name and unit where there is a unit.
        self.by_base: dict[str, dict[str | tuple[str, str], Place]] = {"": {}, self._prefix: {}}

    def find(self, base: str, name: str, unit: str | None) -> Place | None:
        """Where values of this name go; None if the full decoder has to say."""
        full = (base + name).removeprefix(self._prefix)
        place = _NUMBERING.get(full)
        if place is None:
            target = senml.target(full, unit)
            if not isinstance(target, senml.Target):
                return None
            key = StreamKey(self.device_id, target.quantity, target.depth_cm, target.channel)
            stream = self._streams.get(key)
            if stream is None:
                return None
            place = Place(stream, target.conversion)
        interned = sys.intern(name)
        self.by_base[base][interned if unit is None else (interned, sys.intern(unit))] = place
        return place


_typed = msgspec.json.Decoder(list[_Record])
_encoder = msgspec.json.Encoder()


def read(payload: bytes, names: Names, rows: Rows) -> Numbers | None:
    """Add the readings of a usual pack to ``rows``; None if it is not one, and nothing is added."""
    records = _records(payload, names)
    if records is None or len(records) > senml_pack.MAX_RECORDS:
        return None
    length = len(rows)
    numbers = _add(records, names, rows)
    if numbers is None:
        rows.cut(length)
    return numbers


def _records(payload: bytes, names: Names) -> Sequence[_Record | senml_pack.Record] | None:
    if senml_pack.is_cbor(payload):
        return _from_cbor(payload)
    try:
        records = _typed.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # But for its numbers, a device's pack is mostly like the one before, labels and quotes too.
    shape = payload.translate(None, _OF_NUMBERS)
    if shape != names.shape:
        # Of a label given twice the last would win: written out again, there are fewer quotes.
        if b"\\" in payload or payload.count(b'"') != _encoder.encode(records).count(b'"'):
            return None
        names.shape = shape if len(shape) <= _LONGEST_SHAPE else b""
    return records


def _from_cbor(payload: bytes) -> Sequence[senml_pack.Record] | None:
    try:
        records, rejected = senml_pack.read(payload)
    except PayloadError:
        return None
    if rejected:
        return None
    for record in records:
        if any(getattr(record, label) is not UNSET for label in _UNUSUAL):
            return None
    return records


def _add(
    records: Sequence[_Record | senml_pack.Record], names: Names, rows: Rows
) -> Numbers | None:
    """Resolve records (RFC 8428 section 4.6) as far as usual ones need it."""
    base = _Base("", 0, None)
    places = names.by_base[base.name]
    numbers: dict[int, int] = {}
    for r in records:
        if r.bn is not UNSET or r.bt is not UNSET or r.bu is not UNSET:
            base = _rebased(base, r)
            if base.time_us is None or base.name not in names.by_base:
                return None
            places = names.by_base[base.name]
        name, value = r.n, r.v
        if name is UNSET or value is UNSET:
            if name is UNSET and value is UNSET and r.u is UNSET and r.t is UNSET:
                continue  # only sets base fields
            return None
        unit = base.unit if r.u is UNSET else r.u
        place = places.get(name if unit is None else (name, unit))
        if place is None and (place := names.find(base.name, name, unit)) is None:
            return None
        stream, conversion = place
        if stream < 0:
            if not _is_numbered(numbers, stream, value):
                return None
            continue
        if conversion is not None:
            value = conversion(value)
        time_us = base.time_us if r.t is UNSET else _later(base.time_us, r.t)
        if time_us is None or not (-inf < value < inf and _EARLIEST_US <= time_us <= _LATEST_US):
            return None
        rows.streams.append(stream)
        rows.times.append(time_us)
        rows.values.append(value)
    return Numbers(numbers.get(_BOOT), numbers.get(_SEQ))


def _rebased(base: _Base, r: _Record | senml_pack.Record) -> _Base:
    return _Base(
        base.name if r.bn is UNSET else r.bn,
        base.time_us if r.bt is UNSET else _later(0, r.bt),
        base.unit if r.bu is UNSET else r.bu,
    )


def _later(time_us: int | None, seconds: float) -> int | None:
    if time_us is None or not -_LONGEST_S < seconds < _LONGEST_S:
        return None
    return time_us + round(seconds * 1e6)


def _is_numbered(numbers: dict[int, int], which: int, value: float) -> bool:
    """Note one of the two numbers of a message, if it is one and was not given otherwise."""
    if not 0 <= value < senml.LARGEST_COUNT or value != int(value):
        return False
    return numbers.setdefault(which, int(value)) == value
