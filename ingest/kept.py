"""What the line remembers from batch to batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ingest.codecs import Registry
from ingest.codecs.senml_columns import Names
from ingest.deliveries import Deliveries
from ingest.memory import Memory
from ingest.plausibility.streams import Streams
from storage.devices import Device, StreamKey
from storage.rejected import RejectedMessage

# What to do, in the batch's transaction, with what was refused.
Keep = Callable[[sa.Connection, Sequence[RejectedMessage]], None]


class Kept(NamedTuple):
    """What is at hand for a batch; a batch adds to it."""

    registry: Registry
    devices: dict[str, Device]
    streams: dict[StreamKey, int]
    names: dict[str, Names]  # by the identity of a device
    heard: dict[str, int]  # when each device was last noted to be there [µs since 1970]
    memory: Memory
    series: Streams
    keep: Keep
    deliveries: Deliveries | None
