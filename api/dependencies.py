"""What routes ask for: a transaction, and the usual parameters."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Depends, Path, Query

from api.security.guard import Deeds, Transaction, WhoAsks
from entry.models import Moment

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


Now = Annotated[dt.datetime, Depends(current_time)]
FarmSlug = Annotated[str, Path(examples=["turkistan-01"])]
Season = Annotated[int, Query(ge=1990, le=2100, description="year of harvest", examples=[2025])]
