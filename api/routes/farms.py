"""Regions and farms, and what a season brought them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Answers, Found, Ground, tagged
from api.dependencies import Deeds, FarmSlug, Moment, Now, Season, Transaction, WhoAsks
from api.entering import CHANGED, CREATED, IfMatch, changes, check, made, said
from api.errors import Refused
from api.formats import JSON_ALONE, PLACES, TABLES, Content, Form, answer, representation
from api.idempotency import Once
from api.models import (
    CropZoneSummary,
    FarmLine,
    FarmOut,
    FarmSummary,
    RegionOut,
    RegionSummary,
)
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from entry import land
from entry.models import FarmChange, FarmIn
from reports import summary
from storage import farms, inputs
from storage.changes import PLACES as EVERY_PLACE
from storage.changes import farm_subject
from storage.inputs import Inputs

router = APIRouter(tags=["farms"])


def summary_ground(found: Inputs, *more: str) -> Ground:
    """What a summary rests on; the next device may be called silent although nothing changes."""
    heard = found.first_heard_at
    until = None if heard is None else heard + summary.SILENT_AFTER
    return Ground([*more, *map(farm_subject, found.farm_ids)], until)


AsOf = Annotated[
    Moment | None, Query(description="the figures as they stood then, RFC 3339 with offset")
]
RegionCode = Annotated[str, Path(examples=["KZ-61"])]


@router.get(
    "/regions",
    dependencies=[needs("read:farms")],
    response_model=list[RegionOut],
    responses=TABLES.responses,
)
def list_regions(connection: Transaction, request: Request, form: Form = TABLES.asked) -> Response:
    """All regions, by code."""
    rows = [RegionOut(**region._asdict()) for region in farms.regions(connection)]
    return answer(request, form, Content("regions", RegionOut, rows), ground=Ground([EVERY_PLACE]))


@router.get(
    "/regions/{code}/summary",
    dependencies=[needs("read:farms")],
    response_model=RegionSummary,
    responses=TABLES.responses,
)
def get_region_summary(
    code: RegionCode,
    season: Season,
    connection: Transaction,
    who: WhoAsks,
    now: Now,
    request: Request,
    as_of: AsOf = None,
    form: Form = TABLES.asked,
) -> Response:
    """What a season brought a region, with a line for every farm that the caller sees.

    ``covers`` says whether those are all that the region has.
    """
    answers: Answers = request.app.state.answers
    since = now - summary.SILENT_AFTER
    name = f"{code}-{season}"
    covers = "region" if who.reach.has_region(code) else "own-farms"

    def find() -> Found:
        found = inputs.of_region(connection, code, season=season, as_of=as_of, since=since)
        tag = answers.tag("region", code, covers, found.season, found.digest, as_of, form)
        return Found(tag, summary_ground(found, EVERY_PLACE))

    def make() -> bytes:
        content = summary.of_region(connection, code, season=season, as_of=as_of, now=now)
        body = RegionSummary(covers=covers, **content)
        beside = {"region": code, "season": season}
        return Content(name, FarmLine, body.farms, body, beside=beside).written(form)

    said = representation(form, name)
    return tagged(request, find, make, media_type=form.media_type, headers=said)


@router.get(
    "/farms",
    dependencies=[needs("read:farms")],
    response_model=list[FarmOut],
    responses=PLACES.responses_with(LINK),
)
def list_farms(
    connection: Transaction,
    request: Request,
    region: Annotated[str | None, Query(max_length=10, examples=["KZ-61"])] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = PLACES.asked,
) -> Response:
    """Farms by slug; as GeoJSON, where their weather is measured."""
    (after,) = begin(request, cursor, [str]) or [""]
    page = farms.page(connection, region_code=region, after=after, limit=limit + 1)
    key = (page[limit - 1].slug,) if len(page) > limit else None
    rows = [farm_out(farm) for farm in page[:limit]]
    content = Content("farms", FarmOut, rows, geometry=_point)
    said = following(request, key)
    return answer(request, form, content, headers=said, ground=Ground([EVERY_PLACE]))


def farm_out(farm: farms.Farm) -> FarmOut:
    """A farm as the API says it."""
    return FarmOut(**{k: v for k, v in farm._asdict().items() if k != "id"})


def _point(farm: FarmOut) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [farm.longitude_deg, farm.latitude_deg]}


@router.get(
    "/farms/{farm}",
    dependencies=[needs("read:farms")],
    response_model=FarmOut,
    responses=JSON_ALONE.responses,
)
def get_farm(
    farm: FarmSlug, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """A farm; its ETag is what a change of it asks for."""
    found = farms.get(connection, farm)
    body = farm_out(found)
    content = Content("farm", FarmOut, [body], body)
    return answer(request, form, content, ground=Ground([farm_subject(found.id)]))


@router.post(
    "/farms",
    status_code=201,
    dependencies=[needs("write:farms")],
    response_model=FarmOut,
    responses=CREATED,
)
def add_farm(
    asked: FarmIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter a farm; for who sees every farm, since a new one is nobody's yet."""

    def make() -> Response:
        if not who.reach.everything:
            raise Refused(403, "Farms are entered by who sees every farm.", kind="scope-missing")
        farm_id = land.enter_farm(connection, asked, by=who.actor)
        body = farm_out(farms.get(connection, asked.slug))
        details = asked.model_dump()
        deeds.note("farm.create", f"farm:{asked.slug}", farm_id=farm_id, details=details)
        return made(body, f"/v1/farms/{asked.slug}")

    return once.answer(make)


@router.patch(
    "/farms/{farm}",
    dependencies=[needs("write:farms")],
    response_model=FarmOut,
    responses=CHANGED,
)
def change_farm(
    farm: FarmSlug,
    asked: FarmChange,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change a farm; what is computed of it follows by the next analysis."""
    known = farms.get(connection, farm, lock=True)
    before = farm_out(known)
    check(if_match, before)
    given = changes(asked, nullable=frozenset({"region_code"}))
    moves = "region_code" in given and given["region_code"] != before.region_code
    if moves and not who.reach.everything:
        raise Refused(403, "Its region is changed by who sees every farm.", kind="scope-missing")
    if given:
        farms.change(connection, known.id, **given)
    body = farm_out(farms.get(connection, farm))
    details = {"before": before.model_dump(include=set(given)), "after": given}
    deeds.note("farm.change", f"farm:{farm}", farm_id=known.id, details=details)
    return said(body)


@router.get(
    "/farms/{farm}/summary",
    dependencies=[needs("read:farms")],
    response_model=FarmSummary,
    responses=TABLES.responses,
)
def get_farm_summary(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    request: Request,
    season: Season | None = None,
    as_of: AsOf = None,
    form: Form = TABLES.asked,
) -> Response:
    """Water applied and saved, evapotranspiration, yield, and the farm's devices.

    As a table: a line for each crop zone.
    """
    answers: Answers = request.app.state.answers
    since = now - summary.SILENT_AFTER
    name = f"{farm}-summary"

    def find() -> Found:
        found = inputs.of_farm(connection, farm, season=season, as_of=as_of, since=since)
        tag = answers.tag("farm", farm, found.season, found.digest, as_of, form)
        return Found(tag, summary_ground(found))

    def make() -> bytes:
        content = summary.of_farm(connection, farm, season=season, as_of=as_of, now=now)
        body = FarmSummary(**content)
        beside = {"farm": farm, "season": body.season or 0}
        return Content(name, CropZoneSummary, body.crop_zones, body, beside=beside).written(form)

    said = representation(form, name)
    return tagged(request, find, make, media_type=form.media_type, headers=said)
