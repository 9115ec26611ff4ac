"""How often one credential, or one address, may ask; told in RateLimit headers (IETF draft)."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from api.errors import Refused
from api.settings import ApiSettings

WINDOW_S = 60


def subscriber(address: str) -> str:
    """Whom an address is of: an IPv6 network of 64 bits is one house's, in which it may take any.

    What is no address stands for itself.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(found), 64), strict=False))


class Count(NamedTuple):
    """What is left to a caller in the present minute."""

    policy: str
    quota: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW_S}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset_s}',
        }


class AtOnce:
    """So many at a time of a credential, of what takes long."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, credential: str) -> Callable[[], None]:
        """Begin another; what ends it. Refused where there are so many already."""
        with self._lock:
            if self._held[credential] >= self._most:
                raise Refused(
                    429,
                    f"This credential has {self._most} large tables under way: take one first.",
                    headers={"Retry-After": "5"},
                )
            self._held[credential] += 1
        return partial(self._end, credential)

    def _end(self, credential: str) -> None:
        with self._lock:
            self._held[credential] -= 1
            if not self._held[credential]:
                del self._held[credential]


class Limiter:
    """Counts in this process: several processes share no count, each allows the whole of it."""

    def __init__(self, settings: ApiSettings) -> None:
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._quotas = {
            "default": settings.api_rate_per_minute,
            "sign-in": settings.sign_in_rate_per_minute,
        }

    def hit(self, policy: str, key: str) -> Count | None:
        """Count a request; raise Refused beyond the quota. None where nothing is limited."""
        quota = self._quotas[policy]
        if quota == 0:
            return None
        item = RateLimitItemPerMinute(quota)
        allowed = self._windows.hit(item, policy, key)
        stats = self._windows.get_window_stats(item, policy, key)
        reset_s = max(math.ceil(stats.reset_time - time.time()), 1)
        count = Count(policy, quota, stats.remaining, reset_s)
        if not allowed:
            raise Refused(
                429,
                f"More than {quota} requests in a minute; try again in {reset_s} s.",
                headers=count.headers() | {"Retry-After": str(reset_s)},
            )
        return count
