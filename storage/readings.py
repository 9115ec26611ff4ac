"""Readings: the narrow hypertable that every sensor writes to."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """What is known about a reading; zero is a good one.

    The low bits only inform. From ``OUT_OF_RANGE`` on a reading is kept but not used: queries
    ask for ``quality < 16``.
    """

    SERVER_TIME = 1  # the message had no time of its own: stamped when it arrived
    COUNTER_RESET = 2  # a counter that began again
    OUT_OF_RANGE = 16  # outside the catalogue's plausible range
    SIMULATED = 256  # a network's test message


USABLE_BELOW = int(Quality.OUT_OF_RANGE)
