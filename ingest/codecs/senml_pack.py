"""SenML packs (RFC 8428): JSON or CBOR bytes to records, and records to resolved ones.

Nothing here knows what the names mean. The usual JSON pack is read by a typed decoder; whatever
that one cannot vouch for (labels it does not know, labels given twice, escapes, NaN, wrong types)
goes through a slower reader that can name the trouble.
"""

import json
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple, TypeVar

import cbor2
import msgspec
from msgspec import UNSET, UnsetType

from ingest.messages import LATEST_TIME_US, PayloadError, Rejected

VERSION = 10  # RFC 8428 section 4.4: a greater one may mean something else altogether
LONGEST_NAME = 500  # characters; names that mean something to us are shorter than a hundred
_ROOMY = 8 * LONGEST_NAME  # bytes of a pack whose names may be too long to be remembered
RELATIVE_BELOW_US = 2**28 * 1_000_000  # section 4.5.3: smaller times count from "now"
MAX_RECORDS = 10_000
LONGEST_S = 1e12  # beyond, seconds are no time: the year 33,000

CBOR_LABELS = {  # section 6, Table 4
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")  # section 4.5.1


Value = float | str | bool | None | tuple[()]
SEVERAL: tuple[()] = ()  # the value of a record that has more than the one it may have


class Record(msgspec.Struct, gc=False):
    """One record, its fields under the labels of the RFC."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: float | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: float | UnsetType = UNSET


class Base(msgspec.Struct):
    """The fields that stay in force for the records after theirs."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: float | UnsetType = UNSET


class Resolved(NamedTuple):
    """A record with all base fields applied (section 4.6)."""

    position: int  # in the pack, counted from 0
    name: str
    unit: str | None
    time_us: int | None  # [µs since epoch]; None for a time no calendar has
    relative: bool  # the time was counted from "now"
    value: Value
    sum: float | None


_T = TypeVar("_T")
_LABELS = frozenset(Record.__struct_fields__)
_typed = msgspec.json.Decoder(list[Record])
_encoder = msgspec.json.Encoder()


def is_cbor(payload: bytes) -> bool:
    """Whether the first byte opens a CBOR array (or tags one as CBOR)."""
    return bool(payload) and (0x80 <= payload[0] <= 0x9F or payload[:3] == b"\xd9\xd9\xf7")


def is_name(name: str) -> bool:
    """Whether a full name keeps to the characters of section 4.5.1."""
    return _NAME.fullmatch(name) is not None


def read(payload: bytes) -> tuple[list[Record], list[Rejected]]:
    """Take a pack apart; records that are wrong in themselves come back as reasons.

    Raises
    ------
    PayloadError
        If it is no pack at all, or one that must be refused as a whole.
    """
    records, rejected = _read(payload)
    if len(payload) > _ROOMY:
        _check_names(records)
    return records, rejected


def _check_names(records: list[Record]) -> None:
    for index, r in enumerate(records):
        for reason, text in (("bad-name", r.n), ("unknown-unit", r.u), ("unknown-unit", r.bu)):
            if text is not UNSET and len(text) > LONGEST_NAME:
                detail = f"record {index}: {text[:40]!r} … has more than {LONGEST_NAME} characters"
                raise PayloadError(reason, detail)


def _read(payload: bytes) -> tuple[list[Record], list[Rejected]]:
    if is_cbor(payload):
        return _check(_from_cbor(payload))
    try:
        records = _typed.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _check(_from_json(payload))
    # The typed decoder skips labels it does not know and lets the last of a pair win. Written
    # out again the records have fewer quotes then, unless escapes confuse the count.
    if b"\\" in payload or payload.count(b'"') != _encoder.encode(records).count(b'"'):
        return _check(_from_json(payload))
    return _limited(records), []


def resolve(records: Iterable[Record], now_us: int) -> list[Resolved]:
    """Apply the base fields; `now_us` is what times below 2^28 s count from.

    Raises
    ------
    PayloadError
        If the pack is of a version this module does not understand, or has a base field that
        leaves all that follow in doubt.
    """
    base_name, base_time, base_unit = "", 0, None
    base_value: float | None = None
    base_sum: float | None = None
    resolved = []
    for index, r in enumerate(records):
        if r.bn is not UNSET:
            base_name = r.bn
            if len(base_name) > LONGEST_NAME:
                detail = f"record {index}: bn has more than {LONGEST_NAME} characters"
                raise PayloadError("bad-base-field", detail)
        if r.bt is not UNSET:
            offset = _microseconds(r.bt)
            if offset is None:
                raise PayloadError("bad-base-field", f"record {index}: bt {r.bt} is no time")
            base_time = offset
        if r.bu is not UNSET:
            base_unit = r.bu
        if r.bv is not UNSET:
            base_value = r.bv
        if r.bs is not UNSET:
            base_sum = r.bs
        if r.bver is not UNSET:
            _check_version(r.bver, index)
        value = _value(r, base_value)
        if value is None and r.s is UNSET and r.n is UNSET and r.u is UNSET and r.t is UNSET:
            continue  # only sets base fields
        total = None if r.s is UNSET and base_sum is None else _plus(r.s, base_sum)
        time_us, relative = _time(r, base_time, now_us)
        name = base_name if r.n is UNSET else base_name + r.n
        unit = base_unit if r.u is UNSET else r.u
        resolved.append(Resolved(index, name, unit, time_us, relative, value, total))
    return resolved


def _time(r: Record, base_us: int, now_us: int) -> tuple[int | None, bool]:
    """Absolute time of a record, None if no calendar has it, and whether it was relative."""
    own = 0 if r.t is UNSET else _microseconds(r.t)
    if own is None:
        return None, False
    time_us = base_us + own
    relative = time_us < RELATIVE_BELOW_US
    if relative:
        time_us += now_us
    return (time_us if 0 <= time_us <= LATEST_TIME_US else None), relative


def _value(r: Record, base: float | None) -> Value:
    """The one value of a record, with the base value added to a number (section 4.5.4)."""
    if r.v is not UNSET and r.vs is UNSET and r.vb is UNSET and r.vd is UNSET:
        return r.v if base is None else r.v + base
    given = [value for value in (r.v, r.vs, r.vb, r.vd) if value is not UNSET]
    if given:
        return given[0] if len(given) == 1 else SEVERAL
    named = r.n is not UNSET or r.u is not UNSET or r.t is not UNSET
    return base if named and r.s is UNSET else None


def _plus(given: float | UnsetType, base: float | None) -> float:
    return (0.0 if given is UNSET else given) + (base or 0.0)


def _microseconds(seconds: float) -> int | None:
    """Whole microseconds; a double of today's date in seconds is good to a quarter of one."""
    return round(seconds * 1e6) if -LONGEST_S < seconds < LONGEST_S else None


def _check_version(version: float, index: int) -> None:
    if not 1 <= version <= VERSION or version != int(version):
        raise PayloadError(
            "unsupported-version",
            f"record {index}: SenML version {version:g}; versions 1 to {VERSION} are understood",
        )


def _big(digits: object, _immutable: bool) -> int:
    """A whole number of many bits, but not of more than a double has room for.

    Making a decimal fraction of a quarter of a million bytes takes seconds.
    """
    if not isinstance(digits, bytes) or len(digits) > 128:
        raise ValueError("a number of more than 1,024 bits")
    return int.from_bytes(digits)


def _big_below_zero(digits: object, immutable: bool) -> int:
    return -1 - _big(digits, immutable)


_BIG_NUMBERS = {2: _big, 3: _big_below_zero}  # by their tags, RFC 8949 section 3.4.3


def _from_cbor(payload: bytes) -> list[Any]:
    stream = BytesIO(payload)
    try:
        pack = cbor2.load(
            stream, max_depth=16, allow_duplicate_keys=False, semantic_decoders=_BIG_NUMBERS
        )
    except Exception as error:  # the decoder lets a few errors of the types it builds through
        raise PayloadError("not-cbor", f"the payload is not valid CBOR: {error}") from error
    if stream.tell() != len(payload):
        rest = len(payload) - stream.tell()
        raise PayloadError("not-cbor", f"{rest} bytes follow the end of the pack")
    return [_relabelled(record) for record in _array(pack)]


def _relabelled(record: object) -> object:
    if type(record) is not dict and not isinstance(record, Mapping):
        return record
    named = {}
    for label, value in record.items():
        name = CBOR_LABELS.get(label) if type(label) is int else label
        if isinstance(name, str):  # other numbers are labels we do not know: ignored
            # RFC 8428 section 6 lets numbers be integers, floats or decimal fractions.
            named[name] = _plain(value)
    return named


def _plain(value: object) -> object:
    """A CBOR value as JSON would have it."""
    if type(value) is float or type(value) is str:
        return value
    if isinstance(value, bytes):
        return urlsafe_b64encode(value).decode().rstrip("=")
    if isinstance(value, (int, float, Decimal)) and type(value) is not bool:
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return value


def _from_json(payload: bytes) -> list[Any]:
    try:
        pack = json.loads(payload, object_pairs_hook=_unique)
    except PayloadError:
        raise
    except (ValueError, RecursionError) as error:
        raise PayloadError("not-json", f"the payload is not valid JSON: {error}") from error
    return _array(pack)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PayloadError("duplicate-label", "a record has the same label twice")
    return fields


def _array(pack: object) -> list[Any]:
    if not isinstance(pack, (list, tuple)):  # cbor2 makes tuples of what stands under a tag
        kind = type(pack).__name__
        raise PayloadError("not-a-pack", f"a SenML pack is an array of records, not a {kind}")
    return _limited(list(pack))


def _limited(records: list[_T]) -> list[_T]:
    if len(records) > MAX_RECORDS:
        raise PayloadError(
            "too-many-records", f"{len(records)} records; send at most {MAX_RECORDS}"
        )
    return records


def _check(items: list[Any]) -> tuple[list[Record], list[Rejected]]:
    """Type each record on its own, so that a wrong one does not take its neighbours along."""
    records, rejected = [], []
    for index, item in enumerate(items):
        try:
            record = _typed_record(item, index)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:  # half a surrogate pair
            record = _base_only(item, index)
            rejected.append(Rejected("bad-record", f"record {index}: {error}"))
        records.append(record)
    return records, rejected


def _typed_record(item: object, index: int) -> Record:
    if isinstance(item, dict) and not item.keys() <= _LABELS:
        for label in item:
            if label.endswith("_"):
                raise PayloadError(
                    "unknown-label",
                    f"record {index}: {label[:40]!r} must be understood, and is not",
                )
    return msgspec.convert(item, Record)


def _base_only(item: object, index: int) -> Record:
    if not isinstance(item, dict):
        return Record()
    try:
        base = msgspec.convert(item, Base)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise PayloadError("bad-base-field", f"record {index}: {error}") from error
    return Record(bn=base.bn, bt=base.bt, bu=base.bu, bv=base.bv, bs=base.bs, bver=base.bver)
