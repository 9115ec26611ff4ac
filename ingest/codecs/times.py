"""Times as devices and networks write them."""

import re
from contextlib import suppress
from datetime import datetime

from ingest.messages import LATEST_TIME_US, to_us

# Date, time, fraction and offset of RFC 3339; networks write up to nine decimals.
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
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
    date, clock, second, fraction, offset = parts.groups()
    leap = second == "60"
    zone = "+00:00" if offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}:{'59' if leap else second}{zone}")
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not in the calendar: {error}") from error
    micros = int((fraction or "").ljust(6, "0")[:6])
    time_us = to_us(moment) + micros + 1_000_000 * leap
    if not 0 <= time_us <= LATEST_TIME_US:
        raise ValueError(f"{text!r} is not between 1970 and 9999")
    return time_us


def first_time(*candidates: object) -> int | None:
    """The first of these that is an RFC 3339 time; None if none is."""
    for text in candidates:
        if isinstance(text, str):
            with suppress(ValueError):
                return rfc3339(text)
    return None
