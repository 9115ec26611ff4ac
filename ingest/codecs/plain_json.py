"""Plain JSON, read by a plan that an operator wrote: which path is which quantity, in which unit.

A path is dotted (`sensors.0.temp`) or a JSON pointer (`/sensors/0/air temp`, RFC 6901); what a
message does not have at a path, or has as null, was not measured. A value that is NaN or infinite,
or not a number, is refused by itself.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from ingest.codecs.documents import load_any
from ingest.codecs.local_times import local
from ingest.codecs.lorawan.models import Field
from ingest.codecs.lorawan.values import NoSensor, convert
from ingest.codecs.times import rfc3339
from ingest.messages import (
    LATEST_TIME_US,
    Context,
    Decoded,
    PayloadError,
    Reading,
    Rejected,
    TimeSource,
)
from storage.readings import Quality

MAX_RECORDS = 10_000
LOCAL = "local"  # of time formats: what a clock shows, alone in ISO form or with strptime's codes
EPOCHS = {"epoch-s": 1_000_000, "epoch-ms": 1_000}  # to microseconds
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_MISSING: Any = object()

Path = tuple[str, ...]
Dated = tuple[int, TimeSource, int]


class Identity(NamedTuple):
    """Whose a message is: text where `$1` is a level of the topic, `$0` what the payload says."""

    text: str
    path: Path | None = None

    def of_topic(self, levels: tuple[str, ...]) -> str | None:
        """The identity, as far as the topic alone tells it."""
        return None if self.path is not None else self._filled(levels, "")

    def of(self, levels: tuple[str, ...], document: object) -> str:
        """The identity of a message's sender; PayloadError if it does not say."""
        said = "" if self.path is None else at(document, self.path)
        if isinstance(said, bool) or not isinstance(said, (str, int)):
            raise PayloadError("no-device", "the payload does not say which device it is of")
        identity = self._filled(levels, str(said))
        if (self.path is not None and said == "") or not identity:
            raise PayloadError("no-device", "the device's name is empty")
        if not identity.isprintable():  # such as a null, which no text of the database may have
            raise PayloadError("no-device", f"the device's name is {identity[:40]!r}")
        return identity[:200]

    def _filled(self, levels: tuple[str, ...], said: str) -> str | None:
        parts = (said, *levels)
        return re.sub(r"\$(\d)", lambda found: parts[int(found[1])], self.text) or None


class Clock(NamedTuple):
    """Where a record has its time, and how it is written."""

    path: Path
    format: str


class Rule(NamedTuple):
    """What stands at a path."""

    path: Path
    name: str  # of the path, as written
    field: Field


class Plan(NamedTuple):
    """What an operator says of the messages of a topic."""

    identity: Identity
    rules: tuple[Rule, ...] = ()
    clock: Clock | None = None
    records: Path | None = None  # of a list whose items each have a time and values
    zone: str | None = None  # of local times; None: that of the device


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings, by the plan in the context's options.

    Raises
    ------
    PayloadError
        If it is no JSON, has no list of records where one is expected, or does not say whose it is.
    """
    plan: Plan = context.options
    document = load_any(payload)
    device = plan.identity.of(context.levels, document)
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    records = [document] if plan.records is None else _records(document, plan.records)
    for position, record in enumerate(records):
        place = "" if plan.records is None else f"record {position}: "
        try:
            dated = when(record, plan, context)
        except PayloadError as error:
            rejected.append(Rejected(error.reason, place + error.detail))
            continue
        measured(device, record, plan.rules, dated, (readings, rejected), place)
    why = None if readings or rejected else "nothing stands at any path of the mapping"
    return Decoded(device, readings, [], rejected, ignored=why)


def path_of(text: str) -> Path:
    """The steps of a path; none of an empty one, which is the whole document."""
    if text.startswith("/"):
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))
    return tuple(text.split(".")) if text else ()


def at(document: object, path: Path) -> Any:
    """What stands at a path; `_MISSING` where it ends early."""
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _MISSING
    return document


def measured(
    device: str,
    record: object,
    rules: tuple[Rule, ...],
    dated: Dated,
    into: tuple[list[Reading], list[Rejected]],
    place: str = "",
) -> None:
    """Add the readings of one record, and what could not be read of it."""
    readings, rejected = into
    time_us, source, quality = dated
    for path, name, field in rules:
        written = at(record, path)
        if written is _MISSING or written is None:
            continue
        try:
            value = convert(written, field)
        except PayloadError as error:
            rejected.append(Rejected(error.reason, f"{place}{name}: {error.detail}"))
        except NoSensor:
            continue
        else:
            readings.append(
                Reading(
                    device,
                    field.quantity,
                    value,
                    time_us,
                    source,
                    field.depth_cm,
                    field.channel,
                    quality,
                )
            )


def when(record: object, plan: Plan, context: Context) -> Dated:
    """The time of a record; that of the arrival if the plan knows of none.

    Raises
    ------
    PayloadError
        If the plan says where the time is and there is none that can be read.
    """
    clock = plan.clock
    if clock is None:
        return arrival(context)
    written = at(record, clock.path)
    if written is _MISSING:
        raise PayloadError("bad-time", f"no time at {'.'.join(clock.path)[:80]!r}")
    if clock.format in EPOCHS:
        return epoch(written, EPOCHS[clock.format]), "device", 0
    if not isinstance(written, str):
        raise PayloadError("bad-time", f"the time is a {type(written).__name__}, not text")
    try:
        if clock.format == "rfc3339":
            return rfc3339(written), "device", 0
        moment = _shown(written, clock.format.removeprefix(LOCAL).strip())
    except ValueError as error:
        raise PayloadError("bad-time", str(error)[:200]) from error
    return local(moment, plan.zone or context.timezone, context.received_at_us), "device", 0


def arrival(context: Context) -> Dated:
    """The time of what has none of its own."""
    return context.received_at_us, "server", int(Quality.SERVER_TIME)


def epoch(written: Any, factor: int) -> int:
    """Microseconds of a count since 1970, as a number or as text; PayloadError if it is none."""
    if isinstance(written, str) and _NUMBER.fullmatch(written):
        written = float(written) if "." in written else int(written)
    if type(written) not in (int, float) or not 0 <= written * factor <= LATEST_TIME_US:
        raise PayloadError("bad-time", f"{str(written)[:40]!r} is no time between 1970 and 9999")
    time_us: int = round(written * factor)
    return time_us


def _shown(written: str, form: str) -> datetime:
    """What a clock showed, without its zone."""
    moment = datetime.strptime(written, form) if form else datetime.fromisoformat(written)  # noqa: DTZ007
    if moment.tzinfo is not None:
        raise ValueError(f"{written[:40]!r} has an offset: its format is rfc3339, not {LOCAL}")
    return moment


def _records(document: object, path: Path) -> list[Any]:
    found = at(document, path)
    if not isinstance(found, list):
        raise PayloadError("bad-message", f"no list of records at {'.'.join(path)[:80]!r}")
    if len(found) > MAX_RECORDS:
        raise PayloadError(
            "too-many-records", f"{len(found)} records; send at most {MAX_RECORDS} at once"
        )
    return found


Codec = Callable[[bytes, Context], Decoded]


def for_device(codec: Codec) -> Codec:
    """A codec of topics that name the device, for a topic whose plan tells who it is."""

    def decode_for(payload: bytes, context: Context) -> Decoded:
        plan: Plan = context.options
        device = plan.identity.of(context.levels, None)
        zone = plan.zone or context.timezone
        return codec(payload, context._replace(levels=(device,), options=None, timezone=zone))

    return decode_for
