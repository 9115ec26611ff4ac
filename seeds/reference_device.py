"""The device that others are measured by: what it was given is stored once, whatever breaks.

A reading is in the ring buffer when :meth:`ReferenceDevice.measure` returns, and safe from a power
cut once it is synced, a second later at most. Readings become a message when they fill it or the
oldest has waited for long enough; a message is synced before it is sent, and keeps its number
until the service's receipt.

Without a clock that was ever set, readings wait for one, and are dated when it comes. When it does
not come they go without a time: they count from the message's arrival, which is said anew each
time it is sent, and such a message is known by its number alone. So it never gets a time later.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import takewhile
from typing import NamedTuple

import cbor2

from ingest.subscriber import BrokerAddress
from seeds import compact
from seeds.buffers import Held, Number
from seeds.compact import Reading
from seeds.courier import SENML, UNDATED, UNDATED_HEAD, Courier, NoReceipt
from seeds.device_clock import Clock, Moment
from seeds.link import Login
from seeds.ring_buffer import RingBuffer
from seeds.sending import Pace

SYNC_S = 1.0  # a reading is safe from a power cut after this long
CLOCK_PATIENCE_S = 600.0  # how long readings wait for a clock before they go without a time
AFTER_DAMAGE = 1_000  # boots passed over where the last one may be unknown
_SECOND_MS = 1_000
_UPTIME_BYTES = 8


class Packing(NamedTuple):
    """How readings become messages."""

    interval_s: float = 60.0  # until the oldest reading goes, however few there are
    budget_bytes: int = 1_000  # of a message
    cbor: bool = True


class _Waiting(NamedTuple):
    """A reading that is in no message yet; ``power_on`` says whose uptime an undated one has."""

    ordinal: int
    reading: Reading
    power_on: bytes | None
    since: float


class ReferenceDevice:
    """A device's whole work but its sensors; one thread measures, another serves the network."""

    def __init__(
        self,
        device_id: str,
        buffer: RingBuffer,
        address: BrokerAddress,
        login: Login | None,
        *,
        packing: Packing | None = None,
        pace: Pace | None = None,
        clock: Clock | None = None,
        clock_patience_s: float = CLOCK_PATIENCE_S,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._buffer, self._clock, self._say = buffer, clock or Clock(), say
        self._packing, self._clock_patience_s = packing or Packing(), clock_patience_s
        self._begun = self._synced_at = time.monotonic()
        self._begun_ms = self._clock.now().ms
        self._last_ms: dict[tuple[str, bool], tuple[int, int]] = {}  # the last, and the latest
        self._dropped = 0, 0
        self._waiting = [self._recovered(ordinal, payload) for ordinal, payload in buffer.loose()]
        self._least = self._bound(self._waiting)
        self._over = threading.Event()
        self._network: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.courier = Courier(
            device_id,
            buffer,
            address,
            login,
            boot=next_boot(buffer, self._clock),
            pace=pace,
            cbor=self._packing.cbor,
            finish=self._finish,
            say=say,
        )

    # --- for whoever has the sensors

    def measure(
        self, name: str, value: Decimal, unit: str | None = None, moment: Moment | None = None
    ) -> None:
        """Take a reading; when this returns, the end of the process cannot take it away.

        Without a moment it is of now: to the second, unless readings of the same name fall in one.
        """
        taken = moment or self._stamp(name)
        power_on = None if taken.is_dated else self._clock.power_on
        reading = Reading(name, compact.rounded(name, value, unit), unit, taken.ms)
        with self.courier.lock:
            ordinal = self._buffer.note(cbor2.dumps([*reading, power_on]))
        one = _Waiting(ordinal, reading, power_on, time.monotonic())
        self._waiting.append(one)
        self._least += self._bound([one])
        self.tick()

    def tick(self) -> None:
        """Make messages that are due, and sync; call it at least every second."""
        if self._failure is not None:
            raise self._failure
        now = time.monotonic()
        self._make_messages(now)
        if now - self._synced_at >= SYNC_S:
            self._synced_at = now
            with self.courier.lock:
                self._buffer.sync()
        self._tell_dropped()

    def finish(self) -> None:
        """Make messages of everything there is, now."""
        self._make_messages(time.monotonic(), everything=True)
        with self.courier.lock:
            self._buffer.sync()
        self._tell_dropped()

    def start(self) -> None:
        """Begin to serve the network."""
        self._network = threading.Thread(target=self._serve, name="network", daemon=True)
        self._network.start()

    def stop(self) -> None:
        """Leave the network; what has no receipt stays in the buffer."""
        self._over.set()
        if self._network is not None:
            self._network.join()

    def settle(self, patience_s: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """Wait until every message has its receipt.

        Raises
        ------
        NoReceipt
            If none helps for ``patience_s``.
        """
        while (left := self.courier.outstanding) and not is_over():
            if self.courier.silent_s > patience_s:
                raise NoReceipt(f"no receipt for {left} messages; they stay in the buffer")
            time.sleep(0.02)
            self.tick()

    # --- times

    def _stamp(self, name: str) -> Moment:
        """Now, to the second; to the millisecond where that is needed to tell readings apart."""
        now = self._clock.now()
        last, highest = self._last_ms.get((name, now.is_dated), (-_SECOND_MS, -_SECOND_MS))
        ms = now.ms // _SECOND_MS * _SECOND_MS if now.is_dated else now.ms
        # What an earlier process read in this second has a time before this one began.
        if ms < self._begun_ms or ms <= last < now.ms + _SECOND_MS:
            ms = max(now.ms, last + 1)
        elif ms <= highest:
            # The clock was set back, and these seconds come a second time: what was read in them
            # the first time stands on the second, so this does not.
            ms = now.ms + (now.ms % _SECOND_MS == 0)
        self._last_ms[name, now.is_dated] = ms, max(ms, highest)
        return Moment(ms, now.is_dated)

    def _date_waiting(self) -> None:
        """Turn uptimes of this start of the machine into times, once the clock is set."""
        wall = self._clock.wall_ms()
        if wall is None or all(one.power_on is None for one in self._waiting):
            return
        ahead = wall - self._clock.uptime_ms()
        self._begun_ms = wall  # those of this second are told apart by milliseconds
        for index, one in enumerate(self._waiting):
            if one.power_on == self._clock.power_on:
                reading = one.reading._replace(time_ms=one.reading.time_ms + ahead)
                self._waiting[index] = one._replace(reading=reading, power_on=None)

    def _finish(self, held: Held) -> bytes:
        """A message as it is sent now: an undated one says how long ago its uptime was."""
        if held.tag != UNDATED:
            return held.payload
        head, pack = held.payload[:UNDATED_HEAD], held.payload[UNDATED_HEAD:]
        uptime_ms = int.from_bytes(head[:_UPTIME_BYTES], "big")
        now_ms = self._clock.uptime_ms()
        # Of an earlier start nothing is known but that it was over before this one.
        is_same = head[_UPTIME_BYTES:] == self._clock.power_on
        return compact.dated(pack, now_ms - uptime_ms if is_same else now_ms)

    # --- messages

    def _make_messages(self, now: float, *, everything: bool = False) -> None:
        self._date_waiting()
        while count := self._due(now, everything=everything):
            readings = [one.reading for one in self._waiting[:count]]
            last = self._waiting[count - 1]
            tag = SENML if last.power_on is None else UNDATED
            write = partial(self._write, readings, last.power_on)
            self.courier.put(tag, write, ordinal=last.ordinal)
            del self._waiting[:count]
            self._least = self._bound(self._waiting)

    def _due(self, now: float, *, everything: bool) -> int:
        """How many of the first readings make a message now; 0 if they can wait."""
        if not self._waiting:
            return 0
        first = self._waiting[0]
        like = list(takewhile(lambda one: one.power_on == first.power_on, self._waiting))
        waits_for_clock = first.power_on == self._clock.power_on and not everything
        if waits_for_clock and now - self._begun < self._clock_patience_s:
            return 0
        is_time = everything or now - first.since >= self._packing.interval_s
        is_time = is_time or len(like) < len(self._waiting)
        if not is_time and self._least <= self._packing.budget_bytes:
            return 0
        at_most = like[: self._packing.budget_bytes // 4]  # no reading takes less
        number = Number(self.courier.boot, 2**16)
        count, size = compact.fitting(
            [one.reading for one in at_most],
            number,
            self._packing.budget_bytes,
            cbor=self._packing.cbor,
        )
        if is_time or count < len(like):
            return count
        self._least = size
        return 0

    def _write(self, readings: list[Reading], power_on: bytes | None, number: Number) -> bytes:
        if power_on is None:
            return compact.pack(readings, number, cbor=self._packing.cbor)
        uptime_ms = max(one.time_ms for one in readings)
        pack = compact.pack(readings, number, cbor=self._packing.cbor, from_ms=uptime_ms)
        return uptime_ms.to_bytes(_UPTIME_BYTES, "big") + power_on + pack

    def _bound(self, waiting: list[_Waiting]) -> int:
        """No fewer bytes than the readings take, without encoding them."""
        each = 30 if self._packing.cbor else 70
        lengths = (len(one.reading.name) + len(one.reading.unit or "") for one in waiting)
        return sum(each + length for length in lengths)

    def _recovered(self, ordinal: int, payload: bytes) -> _Waiting:
        name, value, unit, time_ms, power_on = cbor2.loads(payload)
        reading = Reading(name, Decimal(value), unit, time_ms)
        return _Waiting(ordinal, reading, power_on, self._begun)

    def _tell_dropped(self) -> None:
        dropped = self._buffer.dropped_messages, self._buffer.dropped_readings
        if dropped != self._dropped:
            self._dropped = dropped
            loose = f" and {dropped[1]} readings that were in none" if dropped[1] else ""
            self._say(
                f"dropped {dropped[0]} messages{loose}: the buffer is full, the oldest go first; "
                "the service is told their numbers. Bring the device online, or give it a larger "
                "buffer (--capacity)"
            )

    def _serve(self) -> None:
        try:
            self.courier.serve(self._over.is_set)
        except BaseException as error:  # a failed disk must not leave a device that only measures
            self._failure = error


def next_boot(buffer: RingBuffer, clock: Clock) -> int:
    """One more than the last; where that may be unknown, a number that was hardly used before.

    A number that the service knows already would have it confirm what it never got.
    """
    wall = clock.wall_ms()
    fresh = random.randrange(1, 2**30) if wall is None else wall // _SECOND_MS
    if buffer.last_boot == 0:
        return fresh
    return max(buffer.last_boot + AFTER_DAMAGE, fresh) if buffer.damaged else buffer.last_boot + 1
