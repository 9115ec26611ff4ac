"""What a device sends when: a window of messages ahead of the receipts, and patience.

Pure bookkeeping of numbers: nothing here knows a payload, a broker or a clock; times are given.

The broker's acknowledgement says nothing about a database, so only a receipt ends a message. When
none comes, the device begins a new round at the first number without one, with two messages (the
second shows whether the first alone is the trouble), and doubles with every receipt, so that a
service that was away for long is not met with everything at once, nor a poor link with it again
and again.

A number is never left out: the service counts as dealt with only what is whole from 1 up. A number
whose message is no more (dropped from a full memory, or refused as a whole again and again) is
sent as an empty message; the device asks its memory and finds nothing.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from seeds.buffers import Number

LEAST_WINDOW = 2
GRACE_S = 2.0  # after a connection: receipts that waited at the broker come first


class Pace(NamedTuple):
    """How much is under way at a time, and how long a receipt is waited for."""

    window: int = 50  # messages under way
    first_pause_s: float = 10.0  # without a receipt, before what is under way is sent again
    longest_pause_s: float = 300.0  # the pause doubles up to this
    jitter: float = 0.25  # share of a pause, up or down: a thousand devices shall not march in step
    refused_after: int = 6  # rounds in which a message was passed over, and others were stored


class NumbersUsedBefore(ValueError):
    """A receipt covers what was never sent: the boot's number was used before.

    It happens when a device lost its memory and begins a boot again that the service knows. Its
    receipts could cover messages that are not stored, so the boot has to be given up.
    """


class _Boot:
    """How far one boot has come."""

    def __init__(self, dealt_with: int) -> None:
        self.low = dealt_with  # everything up to here needs nothing more
        self.top = dealt_with  # the last number there is
        self.sent = self.low  # in this round
        self.furthest = self.low  # in any round
        self.heard: int | None = None  # the last receipt of this round
        self.passed_over = 0  # rounds in which low + 1 was sent and only others were stored


class Sending:
    """Numbers on their way, oldest boot first."""

    def __init__(self, pace: Pace, chance: random.Random) -> None:
        self._pace, self._chance = pace, chance
        self._boots: dict[int, _Boot] = {}
        self._current: int | None = None
        self._unacknowledged: set[Number] = set()  # by the broker
        self._refused: set[Number] = set()
        self._window = pace.window
        self._pause_s = pace.first_pause_s
        self._round_ends: float | None = None

    def begin(self, boot: int) -> None:
        """This is the boot that new messages will be numbered in, from 1."""
        self._current = boot
        self._boots[boot] = _Boot(0)

    def add(self, number: Number, *, dealt_with: int | None = None) -> None:
        """There is a message to send.

        Of an earlier boot ``dealt_with`` says how far receipts came. What is no more between that
        and its first message was lost, and goes first, empty: so the service hears of the loss
        before it hears what came after. By default nothing was; a receipt that knows better is
        believed.
        """
        state = self._boots.get(number.boot)
        if state is None:
            before = number.seq - 1 if dealt_with is None else min(dealt_with, number.seq - 1)
            state = self._boots[number.boot] = _Boot(before)
            self._boots = dict(sorted(self._boots.items()))
        state.top = max(state.top, number.seq)

    @property
    def outstanding(self) -> int:
        """Numbers without a receipt."""
        return sum(state.top - state.low for state in self._boots.values())

    def next(self, now: float) -> Number | None:
        """The number to publish now; None while there is nothing to do but wait."""
        if self._round_ends is not None and now >= self._round_ends:
            self._begin_round(now)
        under_way = sum(state.sent - state.low for state in self._boots.values())
        if under_way >= self._window:
            return None
        for boot, state in self._boots.items():
            if state.sent < state.top:
                state.sent += 1
                state.furthest = max(state.furthest, state.sent)
                if self._round_ends is None:
                    self._wait(now)
                number = Number(boot, state.sent)
                self._unacknowledged.add(number)
                return number
        return None

    def is_refused(self, number: Number) -> bool:
        """Whether nobody will ever take this message, so that an empty one goes in its place."""
        return number in self._refused

    def acknowledged(self, number: Number) -> None:
        """The broker has it: after a new connection it is not sent at once."""
        self._unacknowledged.discard(number)

    def receipt(self, boot: int, seq: int, now: float) -> int:
        """Everything of a boot up to ``seq`` is stored; return how many numbers are new in that.

        Raises
        ------
        NumbersUsedBefore
            If this is the boot of now, and has not sent that many.
        """
        state = self._boots.get(boot)
        if state is None:
            return 0
        if seq > state.furthest and boot == self._current:
            raise NumbersUsedBefore(f"boot {boot}: {state.furthest} sent, a receipt says {seq}")
        state.heard = seq
        covered = min(seq, state.top) - state.low
        if covered <= 0:
            return 0
        state.low += covered
        state.sent = max(state.sent, state.low)
        state.passed_over = 0
        self._let_go(boot, state)
        self._window = min(2 * self._window, self._pace.window)
        self._pause_s = self._pace.first_pause_s
        self._wait(now)
        return covered

    def connected(self, now: float, *, session_present: bool) -> None:
        """A new connection: send what the broker did not acknowledge on the last one.

        A broker that forgot the session was started anew and may have lost everything.
        """
        for state_boot, state in self._boots.items():
            lost = [one.seq for one in self._unacknowledged if one.boot == state_boot]
            first_lost = min(lost, default=state.sent + 1) if session_present else 0
            state.sent = max(state.low, min(state.sent, first_lost - 1))
        self._unacknowledged.clear()
        if self._round_ends is not None:
            self._round_ends = max(self._round_ends, now + GRACE_S)

    def abandon(self, boot: int) -> None:
        """Its messages have other numbers now."""
        state = self._boots.pop(boot, None)
        if state is not None:
            self._clear(boot, state.top)

    def _wait(self, now: float) -> None:
        """For a receipt, if any can come."""
        if not self.outstanding:
            self._round_ends = None
            return
        share = self._chance.uniform(-self._pace.jitter, self._pace.jitter)
        self._round_ends = now + self._pause_s * (1 + share)

    def _begin_round(self, now: float) -> None:
        """No receipt helped for long enough: go back to the first number without one."""
        for boot, state in self._boots.items():
            if state.heard is not None:
                self._judge(boot, state, state.heard)
            state.sent, state.heard = state.low, None
        self._window = min(LEAST_WINDOW, self._pace.window)
        self._pause_s = min(2 * self._pause_s, self._pace.longest_pause_s)
        self._wait(now)

    def _judge(self, boot: int, state: _Boot, heard: int) -> None:
        """Receipts came and did not help: why?"""
        if heard < state.low:  # the service lacks what is no more
            state.low = heard
        elif state.sent > state.low + 1:
            state.passed_over += 1
            if state.passed_over >= self._pace.refused_after:
                self._refused.add(Number(boot, state.low + 1))

    def _let_go(self, boot: int, state: _Boot) -> None:
        self._clear(boot, state.low)
        if state.low == state.top and boot != self._current:
            del self._boots[boot]

    def _clear(self, boot: int, seq: int) -> None:
        for known in (self._unacknowledged, self._refused):
            gone = [one for one in known if one.boot == boot and one.seq <= seq]
            known.difference_update(gone)
