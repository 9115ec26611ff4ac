"""What routes ask for: a transaction, and the usual parameters."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AfterValidator, AwareDatetime

from api.security.guard import Deeds, Transaction, WhoAsks

__all__ = [
    "Deeds",
    "FarmSlug",
    "Moment",
    "Now",
    "Season",
    "Transaction",
    "WhoAsks",
]


async def current_time() -> dt.datetime:
    """Now; a test puts its own in place."""
    return dt.datetime.now(dt.UTC)


def _in_calendar(moment: dt.datetime) -> dt.datetime:
    # At either end of the calendar a change of time zone overflows.
    if not 1900 <= moment.year <= 2200:
        raise ValueError("must be between the years 1900 and 2200")
    return moment


Now = Annotated[dt.datetime, Depends(current_time)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
FarmSlug = Annotated[str, Path(examples=["turkistan-01"])]
Season = Annotated[int, Query(ge=1990, le=2100, description="year of harvest", examples=[2025])]
