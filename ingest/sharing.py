"""What to ask the broker for, alone or as one of several workers.

Workers share subscriptions: the broker gives each message to one of them. Formats whose messages
refer to earlier ones of their sender are not shared, the first worker takes them all: else a
message could reach a worker that never saw what it refers to. What others learn (LoRaWAN: the
model that the network names, in each uplink) every worker learns by itself.
"""

from __future__ import annotations

from ingest.codecs import Registry
from ingest.settings import Worker

GROUP = "dala"


def subscriptions(registry: Registry, worker: Worker) -> tuple[str, ...]:
    """Topic filters of a worker."""
    if not worker.shares:
        return registry.subscriptions
    alone = _in_order(registry)
    shared = [share(one) for one in registry.subscriptions if one not in alone]
    return (*shared, *(alone if worker.number == 1 else ()))


def takes_in_order(worker: Worker) -> bool:
    """Whether a worker hears the senders whose messages need their order."""
    return worker.number == 1


def every_form(registry: Registry) -> tuple[str, ...]:
    """Topic filters that a session may have had, whichever worker it belonged to."""
    return (*registry.subscriptions, *map(share, registry.subscriptions))


def share(topic_filter: str) -> str:
    """The filter as one that the group shares (MQTT 5 section 4.8.2)."""
    return f"$share/{GROUP}/{topic_filter}"


def _in_order(registry: Registry) -> list[str]:
    """Filters under which a message may come that needs its order, an operator's own among them."""
    needing = [one.subscription or one.pattern for one in registry.routes if one.in_order]
    return [
        one for one in registry.subscriptions if any(_may_share_a_topic(one, n) for n in needing)
    ]


def _may_share_a_topic(one: str, other: str) -> bool:
    """Whether some topic matches both filters (MQTT 5 section 4.7)."""
    left, right = one.split("/"), other.split("/")
    for mine, theirs in zip(left, right, strict=False):
        if "#" in (mine, theirs):
            return True
        if mine != theirs and "+" not in (mine, theirs):
            return False
    # `a/#` matches `a` too.
    longer = max(left, right, key=len)
    return len(left) == len(right) or longer[min(len(left), len(right)) :] == ["#"]
