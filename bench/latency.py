"""From publishing to being seen: at a steady rate, with publisher and ingest as own processes.

Each message is dated with the moment at which it leaves; a poller asks the database for the
readings of some devices over and over, and notes when it sees each for the first time. So a latency
counts the broker, the batch's waiting, decoding, checks, COMMIT, and at most one interval of the
poller.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bench import traffic
from bench.ingester import ROOT, open_ingester
from embedded import children
from embedded.children import ChildError
from ingest.settings import BrokerAddress

CLIENT_ID = "bench-latency"
RATE = 2_000  # messages a second
WATCHED = 20  # every so many devices one is watched
POLL_S = 0.005
RECENT_S = 4.0  # of readings that each look asks for
PATIENCE_S = 60.0  # after the last message

_SEEN = sa.text("""
    SELECT datastream_id, (extract(epoch FROM time) * 1000000)::bigint
      FROM readings WHERE datastream_id = ANY(:ids) AND time > to_timestamp(:since_s)
""")
_STREAMS = sa.text("""
    SELECT id FROM datastreams WHERE device_id = ANY(:devices) AND quantity = 'battery_voltage'
""")


def measure(
    folder: Path,
    engine: sa.Engine,
    broker: BrokerAddress,
    seconds: float,
    device_count: int,
    rate: float = RATE,
    on_second: Callable[[float], None] = lambda _seconds: None,
) -> dict[str, Any]:
    """Publish for some seconds and follow what becomes visible.

    Raises
    ------
    embedded.children.ChildError
        If a process does not start, or what was published does not become visible.
    """
    names = traffic.names("live", device_count)
    traffic.register(engine, names)
    count = round(rate * seconds)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "bench.traffic", broker.host, str(broker.port)]
    command += [str(device_count), str(rate), str(count)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with open_ingester(folder, url, broker, CLIENT_ID) as ingester:
        ingester.wait_until_it_answers()
        log = folder / "publisher.log"
        publisher = children.start(command, log=log, environment=environment)
        try:
            latencies = _watch(engine, names[::WATCHED], count, device_count, seconds, on_second)
            _wait_until(lambda: publisher.exit_code() is not None, "the publisher does not end")
        finally:
            code = publisher.stop()
        if code != 0:
            raise ChildError(f"the publisher ended with {code}: {publisher.log_tail()}")
        _wait_until(lambda: ingester.acknowledged() == count, "not all is acknowledged")
        peak = ingester.peak_mb()
    return {
        "messages_per_s": rate,
        "seconds": seconds,
        "devices": device_count,
        "watched": len(latencies),
        "p50_s": float(np.quantile(latencies, 0.5)),
        "p99_s": float(np.quantile(latencies, 0.99)),
        "max_s": float(latencies.max()),
        "peak_memory_mb": peak,
    }


def _watch(
    engine: sa.Engine,
    watched: list[str],
    count: int,
    device_count: int,
    seconds: float,
    on_second: Callable[[float], None],
) -> np.ndarray[Any, Any]:
    """Latencies of all messages of the watched devices. [s]"""
    expected = int(np.count_nonzero(np.arange(count) % device_count % WATCHED == 0))
    seen: dict[tuple[int, int], float] = {}
    begun = last = time.time()
    ids: list[int] = []
    all_seen_at = begun
    while len(seen) < expected:
        since_s = time.time() - RECENT_S
        if time.time() - all_seen_at > RECENT_S / 2:  # whatever took longer is found now
            since_s, all_seen_at = begun - 1.0, time.time()
        with engine.connect() as connection:
            if len(ids) < len(watched):
                ids = list(connection.scalars(_STREAMS, {"devices": watched}))
            rows = connection.execute(_SEEN, {"ids": ids, "since_s": since_s}).all()
        now = time.time()
        for stream, time_us in rows:
            seen.setdefault((stream, time_us), now - time_us / 1e6)
        on_second(min(now, begun + seconds) - min(last, begun + seconds))
        last = now
        if now > begun + seconds + PATIENCE_S:
            raise ChildError(f"{expected - len(seen)} messages did not become visible")
        time.sleep(POLL_S)
    return np.array(list(seen.values()))


def _wait_until(holds: Callable[[], bool], trouble: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise ChildError(trouble)
        time.sleep(POLL_S)
