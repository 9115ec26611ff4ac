"""From the broker to the database and back: nothing is acknowledged before it is committed.

One thread does everything in turn: read from the broker, and, when a batch is due, store it, send
receipts, acknowledge its messages in order. While it stores it does not read, so a slow database
slows the broker down instead of filling memory.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import psycopg
import sqlalchemy as sa
import structlog

from ingest import batching, receipts, topics
from ingest.acknowledgement import Ledger
from ingest.asking import Asking
from ingest.batching import Batch, Waiting
from ingest.codecs import BUILT_IN, Registry
from ingest.connection import POLL_S, BrokerRefused, Connection, Handlers
from ingest.deliveries import Deliveries
from ingest.healing import Healing
from ingest.joining import Joining
from ingest.metrics import Metrics
from ingest.outcomes import Message, Outcome, Receipt
from ingest.presence import Presence
from ingest.settings import CLIENT_ID, BadAddress, BrokerAddress, MqttSettings, Worker
from ingest.sharing import takes_in_order
from ingest.storing import Line, is_away

__all__ = [
    "BadAddress", "BrokerAddress", "BrokerRefused", "MqttSettings", "Subscriber", "Worker",
]  # fmt: skip

log = structlog.get_logger()

DEVICES_KEPT_S = 10.0  # how long a change of a device may go unnoticed
DRAIN_S = 15.0  # that stopping waits for the broker to take the last receipts
WATCH_S = 60.0  # between looks for what did not come
HEAL_S = 1.0  # between looks at what senders explained, while messages wait
QUIET_S = 3.0  # nothing came for so long: the queue of a session that retires is empty
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
SHORT_LIVED_S = 10.0  # a connection that ends sooner gives no reason to come back at once


class Overdue(ConnectionError):
    """A message was unacknowledged too long, with database and broker there."""


class Subscriber:
    """Receives, stores, acknowledges, until told to stop."""

    def __init__(
        self,
        engine: sa.Engine,
        address: BrokerAddress,
        *,
        client_id: str = CLIENT_ID,
        worker: Worker = Worker(),  # noqa: B008 - it cannot change
        settings: MqttSettings | None = None,
        metrics: Metrics | None = None,
        on_batch: Callable[[int, int, int], None] | None = None,
        registry: Registry = BUILT_IN,
    ) -> None:
        self._engine, self._registry = engine, registry
        self._client_id = worker.client_id(client_id)
        self._deliveries = Deliveries(self._client_id)
        self._line = Line(engine, registry, deliveries=self._deliveries)
        self._address, self._worker = address, worker
        self._settings = settings or MqttSettings()
        self._metrics = metrics or Metrics()
        self._on_batch = on_batch
        self._joining = Joining(address, self._client_id, worker, self._settings, registry)
        host = self._settings.mqtt_sparkplug_host
        self._presence = Presence(host) if host and takes_in_order(worker) else None
        self._asking, self._healing = Asking(), Healing(engine, self._line, registry)
        self._greets = takes_in_order(worker)
        self._session_kept: bool | None = None  # None: senders were greeted since we came
        self._healed_at = 0.0
        self._waiting = Waiting(self._settings)
        self._ledger = Ledger()
        self._in_hand: Batch | None = None  # being stored
        self._stopping = self._retiring = False
        self._was_connected = False
        self._connected_at, self._short_lived = 0.0, 0
        self._devices_looked_up = self._watched_at = time.monotonic()
        self._behind_at = 0.0  # when there was last more to read on the connection
        self._is_behind = False  # more waits at the broker than a batch takes
        self._metrics.watch(self._oldest_arrived_at, self._messages_held)

    def stop(self) -> None:
        """Let :meth:`run` store what is waiting, and return. Safe in a signal handler."""
        self._stopping = True

    @batching.collecting_rarely()
    def run(self, *, retire: bool = False) -> None:
        """Serve until :meth:`stop`; a lost broker or database is waited for.

        With ``retire``: store what the broker has queued for us, give the session up, and return.

        Raises
        ------
        BrokerRefused
            If the broker refuses the user name and password, every topic, or what several workers
            need, or gave our client id to another: waiting would not help.
        """
        self._retiring = retire
        if retire:  # this session ends, and with it our part in what senders are asked
            self._presence, self._greets = None, False
        pause = FIRST_PAUSE_S
        while not self._stopping:
            begun = time.monotonic()
            try:
                self._serve()
            except BrokerRefused:
                raise
            except Overdue as error:
                self._metrics.overdue.inc()
                log.error("unacknowledged too long; connecting anew", cause=str(error))
            except (OSError, ConnectionError) as error:
                if not getattr(error, "too_old", False):  # then it is there, and that was told
                    log.warning("broker away", broker=self._address.place, error=str(error))
            if time.monotonic() - begun > SHORT_LIVED_S:
                pause = FIRST_PAUSE_S
            if not self._stopping:
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def _serve(self) -> None:
        """Keep one connection until it breaks."""
        connection = self._connect()
        try:
            quiet_since = time.monotonic()
            while not self._stopping and connection.serve(POLL_S, self._has_room):
                now = time.monotonic()
                if self._waiting:
                    quiet_since = now
                self._step(connection, now)
                if self._retiring and not self._ledger and now - quiet_since > QUIET_S:
                    connection.close(end_session=True)
                    log.info("retired", client_id=self._client_id)
                    self._stopping = True
            if connection.is_open:
                self._drain(connection)
            else:
                self._note_end(connection)
        finally:
            connection.abandon()
            self._metrics.connected.set(0)
            self._forget_unacknowledged()

    def _step(self, connection: Connection, now: float) -> None:
        if self._waiting.is_due(now):
            self._flush(connection)
        self._settle(connection)
        self._ask(connection, now)
        if not connection.has_caught_up:
            self._behind_at = now  # what confirms receipts stands behind all that is still to read
        committed_at = self._ledger.first_committed_at
        if committed_at is not None:
            waited = now - max(committed_at, self._behind_at)
            if waited > self._settings.acknowledge_within_s:
                raise Overdue("the broker does not confirm receipts")
        if now - self._watched_at >= WATCH_S and not self._is_behind:
            self._watched_at = now
            self._watch()

    def _ask(self, connection: Connection, now: float) -> None:
        """Ask senders, some at a time, and read again a part of what they explained."""
        if now >= self._healed_at and (not self._waiting or now - self._healed_at > HEAL_S):
            try:
                self._greet()
                done = self._healing.step(now)
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                self._note_failure(error, away=is_away(error), messages=len(self._waiting))
                self._healed_at = now + LONGEST_PAUSE_S
            else:
                self._healed_at = now
                if done is not None:
                    self._metrics.stored.inc(done.stored)
                    log.info("read kept messages again", stored=done.mended, tried=done.tried)
        for request in self._asking.take(now):
            connection.publish(request.topic, request.payload, qos=0)
            self._metrics.requests.inc()

    def _greet(self) -> None:
        """Once for each connection, before anything is stored: what we missed counts from it."""
        if self._session_kept is not None:
            now_us = time.time_ns() // 1_000
            requests = self._line.greet(now_us, session_kept=self._session_kept)
            self._session_kept = None
            self._asking.add(requests, time.monotonic())

    def _watch(self) -> None:
        """Look for silence and gaps; not behind a backlog, where what is missing waits."""
        try:
            found = self._line.watch(dt.datetime.now(dt.UTC))
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            self._note_failure(error, away=is_away(error), messages=0)
            return
        self._metrics.alerts_opened.inc(found.opened)
        self._metrics.alerts_cleared.inc(found.cleared)

    def _drain(self, connection: Connection) -> None:
        """Store and acknowledge what is here; what still comes stays with the broker."""
        self._flush(connection)
        until = time.monotonic() + DRAIN_S
        self._settle(connection)
        while self._ledger and time.monotonic() < until and connection.serve(POLL_S):
            self._waiting.clear()
            self._settle(connection)
        if self._presence is not None:
            gone = self._presence.offline(time.time_ns() // 1_000_000)
            connection.publish(*gone, qos=1, retain=True)
        connection.close()

    # --- connecting -------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        if self._presence is not None:
            self._presence.come(time.time_ns() // 1_000_000)
        connection = self._joining.new_connection(
            Handlers(self._on_message, self._ledger.confirm, self._on_message_again), self._presence
        )
        try:
            self._joining.open(connection, retiring=self._retiring)
        except BaseException:
            connection.abandon()
            raise
        self._note_connected(connection)
        if self._presence is not None:
            connection.publish(*self._presence.online(), qos=1, retain=True)
        return connection

    def _note_connected(self, connection: Connection) -> None:
        self._metrics.connections.inc()
        self._metrics.connected.set(1)
        log.info(
            "connected",
            broker=self._address.place,
            client_id=self._client_id,
            session_present=connection.session_present,
        )
        if self._was_connected and not connection.session_present:
            self._metrics.sessions_lost.inc()
            log.warning("the broker forgot our session and what it had queued for us")
        self._was_connected = True
        self._deliveries.begin(session_kept=connection.session_present)
        self._session_kept = connection.session_present if self._greets else None
        self._connected_at = self._watched_at = (
            time.monotonic()
        )  # what was missed while away comes first

    def _note_end(self, connection: Connection) -> None:
        if self._stopping:
            return
        log.warning("connection lost", reason=connection.ended, dropped=len(self._waiting))
        lasted = time.monotonic() - self._connected_at
        self._short_lived = self._short_lived + 1 if lasted < SHORT_LIVED_S else 0
        if self._short_lived >= 3:
            log.error(
                "connections end at once: does another client run under our client id?",
                client_id=self._client_id,
            )
        if connection.was_taken_over:
            raise BrokerRefused(
                f"another client came to the broker at {self._address.place} as "
                f"{self._client_id}: two would take it from each other for ever. Give each "
                "`dala ingest` its own --worker or --client-id."
            )

    def _forget_unacknowledged(self) -> None:
        """An acknowledgement on a new connection could hit another message; all comes again."""
        self._metrics.dropped.inc(len(self._waiting))
        self._waiting.clear()
        self._ledger.clear()
        self._metrics.receipts_unconfirmed.set(0)

    # --- messages ---------------------------------------------------------------------------------

    def _on_message(self, mid: int, topic: str, payload: bytes) -> None:
        arrived = Message(topic, payload, time.time_ns() // 1_000, mid)
        self._waiting.add(mid, arrived, time.monotonic())

    def _on_message_again(self, mid: int, topic: str, payload: bytes) -> None:
        arrived = Message(topic, payload, time.time_ns() // 1_000, mid, again=True)
        self._waiting.add(mid, arrived, time.monotonic())

    def _has_room(self) -> bool:
        return not self._waiting.is_full

    def _oldest_arrived_at(self) -> float | None:
        held = (self._ledger, self._in_hand, self._waiting)
        times = [one.first_arrived_at for one in held if one is not None]
        return min((one for one in times if one is not None), default=None)

    def _messages_held(self) -> int:
        in_hand = self._in_hand
        return len(self._waiting) + (0 if in_hand is None else len(in_hand.messages))

    def _flush(self, connection: Connection) -> None:
        """Store what waits and note it as committed; without a database, keep trying."""
        if not self._waiting:
            return
        self._is_behind = self._waiting.is_full
        batch = self._in_hand = self._waiting.take()
        self._metrics.received.inc(len(batch.messages))
        try:
            begun = time.monotonic()
            outcome = self._store(connection, batch)
            if outcome is None:  # not acknowledged: the broker sends the batch again
                self._metrics.dropped.inc(len(batch.messages))
                return
            now = time.monotonic()
            self._metrics.note(outcome, len(batch.messages), now - begun)
        finally:
            self._in_hand = None
        self._ledger.add(batch.mids, outcome.receipts, arrived_at=batch.first_arrived_at, now=now)
        for request in outcome.requests:
            connection.publish(request.topic, request.payload, qos=0)
        self._metrics.requests.inc(len(outcome.requests))
        self._healing.add(outcome.heals)
        if self._presence is not None and any(
            self._presence.is_denied_by(one.topic, one.payload) for one in batch.messages
        ):  # it may be the will of our connection before this one
            connection.publish(*self._presence.online(), qos=1, retain=True)
        if self._on_batch is not None:
            self._on_batch(outcome.stored, outcome.duplicate, outcome.rejected)

    def _settle(self, connection: Connection) -> None:
        """Send what the broker has room for, acknowledge what is receipted."""

        def publish(receipt: Receipt) -> int | None:
            topic = topics.receipt_topic(receipt.device)
            return connection.publish(topic, receipts.payload(receipt), qos=1)

        if not self._ledger:
            return
        with connection.gathering():
            sent = self._ledger.send(publish, connection.most_in_flight)
        self._metrics.receipts.inc(sent)
        self._metrics.receipts_unconfirmed.set(self._ledger.receipts)
        mids = self._ledger.ready()
        self._metrics.acknowledged.inc(connection.acknowledge(mids))
        self._deliveries.acknowledged(mids)

    def _store(self, connection: Connection, batch: Batch) -> Outcome | None:
        """Try until it is committed; None if we stop, or the connection breaks, before that."""
        pause, failing_since = FIRST_PAUSE_S, None
        while True:
            try:
                self._forget_devices_in_time()
                self._greet()
                return batching.store(self._line, self._engine, self._registry, batch.messages)
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                away = is_away(error)
                self._note_failure(error, away=away, messages=len(batch.messages))
                self._line.forget()
            now = time.monotonic()
            failing_since = None if away else failing_since or now
            if failing_since and now - failing_since > self._settings.acknowledge_within_s:
                raise Overdue("the database is there and does not take a batch")
            if self._stopping or not self._stay_connected(connection, pause):
                return None
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _note_failure(self, error: Exception, *, away: bool, messages: int) -> None:
        original = getattr(error, "orig", error)
        state = getattr(original, "sqlstate", None)
        if away:
            self._metrics.retries.labels("away").inc()
            log.warning("database away", error=str(error).splitlines()[0], waiting=messages)
        else:
            # Time-outs, locks, a full disk: not the data's fault, so nothing may be given up. The
            # words may repeat data; SQLSTATE and kind do not.
            self._metrics.retries.labels("failed").inc()
            log.error("database failed", error=type(original).__name__, sqlstate=state)

    def _stay_connected(self, connection: Connection, seconds: float) -> bool:
        """Wait, but answer the broker; what arrives meanwhile waits, up to a batch of it."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            if self._waiting.is_full:  # read no more: the broker keeps the rest
                time.sleep(min(left, POLL_S))
                is_open = connection.keep_alive()
            else:
                is_open = connection.serve(min(left, POLL_S), self._has_room)
            if not is_open:
                return False
        return True

    def _forget_devices_in_time(self) -> None:
        if time.monotonic() - self._devices_looked_up > DEVICES_KEPT_S:
            self._line.forget()
            self._devices_looked_up = time.monotonic()
