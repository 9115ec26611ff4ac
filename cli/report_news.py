"""What came since the figures were computed, told before a report of them is filed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cli.speaking import fail, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from reports.statements.statement import Asked
    from storage.farms import Farm

NAMED = 5  # farms at most that are named


def warning(connection: sa.Connection, asked: Asked) -> str:
    """Which farms were not computed since something came, in a sentence; empty where none is."""
    found = _unseen(connection, asked)
    if not found:
        return ""
    return (
        f"The figures are older than what is below them: of {_named(found)} something arrived or "
        "was entered since they were computed. File with --analyze, and it is computed first."
    )


def compute(asked: Asked) -> None:
    """Compute the farms that were not computed since something came.

    Raises
    ------
    typer.Exit
        If one cannot be computed.
    """
    from analytics import daily
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
    say(f"Computed {_named(found)}: {done.done.results} crop zones have a new result.")


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


def _named(found: Sequence[Farm]) -> str:
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(one.slug for one in found[:NAMED]) + more
