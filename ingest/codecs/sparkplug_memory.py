"""What a Sparkplug node said, and how far it may be trusted.

A number (alias) means what the birth of its session says, and a node is born anew, with other
numbers perhaps, with every session. A wrong quantity is worse than a missing one, so a birth is
used

- for what comes later, until the node or device dies, is born anew, or we were away: a birth comes
  with QoS 0, and a missed one is lost;
- for a message of earlier that was kept, if it came since `since_us`: since then, as far as we
  heard, the node had no other session, and no number another meaning.

Where a metric is named, its birth gives the unit and the datatype; for that the last one will do.

`bdSeq` numbers sessions: it is the same in an NBIRTH that was asked for, one more in that of a new
connection, and it is in the NDEATH, which comes with QoS 1 and so is queued while we are away.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

PREFIX = "sparkplug:"
# Under it stands how often we came to a broker (`joined`), and when last without a session.
_OURSELVES = PREFIX


class Place(NamedTuple):
    """Who speaks, and what kind of message it is."""

    kind: str
    group: str
    node: str
    device: str | None

    @property
    def key(self) -> str:
        """Under which the births of a node and its devices are learned."""
        return f"{PREFIX}{self.group}/{self.node}"

    @property
    def identity(self) -> str:
        """Of the node, or the device behind it."""
        return self.key if self.device is None else f"{self.key}/{self.device}"

    @property
    def scope(self) -> str:
        """Of its numbers: the node's own are under ""."""
        return self.device or ""


class Birth(NamedTuple):
    """What a node or a device said of its numbers."""

    aliases: Mapping[str, str]
    metrics: Mapping[str, Any]  # name: datatype, unit
    since_us: int  # messages that came since are of it, too
    joined: int  # how often we had come to a broker
    is_over: bool = False  # names have their units from it still; numbers mean nothing any more

    def over(self, since_us: int) -> "Birth":
        """After the end of its session: what comes since is of another."""
        return self._replace(aliases={}, since_us=since_us, is_over=True)

    def agrees_with(self, aliases: Mapping[str, str], metrics: Mapping[str, Any]) -> bool:
        """Whether nothing that is said here is said otherwise there."""
        return all(
            aliases.get(alias, name) == name for alias, name in self.aliases.items()
        ) and all(
            list(metrics.get(name, what)) == list(what) for name, what in self.metrics.items()
        )


class Said(NamedTuple):
    """What is known of a node and its devices."""

    bd_seq: int | None
    asked_us: int | None
    born_since: bool  # whether it was born since it was asked
    session_us: int | None  # since when we hear its present session; None: it said nothing yet
    births: Mapping[str, Birth]
    joined: int
    lost: int
    is_known: bool

    def birth_of(self, scope: str) -> Birth | None:
        """The birth by which what comes now is read; without numbers if it may be out of date."""
        birth = self.births.get(scope)
        if birth is not None and (birth.is_over or birth.joined != self.joined):
            return birth._replace(aliases={}, is_over=True)
        return birth

    def of_session(self, bd_seq: int | None, now_us: int) -> "Said":
        """After an NBIRTH: those of devices have to come again."""
        if self.bd_seq is not None and bd_seq != self.bd_seq:
            births = {scope: one.over(now_us) for scope, one in self.births.items()}
            began_us = now_us
        else:
            births = {scope: one._replace(is_over=True) for scope, one in self.births.items()}
            began_us = now_us if self.session_us is None else self.session_us
        return self._replace(bd_seq=bd_seq, session_us=began_us, births=births)

    def with_birth(
        self, scope: str, aliases: Mapping[str, str], metrics: Mapping[str, Any], now_us: int
    ) -> "Said":
        """After a birth of the node or a device."""
        before = self.births.get(scope)
        began_us = now_us if self.session_us is None else self.session_us
        if before is not None:
            agrees = before.agrees_with(aliases, metrics)
            began_us = max(began_us, before.since_us) if agrees else now_us
        births = {**self.births, scope: Birth(aliases, metrics, began_us, self.joined)}
        session_us = now_us if self.session_us is None else self.session_us
        return self._replace(births=births, session_us=session_us, born_since=True)

    def after_death(self, now_us: int) -> "Said":
        """What comes from now on is of another session."""
        births = {scope: one.over(now_us) for scope, one in self.births.items()}
        return self._replace(births=births, bd_seq=None, session_us=now_us)

    def without(self, scope: str, now_us: int) -> "Said":
        """After the death of a device: what comes from now on is of its next birth."""
        before = self.births.get(scope) or Birth({}, {}, now_us, self.joined)
        return self._replace(births={**self.births, scope: before.over(now_us)})

    def kept(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "bd_seq": self.bd_seq,
            "asked_us": self.asked_us,
            "born_since": self.born_since,
            "session_us": self.session_us,
            "lost": self.lost,
            "births": {scope: _plain(one) for scope, one in self.births.items()},
        }


def _plain(birth: Birth) -> dict[str, Any]:
    return {**birth._asdict(), "aliases": dict(birth.aliases), "metrics": dict(birth.metrics)}


def remembered(memory: Mapping[str, Any], key: str) -> Said:
    """What is known of the node of a key."""
    said, ourselves = memory.get(key), memory.get(_OURSELVES) or {}
    joined, lost = ourselves.get("joined", 0), ourselves.get("lost", 0)
    if said is None:
        return Said(None, None, False, None, {}, joined, lost, is_known=False)
    asked = (said.get("asked_us"), said.get("born_since", False))
    births = {scope: _birth(one) for scope, one in said["births"].items()}
    if said.get("lost", 0) != lost or "session_us" not in said:  # sessions may have come and gone
        births = {scope: one.over(0) for scope, one in births.items()}
        return Said(None, *asked, None, births, joined, lost, is_known=True)
    return Said(said["bd_seq"], *asked, said["session_us"], births, joined, lost, is_known=True)


def _birth(one: Mapping[str, Any]) -> Birth:
    if "since_us" not in one:  # as versions before this one noted it
        return Birth(one["aliases"], one["metrics"], 0, -1, is_over=True)
    return Birth(**one)


def joined(memory: Mapping[str, Any], *, session_kept: bool) -> dict[str, Any]:
    """What to note when we come to a broker: births may have been missed, or whole sessions."""
    ourselves = memory.get(_OURSELVES) or {}
    count = ourselves.get("joined", 0) + 1
    lost = ourselves.get("lost", 0) if session_kept else count
    return {_OURSELVES: {"joined": count, "lost": lost}}
