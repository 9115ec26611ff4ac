"""Opens very many streams of events on `dala serve`, and stores readings while all of them listen.

How long a reading takes from its commit to each stream, how far the first and the last to hear of
it are apart, what memory the server's process takes for a stream, and what one stream too many is
told. All on this machine, whose processors the streams' other ends share.

    python -m tests.api.many_streams --streams 1000
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

import migrations
from api import serving
from bench.memory import now_mb
from embedded import children
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage import news, readings
from storage.database import make_engine
from tests.api.asking import put_key
from tests.two_farms import Land, put_land

OF_A_CREDENTIAL = 10  # streams at a time, as it is set unless somebody sets it otherwise
VALUE = re.compile(rb'"value":([0-9.]+)')
PATIENCE_S = 60.0


class Found(NamedTuple):
    """What was seen of the streams."""

    streams: int
    opened_s: float  # until all were open
    mb_before: float
    mb_after: float
    latencies_ms: Sequence[float]  # from a commit to a stream, each of each
    spreads_ms: Sequence[float]  # of each reading, between the first stream and the last
    beyond: tuple[int, str]  # what one too many was told: status and type

    def words(self) -> str:
        """As lines for people."""
        p50, p99 = np.percentile(self.latencies_ms, [50, 99])
        kb = 1_000 * (self.mb_after - self.mb_before) / self.streams
        return (
            f"{self.streams} streams open within {self.opened_s:.1f} s; the server's process "
            f"took {self.mb_before:.0f} MB before, {self.mb_after:.0f} MB after: {kb:.0f} KB each\n"
            f"from a commit to a stream: median {p50:.0f} ms, p99 {p99:.0f} ms, most "
            f"{max(self.latencies_ms):.0f} ms; between the first and the last to hear: median "
            f"{np.median(self.spreads_ms):.0f} ms, most {max(self.spreads_ms):.0f} ms\n"
            f"one stream more: {self.beyond[0]} {self.beyond[1]}"
        )


class Listener:
    """The other end of a stream."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self.heard: dict[float, float] = {}  # when a value came
        self.news = asyncio.Event()

    async def open(self) -> tuple[int, bytes]:
        """Ask; the status, and the beginning of what is answered."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(
            b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            b"Authorization: Bearer " + self._key.encode() + b"\r\n\r\n"
        )
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        status = int(head.split()[1])
        wanted = b"event: ready" if status == 200 else b"}"
        return status, await asyncio.wait_for(self._reader.readuntil(wanted), PATIENCE_S)

    async def listen(self) -> None:
        """Note every value that comes, until the connection is closed."""
        while line := await self._reader.readline():
            for value in VALUE.findall(line):
                self.heard.setdefault(float(value), time.perf_counter())
                self.news.set()

    async def has_heard(self, value: float) -> None:
        """Return once a value has come."""
        while value not in self.heard:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), PATIENCE_S)

    def close(self) -> None:
        """Listen no more."""
        self._writer.close()


def store(engine: sa.Engine, lands: Sequence[Land], value: float) -> float:
    """Store a reading of each farm, as ingest does; when it was committed."""
    rows = np.zeros(len(lands), readings.DTYPE)
    rows["datastream_id"], rows["value"] = [one.stream for one in lands], value
    rows["time"] = rows["received_at"] = round(time.time() * 1e6)
    with engine.begin() as connection:
        readings.store(connection, rows)
        news.note_readings(connection, rows["datastream_id"], rows["time"], brief=True)
    return time.perf_counter()


@contextmanager
def server(database_url: str, folder: Path, **settings: object) -> Iterator[tuple[int, Path]]:
    """`dala serve`; its port, and where the system tells its memory."""
    port = children.free_port()
    given = {f"DALA_LIVE_{name.upper()}": str(value) for name, value in settings.items()}
    child = children.start(
        [sys.executable, "-m", "dala", "serve", "--port", str(port)],
        log=folder / "serve.log",
        environment=os.environ | {"DALA_DATABASE_URL": database_url} | given,
    )
    try:
        children.wait_until_it_listens(child, port, name="the API", patience_s=PATIENCE_S)
        yield port, Path(f"/proc/{child.pid}/statm")
    finally:
        child.stop()


async def listened(
    engine: sa.Engine, port: int, statm: Path, lands: Sequence[Land], keys: list[str], rounds: int
) -> Found:
    """Open all streams, a few at a time, and let all of them hear of so many readings."""
    first, *rest = [Listener(port, key) for key in keys]
    assert (await first.open())[0] == 200  # whatever is loaded at first
    before, begun = now_mb(statm), time.perf_counter()
    some = asyncio.Semaphore(20)

    async def open_one(one: Listener) -> None:
        async with some:
            status, said = await one.open()
            assert status == 200, said

    await asyncio.gather(*map(open_one, rest))
    opened_s, everybody = time.perf_counter() - begun, [first, *rest]
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(one.listen()) for one in everybody]
        latencies, spreads = [], []
        for number in range(1, rounds + 1):
            committed = await asyncio.to_thread(store, engine, lands, float(number))
            await asyncio.gather(*(one.has_heard(number) for one in everybody))
            heard = [one.heard[number] for one in everybody]
            latencies += [1_000 * (one - committed) for one in heard]
            spreads.append(1_000 * (max(heard) - min(heard)))
        after = now_mb(statm)
        beyond = Listener(port, keys[-1])
        status, said = await beyond.open()
        kind = re.search(rb'"type": ?"([^"]+)"', said)
        for one in [*everybody, beyond]:
            one.close()
        for task in listening:
            task.cancel()
    told = (status, "" if kind is None else kind[1].decode())
    return Found(len(everybody), opened_s, before, after, latencies, spreads, told)


def run(
    engine: sa.Engine,
    database_url: str,
    *,
    streams: int,
    farms: int = 20,
    rounds: int = 20,
    **settings: Any,
) -> Found:
    """So many streams of so many farms' people and programs, on a migrated database.

    ``settings`` are those of streams of events (``api.live.LiveSettings``).
    """
    with engine.begin() as connection:
        lands = [put_land(connection, f"farm-{n:03}", f"KZ-{10 + n}") for n in range(farms)]
    keys = [
        put_key(engine, f"client-{n}", farm_ids=[lands[n % farms].farm])
        for n in range(-(-streams // OF_A_CREDENTIAL))
    ]
    each = [keys[n // OF_A_CREDENTIAL] for n in range(streams)]
    with (
        tempfile.TemporaryDirectory(prefix="dala-streams-") as folder,
        server(database_url, Path(folder), streams=streams, **settings) as (port, statm),
    ):
        return asyncio.run(listened(engine, port, statm, lands, each, rounds))


def main() -> int:
    """Open streams on a server and a database of their own; print what was seen."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--farms", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=20, help="readings of each farm")
    asked = parser.parse_args()
    serving.make_room()
    with tempfile.TemporaryDirectory(prefix="dala-streams-") as home:
        settings = EmbeddedSettings(home=Path(home))
        with open_embedded(settings, verb="test", broker=False) as servers:
            engine = make_engine(servers.database_url)
            migrations.upgrade(engine)
            found = run(
                engine,
                servers.database_url,
                streams=asked.streams,
                farms=asked.farms,
                rounds=asked.rounds,
            )
            engine.dispose()
    sys.stdout.write(f"{found.words()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
