"""Irrigation advice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import FarmSlug, Now, Season, Transaction
from api.errors import RequestProblem
from api.formats import TABLES, Content, Form, answer
from api.languages import ChosenLanguage
from api.models_advice import AdviceOut, ZoneAdvice
from api.routes.fields import FieldId
from api.security.guard import needs
from reports import advice
from reports.messages import Language

router = APIRouter(tags=["advice"])

Day = Annotated[
    dt.date | None,
    Query(
        ge=dt.date(1990, 1, 1),
        le=dt.date(2100, 12, 31),
        description="the farm's today by default; a past day is answered by what was known then",
        examples=["2025-07-01"],
    ),
]


@router.get(
    "/fields/{field_id}/advice",
    dependencies=[needs("read:farms")],
    response_model=AdviceOut,
    responses=TABLES.responses,
)
def get_advice(
    field_id: FieldId,
    connection: Transaction,
    now: Now,
    request: Request,
    language: ChosenLanguage,
    season: Season | None = None,
    day: Day = None,
    form: Form = TABLES.asked,
) -> Response:
    """Whether, when and how much to irrigate a field today and in the next seven days, and why.

    As a table: a line for each crop zone.
    """
    asked = advice.Question(now, day, season)
    return _said(
        request,
        form,
        language,
        f"field-{field_id}-advice",
        lambda: advice.of_field(connection, field_id, asked),
    )


@router.get(
    "/farms/{farm}/advice",
    dependencies=[needs("read:farms")],
    response_model=AdviceOut,
    responses=TABLES.responses,
)
def get_farm_advice(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    request: Request,
    language: ChosenLanguage,
    season: Season | None = None,
    day: Day = None,
    form: Form = TABLES.asked,
) -> Response:
    """The same for every field of a farm.

    As a table: a line for each crop zone.
    """
    asked = advice.Question(now, day, season)
    return _said(
        request,
        form,
        language,
        f"{farm}-advice",
        lambda: advice.of_farm(connection, farm, asked),
    )


def _said(
    request: Request,
    form: Form,
    language: Language,
    name: str,
    find: Callable[[], dict[str, Any]],
) -> Response:
    try:
        found = find()
    except advice.DayAhead as error:
        raise RequestProblem(str(error)) from error
    body = AdviceOut(**advice.in_words(found, language))
    beside = {"farm": body.farm, "day": body.day}
    content = Content(f"{name}-{body.day}", ZoneAdvice, body.crop_zones, body, beside=beside)
    made = answer(request, form, content, headers={"Content-Language": language})
    made.headers["Vary"] += ", Accept-Language"
    return made
