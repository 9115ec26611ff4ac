"""What is said and asked about devices that come into service, move and are calibrated."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.models import DatastreamOut, Out
from api.models_access import Asked, Slug, Words
from api.models_entered import LinesRead
from entry.devices import DeviceOfFarm, Height, Kind, Topics, Zone
from entry.models import Id, Moment


class DeviceIn(DeviceOfFarm):
    """A device to be registered, or an unknown one to be claimed by what its network calls it."""

    farm: Slug = Field(examples=["turkistan-01"])


class DeviceChange(Asked):
    """What is to be different; what is left out stays. Where it stands: see its placements."""

    name: Words | None = None
    kind: Kind | None = None
    profile: Words | None = None
    timezone: Zone | None = None
    sensor_height_m: Height | None = None
    topic_filters: Topics | None = None
    disabled: bool | None = Field(
        default=None, description="true: cut off at once, and nothing more of it is stored"
    )


class CredentialIn(Asked):
    """A new token."""

    overlap_h: float = Field(
        default=168,
        ge=0,
        le=8_760,
        allow_inf_nan=False,
        description="hours that the one before stays good unless the new one is used; 0: none",
        examples=[168],
    )


class CredentialOut(Out):
    """A credential, without what is secret about it."""

    username: str = Field(examples=["field-7-probe"])
    created_at: dt.datetime
    ends_at: dt.datetime | None = Field(description="when it was replaced")
    first_used_at: dt.datetime | None = Field(
        description="when the device first came with it; null: not yet, or its broker does not "
        "tell (Mosquitto without `log_dest topic`)"
    )
    broker: Literal["told", "to be told", "failed"] = Field(
        description="told: the broker lets the device in with it; to be told: it waits until the "
        "broker is there; failed: `failure` says why"
    )
    failure: str | None


class SecretOut(Out):
    """What a device shows its broker; not shown again."""

    client_id: str = Field(examples=["field-7-probe"])
    username: str = Field(examples=["field-7-probe"])
    token: str = Field(description="the MQTT password")
    replaced_until: dt.datetime | None = Field(
        description="until when the one before is good, unless this one is used"
    )
    qr_text: str | None = Field(
        description="all that it needs in one line; null: the server does not say where its broker "
        "is (DALA_PUBLIC_MQTT_URL)",
        examples=["mqtts://field-7-probe:…@mqtt.example:8883/?client_id=…"],
    )
    qr_svg: str | None = Field(description="the same as a picture")
    qr_png: str | None = Field(description="the same as data:image/png;base64,…")


class FileOut(Out):
    """A file for the installer."""

    name: str = Field(examples=["chirpstack.toml"])
    about: str
    text: str


class ConfigurationOut(Out):
    """How a device, or the network that it is in, is to be set up."""

    device_id: str
    broker_url: str | None = Field(
        description="null: the server does not say (DALA_PUBLIC_MQTT_URL)",
        examples=["mqtts://mqtt.example:8883"],
    )
    publishes: list[str] = Field(examples=[["dala/v1/field-7-probe/senml"]])
    subscribes: list[str] = Field(examples=[["dala/v1/field-7-probe/receipt"]])
    files: list[FileOut]


class PlacementIn(Asked):
    """Where a device measures from a moment on; what it measured before stays where it was."""

    field_id: Id | None = Field(description="null: the farm; of a datastream: as its device")
    valid_from: Moment = Field(examples=["2025-04-01T00:00:00+05:00"])
    datastream_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="of this one alone; null: all of the device"
    )


class PlacementOut(Out):
    """Where a device measured, until the next placement of the same."""

    id: int
    datastream_id: int | None
    field_id: int | None
    valid_from: AwareDatetime = Field(description="1970-01-01: since ever")
    created_by: str = Field(examples=["account:aigul"])
    created_at: dt.datetime


class CalibrationIn(Asked):
    """How readings from a moment on are to be understood: slope × reading + intercept."""

    valid_from: Moment
    slope: float = Field(gt=0, le=1e6, allow_inf_nan=False, examples=[1.04])
    intercept: float = Field(
        default=0.0,
        ge=-1e9,
        le=1e9,
        allow_inf_nan=False,
        description="in the unit of the datastream; of a counter it means nothing",
    )
    reference: Words = Field(examples=["certificate KZ-17-204"])


class CalibrationOut(Out):
    """A calibration, until the next one."""

    id: int
    valid_from: AwareDatetime
    slope: float = Field(examples=[1.04])
    intercept: float
    reference: str
    created_by: str
    created_at: dt.datetime


class DeviceDetailOut(Out):
    """A device, with all that an operator may know of it."""

    id: str = Field(examples=["field-7-probe"])
    farm: str | None = Field(examples=["turkistan-01"])
    field_id: int | None = Field(description="that it measures now; null: the farm")
    kind: str
    name: str
    wire_id: str | None
    profile: str | None
    timezone: str | None
    sensor_height_m: float | None
    topic_filters: list[str]
    disabled: bool
    datastreams: list[DatastreamOut]
    credentials: list[CredentialOut]
    placements: list[PlacementOut]


class RegisteredOut(Out):
    """A device that came into service."""

    device: DeviceDetailOut
    secret: SecretOut | None = Field(
        description="null where its network speaks for it, and where it was told before, to the "
        "same Idempotency-Key"
    )
    configuration: ConfigurationOut


class DeviceTokenOut(Out):
    """What a device of a file shows its broker; not shown again."""

    client_id: str = Field(examples=["probe-1"])
    username: str = Field(examples=["probe-1"])
    token: str = Field(description="the MQTT password")
    qr_text: str | None = Field(
        description="null: the server does not say where its broker is",
        examples=["mqtts://probe-1:…@mqtt.example:8883/?client_id=…"],
    )


class DevicesRead(LinesRead):
    """What became of a file of devices, with their tokens, or would become of it."""

    secrets: list[DeviceTokenOut] | None = Field(
        default=[],
        description="of devices that come to the broker themselves, this once; null: they were "
        "told before, to the same Idempotency-Key",
    )


class NewSecretOut(Out):
    """A device's new token, and the same configuration with it."""

    secret: SecretOut | None = Field(
        description="null: it was told before, to the same Idempotency-Key"
    )
    configuration: ConfigurationOut


class UnknownOut(Out):
    """Who speaks without being registered."""

    identity: str = Field(examples=["lora:a84041ffff123456"])
    topic: str = Field(description="of its newest message")
    messages: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
