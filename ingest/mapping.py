"""An operator's mapping: topics of his own choice, and what is said on them.

A TOML file named by `DALA_MAPPINGS`, a table `[[topics]]` for each topic pattern; docs/protocol.md
has the grammar. It is checked whole before the service starts, and whatever is wrong in it is named
by file, table and key.
"""

import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.codecs import (
    IN_ORDER,
    Codec,
    Registry,
    Route,
    chirpstack,
    plain_json,
    senml,
    sparkplug,
    tasmota,
    thingsboard,
    track,
    ttn,
)
from ingest.codecs.lorawan.models import Field
from ingest.codecs.metric_names import Options
from ingest.codecs.plain_json import Clock, Identity, Plan, Rule, path_of
from ingest.mapping_file import Document, Topic
from ingest.messages import Context, Decoded


class MappingError(ValueError):
    """A mapping that cannot be used; the message names file, table and key."""


class MappingSettings(BaseSettings):
    """Read from the environment: ``DALA_MAPPINGS``, the file of the operator's mapping."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    mappings: Path | None = None


def registry(settings: MappingSettings | None = None) -> Registry:
    """All routes: those of the operator's mapping, where there is one, then those built in.

    Raises
    ------
    MappingError
        If the mapping cannot be used.
    """
    path = (settings or MappingSettings()).mappings
    return Registry(own=() if path is None else load(path))


def load(path: Path) -> tuple[Route, ...]:
    """The routes of a mapping file, in its order; MappingError says what is wrong with it."""
    try:
        written = tomllib.loads(path.read_text())
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: not valid TOML: {error}") from error
    try:
        document = Document.model_validate(written)
    except ValidationError as error:
        raise MappingError("\n".join(f"{path}: {line}" for line in _lines(error))) from error
    routes = []
    for number, topic in enumerate(document.topics, start=1):
        try:
            routes.append(_route(topic))
        except ImportError as error:
            raise MappingError(
                f"{path}: topics {number}, format: {topic.format!r} cannot be read here: {error}"
            ) from error
    return tuple(routes)


def _lines(error: ValidationError) -> list[str]:
    """What is wrong, one line each: `topics 1, readings 2, unit: …`, counted from one."""
    lines = []
    for problem in error.errors(include_url=False):
        words: list[str] = []
        for step in problem["loc"]:
            if isinstance(step, int):
                words[-1] += f" {step + 1}"
            else:
                words.append(step)
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{', '.join(words)}: {message}" if words else message)
    return lines


def _route(topic: Topic) -> Route:
    if topic.format == "sparkplug":
        names = {metric: ours or None for metric, ours in topic.metrics.items()}
        own = Options(metrics=names, units=topic.units)
        return Route(
            topic.pattern,
            sparkplug.decode,
            sparkplug.device_of,
            options=own,
            in_order=True,
            greet=sparkplug.greet,
        )
    plan = _plan(topic)
    codec = _codec(topic)
    in_order = topic.format in IN_ORDER
    return Route(topic.pattern, codec, plan.identity.of_topic, options=plan, in_order=in_order)


def _plan(topic: Topic) -> Plan:
    path = None if topic.device_path is None else path_of(topic.device_path)
    rules = tuple(
        Rule(
            path_of(one.path),
            one.path[:80],
            Field(one.quantity, one.unit, depth_cm=one.depth_cm, channel=one.channel),
        )
        for one in topic.readings
    )
    clock = None if topic.time is None else Clock(path_of(topic.time), topic.time_format)
    return Plan(
        Identity(topic.device or ("$0" if path else ""), path),
        rules,
        clock,
        None if topic.records is None else path_of(topic.records),
        topic.timezone,
    )


def _codec(topic: Topic) -> Codec:
    if topic.format in _BY_PLAN:
        return _BY_PLAN[topic.format]
    if topic.format in _OF_NETWORKS:
        return _of_network(_OF_NETWORKS[topic.format], topic.event)
    if topic.format in _OF_DEVICE:
        return plain_json.for_device(_OF_DEVICE[topic.format])
    module = import_module(f"ingest.codecs.{topic.format}")  # some need an optional package
    codec: Codec = module.decode
    return plain_json.for_device(codec)


_BY_PLAN: dict[str, Codec] = {"json": plain_json.decode, "thingsboard": thingsboard.decode}
_OF_NETWORKS: dict[str, Codec] = {"chirpstack": chirpstack.decode, "ttn": ttn.decode}
_OF_DEVICE: dict[str, Codec] = {
    "senml": senml.decode,
    "tasmota": tasmota.decode_of,
    "track": track.decode,
}


def _of_network(codec: Codec, event: str) -> Callable[[bytes, Context], Decoded]:
    """A network server whose topics are not the usual ones; its messages name their devices."""

    def decode_for(payload: bytes, context: Context) -> Decoded:
        said = Identity(event).of(context.levels, None)
        return codec(payload, context._replace(levels=("", "", said), options=None))

    return decode_for
