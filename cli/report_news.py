"""What came since the figures were computed, told before a report of them is filed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cli.speaking import fail, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from reports.statements.statement import Asked
    from storage.farms import Farm


def warning(connection: sa.Connection, asked: Asked) -> str:
    """Which farms were not computed since something came, in a sentence; empty where none is."""
    from reports import freshness

    older = freshness.told(_unseen(connection, asked))
    return older and f"{older} File with --analyze, and it is computed first."


def compute(asked: Asked) -> None:
    """Compute the farms that were not computed since something came.

    Raises
    ------
    typer.Exit
        If one cannot be computed.
    """
    from analytics import daily
    from reports import freshness
    from seeds.services import open_services

    with open_services("report") as services:
        services.check_migrated()
        with services.engine.begin() as connection:
            found = _unseen(connection, asked)
        if not found:
            return
        done = daily.analyze(services.engine, found, now=dt.datetime.now(dt.UTC))
    if done.failed:
        fail(
            "; ".join(
                f"Not filed: {one} is not computed, {why}" for one, why in done.failed.items()
            )
        )
    say(f"Computed {freshness.named(found)}: {done.done.results} crop zones have a new result.")


def _unseen(connection: sa.Connection, asked: Asked) -> list[Farm]:
    from reports import freshness
    from storage.database import NotFound, take_time

    take_time(connection)
    now = dt.datetime.now(dt.UTC)
    try:
        return freshness.unseen(
            connection, season=asked.season, now=now, farm=asked.farm, area=asked.area
        )
    except NotFound:
        return []  # filing says so, in its own words
