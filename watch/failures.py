"""Why a message did not arrive."""

from __future__ import annotations


class NotSent(Exception):
    """A message did not arrive; the words say why, for whoever looks at its delivery."""

    def __init__(self, words: str, *, for_good: bool = False) -> None:
        super().__init__(words)
        self.for_good = for_good  # trying again would change nothing
