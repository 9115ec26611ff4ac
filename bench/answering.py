"""How long an answer takes: over HTTP of `dala serve`, by the functions alone, and bare.

Bare is psycopg fetching the rows an answer is made of by statements that are already prepared: the
limit. Requests go round over all subjects, one after the other, over a connection that is kept.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bench.questions import Question
from embedded import children

WARM_UP = 20
START_S = 60.0
TOKEN = secrets.token_urlsafe(32)  # of a caller who may see every farm

Report = dict[str, Any]


class WrongAnswer(AssertionError):
    """An answer was none: its speed is worth nothing."""


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[int]:
    """`dala serve` on a free port, once it answers."""
    port = children.free_port()
    child = children.start(
        [sys.executable, "-m", "dala", "serve", "--port", str(port)],
        log=folder / "serve.log",
        environment=os.environ
        | {
            "DALA_DATABASE_URL": database_url,
            "DALA_API_TOKEN": TOKEN,
            "DALA_API_RATE_PER_MINUTE": "1000000000",  # counted, and never reached
        },
    )
    try:
        children.wait_until_it_listens(child, port, name="the API", patience_s=START_S)
        yield port
    finally:
        child.stop()


def warm(engine: sa.Engine, port: int, one: Question, requests: int) -> Report:
    """One question's warm times, over HTTP, by the functions, and bare."""
    with _asking(port) as ask:
        # Of a summary, the first answer about a subject is computed, and then kept.
        first = timed(lambda n: ask(one.path(n), {}), one.many if one.cold else WARM_UP)
        over_http = spread(timed(lambda n: ask(one.path(n), {}), requests))
        tags = {one.path(n): ask(one.path(n), {})[1] for n in range(min(one.many, requests))}
        again = timed(
            lambda n: ask(one.path(n), {"If-None-Match": tags[one.path(n)]}, status=304), requests
        )
        size = len(ask(one.path(0), {})[0])
    with engine.connect() as connection:
        for number in range(WARM_UP):
            one.direct(connection, number)
        direct = spread(timed(lambda n: one.direct(connection, n), requests))
        bare, rows = _measure_bare(connection, one, requests)
    return {
        "http": over_http,
        "computed": spread(first) if one.cold else None,
        "not_modified": spread(again),
        "direct": direct,
        "bare": bare,
        "rows": rows,
        "bytes": size,
        "ratio": bare["p50_ms"] / over_http["p50_ms"],
    }


def _measure_bare(connection: sa.Connection, one: Question, requests: int) -> tuple[Report, int]:
    """The limit: the driver alone fetches the rows of an answer; and how many those are."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:

        def fetch(number: int) -> int:
            rows = 0
            for statement, parameters in one.bare(number):
                rows += len(cursor.execute(statement, parameters, prepare=True).fetchall())
            return rows

        for number in range(WARM_UP):
            fetch(number)
        return spread(timed(fetch, requests)), fetch(0)


def once(port: int, one: Question, number: int) -> list[float]:
    """Each subject once, beginning at another one each time."""
    with _asking(port) as ask:
        return timed(lambda n: ask(one.path(n + number * 7), {}), one.many)


Ask = Callable[..., tuple[bytes, str]]


@contextmanager
def _asking(port: int) -> Iterator[Ask]:
    """One connection that is kept, as a dashboard's or a ministry's system's is."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(path: str, headers: dict[str, str], status: int = 200) -> tuple[bytes, str]:
        client.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"} | headers)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != status:
            raise WrongAnswer(f"{path} was answered {answer.status}: {body[:300].decode()}")
        return body, answer.headers.get("ETag", "")

    try:
        client.connect()
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield ask
    finally:
        client.close()


def timed(do: Callable[[int], object], count: int) -> list[float]:
    """Do it so often; how long each took. [ms]"""
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        do(number)
        taken.append(1_000.0 * (time.perf_counter() - begun))
    return taken


def spread(taken_ms: Sequence[float]) -> Report:
    """Median and tail of times."""
    p50, p95, p99 = (float(value) for value in np.percentile(taken_ms, [50, 95, 99]))
    return {
        "requests": len(taken_ms),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "max_ms": max(taken_ms),
    }
