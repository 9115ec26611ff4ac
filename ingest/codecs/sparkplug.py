"""Sparkplug B 3.0 on `spBv1.0/{group}/{type}/{node}[/{device}]`.

A BIRTH says which number (alias) stands for which metric, its datatype and its unit; DATA may then
carry numbers alone. What a node and its devices said is learned under `sparkplug:{group}/{node}`
(see `sparkplug_memory`). Whoever names a number nobody explained is asked to be born again, and its
message is kept until then; so it is with a named number whose unit only a birth that nobody heard
could tell. `seq` counts to 255 and begins again: it tells no repeats, the time of a metric does.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingest.codecs import sparkplug_payload as wire
from ingest.codecs.lorawan.models import Field
from ingest.codecs.lorawan.values import convert
from ingest.codecs.metric_names import Options, Target, own_name, target_of, unit_of
from ingest.codecs.sparkplug_memory import PREFIX, Birth, Place, Said, joined, remembered
from ingest.messages import (
    LATEST_TIME_US,
    Context,
    Decoded,
    Greeting,
    Parked,
    PayloadError,
    Reading,
    Rejected,
    Request,
    TimeSource,
)
from storage.readings import Quality

ROOT = "spBv1.0"
MAX_METRICS = 10_000
ASK_AGAIN_US = 600_000_000  # a command may be lost: ask again if no birth came
ASK_AT_MOST_US = 60_000_000  # a birth that leaves a number out would be asked for without end
_OF_NODES = frozenset({"NBIRTH", "NDATA", "NDEATH"})
_OF_DEVICES = frozenset({"DBIRTH", "DDATA", "DDEATH"})
_COMMANDS = frozenset({"NCMD", "DCMD"})
_NOT_MEASURED = ("Node Control/", "Device Control/", "Properties/")
_SERVER_TIME = int(Quality.SERVER_TIME)
_NO_OPTIONS = Options()


class _Explained(NamedTuple):
    """A metric with what its BIRTH adds."""

    metric: Any
    name: str
    datatype: int
    unit: str | None
    is_known: bool  # whether a birth says what there is to say of it, be it that it has no unit


def device_of(levels: tuple[str, ...]) -> str | None:
    """The identity that a topic names."""
    try:
        place = _place(levels)
    except PayloadError:
        return None
    return None if place is None else place.identity


def rebirth(group: str, node: str, now_us: int) -> Request:
    """Ask a node to say its births, and those of its devices, again."""
    return Request(f"{ROOT}/{group}/NCMD/{node}", wire.rebirth(now_us // 1000))


def greet(memory: Mapping[str, Any], now_us: int, session_kept: bool) -> Greeting:
    """Ask every node that is remembered for its births: while we were away some were missed.

    They come with QoS 0, which no broker queues. Until a node is born again its numbers are not
    read: they may mean something else by now.
    """
    nodes = [key.removeprefix(PREFIX).split("/", 1) for key in memory if _is_node(key)]
    asked = tuple(rebirth(group, node, now_us) for group, node in nodes)
    return Greeting(asked, joined(memory, session_kept=session_kept) if asked else {})


def _is_node(key: str) -> bool:
    return key.startswith(PREFIX) and "/" in key


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings, and into what it says of later ones.

    Raises
    ------
    PayloadError
        If the topic is none of Sparkplug's, or the bytes are no payload of it.
    """
    place = _place(context.levels)
    if place is None:
        return _ignored(None, "STATE: whether a host application is there")
    if place.kind in _COMMANDS:
        return _ignored(place.identity, f"{place.kind}: a command")
    message = wire.read(payload)
    if len(message.metrics) > MAX_METRICS:
        detail = f"{len(message.metrics)} metrics; send at most {MAX_METRICS}"
        raise PayloadError("too-many-records", detail)
    now_us = context.received_at_us
    said = remembered(context.memory, place.key)
    if place.kind == "NDEATH":
        return _node_death(place, message, said, now_us)
    if place.kind == "DDEATH":
        return _device_death(place, said, now_us)
    if not (message.metrics or message.HasField("timestamp") or message.HasField("seq")):
        raise PayloadError("bad-message", "no payload of Sparkplug B: no time, seq or metric")
    if place.kind in ("NBIRTH", "DBIRTH"):
        said = _with_birth(said, place, message, now_us)
        decoded = _data(place, message, said, context)
        # What this birth does not explain, the same birth again would not.
        return decoded._replace(
            learned={place.key: said.kept()},
            requests=(),
            heals=(Parked(place.identity, "alias-unknown"),),
        )
    return _data(place, message, said, context)


def _place(levels: tuple[str, ...]) -> Place | None:
    """What the topic says; None for the state of a host."""
    parts = "/".join(levels).split("/")
    if parts[0] == "STATE":
        return None
    group, kind, node, *rest = parts if len(parts) in (3, 4) else ("", "", "")
    named = all((group, node, *rest)) and not any("\x00" in part for part in parts)
    if named and kind in (_OF_DEVICES if rest else _OF_NODES) | _COMMANDS:
        return Place(kind, group, node, rest[0] if rest else None)
    topic = "/".join((ROOT, *parts))[:200]
    raise PayloadError(
        "bad-topic",
        f"{topic!r} is not {ROOT}/group/type/node with NBIRTH, NDATA or NDEATH, "
        f"or {ROOT}/group/type/node/device with DBIRTH, DDATA or DDEATH",
    )


def _ignored(device: str | None, why: str, learned: Mapping[str, Any] | None = None) -> Decoded:
    return Decoded(device, [], [], [], ignored=why, learned=learned or {})


# --- births and deaths ----------------------------------------------------------------------------


def _with_birth(said: Said, place: Place, message: Any, now_us: int) -> Said:
    """What is known of a node once this birth is; a node's own ends those of its devices."""
    aliases, metrics = {}, {}
    for metric in message.metrics:
        name = _text(metric.name)
        if name is not None:
            metrics[name] = [metric.datatype, wire.unit_of(metric)]
            if metric.HasField("alias"):
                aliases[str(metric.alias)] = name
    if place.device is None:
        said = said.of_session(_bd_seq(message), now_us)
    return said.with_birth(place.scope, aliases, metrics, now_us)


def _node_death(place: Place, message: Any, said: Said, now_us: int) -> Decoded:
    """The broker says a node's will: of its present session, or of one it left long ago."""
    number = _bd_seq(message)
    if number is not None and said.bd_seq is not None and number != said.bd_seq:
        why = f"NDEATH: of another session (bdSeq {number}; born with {said.bd_seq})"
        return _ignored(place.identity, why)
    why = f"NDEATH: the node is gone (bdSeq {number})"
    # The next session may number its metrics anew, and its birth may be missed.
    learned = {place.key: said.after_death(now_us).kept()} if said.is_known else None
    return _ignored(place.identity, why, learned)


def _device_death(place: Place, said: Said, now_us: int) -> Decoded:
    learned = {place.key: said.without(place.scope, now_us).kept()} if said.is_known else None
    return _ignored(place.identity, "DDEATH: the node does not reach the device", learned)


def _bd_seq(message: Any) -> int | None:
    """Number of the session that a node's birth and death share."""
    for metric in message.metrics:
        if metric.name == b"bdSeq":
            for field in ("long_value", "int_value"):
                if metric.HasField(field):
                    return int(getattr(metric, field))
    return None


def _text(name: bytes) -> str | None:
    """A name, if it is one that can be kept."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    return text if text and "\x00" not in text else None


# --- values ---------------------------------------------------------------------------------------


def _data(place: Place, message: Any, said: Said, context: Context) -> Decoded:
    birth = said.birth_of(place.scope)
    # What is read again may be of a session before this birth's: then it says nothing of it.
    is_older = context.again and birth is not None and context.received_at_us < birth.since_us
    if birth is not None and is_older:
        birth = birth.over(birth.since_us)
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    unexplained: list[str] = []
    for index, metric in enumerate(message.metrics):
        try:
            one = _explained(metric, birth)
            found = _reading(place.identity, one, message, context)
        except wire.UnknownDatatypeError as error:
            unexplained.append(f"metric {index}: {error}")
        except PayloadError as error:
            if error.reason == "alias-unknown":
                unexplained.append(error.detail)
            else:
                rejected.append(Rejected(error.reason, f"metric {index}: {error.detail}"))
        else:
            if found is not None:
                readings.append(found)
    decoded = Decoded(place.identity, readings, [], rejected)
    if unexplained and is_older:
        detail = f"of a session whose birth was not heard: {_shown(unexplained)}"
        decoded.rejected.insert(0, Rejected("birth-missed", detail))
        return decoded
    if unexplained:
        return _parked(decoded, place, unexplained, said, context)
    if not readings and not rejected:
        return decoded._replace(ignored=f"{place.kind}: no measured value")
    return decoded


def _shown(unexplained: list[str]) -> str:
    return ", ".join(unexplained[:10]) + (" …" if len(unexplained) > 10 else "")


def _parked(
    decoded: Decoded, place: Place, unexplained: list[str], said: Said, context: Context
) -> Decoded:
    """Keep the message for the birth that explains it, and ask for that birth."""
    detail = f"no birth explains {len(unexplained)} metrics: {_shown(unexplained)}"
    decoded.rejected.append(Rejected("alias-unknown", detail))
    now, asked = context.received_at_us, said.asked_us
    if said.session_us is None:
        said = said._replace(session_us=now)
        decoded = decoded._replace(learned={place.key: said.kept()})
    wait = ASK_AT_MOST_US if said.born_since else ASK_AGAIN_US
    # The same message again (its batch is tried again): its request was not sent.
    if asked is not None and 0 < now - asked < wait:
        return decoded
    learned = {place.key: said._replace(asked_us=now, born_since=False).kept()}
    return decoded._replace(learned=learned, requests=(rebirth(place.group, place.node, now),))


def _explained(metric: Any, birth: Birth | None) -> _Explained:
    """A metric under its name."""
    if metric.name:
        name = _text(metric.name)
        if name is None:
            raise PayloadError("bad-name", f"{metric.name[:80]!r} is not UTF-8 text")
    elif metric.HasField("alias"):
        named = None if birth is None else birth.aliases.get(str(metric.alias))
        if named is None:
            raise PayloadError("alias-unknown", f"alias {metric.alias}")
        name = named
    else:
        raise PayloadError("bad-record", "neither a name nor an alias")
    datatype, unit = (0, None) if birth is None else birth.metrics.get(name, (0, None))
    # What a birth of its session does not list has no unit: the node had its say.
    is_known = birth is not None and (name in birth.metrics or not birth.is_over)
    return _Explained(
        metric, name, metric.datatype or datatype, wire.unit_of(metric) or unit, is_known
    )


def _reading(device: str, explained: _Explained, message: Any, context: Context) -> Reading | None:
    """The reading of one metric; None where it has nothing to store."""
    metric, name, datatype, unit, is_known = explained
    if name == "bdSeq" or name.startswith(_NOT_MEASURED):
        return None
    if metric.is_null or metric.is_transient or not wire.has_value(metric):
        return None
    options = context.options if isinstance(context.options, Options) else _NO_OPTIONS
    if name in options.metrics and options.metrics[name] is None:
        return None
    target = _target(name, options)
    value = wire.value_of(metric, datatype)
    if value is None:
        raise PayloadError("not-a-number", f"{name[:80]!r} is text or a structure")
    unit = options.units.get(name, unit)
    if unit is None and not is_known and not isinstance(value, bool):
        raise PayloadError("alias-unknown", f"the unit of {name[:80]!r}")
    try:
        stored = _stored(value, unit, target)
    except PayloadError as error:
        raise PayloadError(error.reason, f"{name[:80]!r}: {error.detail}") from error
    time_us, source, quality = _time(metric, message, context)
    return Reading(
        device, target.quantity, stored, time_us, source, target.depth_cm, target.channel, quality
    )


def _target(name: str, options: Options) -> Target:
    ours = options.metrics.get(name)
    target = target_of(name) if ours is None else own_name(ours)
    if target is None:
        raise PayloadError("unknown-quantity", f"{name[:80]!r} is no quantity of the catalogue")
    return target


def _stored(value: float | bool, unit: str | None, target: Target) -> float:
    if isinstance(value, bool):  # a switch has no unit, whatever is written there
        unit = None
    known = None if unit is None else unit_of(unit)
    if unit is not None and known is None:
        raise PayloadError("unknown-unit", f"unit {unit[:40]!r} is unknown")
    return convert(value, Field(target.quantity, known))


def _time(metric: Any, message: Any, context: Context) -> tuple[int, TimeSource, int]:
    """Time of a metric: its own, else its message's, else the arrival."""
    for dated in (metric, message):
        if dated.HasField("timestamp"):
            time_us = int(dated.timestamp) * 1000
            if time_us > LATEST_TIME_US:
                raise PayloadError("time-out-of-range", f"{dated.timestamp} ms is after 9999")
            return time_us, "device", 0
    return context.received_at_us, "server", _SERVER_TIME
