"""From a topic and its bytes to readings: the registry of wire formats.

Each format is a pure module with `decode(payload, context) -> Decoded`, raising PayloadError for
a message it must refuse as a whole. Which one reads a message is decided by the topic alone.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ingest import topics
from ingest.codecs import chirpstack, senml, track, ttn
from ingest.messages import Context, Decoded, PayloadError, Rejected

MAX_BYTES = 256 * 1024

Codec = Callable[[bytes, Context], Decoded]


class Route(NamedTuple):
    """Who reads the messages of a topic pattern, and whom the topic names as their sender."""

    pattern: str
    codec: Codec
    device: Callable[[tuple[str, ...]], str | None]


def _own_id(levels: tuple[str, ...]) -> str | None:
    return levels[0] or None


def _nobody(_levels: tuple[str, ...]) -> None:
    """A topic of The Things Stack has the name of a device, not its DevEUI."""


ROUTES: tuple[Route, ...] = (  # most specific first
    Route(topics.SENML, senml.decode, _own_id),
    Route(topics.TRACK, track.decode, _own_id),
    Route(topics.CHIRPSTACK, chirpstack.decode, chirpstack.device_of),
    Route(topics.TTN, ttn.decode, _nobody),
)


@lru_cache(maxsize=65_536)
def route(topic: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a topic and the levels its pattern leaves open; None if nobody reads it."""
    for candidate in ROUTES:
        levels = topics.match(candidate.pattern, topic)
        if levels is not None:
            return candidate, levels
    return None


def decode(
    topic: str,
    payload: bytes,
    *,
    received_at_us: int,
    profile: str | None = None,
    timezone: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Decoded:
    """Take one message apart. Never raises: whatever cannot be read is a reason in `rejected`.

    Parameters
    ----------
    received_at_us : int
        Arrival, microseconds since the epoch; dates what has no time of its own.
    profile : str, optional
        The device's profile, for LoRaWAN bytes that do not say what they are.
    timezone : str, optional
        IANA zone of the device's clock, for formats that write local times.
    """
    found = route(topic)
    if found is None:
        return _refused(None, "unknown-topic", f"nothing is read from topic {topic[:200]!r}")
    (_, codec, identify), levels = found
    device = identify(levels)
    if len(payload) > max_bytes:
        detail = f"{len(payload)} bytes; split the message: at most {max_bytes} are read"
        return _refused(device, "too-large", detail)
    try:
        return codec(payload, Context(levels, received_at_us, profile, timezone))
    except PayloadError as error:
        return _refused(device, error.reason, error.detail)
    except Exception as error:  # a fault of ours must not stop the line: kept with the payload
        return _refused(device, "codec-failed", f"{type(error).__name__}: {error}")


def _refused(device: str | None, reason: str, detail: str) -> Decoded:
    return Decoded(device, [], [], [Rejected(reason, detail)])
