"""Whether figures are older than what is below them: what no analysis has seen yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.daily import entered, plans
from reports import monitor
from reports.summary import EVERY_FARM
from storage import farms, news, results
from storage.farms import Farm

NAMED = 5  # farms at most that are named


def unseen(
    connection: sa.Connection,
    *,
    season: int,
    now: dt.datetime,
    farm: str | None = None,
    area: str | None = None,
) -> list[Farm]:
    """Farms, by slug, of which something arrived or was entered since they were computed.

    Parameters
    ----------
    season : int
        Whose crop zones are looked at.
    now : datetime
        Days that are over by then should have been computed.
    farm, area : str, optional
        One farm, or those of an area; all where neither is given.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    """
    members = [farms.get(connection, farm)] if farm else _of_area(connection, area)
    known = entered.load(connection, members)
    zones = [pair for pair in known.zones if pair[1].season == season]
    standing = results.standing(connection, [zone.id for _, zone in zones])
    ids = [one.id for one in members]
    late = news.unseen_readings(connection, ids)
    behind = {
        field.farm_id
        for field, zone in zones
        if not plans.is_settled(known, field, zone, standing.get(zone.id), late, now=now)
    }
    for farm_id, since in news.unseen_points(connection, ids):
        clock = ZoneInfo(known.farms[farm_id].timezone)
        first, today = since.astimezone(clock).date(), now.astimezone(clock).date()
        own = [zone for field, zone in zones if field.farm_id == farm_id]
        if any(first < monitor.window(zone)[1] for zone in own) and first < today:
            behind.add(farm_id)
    return [one for one in members if one.id in behind]


def told(found: Sequence[Farm]) -> str:
    """That figures are older than what is below them, in a sentence; empty where none is."""
    if not found:
        return ""
    return (
        f"The figures are older than what is below them: of {named(found)} something arrived or "
        "was entered since they were computed."
    )


def named(found: Sequence[Farm]) -> str:
    """Farms by slug: the first few, and how many more."""
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(one.slug for one in found[:NAMED]) + more


def _of_area(connection: sa.Connection, area: str | None) -> Sequence[Farm]:
    code = None if area is None or len(area) == 2 else area  # every farm is of the country
    return farms.page(connection, region_code=code, limit=EVERY_FARM)
