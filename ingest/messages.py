"""What a message from a device turns into, whatever its wire format.

Times are whole microseconds since 1970-01-01 UTC: exact, cheap to make and to compare, and
what the database's binary COPY wants. `iso` writes one for people.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

TimeSource = Literal["device", "network", "server"]  # whose clock dated the reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_TIME_US = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z


class PayloadError(ValueError):
    """The message as a whole cannot be read."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Reading(NamedTuple):
    """One value of one quantity at one time, in the catalogue's unit."""

    device: str  # wire identity: our own id, or lora:<DevEUI in lower hex>
    quantity: str
    value: float
    time: int  # [µs since epoch, UTC]
    time_source: TimeSource
    depth_cm: float | None = None
    channel: int | None = None
    quality: int = 0  # flags of storage.readings.Quality


class TrackPoint(NamedTuple):
    """Where a machine was and what it did there; None where it did not say."""

    time: int  # [µs since epoch, UTC]
    lat: float  # WGS 84 [°]
    lon: float
    elevation_m: float | None = None
    speed_m_s: float | None = None
    heading_deg: float | None = None
    work_state: int | None = None  # ISO 11783-11 DDI 141: 0 off, 1 on, 2 error, 3 not available
    width_m: float | None = None
    mass_flow_kg_s: float | None = None
    crop_moisture_pct: float | None = None
    application_rate_l_ha: float | None = None
    fuel_rate_l_h: float | None = None
    animals_seen: float | None = None  # by a herding drone, at this point


class Rejected(NamedTuple):
    """Something that could not be read: a stable code, and a sentence for people."""

    reason: str
    detail: str


class Request(NamedTuple):
    """What a sender is asked for, such as to say again what its numbers mean."""

    topic: str
    payload: bytes


class Greeting(NamedTuple):
    """What to say and to note when the service comes to a broker: it may have missed things."""

    requests: tuple[Request, ...] = ()
    learned: Mapping[str, Any] = MappingProxyType({})


class Parked(NamedTuple):
    """Messages that were refused for want of something that a later one says."""

    device: str  # wire identity
    reason: str


class Decoded(NamedTuple):
    """A message taken apart: what is good is kept even when its neighbour is not."""

    device: str | None
    readings: list[Reading]
    points: list[TrackPoint]
    rejected: list[Rejected]
    boot: int | None = None
    seq: int | None = None
    ignored: str | None = None  # why a valid message carries nothing to store
    # What the message says of later ones, by the sender's key: plain values that JSON can hold.
    learned: Mapping[str, Any] = MappingProxyType({})
    requests: tuple[Request, ...] = ()
    heals: tuple[Parked, ...] = ()  # what is worth reading again, now that this is known
    # How well the network's best gateway heard it: of the link, so no reading of the device.
    signal_dbm: float | None = None


class Context(NamedTuple):
    """What a codec knows beside the payload."""

    levels: tuple[str, ...]  # the topic levels its pattern leaves open, in order
    received_at_us: int
    profile: str | None = None  # device profile: how to read bytes that do not say
    timezone: str | None = None  # IANA zone of formats that write local times
    memory: Mapping[str, Any] = MappingProxyType({})  # what was learned, by the sender's key
    options: Any = None  # of the route: what an operator wrote about this topic
    again: bool = False  # a message of earlier is read again: what is known may be newer than it


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(time_us: int) -> datetime:
    """Aware UTC datetime of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=time_us)


def iso(time_us: int) -> str:
    """RFC 3339 text in UTC, with as many decimals as the time needs (none, or six)."""
    return from_us(time_us).isoformat().replace("+00:00", "Z")
