"""From a topic and its bytes to readings: the registry of wire formats.

Each format is a pure module with `decode(payload, context) -> Decoded`, raising PayloadError for
a message it must refuse as a whole. Which one reads a message is decided by the topic alone.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ingest import topics
from ingest.codecs import chirpstack, dji, efdi, mavlink, senml, sparkplug, tasmota, track, ttn
from ingest.messages import Context, Decoded, Greeting, PayloadError, Rejected

MAX_BYTES = 256 * 1024
REMEMBERED = 250  # characters of a topic whose route is kept at hand; real ones have a third
# Reasons that say: tell me the device's profile or time zone, and I can read it.
ASKS_FOR_DEVICE = frozenset({"no-decoder", "no-timezone"})

# Formats whose messages refer to earlier ones of their sender.
IN_ORDER = frozenset({"sparkplug", "mavlink"})

Codec = Callable[[bytes, Context], Decoded]
Greet = Callable[[Mapping[str, Any], int, bool], Greeting]


class Route(NamedTuple):
    """Who reads the messages of a topic pattern, and whom the topic names as their sender."""

    pattern: str
    codec: Codec
    device: Callable[[tuple[str, ...]], str | None]
    subscription: str | None = None  # the topics to ask the broker for; None: the pattern
    options: Any = None  # for the codec
    in_order: bool = False  # whether one reader must hear all of a sender's messages
    # Given what is remembered, the time and whether the broker kept our session: what to say.
    greet: Greet | None = None


def _own_id(levels: tuple[str, ...]) -> str | None:
    return levels[0] or None


def nobody(_levels: tuple[str, ...]) -> None:
    """Of topics that do not name the sender: a name of a device is not its DevEUI."""


ROUTES: tuple[Route, ...] = (  # most specific first
    Route(topics.SENML, senml.decode, _own_id),
    Route(topics.TRACK, track.decode, _own_id),
    Route(topics.CHIRPSTACK, chirpstack.decode, chirpstack.device_of),
    Route(topics.TTN_LOCATION, ttn.decode, nobody),
    Route(topics.TTN, ttn.decode, nobody, topics.TTN_UPLINK),
    Route(topics.DJI_OSD, dji.decode, dji.device_of, options="osd"),
    Route(topics.DJI_STATE, dji.decode, dji.device_of, options="state"),
    Route(topics.DJI_EVENTS, dji.decode, dji.device_of, options="events"),
    Route(topics.TASMOTA, tasmota.decode, tasmota.device_of),
    Route(
        topics.SPARKPLUG,
        sparkplug.decode,
        sparkplug.device_of,
        in_order=True,
        greet=sparkplug.greet,
    ),
    Route(topics.EFDI, efdi.decode, efdi.device_of, options=efdi.PREFIX),
    Route(topics.MAVLINK, mavlink.decode, mavlink.device_of, options=mavlink.PREFIX, in_order=True),
)


class Registry:
    """Routes in the order they are tried: an operator's own, then those built in."""

    def __init__(self, own: Sequence[Route] = ()) -> None:
        self.routes = (*own, *ROUTES)
        self._find = lru_cache(maxsize=65_536)(self._search)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What to ask the broker for, each topic filter once."""
        return tuple(dict.fromkeys(one.subscription or one.pattern for one in self.routes))

    def greet(self, memory: Mapping[str, Any], now_us: int, *, session_kept: bool) -> Greeting:
        """What to say to whom is remembered, and to note, when we come to a broker.

        ``session_kept`` tells whether the broker queued for us what was published with QoS 1.
        """
        asked = dict.fromkeys(one.greet for one in self.routes if one.greet is not None)
        said = [greet(memory, now_us, session_kept) for greet in asked]
        learned = {key: what for one in said for key, what in one.learned.items()}
        return Greeting(tuple(request for one in said for request in one.requests), learned)

    def route(self, topic: str) -> tuple[Route, tuple[str, ...]] | None:
        """The route of a topic and the levels its pattern leaves open; None if nobody reads it."""
        return self._find(topic) if len(topic) <= REMEMBERED else self._search(topic)

    def _search(self, topic: str) -> tuple[Route, tuple[str, ...]] | None:
        for candidate in self.routes:
            levels = topics.match(candidate.pattern, topic)
            if levels is None or (candidate.device is _own_id and not levels[0]):
                continue
            return candidate, levels
        return None

    def decode(
        self,
        topic: str,
        payload: bytes,
        *,
        received_at_us: int,
        profile: str | None = None,
        timezone: str | None = None,
        memory: Mapping[str, Any] = MappingProxyType({}),
        max_bytes: int = MAX_BYTES,
        again: bool = False,
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
        memory : mapping
            What earlier messages said of later ones (``Decoded.learned``), by the sender's key.
        again : bool
            Whether the message was read before, when other things were known than now.
        """
        found = self.route(topic)
        if found is None:
            return _refused(None, "unknown-topic", f"nothing is read from topic {topic[:200]!r}")
        route, levels = found
        device = route.device(levels)
        if len(payload) > max_bytes:
            detail = f"{len(payload)} bytes; split the message: at most {max_bytes} are read"
            return _refused(device, "too-large", detail)
        context = Context(levels, received_at_us, profile, timezone, memory, route.options, again)
        try:
            return route.codec(payload, context)
        except PayloadError as error:
            return _refused(device, error.reason, error.detail)
        except Exception as error:  # a fault of ours must not stop the line: kept with the payload
            return _refused(device, "codec-failed", f"{type(error).__name__}: {error}")


def _refused(device: str | None, reason: str, detail: str) -> Decoded:
    return Decoded(device, [], [], [Rejected(reason, detail)])


BUILT_IN = Registry()
decode = BUILT_IN.decode
route = BUILT_IN.route
