"""Irrigation advice."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Now, Season, Transaction
from api.errors import RequestProblem
from api.languages import ChosenLanguage
from api.models_advice import AdviceOut
from api.routes.farms import FieldId
from api.security.guard import needs
from reports import advice

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


@router.get("/fields/{field_id}/advice", dependencies=[needs("read:farms")])
def get_advice(
    field_id: FieldId,
    connection: Transaction,
    now: Now,
    language: ChosenLanguage,
    season: Season | None = None,
    day: Day = None,
) -> AdviceOut:
    """Whether, when and how much to irrigate a field today and in the next seven days, and why."""
    asked = advice.Question(now, day, season)
    try:
        found = advice.of_field(connection, field_id, asked)
    except advice.DayAhead as error:
        raise RequestProblem(str(error)) from error
    return AdviceOut(**advice.in_words(found, language))
