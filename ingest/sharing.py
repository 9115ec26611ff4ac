"""What to ask the broker for, alone or as one of several workers.

Workers share subscriptions: the broker gives each message to one of them. Formats whose messages
refer to earlier ones of their sender are not shared, the first worker takes them all: else a
message could reach a worker that never saw what it refers to.
"""

from __future__ import annotations

from ingest.codecs import Registry
from ingest.settings import Worker

GROUP = "dala"
IN_ORDER = ("spBv1.0/",)  # Sparkplug: data carry numbers that only a birth explains


def subscriptions(registry: Registry, worker: Worker) -> tuple[str, ...]:
    """Topic filters of a worker."""
    if not worker.shares:
        return registry.subscriptions
    alone = [one for one in registry.subscriptions if one.startswith(IN_ORDER)]
    shared = [share(one) for one in registry.subscriptions if not one.startswith(IN_ORDER)]
    return (*shared, *(alone if worker.number == 1 else ()))


def every_form(registry: Registry) -> tuple[str, ...]:
    """Topic filters that a session may have had, whichever worker it belonged to."""
    return (*registry.subscriptions, *map(share, registry.subscriptions))


def share(topic_filter: str) -> str:
    """The filter as one that the group shares (MQTT 5 section 4.8.2)."""
    return f"$share/{GROUP}/{topic_filter}"
