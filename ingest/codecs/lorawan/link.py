"""How well the gateways of a network heard a device: said of the link, not by the device."""

from collections.abc import Iterable

from ingest.codecs.documents import member
from storage.quantities import CATALOGUE

_DBM = CATALOGUE["signal_strength"]


def strongest_dbm(gateways: Iterable[object]) -> float | None:
    """The RSSI [dBm] of the gateway that heard an uplink best; None if none says a believable one.

    It is the best one that decides whether a device is heard at all. Anything else that may stand
    there costs the uplink nothing: it is as if that gateway had said nothing.
    """
    said = (member(gateway, "rssi") for gateway in gateways)
    believable = (
        value
        for value in said
        if type(value) in (int, float)
        and _DBM.low <= value <= _DBM.high  # so NaN and true are none
    )
    best = max(believable, default=None)
    return None if best is None else float(best)
