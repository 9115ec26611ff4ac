"""Messages without a time, told from their repeats by a name that the network gives them.

Such a message is dated by its arrival, and a repeat arrives at another time, so it would be stored
as another reading. What identifies a message is learned with the arrival it was dated by: a repeat
gets that one, also after a restart, and is found stored.
"""

from collections.abc import Mapping
from typing import Any

from ingest.messages import Context

KEPT = 16  # of a device; a repeat comes soon, or with what was queued during an outage
LONGEST_NAME = 100


def first_arrival(context: Context, device: str, name: str | None) -> tuple[int, Mapping[str, Any]]:
    """When a message arrived first [µs since epoch], and what is to be learned of it."""
    if name is None:
        return context.received_at_us, {}
    key, name = f"uplinks/{device}", name[:LONGEST_NAME]
    seen: list[Any] = context.memory.get(key) or []
    for known, arrived_us in seen:
        if known == name:
            return arrived_us, {}
    arrived_us = context.received_at_us
    return arrived_us, {key: [*seen[1 - KEPT :], [name, arrived_us]]}
