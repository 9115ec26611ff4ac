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
from typing import Any

import numpy as np
import sqlalchemy as sa

import migrations
from analytics import daily
from bench import seeding
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.storing import Line
from seeds.farms import SEASON, SimulatedFarm, catalogue
from storage.database import make_engine, ping

ZONES, NIGHTS = 1_000, 5
EVENING = dt.datetime(SEASON, 7, 20, 19, tzinfo=dt.UTC)  # midnight at the farms, in mid-season
DAY = dt.timedelta(days=1)

Report = dict[str, Any]


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
    season = seeding.register(engine, _chosen(zones))
    line = Line(engine)
    before = seeding.store(line, season, None, EVENING)
    whole_s, done = _analyse(engine, EVENING)
    seconds, news = [], []
    for night in range(1, nights + 1):
        evening = EVENING + night * DAY
        news.append(seeding.store(line, season, evening - DAY, evening))
        taken, latest = _analyse(engine, evening)
        seconds.append(taken)
    with engine.connect() as connection:
        readings = connection.scalar(sa.text("SELECT count(*) FROM readings"))
        server = ping(connection)
    return {
        "postgresql": server,
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


def _chosen(zones: int) -> list[SimulatedFarm]:
    """Farms with so many crop zones together."""
    count = 0
    chosen = catalogue(0)
    while count < zones:
        chosen = catalogue(len(chosen) + 40)
        count = sum(len(farm.fields) for farm in chosen)
    return chosen


def _analyse(engine: sa.Engine, now: dt.datetime) -> tuple[float, daily.Done]:
    begun = time.perf_counter()
    done = seeding.analyse(engine, now)
    return time.perf_counter() - begun, done


def in_words(report: Report) -> str:
    """The report for people."""
    return (
        f"Nightly analysis of {report['zones_running']:,} crop zones after a day of "
        f"{report['readings_a_night']:,} readings and points: {report['night_s']:.1f} s, at most "
        f"{report['night_max_s']:.1f} s of {report['nights']} nights, database and all. Their "
        f"{report['days_of_it']:,} days so far from the beginning: "
        f"{report['whole_season_so_far_s']:.1f} s. PostgreSQL {report['postgresql']}."
    )
