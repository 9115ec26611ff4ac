"""Devices as people bring them into service, one or many."""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from entry.models import Id, In, Text
from storage import fields, registering
from storage.database import NotFound
from storage.devices import Device
from storage.farms import Farm
from storage.registering import GATEWAYS


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, as Asia/Almaty") from None


Kind = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60),
    Field(
        description="soil-probe, flow-meter, weather-station, valve, tractor, harvester, drone …; "
        "gateway: a network server or bridge that speaks for the devices behind it",
        examples=["soil-probe"],
    ),
]
Zone = Annotated[
    str,
    Field(max_length=100, examples=["Asia/Almaty"], description="of a device without UTC"),
    AfterValidator(_known_zone),
]
TopicFilter = Annotated[str, Field(min_length=1, max_length=500)]
Topics = Annotated[
    list[TopicFilter],
    Field(max_length=50, description="of a gateway: topics of the devices behind it"),
]
Height = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, description="[m]")]


class DeviceOfFarm(In):
    """A device to be registered, or an unknown one to be claimed by what its network calls it."""

    id: (
        Annotated[
            str, StringConstraints(pattern=r"^[^/+#$~:\s\x00]+$", min_length=1, max_length=200)
        ]
        | None
    ) = Field(
        default=None,
        examples=["field-7-probe"],
        description="MQTT client id, too; without it, made of wire_id",
    )
    kind: Kind
    wire_id: Annotated[Text, Field(description="lora:<DevEUI>, tasmota:<name>, …")] | None = None
    name: Text | None = Field(default=None, description="for people")
    field_id: Id | None = Field(default=None, description="that it measures; null: the farm")
    profile: Text | None = Field(
        default=None, description="LoRaWAN model, where its network does not decode its bytes"
    )
    timezone: Zone | None = None
    sensor_height_m: Height | None = None
    topic_filters: Topics = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_an_identity(self) -> Self:
        if self.id is None and self.wire_id is None:
            raise ValueError("an id or a wire_id is needed")
        return self


def register(connection: sa.Connection, farm: Farm, asked: DeviceOfFarm) -> str:
    """Bring a device into service on a farm; return its id.

    Raises
    ------
    NotFound
        If the field is none of the farm's.
    ValueError
        As :func:`storage.registering.register`.
    """
    on = None if asked.field_id is None else fields.get(connection, asked.field_id, stays=True)
    if on is not None and on.farm_id != farm.id:
        raise NotFound(f"field {asked.field_id} of farm {farm.slug!r}")
    device_id = asked.id or registering.id_of(registering.identity_of(asked.wire_id or ""))
    registering.register(
        connection,
        device_id,
        farm_id=farm.id,
        field_id=asked.field_id,
        kind=asked.kind,
        name=asked.name or asked.wire_id or device_id,
        wire_id=None if asked.wire_id == device_id else asked.wire_id,
        profile=asked.profile,
        timezone=asked.timezone,
        sensor_height_m=asked.sensor_height_m,
        topic_filters=asked.topic_filters or None,
    )
    return device_id


def speaks_itself(device: Device) -> bool:
    """Whether a device comes to the broker itself, and not through a network."""
    return device.wire_id is None or device.kind in GATEWAYS
