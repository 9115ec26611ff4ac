"""Why something is not stored, in words for its sender, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.messages import Rejected, from_us
from ingest.outcomes import Message
from storage.devices import MOST_DATASTREAMS
from storage.rejected import RejectedMessage


def stranger(device: str, *, disabled: bool) -> Rejected:
    """Nothing is stored of a device that is not registered, or was disabled."""
    if disabled:
        return Rejected("device-disabled", f"{device} was disabled by an operator")
    return Rejected("unknown-device", f"{device} is not registered; register it, then send again")


def no_room(device: str) -> Rejected:
    """A reading of a new datastream, of a device that has made up too many."""
    detail = f"{device} has {MOST_DATASTREAMS:,} datastreams and may not open another"
    return Rejected("too-many-datastreams", detail)


def record(message: Message, device: str | None, problems: Sequence[Rejected]) -> RejectedMessage:
    """A message as it is kept with what is wrong with it."""
    reasons = list(dict.fromkeys(problem.reason for problem in problems))
    details = "; ".join(list(dict.fromkeys(problem.detail for problem in problems))[:5])
    more = f" (and {len(reasons) - 1} more reasons)" if len(reasons) > 1 else ""
    return RejectedMessage(
        device,
        message.topic,
        message.payload,
        reasons[0],
        details + more,
        from_us(message.received_at_us),
    )
