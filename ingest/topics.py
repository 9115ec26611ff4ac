"""Topics: which ones the service subscribes to, and how a topic meets a pattern."""

from functools import lru_cache

SENML = "dala/v1/+/senml"
TRACK = "dala/v1/+/track"
CHIRPSTACK = "application/+/device/+/event/+"
TTN_UPLINK = "v3/+/devices/+/up"  # `up/normalized` would repeat every one of them
TTN_LOCATION = "v3/+/devices/+/location/solved"
TTN = "v3/+/devices/+/#"  # what is read; beside up: join, down/…, with nothing to store
SPARKPLUG = "spBv1.0/#"
EFDI = "efdi/+/time_log"
MAVLINK = "mavlink/+"

DJI_OSD, DJI_STATE, DJI_EVENTS = (f"thing/product/+/{kind}" for kind in ("osd", "state", "events"))
TASMOTA = "tele/+/SENSOR"


def receipt_topic(device: str) -> str:
    """Where a device hears what was stored; `device` is its id on `dala/v1/…`."""
    return f"dala/v1/{device}/receipt"


def state_topic(host: str) -> str:
    """Where a Sparkplug host application says that it is there."""
    return f"spBv1.0/STATE/{host}"


@lru_cache(maxsize=64)
def _split(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("/"))


def match(pattern: str, topic: str) -> tuple[str, ...] | None:
    """Levels of `topic` that the wildcards of `pattern` stand for; None if it does not match.

    `+` gives its level, a final `#` one string with all the rest (MQTT 5 section 4.7). A pattern
    that begins with either does not take in the topics of the broker itself, which begin with $.
    """
    wanted, levels = _split(pattern), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return None
    found: list[str] = []
    for position, level in enumerate(wanted):
        if level == "#":
            return (*found, "/".join(levels[position:]))
        if position >= len(levels) or level not in ("+", levels[position]):
            return None
        if level == "+":
            found.append(levels[position])
    return tuple(found) if len(levels) == len(wanted) else None
