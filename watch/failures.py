"""Why a message did not arrive."""

from __future__ import annotations

import ssl


class NotSent(Exception):
    """A message did not arrive; the words say why, for whoever looks at its delivery."""

    def __init__(self, words: str, *, for_good: bool = False) -> None:
        super().__init__(words)
        self.for_good = for_good  # trying again would change nothing


def no_connection(host: str, error: Exception) -> NotSent:
    """A server that was not reached, or broke off: in words that say which of the two must mend it.

    A certificate that does not hold is that server's affair, and may be another the next time.
    """
    words = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"its certificate does not hold: {error.verify_message}"
    elif isinstance(error, ssl.SSLError):
        words = f"no TLS with it: {error.reason or words}"
    return NotSent(f"{host}: {words}")
