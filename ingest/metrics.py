"""What the ingester counts, for Prometheus: a number for each stage from broker to receipt.

Labels are few: reasons are the codes of docs/protocol.md, and whatever else might come as one is
counted as ``other``.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from ingest.outcomes import Outcome

LAG_S = (1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0)
BATCH_MESSAGES = (1, 5, 20, 100, 500, 1_000, 2_000, 5_000)
COMMIT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
MOST_REASONS = 150
OTHER = "other"
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")


class _Lag(Collector):
    """A histogram that takes whole arrays: a call for each reading would cost more than storing."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(LAG_S) + 1, np.int64)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, lags_us: np.ndarray[Any, Any]) -> None:
        """Count lags [µs]. One below zero is a clock that runs ahead: it counts as none."""
        lags = np.maximum(lags_us / 1e6, 0.0)
        places = np.searchsorted(LAG_S, lags)  # a bound belongs to its own bucket
        with self._lock:
            self._counts += np.bincount(places, minlength=len(self._counts))
            self._sum += float(lags.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        with self._lock:
            totals, total = self._counts.cumsum().tolist(), self._sum
        bounds = [*map(str, LAG_S), "+Inf"]
        yield HistogramMetricFamily(
            "dala_ingest_lag_seconds",
            "From the time of a reading to its arrival.",
            buckets=list(zip(bounds, totals, strict=True)),
            sum_value=total,
        )


class Metrics:
    """The numbers of one ingester."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.received = self._counter("messages_received", "Messages that the broker delivered.")
        self.dropped = self._counter(
            "messages_dropped",
            "Messages dropped unstored with a broken connection; the broker sends them again.",
        )
        self.decoded = self._counter("messages_decoded", "Messages of which something was read.")
        self.acknowledged = self._counter(
            "messages_acknowledged", "Messages acknowledged to the broker, after their commit."
        )
        self.stored = self._counter("readings_stored", "Readings and track points that were new.")
        self.duplicate = self._counter(
            "readings_duplicate", "Readings and track points that were stored before."
        )
        self.conflicts = self._counter(
            "reading_conflicts", "Second, different values for a stored time, kept apart."
        )
        self._rejected = Counter(
            "dala_ingest_rejected_total",
            "Messages, or parts of them, kept as rejected.",
            ["reason"],
            registry=self.registry,
        )
        self._reasons: set[str] = set()
        self.receipts = self._counter("receipts_sent", "Receipts published to devices.")
        self.requests = self._counter("requests_sent", "Requests published to senders.")
        self.retries = Counter(
            "dala_ingest_database_retries_total",
            "Batches that were not stored and tried again: the database away, or failing.",
            ["cause"],
            registry=self.registry,
        )
        for cause in ("away", "failed"):
            self.retries.labels(cause)
        self.connections = self._counter("connections", "Times that the broker let us in.")
        self.sessions_lost = self._counter(
            "sessions_lost", "Reconnects that found no session: what the broker queued is gone."
        )
        self.overdue = self._counter(
            "overdue_reconnects", "Reconnects because a message was unacknowledged too long."
        )
        self.alerts_opened = self._counter("alerts_opened", "Silences and gaps that were found.")
        self.alerts_cleared = self._counter("alerts_cleared", "Silences and gaps that ended.")
        self.connected = self._gauge("connected", "1 while connected to the broker.")
        self._waiting = self._gauge("waiting_messages", "Messages in memory, not stored yet.")
        self.receipts_unconfirmed = self._gauge(
            "receipts_unconfirmed", "Receipts that the broker has not confirmed yet."
        )
        self._oldest = self._gauge(
            "oldest_unacknowledged_seconds", "Age of the oldest message not acknowledged; 0: none."
        )
        self.batch_messages = Histogram(
            "dala_ingest_batch_messages",
            "Messages in a batch.",
            buckets=BATCH_MESSAGES,
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "dala_ingest_batch_commit_seconds",
            "From decoding a batch to its commit.",
            buckets=COMMIT_S,
            registry=self.registry,
        )
        self._lag = _Lag()
        self.registry.register(self._lag)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"dala_ingest_{name}_total", text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"dala_ingest_{name}", text, registry=self.registry)

    def watch(self, oldest: Callable[[], float | None], waiting: Callable[[], float]) -> None:
        """Read what changes all the time when asked, also while a batch is being stored.

        ``oldest`` answers when the oldest message arrived, by ``time.monotonic``; None: there is
        none. ``waiting`` answers how many are not stored.
        """

        def age() -> float:
            arrived_at = oldest()
            return 0.0 if arrived_at is None else max(time.monotonic() - arrived_at, 0.0)

        self._oldest.set_function(age)
        self._waiting.set_function(waiting)

    def note(self, outcome: Outcome, messages: int, seconds: float) -> None:
        """Count a batch that is committed."""
        self.batch_messages.observe(messages)
        self.batch_seconds.observe(seconds)
        self.decoded.inc(outcome.decoded)
        self.stored.inc(outcome.stored)
        self.duplicate.inc(outcome.duplicate)
        self.conflicts.inc(outcome.conflicts)
        for reason, count in outcome.reasons.items():
            self._rejected.labels(self._label(reason)).inc(count)
        for lags_us in outcome.lags_us:
            if len(lags_us):
                self._lag.observe(lags_us)

    def _label(self, reason: str) -> str:
        if reason not in self._reasons:
            if len(self._reasons) >= MOST_REASONS or not _CODE.fullmatch(reason):
                return OTHER
            self._reasons.add(reason)
        return reason


class MetricsServer:
    """Answers ``GET /metrics`` on a thread of its own."""

    def __init__(self, metrics: Metrics, port: int, host: str = "127.0.0.1") -> None:
        self._server, self._thread = start_http_server(port, host, registry=metrics.registry)
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
