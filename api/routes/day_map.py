"""What a map of a farm shows on one day: light answers, whatever the number of fields."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from api.answers import as_json
from api.dependencies import FarmSlug, Now, Transaction
from api.errors import RequestProblem
from api.formats import PLACES, TABLES, Content, Form, answer, representation
from api.models_map import (
    FieldWaterOut,
    HerdPositionOut,
    PositionOut,
    PositionsOut,
    WaterStatusOut,
)
from api.routes.advice import Day
from api.security.guard import needs
from reports.advice import OLDEST_DAYS
from storage import farms, field_water, positions
from storage.farms import Farm

router = APIRouter(tags=["map"])


@router.get(
    "/farms/{farm}/water-status",
    dependencies=[needs("read:farms")],
    response_model=WaterStatusOut,
    responses=TABLES.responses,
)
def get_water_status(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    request: Request,
    day: Day = None,
    form: Form = TABLES.asked,
) -> Response:
    """How much water the crops of a farm lack: the last computed evening before a day, each.

    What to do about it is the advice; this is for a map of thousands of fields.
    """
    of = farms.get(connection, farm)
    chosen = _day(of, day, now)
    oldest = chosen - dt.timedelta(days=OLDEST_DAYS)
    found = field_water.of_farm(connection, of.id, day=chosen, oldest=oldest)
    if form.name == "json":
        said = {
            "farm": of.slug,
            "day": chosen,
            "seasons": [one._asdict() for one in field_water.seasons(connection, of.id)],
            "crop_zones": [one._asdict() for one in found],
        }
        return as_json(request, said, headers=representation(form, "water-status"))
    lines = [FieldWaterOut(**one._asdict()) for one in found]
    beside = {"farm": of.slug, "day": chosen}
    content = Content(f"{farm}-water-status-{chosen}", FieldWaterOut, lines, beside=beside)
    return answer(request, form, content)


@router.get(
    "/farms/{farm}/positions",
    dependencies=[needs("read:devices")],
    response_model=PositionsOut,
    responses=PLACES.responses,
)
def get_positions(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    request: Request,
    day: Day = None,
    form: Form = PLACES.asked,
) -> Response:
    """Where devices and herds of a farm are; with ``day``, where they were when it ended.

    As GeoJSON or as a table: a line for each device.
    """
    of = farms.get(connection, farm)
    chosen = _day(of, day, now)
    over = dt.datetime.combine(chosen + dt.timedelta(days=1), dt.time(), ZoneInfo(of.timezone))
    before = min(over.astimezone(dt.UTC), now)
    found = positions.of_farm(connection, of.id, before=before)
    body = PositionsOut(
        farm=of.slug,
        before=before,
        devices=[PositionOut(**one._asdict()) for one in found],
        herds=[
            HerdPositionOut(**one._asdict())
            for one in positions.herds(connection, of.id, last=chosen)
        ],
    )
    name = f"{farm}-positions-{chosen}"
    return answer(request, form, Content(name, PositionOut, body.devices, body, _point))


def _point(one: PositionOut) -> dict[str, object] | None:
    if one.longitude_deg is None or one.latitude_deg is None:
        return None
    return {"type": "Point", "coordinates": [one.longitude_deg, one.latitude_deg]}


def _day(farm: Farm, asked: dt.date | None, now: dt.datetime) -> dt.date:
    today = now.astimezone(ZoneInfo(farm.timezone)).date()
    if asked is not None and asked > today:
        raise RequestProblem(f"day: {asked} has not come at {farm.slug}, where it is {today}")
    return asked or today
