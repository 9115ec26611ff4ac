"""What a season brought the country, region by region."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import Answers, Found, Ground, tagged
from api.dependencies import Now, Season, Transaction, WhoAsks
from api.formats import TABLES, Content, Form, answer, representation
from api.models import CountrySeen, RegionLine, SeasonOut
from api.routes.farms import AsOf, summary_ground
from api.security.guard import needs
from reports import summary
from storage import farms, inputs, seasons
from storage.changes import PLACES as EVERY_PLACE
from storage.changes import farm_subject

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
    answers: Answers = request.app.state.answers
    since = now - summary.SILENT_AFTER
    name = f"country-{season}"
    everywhere = all(who.reach.has_region(one.code) for one in farms.regions(connection))

    def find() -> Found:
        found = inputs.of_country(connection, season=season, as_of=as_of, since=since)
        tag = answers.tag("country", everywhere, found.season, found.digest, as_of, form)
        return Found(tag, summary_ground(found, EVERY_PLACE))

    def make() -> bytes:
        found = summary.of_country(connection, season=season, as_of=as_of, now=now)
        if not everywhere:
            found["regions"] = [one for one in found["regions"] if one["farms_registered"]]
            found["regions_registered"] = len([one for one in found["regions"] if one["region"]])
        body = CountrySeen(covers="country" if everywhere else "own-farms", **found)
        return Content(name, RegionLine, body.regions, body).written(form)

    said = representation(form, name)
    return tagged(request, find, make, media_type=form.media_type, headers=said)


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
    # Of several farms nobody has said which they are.
    ground = None if farm_id is None else Ground([farm_subject(farm_id)])
    return answer(request, form, Content("seasons", SeasonOut, rows), ground=ground)
