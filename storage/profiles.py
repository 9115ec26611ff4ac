"""Profiles: the LoRaWAN models whose bytes are read here, by name.

How each is read stands with the codecs; that both lists are one, a test sees to. A meter's profile
says what a pulse is worth: ``milesight-uc511;pulse_l=10``.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

COUNTS_PULSES = frozenset({"milesight-uc511"})
NAMES = COUNTS_PULSES | {
    "decentlab-dl-atm41",
    "decentlab-dl-smtp",
    "decentlab-dl-tbrg",
    "decentlab-dl-trs12",
    "dragino-lse01",
    "milesight-em500-pp",
    "milesight-em500-smtc",
    "milesight-wts506",
    "milesight-wts506-v2",
}
_PULSE = re.compile(r"pulse_l=(?=.*[1-9])\d{1,6}(?:\.\d{1,6})?", re.ASCII)


class UnknownProfile(ValueError):
    """A profile that no bytes are read by; the message names those that there are."""


def check(profile: str) -> None:
    """Refuse what is no profile, as UnknownProfile, which says what is like it."""
    written, *choices = profile.split(";")
    name = re.sub(r"[^a-z0-9]+", "-", written.lower()).strip("-")
    if name not in NAMES:
        near = [one for one in sorted(NAMES) if name and name in one]
        near = near or get_close_matches(name, sorted(NAMES), 3, 0.5)
        like = f" Is it {' or '.join(near)}?" if near else ""
        there_are = ", ".join(sorted(NAMES))
        raise UnknownProfile(f"no profile is called {profile[:60]!r}.{like} There are {there_are}")
    for choice in choices:
        if name not in COUNTS_PULSES or not _PULSE.fullmatch(choice.strip()):
            raise UnknownProfile(
                f"{choice[:40]!r} is nothing that {name} can be told: a pulse meter "
                f"({', '.join(sorted(COUNTS_PULSES))}) is told litres, as {min(COUNTS_PULSES)}"
                ";pulse_l=10"
            )
