"""Times as devices and networks write them."""

import re
from contextlib import suppress
from datetime import datetime
from functools import lru_cache

from ingest.messages import LATEST_TIME_US, to_us

# Date, time, fraction and offset of RFC 3339; networks write up to nine decimals.
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):([0-5]\d|60)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def rfc3339(text: str) -> int:
    """Microseconds since the epoch; decimals beyond the sixth are cut off.

    A leap second (`:60`) is the second after `:59`.

    Raises
    ------
    ValueError
        If the text is no RFC 3339 time, which always says its offset from UTC, or is not between
        1970 and 9999.
    """
    parts = _RFC3339.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text[:40]!r} is not an RFC 3339 time with an offset (or Z)")
    minute, second, fraction, offset = parts.groups()
    try:
        minute_us = _minute_us(minute, offset)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not in the calendar: {error}") from error
    micros = int(fraction.ljust(6, "0")[:6]) if fraction else 0
    time_us = minute_us + 1_000_000 * int(second) + micros
    if not 0 <= time_us <= LATEST_TIME_US:
        raise ValueError(f"{text!r} is not between 1970 and 9999")
    return time_us


@lru_cache(maxsize=4_096)  # a track has a point each second, and many devices speak in one minute
def _minute_us(minute: str, offset: str) -> int:
    """The beginning of a minute [µs since 1970]; ValueError if it is not in the calendar."""
    zone = "+00:00" if offset in "Zz" else offset
    return to_us(datetime.fromisoformat(f"{minute}{zone}"))


def first_time(*candidates: object) -> int | None:
    """The first of these that is an RFC 3339 time; None if none is."""
    for text in candidates:
        if isinstance(text, str):
            with suppress(ValueError):
                return rfc3339(text)
    return None
