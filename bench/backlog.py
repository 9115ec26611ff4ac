"""A backlog: messages that wait at the broker before ingest is there, drained by its process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import traffic
from bench.ingester import open_ingester
from ingest.settings import BrokerAddress

CLIENT_ID = "bench-backlog"
LOOK_S = 0.25


def measure(
    folder: Path,
    engine: sa.Engine,
    broker: BrokerAddress,
    messages: int,
    device_count: int,
    on_step: Callable[[int], None] = lambda _messages: None,
) -> dict[str, Any]:
    """Queue messages, start `dala ingest`, and follow it until all are acknowledged.

    ``on_step`` hears of messages twice: when they are queued, and when they are acknowledged.
    """
    names = traffic.names("backlog", device_count)
    traffic.register(engine, names)
    traffic.open_session(broker, CLIENT_ID)
    traffic.publish(broker, names, 0, messages, on_step)
    url = engine.url.render_as_string(hide_password=False)
    with open_ingester(folder, url, broker, CLIENT_ID) as ingester:
        started = time.perf_counter()
        ingester.wait_until_it_answers()
        begun = time.perf_counter()
        before, done, most = ingester.acknowledged(), 0, 0.0
        while done < messages:
            time.sleep(LOOK_S)
            now = ingester.acknowledged()
            on_step(now - done)
            done, most = now, max(most, ingester.held_mb())
        seconds = time.perf_counter() - begun
        peak = ingester.peak_mb() if sys.platform == "linux" else most
    return {
        "messages": messages,
        "devices": device_count,
        "seconds": seconds,
        "start_s": begun - started,
        "messages_per_s": (messages - before) / seconds,
        "peak_memory_mb": peak,
    }
