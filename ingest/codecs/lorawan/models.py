"""What describes a LoRaWAN device model: the names its decoder uses, and how its bytes are read.

A model is data. Its byte decoder gives the same names and units as the maker's own decoder puts
into ChirpStack's `object` and The Things Stack's `decoded_payload`, so one table of fields serves
whichever of the two arrives.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Decoder = Callable[[bytes], dict[str, Any]]  # raises PayloadError


class Field(NamedTuple):
    """What one decoded name means."""

    quantity: str
    unit: str | None  # a unit of ingest.codecs.units, unless the value says its own
    depth_cm: float | None = None
    channel: int | None = None
    absent: frozenset[float] = frozenset()  # as decoded: what the device says for "no sensor"
    scale: float = 1.0  # of the decoded number, to the unit


class Model(NamedTuple):
    """A device model."""

    profile: str  # the name that devices and networks refer to it by
    fields: Mapping[str, Field]
    decode: Decoder
    port: int | None = None  # the LoRaWAN port of measurements; None: any
    # Counters that begin again: quantity → the value at which it does, in the stored unit.
    modulus: Mapping[str, float] = {}
    # Pulse counters by their names: the channel of the meter, and how far they count. They mean
    # nothing until the profile says what a pulse is worth.
    pulses: Mapping[str, tuple[int, int]] = {}
    # Decoded names that no other model uses: where all are there, they tell the model.
    signature: frozenset[str] = frozenset()
    # Bytes go before the network's decoded object, because the maker's decoder is known to err.
    bytes_first: bool = False


class Found(NamedTuple):
    """A decoded value with its meaning and, where it has one, its own time."""

    name: str
    field: Field
    written: Any
    time_us: int | None = None
