"""A nightly `dala analyze`: many crop zones, one more day of readings, database and all.

The simulated farms' season is stored up to an evening, as ingest stores it, and analysed; then each
device's next day comes in, and the analysis of the following night is timed. A first analysis of
the whole season so far is timed too: that is what a new version of the method costs.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

import migrations
from analytics import daily
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.storing import Line, Message
from seeds import load, messages
from seeds.farms import SEASON, catalogue
from seeds.messages import Sender, numbered
from seeds.season import simulate_all
from storage import farms
from storage.database import make_engine

ZONES, NIGHTS = 1_000, 5
EVENING = dt.datetime(SEASON, 7, 20, 19, tzinfo=dt.UTC)  # midnight at the farms, in mid-season
MESSAGES_A_BATCH = 500
DAY = dt.timedelta(days=1)

Report = dict[str, Any]


class FailedError(AssertionError):
    """A farm could not be computed: the time of a wrong result is worth nothing."""


class _Season(NamedTuple):
    """What devices say, by message, in order of time."""

    times_us: np.ndarray[Any, np.dtype[np.int64]]  # of each message's last record
    messages: list[Message]


def run(*, zones: int = ZONES, nights: int = NIGHTS) -> Report:
    """Measure on an embedded database of its own, which is gone afterwards.

    Raises
    ------
    embedded.children.ChildError
        If the database cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as folder:
        settings = EmbeddedSettings(home=Path(folder) / "home")
        with open_embedded(settings, verb="bench", broker=False) as servers:
            engine = make_engine(servers.database_url)
            try:
                return _measure(engine, zones, nights)
            finally:
                engine.dispose()


def _measure(engine: sa.Engine, zones: int, nights: int) -> Report:
    migrations.upgrade(engine)
    season = _seed(engine, zones)
    line = Line(engine)
    before = _store(line, season, None, EVENING)
    whole_s, done = _analyse(engine, EVENING)
    seconds, news = [], []
    for night in range(1, nights + 1):
        evening = EVENING + night * DAY
        news.append(_store(line, season, evening - DAY, evening))
        taken, latest = _analyse(engine, evening)
        seconds.append(taken)
    with engine.connect() as connection:
        readings = connection.scalar(sa.text("SELECT count(*) FROM readings"))
    return {
        "zones": done.zones,
        "zones_running": latest.computed,
        "readings_stored": readings,
        "whole_season_so_far_s": whole_s,
        "days_of_it": done.days,
        "readings_before": before,
        "nights": nights,
        "readings_a_night": int(np.median(news)),
        "night_s": float(np.median(seconds)),
        "night_max_s": max(seconds),
        "days_a_night": latest.days,
    }


def _seed(engine: sa.Engine, zones: int) -> _Season:
    """Farms with so many crop zones, and their devices' messages."""
    count = 0
    chosen = catalogue(0)
    while count < zones:
        chosen = catalogue(len(chosen) + 40)
        count = sum(len(farm.fields) for farm in chosen)
    truth = simulate_all(chosen)
    senders = list(messages.senders(truth))
    with engine.begin() as connection:
        load.load(connection, truth, senders)
    found = sorted((pair for sender in senders for pair in _said(sender)), key=lambda pair: pair[0])
    return _Season(np.array([time for time, _ in found]), [message for _, message in found])


def _said(sender: Sender) -> list[tuple[int, Message]]:
    """A device's readings day by day, each a message; its tracks as they are."""
    days: dict[int, list[dict[str, Any]]] = {}
    tracks = []
    for one in sender.messages:
        if one.kind == "track":
            last = dt.datetime.fromisoformat(one.body[-1]["time"])
            tracks.append((round(last.timestamp()), one))
            continue
        base = one.body[0]["bt"]
        for record in one.body:
            moment = base + record["t"]
            clean = {k: v for k, v in record.items() if k != "bt"} | {"t": moment}
            days.setdefault(moment // 86_400, []).append(clean)
    packs = [
        (max(record["t"] for record in body), messages.Outgoing("senml", body))
        for body in days.values()
    ]
    return [
        (
            moment * 1_000_000,
            Message(
                f"dala/v1/{sender.device_id}/{one.kind}",
                numbered(one, sender.device_id, 1, seq),
                moment * 1_000_000,
            ),
        )
        for seq, (moment, one) in enumerate(sorted([*packs, *tracks], key=lambda p: p[0]), 1)
    ]


def _store(line: Line, season: _Season, after: dt.datetime | None, until: dt.datetime) -> int:
    """Store what was said in the time; return how many readings and points that are."""
    start = 0 if after is None else _place(season, after)
    end = _place(season, until)
    stored = 0
    for first in range(start, end, MESSAGES_A_BATCH):
        part = season.messages[first : min(first + MESSAGES_A_BATCH, end)]
        stored += line.store(part).stored
    return stored


def _place(season: _Season, moment: dt.datetime) -> int:
    return int(np.searchsorted(season.times_us, round(moment.timestamp() * 1e6)))


def _analyse(engine: sa.Engine, now: dt.datetime) -> tuple[float, daily.Done]:
    begun = time.perf_counter()
    with engine.connect() as connection:
        known = farms.page(connection, limit=100_000)
    found = daily.analyze(engine, known, now=now)
    if found.failed:
        raise FailedError(f"not computed: {found.failed}")
    return time.perf_counter() - begun, found.done


def in_words(report: Report) -> str:
    """The report for people."""
    return (
        f"Nightly analysis of {report['zones_running']:,} crop zones after a day of "
        f"{report['readings_a_night']:,} readings and points: {report['night_s']:.1f} s, at most "
        f"{report['night_max_s']:.1f} s of {report['nights']} nights, database and all. Their "
        f"{report['days_of_it']:,} days so far from the beginning: "
        f"{report['whole_season_so_far_s']:.1f} s."
    )
