"""What an uplink of a LoRaWAN device means; shared by ChirpStack and The Things Stack.

In this order: the network's normalized payload; its decoded object, by the names its makers use;
the bytes, by the device's profile. What a device is is never guessed from its bytes: names that
could mean two things (`temperature`, `battery`) are read only when the profile says whose they are.
A new model is a table in one file of this folder. A profile may say what the model cannot know:
`milesight-uc511;pulse_l=10` is one whose meter gives a pulse every ten litres.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ingest.codecs.lorawan import decentlab, dragino, milesight, normalized
from ingest.codecs.lorawan.models import Field, Found, Model
from ingest.codecs.lorawan.values import NoSensor, convert
from ingest.messages import Decoded, PayloadError, Reading, Rejected, TimeSource
from storage.readings import Quality

MODELS: Mapping[str, Model] = {
    model.profile: model for model in (*decentlab.MODELS, *dragino.MODELS, *milesight.MODELS)
}
_ANY_MODEL = {**milesight.FIELDS, **dragino.FIELDS, **decentlab.FIELDS}
_SERVER_TIME = int(Quality.SERVER_TIME)
_CLOCK_SET_S = 946_684_800  # 2000-01-01: a device that says less has never set its clock
_PULSE = re.compile(r"pulse_l=(\d{1,6}(?:\.\d{1,6})?)", re.ASCII)
_LATEST_S = 4_102_444_800  # 2100-01-01
_MAX_HISTORY = 1_000  # records of the past; an uplink has room for some twenty


class Uplink(NamedTuple):
    """One uplink, as the network server hands it over."""

    device: str
    time_us: int
    time_source: TimeSource
    quality: int
    normalized: list[Any]
    decoded: object  # of the server's own codec, as far as it has one
    data: bytes
    port: int | None


def model_of(profile: str | None, *names: object) -> Model | None:
    """The model of a device: by its profile here, else by what the network calls it.

    Raises
    ------
    PayloadError
        If the profile is none of ours: a slip in the device list should not be guessed around.
    """
    if profile:
        return _configured(profile)
    return next((model for model in map(_find, names) if model is not None), None)


def _find(name: object) -> Model | None:
    if not isinstance(name, str):
        return None
    return MODELS.get(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"))


@lru_cache(maxsize=1024)
def _configured(profile: str) -> Model:
    """The model of a profile, with what a pulse of its meters is worth where it says so."""
    name, *choices = profile.split(";")
    model = _find(name)
    if model is None:
        known = ", ".join(sorted(MODELS))
        raise PayloadError("unknown-profile", f"{profile[:40]!r} is none of: {known}")
    for choice in choices:
        parts = _PULSE.fullmatch(choice.strip())
        litres = float(parts[1]) if parts else 0.0
        if not litres or not model.pulses:
            raise PayloadError(
                "unknown-profile", f"{choice[:40]!r} of {profile[:40]!r} is not pulse_l=LITRES"
            )
        meters = {
            field: Field("water_total", "l", channel=channel, scale=litres)
            for field, (channel, _) in model.pulses.items()
        }
        width = max(count for _, count in model.pulses.values())
        modulus = {**model.modulus, "water_total": width * litres / 1000}
        model = model._replace(fields={**model.fields, **meters}, modulus=modulus)
    return model


def counter_modulus(profile: str | None, quantity: str, channel: int | None = None) -> float | None:
    """Where a counter of this device profile begins again, in the stored unit; None: never.

    A profile that is none of ours has no counters that we know of.
    """
    try:
        model = _configured(profile) if profile else None
    except PayloadError:
        return None
    if model is None:
        return None
    fields = [field for field in model.fields.values() if field.quantity == quantity]
    own = any(field.channel == channel for field in fields)
    return model.modulus.get(quantity) if own else None


def memory_key(device: str) -> str:
    """Where it is remembered which model the network says a device of ours is."""
    return f"lorawan/{device}"


def decode(
    uplink: Uplink,
    profile: str | None,
    *names: object,
    memory: Mapping[str, Any] = MappingProxyType({}),
) -> Decoded:
    """Readings of an uplink, and what could not be read of it.

    `profile` is the device's in our list; `names` are what its network calls it. A model that only
    the network knows is learned where it has counters that wrap, for their datastreams.
    """
    try:
        model = model_of(profile, *names) or _signed(uplink.decoded)
        readings, rejected = _interpret(uplink, model)
    except PayloadError as error:
        return Decoded(uplink.device, [], [], [Rejected(error.reason, error.detail)])
    why = None if readings or rejected else "up: nothing measured"  # such as an answer to a command
    made = Decoded(uplink.device, readings, [], rejected, ignored=why)
    key = memory_key(uplink.device)
    if profile or model is None or not model.modulus or memory.get(key) == model.profile:
        return made
    return made._replace(learned={key: model.profile})


def _signed(decoded: object) -> Model | None:
    """The model whose own names a decoded object has."""
    if not isinstance(decoded, dict):
        return None
    return next((m for m in MODELS.values() if m.signature and m.signature <= decoded.keys()), None)


def _interpret(uplink: Uplink, model: Model | None) -> tuple[list[Reading], list[Rejected]]:
    """Go through the three ways to read an uplink, and take the first that gives anything."""
    readings, rejected = _collect(uplink, normalized.read(uplink.normalized))
    if readings or rejected:
        return readings, rejected
    if model is not None and model.bytes_first and _readable(uplink, model):
        return _collect(uplink, _named(model.decode(uplink.data), model.fields))
    if isinstance(uplink.decoded, dict):
        fields = _ANY_MODEL if model is None else {**_ANY_MODEL, **model.fields}
        readings, rejected = _collect(uplink, _named(uplink.decoded, fields))
        if readings or rejected:
            return readings, rejected
    if model is not None and _readable(uplink, model):
        return _collect(uplink, _named(model.decode(uplink.data), model.fields))
    raise PayloadError("no-decoder", _advice(uplink, model))


def _readable(uplink: Uplink, model: Model) -> bool:
    return bool(uplink.data) and (model.port is None or uplink.port in (None, model.port))


def _advice(uplink: Uplink, model: Model | None) -> str:
    if model is not None:
        return f"{model.profile} sends no measurements on port {uplink.port}"
    known = ", ".join(sorted(MODELS))
    if isinstance(uplink.decoded, dict) and uplink.decoded:
        names = ", ".join(repr(str(name)[:40]) for name in sorted(uplink.decoded)[:8])
        return f"what {names} measure is not sure; give the device a profile, one of: {known}"
    return f"bytes of an unknown device model; give the device a profile, one of: {known}"


def _named(decoded: dict[str, Any], fields: Mapping[str, Field]) -> Iterable[Found | Rejected]:
    """Decoded values whose names are known, those of the device's memory with their own time."""
    for name, written in decoded.items():
        field = fields.get(name)
        if field is not None:
            yield Found(name, field, written)
    history = decoded.get("history")
    for position, record in enumerate(history if isinstance(history, list) else ()):
        if position == _MAX_HISTORY:
            yield Rejected("too-many-records", f"history: more than {_MAX_HISTORY} records")
            return
        seconds: Any = record.get("timestamp") if isinstance(record, dict) else None
        if not _is_number(seconds) or not _CLOCK_SET_S <= seconds < _LATEST_S:
            detail = (
                f"history {position}: timestamp {str(seconds)[:40]!r} is no date of this century"
            )
            yield Rejected("time-out-of-range", detail)
            continue
        for name, written in record.items():
            if name in fields:
                yield Found(name, fields[name], written, round(seconds * 1e6))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _collect(
    uplink: Uplink, found: Iterable[Found | Rejected]
) -> tuple[list[Reading], list[Rejected]]:
    """Convert what was found, gathering what could not be."""
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    missing: list[str] = []
    for item in found:
        if isinstance(item, Rejected):
            rejected.append(item)
            continue
        name, field, written, time_us = item
        try:
            value = convert(written, field)
        except NoSensor:
            missing.append(name)
            continue
        except PayloadError as error:
            rejected.append(Rejected(error.reason, f"{name}: {error.detail}"))
            continue
        readings.append(_reading(uplink, field, value, time_us))
    if missing:
        rejected.append(Rejected("no-sensor", f"the device has no sensor for {', '.join(missing)}"))
    return readings, rejected


def _reading(uplink: Uplink, field: Field, value: float, time_us: int | None) -> Reading:
    """A value dated by the device where it has its own time, else as the uplink is."""
    source, quality = uplink.time_source, uplink.quality
    if time_us is None:
        time_us = uplink.time_us
    else:
        source, quality = "device", quality & ~_SERVER_TIME
    return Reading(
        uplink.device,
        field.quantity,
        value,
        time_us,
        source,
        field.depth_cm,
        field.channel,
        quality,
    )
