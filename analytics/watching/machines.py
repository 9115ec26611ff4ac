"""Machines that work where there is no field."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import numpy as np
import shapely
import sqlalchemy as sa

from analytics.alert_conditions import work_outside
from analytics.watching.settings import Found, Settings
from storage import alert_facts, fields
from storage.alerts import Opening
from storage.series import Span

WORKING = 1  # ISO 11783-11, DDI 141
BEFORE = dt.timedelta(minutes=10)  # points this much older than the minimum tell since when


def machine_outside(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Machines whose work is on beyond every field of their farm, for some minutes.

    A machine that says nothing any more does not work: its alert ends.
    """
    longest = max((settings.number(one, "minimum_min") for one in settings.farm_ids), default=0.0)
    span = Span(now - dt.timedelta(minutes=longest) - BEFORE, now)
    places = alert_facts.places(connection, settings.farm_ids, span)
    farms = {one.farm_id for one in places if one.work_state == WORKING}
    land = {
        farm: shapely.union_all([shapely.make_valid(one) for one in _shapes(connection, farm)])
        for farm in farms
    }
    found = Found([], [])
    for device, group in groupby(places, key=lambda one: one.device):
        points = list(group)
        farm = points[0].farm_id
        if farm not in land or land[farm].is_empty:
            continue
        buffer = settings.number(farm, "buffer_m")
        outside = work_outside(
            [one.time.timestamp() for one in points],
            [one.longitude_deg for one in points],
            [one.latitude_deg for one in points],
            np.array([one.work_state == WORKING for one in points]),
            land[farm],
            buffer_m=buffer,
            minimum_s=60.0 * settings.number(farm, "minimum_min"),
        )
        newest = points[-1]
        details = {
            "device": device,
            "time": newest.time.isoformat(),
            "latitude_deg": newest.latitude_deg,
            "longitude_deg": newest.longitude_deg,
            "distance_m": round(outside.distance_m),
            "outside_s": round(outside.seconds),
            "buffer_m": buffer,
        }
        found.add(outside.answer, Opening("machine-outside", f"device:{device}", farm, details))
    return found


def _shapes(connection: sa.Connection, farm_id: int) -> list[shapely.Geometry]:
    ids = [one.id for one in fields.of_farm(connection, farm_id)]
    return [
        shapely.geometry.shape(one)
        for one in (fields.boundaries(connection, ids) if ids else {}).values()
    ]
