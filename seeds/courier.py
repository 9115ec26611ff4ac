"""Brings a device's messages to the service: numbers, keeps, sends, and forgets by receipt.

The thread that measures calls :meth:`Courier.put`, which waits for the disk and never for the
network; another thread serves the network.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ingest.subscriber import BrokerAddress
from seeds import compact
from seeds.buffers import Buffer, Held, Number
from seeds.link import Dialect, Link, Login
from seeds.sending import NumbersUsedBefore, Pace, Sending

SENML, TRACK, UNDATED = 0, 1, 2  # tags of messages in the buffer
UNDATED_HEAD = 24  # bytes before an undated message, for whoever finishes it
KINDS = {SENML: "senml", TRACK: "track", UNDATED: "senml"}
SHORTEST_ABSENCE_S, LONGEST_ABSENCE_S = 0.5, 60.0  # between two attempts to connect
STABLE_S = 10.0  # a connection that lasted so long begins the pauses anew
AT_ONCE = 50  # messages published between two looks at what comes in
QUIET_S = 0.5  # how often somebody who waits looks up


class NoReceipt(TimeoutError):
    """Messages were published, but nobody said that they are stored."""


class Courier:
    """One device's messages, from :meth:`put` to the receipt.

    Attributes
    ----------
    stored, duplicate, rejected
        What the receipts add up to.
    """

    def __init__(
        self,
        device_id: str,
        buffer: Buffer,
        address: BrokerAddress,
        login: Login | None,
        *,
        boot: int,
        pace: Pace | None = None,
        dialect: Dialect | None = None,
        cbor: bool = True,
        finish: Callable[[Held], bytes] = lambda held: held.payload,
        on_receipt: Callable[[int], None] = lambda _count: None,
        say: Callable[[str], None] = lambda _text: None,
        chance: random.Random | None = None,
    ) -> None:
        self._id, self._buffer, self._cbor = device_id, buffer, cbor
        self._finish, self._tell, self._say = finish, on_receipt, say
        self._place, self._said_away = address.place, ""
        self._chance = chance or random.Random()
        pace = pace or Pace()
        self._sending = Sending(pace, self._chance)
        self._under_way: dict[int, Number] = {}  # by the number that the broker acknowledges
        self.lock = threading.Lock()  # whoever uses the buffer holds it
        self._progress_at = time.monotonic()
        self.stored = self.duplicate = 0
        self.rejected: dict[str, int] = {}
        for number in buffer.held():
            self._sending.add(number, dealt_with=buffer.receipted(number.boot))
        self._begin(boot)
        self._link = Link(
            address,
            device_id,
            login,
            dialect=dialect or Dialect(),
            on_receipt=self._on_receipt,
            on_acknowledged=self._on_acknowledged,
            in_flight=pace.window,
        )

    @property
    def silent_s(self) -> float:
        """How long no receipt has helped, while there was something to wait for."""
        return time.monotonic() - self._progress_at

    @property
    def outstanding(self) -> int:
        """Messages without a receipt."""
        with self.lock:
            return self._sending.outstanding

    def put(self, tag: int, write: Callable[[Number], bytes], *, ordinal: int = 0) -> Number:
        """Number a message and keep it; when this returns it is durable and will be sent."""
        with self.lock:
            number = Number(self.boot, self._seq + 1)
            self._buffer.append(number, tag, write(number), ordinal=ordinal)
            self._buffer.sync()
            self._seq += 1
            if not self._sending.outstanding:
                self._progress_at = time.monotonic()
            self._sending.add(number)
            return number

    def serve(self, is_over: Callable[[], bool], *, expects_broker: bool = False) -> None:
        """Connect, send, hear receipts, and connect again, until it is over.

        Raises
        ------
        OSError
            If a broker is expected and is not there to begin with; PermissionError if it refuses.
        """
        pause_s = SHORTEST_ABSENCE_S
        while not is_over():
            began = time.monotonic()
            try:
                session_present = self._link.open(lambda: not is_over())
                expects_broker = False
                self._said_away = ""
                self._serve_connection(is_over, session_present=session_present)
            except OSError as error:
                if expects_broker:
                    raise
                if not is_over():
                    self._say_away(error)
            finally:
                with suppress(OSError):
                    self._link.close()
            if time.monotonic() - began > STABLE_S:
                pause_s = SHORTEST_ABSENCE_S
            self._rest(is_over, pause_s * self._chance.uniform(0.75, 1.25))
            pause_s = min(2 * pause_s, LONGEST_ABSENCE_S)

    def deliver(self, patience_s: float) -> None:
        """Serve until every message has a receipt.

        Raises
        ------
        OSError
            If there is no broker; PermissionError if it refuses the device.
        NoReceipt
            If no receipt helps for ``patience_s``.
        """
        self._progress_at = time.monotonic()
        self.serve(
            lambda: not self.outstanding or self.silent_s > patience_s,
            expects_broker=True,
        )
        if left := self.outstanding:
            raise NoReceipt(
                f"{self._id} has no receipt for {left} messages, and had none for "
                f"{patience_s:.0f} s. Is `dala ingest` running on this broker?"
            )

    # --- one connection

    def _serve_connection(self, is_over: Callable[[], bool], *, session_present: bool) -> None:
        with self.lock:
            self._under_way.clear()
            self._sending.connected(time.monotonic(), session_present=session_present)
        self._publish_due()
        while not is_over() and self._link.loop():
            self._publish_due()

    def _publish_due(self) -> None:
        for _ in range(AT_ONCE):
            with self.lock:
                number = self._sending.next(time.monotonic())
                if number is None:
                    return
                topic, payload = self._message(number)
            # Not under the lock: who measures shall not wait for the network.
            mid = self._link.publish(topic, payload)
            with self.lock:
                self._under_way[mid] = number

    def _message(self, number: Number) -> tuple[str, bytes]:
        """The message of a number; an empty one where it is no more, or nobody takes it."""
        held = None if self._sending.is_refused(number) else self._buffer.read(number)
        if held is None:
            return f"dala/v1/{self._id}/senml", compact.empty(number, cbor=self._cbor)
        return f"dala/v1/{self._id}/{KINDS[held.tag]}", self._finish(held)

    def _on_acknowledged(self, mid: int) -> None:
        with self.lock:
            number = self._under_way.pop(mid, None)
            if number is not None:
                self._sending.acknowledged(number)

    def _on_receipt(self, payload: bytes) -> None:
        receipt = _read(payload)
        if receipt is None:
            self._say(f"not a receipt: {payload[:100]!r}")
            return
        boot, seq = receipt["boot"], receipt["seq"]
        covered = 0
        with self.lock:
            try:
                covered = self._sending.receipt(boot, seq, time.monotonic())
            except NumbersUsedBefore as error:
                self._say(f"{error}: this boot's number was used before, so another begins")
                self._renumber()
            if covered:
                self._progress_at = time.monotonic()
                self._buffer.forget(boot, seq)
            self._add_up(receipt)
        if covered:
            self._tell(covered)

    def _add_up(self, receipt: dict[str, Any]) -> None:
        self.stored += receipt.get("stored", 0)
        self.duplicate += receipt.get("duplicate", 0)
        for reason, count in receipt.get("rejected", {}).items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count
            self._say(f"the service refused {count} × {reason}")

    def _begin(self, boot: int) -> None:
        self._buffer.begin(boot)
        self.boot, self._seq = boot, 0
        self._sending.begin(boot)

    def _renumber(self) -> None:
        """Begin a new boot, and give what waits in this one a number of the new."""
        old = self.boot
        waiting = [number for number in self._buffer.held() if number.boot == old]
        messages = [held for number in waiting if (held := self._buffer.read(number))]
        self._begin(old + 1 + self._chance.randrange(1_000))
        for held in messages:
            self._seq += 1
            number = Number(self.boot, self._seq)
            head = UNDATED_HEAD if held.tag == UNDATED else 0
            payload = held.payload[:head] + compact.renumbered(held.payload[head:], number)
            self._buffer.append(number, held.tag, payload)
            self._sending.add(number)
        self._buffer.sync()
        self._buffer.forget(old, waiting[-1].seq if waiting else 0)
        self._sending.abandon(old)

    def _say_away(self, error: OSError) -> None:
        """Why there is no broker; once, not with each attempt."""
        why = str(error) if isinstance(error, PermissionError) else error.strerror or str(error)
        text = f"broker {self._place} away: {why}"
        if isinstance(error, PermissionError):
            text += ". Check the user and the password in DALA_MQTT_URL"
        if text != self._said_away:
            self._said_away = text
            self._say(f"{text}. Everything is kept; trying again until it is there")

    def _rest(self, is_over: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not is_over() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, QUIET_S))


def _read(payload: bytes) -> dict[str, Any] | None:
    """A receipt whose numbers are numbers; None for anything else."""
    try:
        receipt = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(receipt, dict):
        return None
    counts = [receipt.get("boot"), receipt.get("seq")]
    counts += [receipt.get("stored", 0), receipt.get("duplicate", 0)]
    reasons = receipt.get("rejected", {})
    if not isinstance(reasons, dict):
        return None
    counts += reasons.values()
    if all(type(count) is int and count >= 0 for count in counts):
        return receipt
    return None
