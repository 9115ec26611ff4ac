"""Regions, farms, fields, and what a season brought them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Answers, as_json, tagged
from api.dependencies import After, FarmSlug, Limit, Moment, Now, Season, Transaction
from api.models import (
    FarmOut,
    FarmSummary,
    FieldOut,
    RegionOut,
    RegionSummary,
    WaterBalanceOut,
)
from api.security.guard import needs
from reports import summary
from storage import farms, fields, inputs, results
from storage.database import NotFound

router = APIRouter(tags=["farms"])

AsOf = Annotated[
    Moment | None, Query(description="the figures as they stood then, RFC 3339 with offset")
]
FieldId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]
RegionCode = Annotated[str, Path(examples=["KZ-61"])]


@router.get("/regions", dependencies=[needs("read:farms")])
def list_regions(connection: Transaction) -> list[RegionOut]:
    """All regions, by code."""
    return [RegionOut(**region._asdict()) for region in farms.regions(connection)]


@router.get(
    "/regions/{code}/summary", dependencies=[needs("read:farms")], response_model=RegionSummary
)
def get_region_summary(
    code: RegionCode,
    season: Season,
    connection: Transaction,
    now: Now,
    request: Request,
    as_of: AsOf = None,
) -> Response:
    """What a season brought a region, with a line for every farm."""
    answers: Answers = request.app.state.answers
    since = now - summary.SILENT_AFTER

    def find() -> str:
        found = inputs.of_region(connection, code, season=season, as_of=as_of, since=since)
        return answers.tag("region", code, found, as_of)

    def make() -> bytes:
        content = summary.of_region(connection, code, season=season, as_of=as_of, now=now)
        return RegionSummary(**content).model_dump_json(by_alias=True).encode()

    return tagged(request, find, make)


@router.get("/farms", dependencies=[needs("read:farms")])
def list_farms(
    connection: Transaction,
    request: Request,
    response: Response,
    region: Annotated[str | None, Query(max_length=10, examples=["KZ-61"])] = None,
    after: After = "",
    limit: Limit = 100,
) -> list[FarmOut]:
    """Farms by slug."""
    page = farms.page(connection, region_code=region, after=after, limit=limit)
    if len(page) == limit:
        following = request.url.include_query_params(after=page[-1].slug)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return [FarmOut(**{k: v for k, v in farm._asdict().items() if k != "id"}) for farm in page]


@router.get("/farms/{farm}/summary", dependencies=[needs("read:farms")], response_model=FarmSummary)
def get_farm_summary(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    request: Request,
    season: Season | None = None,
    as_of: AsOf = None,
) -> Response:
    """Water applied and saved, evapotranspiration, yield, and the farm's devices."""
    answers: Answers = request.app.state.answers
    since = now - summary.SILENT_AFTER

    def find() -> str:
        found = inputs.of_farm(connection, farm, season=season, as_of=as_of, since=since)
        return answers.tag("farm", farm, found, as_of)

    def make() -> bytes:
        content = summary.of_farm(connection, farm, season=season, as_of=as_of, now=now)
        return FarmSummary(**content).model_dump_json(by_alias=True).encode()

    return tagged(request, find, make)


@router.get("/farms/{farm}/fields", dependencies=[needs("read:farms")])
def list_fields(farm: FarmSlug, connection: Transaction) -> list[FieldOut]:
    """Fields of a farm with their newest boundaries."""
    found = fields.of_farm(connection, farms.get(connection, farm).id)
    shapes = fields.boundaries(connection, [field.id for field in found])
    return [
        FieldOut(
            geometry=shapes.get(field.id),
            **{k: v for k, v in field._asdict().items() if k != "farm_id"},
        )
        for field in found
    ]


@router.get(
    "/fields/{field_id}/water-balance",
    dependencies=[needs("read:farms")],
    response_model=WaterBalanceOut,
)
def get_water_balance(
    field_id: FieldId, season: Season, connection: Transaction, as_of: AsOf = None
) -> Response:
    """The soil water balance of a field, day by day [mm]."""
    field = fields.get(connection, field_id)
    zones = fields.zones(connection, farm_id=field.farm_id, season=season)
    zone = next((zone for of, zone in zones if of.id == field_id), None)
    if zone is None:
        raise NotFound(f"crop on field {field_id} in {season}")
    days = results.balance(connection, zone.id, as_of=as_of)
    return as_json({"field_id": field_id, "crop": zone.crop, "season": season, "days": days})
