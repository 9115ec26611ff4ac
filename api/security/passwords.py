"""Passwords: how they are kept, and which ones are too easy."""

from __future__ import annotations

import threading
import unicodedata
from itertools import pairwise

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

SHORTEST, LONGEST = 12, 200
# Each check takes 64 MB for a moment: many at once must not take the machine's memory.
_AT_ONCE = threading.BoundedSemaphore(4)
_HASHER = PasswordHash.recommended()  # argon2id

_OFTEN_TAKEN = """
    123456789012 1234567890123 12345678901234 1234567890qw 1q2w3e4r5t6y 1qaz2wsx3edc
    1qaz2wsx3edc4rfv administrator administrator1 changemeplease iloveyou1234 letmeinletmein
    passw0rd1234 passwordpassword password1234 password12345 password123456 qwertyqwerty
    qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdf welcome12345 welcome123456 zaq12wsxcde3
    йцукенгшщзхъ йцукенгшщзхъ1 парольпароль пароль123456 қазақстан123 kazakhstan12 kazakhstan123
    kazakhstan2024 kazakhstan2025 kazakhstan2026
"""
_COMMON = frozenset(_OFTEN_TAKEN.split())


class WeakPassword(ValueError):
    """A password that would be guessed; the message says why."""

    kind = "weak-password"


def check(password: str, *, login: str) -> None:
    """Raise WeakPassword for one that is short, common, or made of the login."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(password) < SHORTEST:
        raise WeakPassword(f"A password has at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.")
    if folded in _COMMON or len(set(folded)) < 5 or _runs(folded):
        raise WeakPassword("This password is among the first that are guessed; take another.")
    rest = folded.replace(login.casefold(), "")
    if len(rest) < SHORTEST // 2:
        raise WeakPassword("A password must not be made of the login.")


def _runs(folded: str) -> bool:
    """Whether it is one run of neighbouring characters, like 123456789012."""
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return len(steps) == 1


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return _HASHER.hash(_bytes(password))


# Of no password: an unknown login takes as long as a wrong password.
_NOBODYS = (
    "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA"
    "$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
)


def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password; takes as long where there is none."""
    with _AT_ONCE:
        try:
            right = _HASHER.verify(_bytes(password[: LONGEST + 1]), kept or _NOBODYS)
        except UnknownHashError:
            return False
    return right and kept is not None


def _bytes(password: str) -> bytes:
    # The same letters are typed as different code points on different keyboards.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
