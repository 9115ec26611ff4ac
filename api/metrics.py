"""What the API's process counts, for Prometheus: of routes, never of farms or callers."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import sqlalchemy as sa
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

ANSWER_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
NO_ROUTE = "none"


class Metrics:
    """The numbers of one process."""

    def __init__(self, engine: sa.Engine) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(_Connections(engine))
        self._requests = Counter(
            "dala_api_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "dala_api_answer_seconds",
            "From a request's head to that of its answer.",
            ("method", "route"),
            buckets=ANSWER_S,
            registry=self._registry,
        )

    def note(self, scope: MutableMapping[str, Any], status: int, begun: float) -> None:
        """Count a request whose answer begins; ``begun`` is by :func:`time.perf_counter`."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = _route(scope)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(time.perf_counter() - begun)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


def _route(scope: MutableMapping[str, Any]) -> str:
    """The path with its names in place of what was asked for: as many as there are routes."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return NO_ROUTE
    return f"/v1{path}" if scope["path"].startswith("/v1/") else str(path)


class _Connections(Collector):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pool = self._engine.pool
        if isinstance(pool, sa.pool.QueuePool):
            for name, words, value in (
                ("in_use", "Connections to the database that a request has.", pool.checkedout()),
                ("idle", "Connections to the database that wait for one.", pool.checkedin()),
            ):
                yield GaugeMetricFamily(f"dala_api_connections_{name}", words, value=value)
