"""What a season brought the country, region by region."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Now, Season, Transaction, WhoAsks
from api.formats import TABLES, Content, Form, answer
from api.models import CountrySeen, RegionLine, SeasonOut
from api.routes.farms import AsOf
from api.security.guard import needs
from reports import summary
from storage import farms, seasons

router = APIRouter(tags=["farms"])


@router.get(
    "/country/summary",
    dependencies=[needs("read:farms")],
    response_model=CountrySeen,
    responses=TABLES.responses,
)
def get_country_summary(
    season: Season,
    connection: Transaction,
    who: WhoAsks,
    now: Now,
    request: Request,
    as_of: AsOf = None,
    form: Form = TABLES.asked,
) -> Response:
    """What a season brought the country, a line for every region with farms that one sees.

    ``covers`` says whether those are all farms.
    """
    found = summary.of_country(connection, season=season, as_of=as_of, now=now)
    everywhere = all(who.reach.has_region(one.code) for one in farms.regions(connection))
    if not everywhere:
        found["regions"] = [one for one in found["regions"] if one["farms_registered"]]
        found["regions_registered"] = len([one for one in found["regions"] if one["region"]])
    body = CountrySeen(covers="country" if everywhere else "own-farms", **found)
    content = Content(f"country-{season}", RegionLine, body.regions, body)
    return answer(request, form, content)


@router.get(
    "/seasons",
    dependencies=[needs("read:farms")],
    response_model=list[SeasonOut],
    responses=TABLES.responses,
)
def list_seasons(
    connection: Transaction,
    request: Request,
    farm: Annotated[str | None, Query(max_length=200, examples=["turkistan-01"])] = None,
    region: Annotated[str | None, Query(max_length=10, examples=["KZ-61"])] = None,
    form: Form = TABLES.asked,
) -> Response:
    """Seasons of which crops are entered, the newest first: of a farm, a region, or all."""
    farm_id = None if farm is None else farms.get(connection, farm).id
    found = seasons.page(connection, farm_id=farm_id, region_code=region)
    rows = [SeasonOut(**one._asdict()) for one in found]
    return answer(request, form, Content("seasons", SeasonOut, rows))
