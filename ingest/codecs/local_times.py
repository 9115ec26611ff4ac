"""Times of clocks that show their zone's time and do not say so."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.messages import LATEST_TIME_US, PayloadError, to_us


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of this name.

    Raises
    ------
    PayloadError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PayloadError("bad-timezone", f"{name[:40]!r} is no IANA time zone") from error


def local(moment: datetime, name: str | None, received_at_us: int) -> int:
    """Microseconds since the epoch of what a clock in a zone shows.

    Where clocks were set back, an hour comes twice: the one nearer to the arrival is taken.

    Raises
    ------
    PayloadError
        If no zone is known (which nobody guesses), or its clocks never showed this time.
    """
    if name is None:
        raise PayloadError(
            "no-timezone", f"{moment} has no offset from UTC; set the time zone of the device"
        )
    instants = [_instant(moment.replace(fold=fold), zone(name)) for fold in (0, 1)]
    known = [one for one in instants if one is not None]
    if not known:
        raise PayloadError(
            "bad-time", f"no clock in {name} ever showed {moment}, or not since 1970"
        )
    return min(known, key=lambda one: (abs(one - received_at_us), one))


def _instant(moment: datetime, where: ZoneInfo) -> int | None:
    """The instant, if the zone's clocks showed this time then."""
    try:
        instant = moment.replace(tzinfo=where).astimezone(UTC)
        shown = instant.astimezone(where).replace(tzinfo=None, fold=moment.fold)
    except OverflowError:
        return None
    time_us = to_us(instant)
    return time_us if shown == moment and 0 <= time_us <= LATEST_TIME_US else None
