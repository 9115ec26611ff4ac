"""The part of analytics that loads and stores: every crop zone of the farms, season by season.

What it computes is computed by the other modules; here stands what they are given, in which order,
and how much of it was measured. ``plans`` says which days are news, ``stations``, ``applied`` and
``moisture`` make days of readings, ``side_by_side`` lays zones beside one another, ``seasons``
judges them, ``storing`` makes rows of the result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from analytics.daily import entered, machines, plans
from analytics.daily.entered import Entered
from analytics.daily.plans import METHOD_VERSION, Plan
from analytics.daily.seasons import Judged, judge_all
from storage import aggregates, news, results, retention
from storage.farms import Farm
from storage.fields import CropZone, Field

FARMS_TOGETHER = 40  # whose crop zones are computed side by side, in one transaction


class Done(NamedTuple):
    """What an analysis came to."""

    zones: int  # crop zones of the farms
    computed: int  # of which something was new
    results: int  # that have a new result
    days: int  # of balances that were stored
    machine_days: int  # and operations, that have new results


class Analysis(NamedTuple):
    """What an analysis of many farms came to."""

    done: Done
    failed: dict[str, str]  # why, by the slugs of farms whose data could not be computed


def analyze(
    engine: sa.Engine,
    farms: Sequence[Farm],
    *,
    now: dt.datetime,
    season: int | None = None,
    on_farms: Callable[[int], None] = lambda _count: None,
) -> Analysis:
    """Compute what is new about all the farms; one that cannot be computed stops no other.

    ``on_farms`` hears of every few farms that are done. Parameters else are those of ``compute``.
    """
    total, failed = Done(0, 0, 0, 0, 0), {}
    for start in range(0, len(farms), FARMS_TOGETHER):
        together = farms[start : start + FARMS_TOGETHER]
        try:
            parts = [compute(engine, together, now=now, season=season)]
        except _OF_ITS_DATA:
            parts = []
            for farm in together:
                try:
                    parts.append(compute(engine, [farm], now=now, season=season))
                except _OF_ITS_DATA as error:
                    failed[farm.slug] = f"{type(error).__name__}: {error}"
        total = Done(*(sum(numbers) for numbers in zip(total, *parts, strict=True)))
        on_farms(len(together))
    return Analysis(total, failed)


# What data that makes no sense leads to; errors of the database are not of one farm.
_OF_ITS_DATA = (ArithmeticError, LookupError, TypeError, ValueError)


def compute(
    engine: sa.Engine, farms: Sequence[Farm], *, now: dt.datetime, season: int | None = None
) -> Done:
    """Compute what is new about the farms and store it; safe to repeat, and to stop halfway.

    Parameters
    ----------
    now : datetime
        Days that are over by then are computed.
    season : int, optional
        Just the crop zones of one season; what is news stays news for the others.
    """
    ids = [farm.id for farm in farms]
    with engine.begin() as connection:
        news.wait_for_turn(connection)
        news.claim(connection, ids)
        late = news.claimed_readings(connection, ids)
    if late:
        aggregates.refresh(engine, min(late.values()))
    with engine.begin() as connection:
        news.wait_for_turn(connection)
        late = news.claimed_readings(connection, ids)
        known = entered.load(connection, farms)
        done = _compute(connection, known, late, now=now, season=season)
        if season is None:
            news.done_readings(connection, list(late))
            points = news.claimed_points(connection, ids)
            worked = machines.compute(connection, known.farms, points, now=now)
            news.done_points(connection, list(points))
            done = done._replace(machine_days=worked)
    return done


def _compute(
    connection: sa.Connection,
    known: Entered,
    late: Mapping[int, dt.datetime],
    *,
    now: dt.datetime,
    season: int | None,
) -> Done:
    zones = [pair for pair in known.zones if season is None or pair[1].season == season]
    standing = results.standing(connection, [zone.id for _, zone in zones])
    since = retention.complete_since(connection)
    open_zones = [
        (field, zone)
        for field, zone in zones
        if not plans.is_settled(known, field, zone, standing.get(zone.id), late, now=now)
        and not (zone.id in standing and since is not None and zone.planted <= since.date())
    ]
    beside = _behind_the_same(known, zones, {zone.id for _, zone in open_zones})
    stored = results.stored_days(
        connection,
        [zone.id for _, zone in (*open_zones, *beside)],
        method_version=METHOD_VERSION,
    )
    found = {
        zone.id: plans.plan(
            known, field, zone, standing.get(zone.id), stored[zone.id], late, now=now
        )
        for field, zone in open_zones
    }
    planned = {zone for zone, one in found.items() if one is not None}
    for field, zone in _behind_the_same(known, zones, planned):
        if found.get(zone.id) is None:
            found[zone.id] = plans.anew(
                known, field, zone, standing.get(zone.id), stored[zone.id], now=now
            )
    todo: list[Plan] = [one for one in found.values() if one is not None]
    judged = judge_all(connection, known, todo)
    days = _store_days(connection, todo, judged, stored)
    changed = results.put_seasons(connection, judged.seasons) if judged.seasons else 0
    return Done(len(zones), len(planned), changed, days, 0)


def _behind_the_same(
    known: Entered, zones: Sequence[tuple[Field, CropZone]], planned: AbstractSet[int]
) -> list[tuple[Field, CropZone]]:
    """Other crop zones of the season on farms with an offtake: all its fields are one whole."""
    seasons = {
        (field.farm_id, zone.season)
        for field, zone in zones
        if zone.id in planned and known.has_offtake(field.farm_id)
    }
    return [
        (field, zone)
        for field, zone in zones
        if zone.id not in planned and (field.farm_id, zone.season) in seasons
    ]


def _store_days(
    connection: sa.Connection,
    todo: Sequence[Plan],
    judged: Judged,
    stored: Mapping[int, np.ndarray[Any, Any]],
) -> int:
    beyond = {
        one.zone.id: one.days.dates[-1] + dt.timedelta(days=1)
        for one in todo
        if len(stored[one.zone.id])
        and results.date_of(stored[one.zone.id]["day"][-1]) > one.days.dates[-1]
    }
    if beyond:
        results.supersede_days(connection, beyond)
    return sum(results.put_days(connection, days) for days in judged.days(stored))
