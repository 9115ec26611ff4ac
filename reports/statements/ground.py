"""What a statement's figures rest on: whose rows, and from which times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from analytics.daily.applied import LOOKBACK
from reports import monitor
from storage.fields import CropZone

DAY = dt.timedelta(days=1)  # days are a farm's own, which may begin up to one before those of UTC


class Ground(NamedTuple):
    """Rows of farms from [start, end)."""

    farm_ids: Sequence[int]
    start: dt.datetime
    end: dt.datetime


def of_season(
    season: int, farm_ids: Iterable[int], zones: Sequence[CropZone], *, devices: bool
) -> Ground:
    """The rows that figures of a season can rest on: at least these, and some beside them.

    From the reading that a meter's first difference needs to the end of the last harvest; where
    ``devices`` are counted too, all of the calendar year.
    """
    starts = [zone.planted - LOOKBACK for zone in zones]
    ends = [monitor.window(zone)[1] for zone in zones]
    if devices or not zones:
        starts.append(dt.date(season, 1, 1))
        ends.append(dt.date(season + 1, 1, 1))
    return Ground(sorted(farm_ids), _midnight(min(starts) - DAY), _midnight(max(ends) + DAY))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
