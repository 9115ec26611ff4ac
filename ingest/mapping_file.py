"""What may stand in an operator's mapping file, and what each key has to be."""

import re
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ingest import topics
from ingest.codecs.lorawan.values import measures, unit_named
from ingest.codecs.metric_names import own_name, unit_of
from ingest.codecs.plain_json import EPOCHS, LOCAL
from storage.quantities import CATALOGUE

Format = Literal[
    "json", "thingsboard", "tasmota", "senml", "track", "efdi", "isoxml", "mavlink",
    "chirpstack", "ttn", "sparkplug",
]  # fmt: skip
Text = Annotated[str, Field(min_length=1, max_length=500)]

_OUR_TOPICS = tuple(f"dala/v1/probe-7/{name}" for name in ("senml", "track", "receipt"))
_A_TIME = datetime(2026, 7, 31, 13, 45)  # noqa: DTZ001 - for clocks that show no zone
_OF_FORMATS = {  # keys that mean something in some formats only
    "device": {"json", "thingsboard", "tasmota", "senml", "track", "efdi", "isoxml", "mavlink"},
    "device_path": {"json", "thingsboard"},
    "records": {"json"},
    "time": {"json"},
    "time_format": {"json"},
    "timezone": {"json", "tasmota", "isoxml", "efdi", "mavlink"},
    "readings": {"json", "thingsboard"},
    "event": {"chirpstack"},
    "metrics": {"sparkplug"},
    "units": {"sparkplug"},
}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class ReadingAt(_Table):
    """`[[topics.readings]]`: what stands at a path of the payload."""

    path: Text
    quantity: Text
    unit: Text | None = None  # that of the catalogue, if not given
    depth_cm: float | None = Field(default=None, ge=0, lt=10_000)
    channel: int | None = Field(default=None, ge=0, le=9_999)

    @field_validator("quantity")
    @classmethod
    def _in_the_catalogue(cls, name: str) -> str:
        if name not in CATALOGUE:
            raise ValueError(f"{name!r} is none of: {', '.join(sorted(CATALOGUE))}")
        return name

    @field_validator("unit")
    @classmethod
    def _of_the_quantity(cls, written: str | None, info: ValidationInfo) -> str | None:
        quantity = info.data.get("quantity")
        if written is None or quantity is None:
            return None
        stored = CATALOGUE[quantity].unit
        unit = unit_named(written)
        if unit is None:
            raise ValueError(f"{written!r} is not known; {quantity} is stored in {stored}")
        if not measures(unit, quantity):
            raise ValueError(f"{quantity} is stored in {stored}, which {written} cannot become")
        return unit


def _is_ours(name: str) -> str:
    if name and own_name(name) is None:
        raise ValueError(
            f"{name!r} is not quantity, quantity/depth_cm or quantity:channel of the catalogue; "
            'what is not to be kept is ""'
        )
    return name


def _is_unit(written: str) -> str:
    if unit_of(written) is None:
        raise ValueError(f"{written!r} is not known")
    return written


class Topic(_Table):
    """`[[topics]]`: a topic pattern, and how what comes there is read."""

    pattern: Text
    format: Format = "json"
    device: Text | None = None
    device_path: Text | None = None
    records: str | None = None
    time: Text | None = None
    time_format: Text = "rfc3339"
    timezone: Text | None = None
    event: Text = "up"
    readings: list[ReadingAt] = Field(default=[], max_length=1_000)
    metrics: dict[Text, Annotated[str, AfterValidator(_is_ours)]] = Field(
        default={}, max_length=10_000
    )
    units: dict[Text, Annotated[str, AfterValidator(_is_unit)]] = Field(
        default={}, max_length=10_000
    )

    @field_validator("pattern")
    @classmethod
    def _a_filter(cls, pattern: str) -> str:
        steps = pattern.split("/")
        if pattern.startswith("$") or "\x00" in pattern:
            raise ValueError("begins with $, which is the broker's own, or has a null")
        if "#" in "".join(steps[:-1]) or any(len(s) > 1 and set(s) & set("+#") for s in steps):
            raise ValueError("+ stands for a whole level, # for all levels at the end")
        if any(topics.match(pattern, ours) is not None for ours in _OUR_TOPICS):
            raise ValueError("takes in dala/v1/…, which our own devices publish on")
        return pattern

    @field_validator("device", "event")
    @classmethod
    def _of_open_levels(cls, text: str | None, info: ValidationInfo) -> str | None:
        open_levels = sum(step in "+#" for step in info.data.get("pattern", "").split("/") if step)
        for number in re.findall(r"\$(\d?)", text or ""):
            if number == "" or int(number) > open_levels:
                raise ValueError(
                    f"${number} is no level: the pattern leaves {open_levels} open, "
                    "the first is $1; $0 is what stands at device_path"
                )
        return text

    @field_validator("time_format")
    @classmethod
    def _a_whole_time(cls, form: str) -> str:
        if form in EPOCHS or form in ("rfc3339", LOCAL):
            return form
        if not form.startswith(f"{LOCAL} "):
            known = ", ".join((*EPOCHS, "rfc3339", LOCAL))
            raise ValueError(f'{form!r} is none of: {known}, or "{LOCAL} %Y-%m-%d %H:%M:%S"')
        codes = form.removeprefix(LOCAL).strip()
        try:
            read = datetime.strptime(_A_TIME.strftime(codes), codes)  # noqa: DTZ007
        except (ValueError, re.error) as error:
            raise ValueError(f"{codes!r} cannot be read back: {error}") from error
        if read.replace(second=0, tzinfo=None) != _A_TIME:
            raise ValueError(f"{codes!r} does not say the whole date and time")
        return form

    @field_validator("timezone")
    @classmethod
    def _in_the_database(cls, name: str | None) -> str | None:
        try:
            return name if name is None else ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no IANA time zone, as Asia/Almaty is one") from error

    @model_validator(mode="after")
    def _keys_of_the_format(self) -> "Topic":
        for key in sorted(self.model_fields_set & _OF_FORMATS.keys()):
            if self.format not in _OF_FORMATS[key]:
                raise ValueError(f"{key} means nothing in format {self.format!r}")
        if self.format in _OF_FORMATS["device"] and not (self.device or self.device_path):
            raise ValueError("device is missing: whose messages these are")
        if self.device and "$0" in self.device and self.device_path is None:
            raise ValueError("device has $0, which stands for what is at device_path")
        if self.format == "sparkplug" and self.pattern != topics.SPARKPLUG:
            raise ValueError(f"pattern has to be {topics.SPARKPLUG!r}, whose levels say who speaks")
        if self.format == "json" and not self.readings:
            raise ValueError("readings are missing: what the payload says")
        seen: dict[tuple[str, float | None, int | None], int] = {}
        for number, one in enumerate(self.readings, start=1):
            key_of = one.quantity, one.depth_cm, one.channel
            if seen.setdefault(key_of, number) != number:
                raise ValueError(
                    f"readings {seen[key_of]} and {number} are one datastream; "
                    "give them a depth_cm or a channel each"
                )
        return self


class Document(_Table):
    """The whole file."""

    topics: list[Topic] = Field(min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _patterns_differ(self) -> "Document":
        seen: dict[str, int] = {}
        for number, topic in enumerate(self.topics, start=1):
            if seen.setdefault(topic.pattern, number) != number:
                raise ValueError(
                    f"topics {seen[topic.pattern]} and {number} have one pattern; "
                    "the first would read all of it"
                )
        return self
