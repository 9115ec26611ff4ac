"""How the fields of a farm stand with water on one evening, by what was computed and stored.

Light, for a map of thousands of fields: one question, one row a crop zone, no forecast.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa


class FieldWater(NamedTuple):
    """A crop that grows on a field on the day, and the last evening of its balance before it."""

    field_id: int
    crop_zone_id: int
    crop: str
    season: int
    irrigation_method: str | None
    area_ha: float
    balance_day: dt.date | None  # None: no balance, or none that is recent enough
    depletion_mm: float | None
    taw_mm: float | None
    raw_mm: float | None


_OF_FARM = sa.text("""
    SELECT zone.field_id, zone.id, zone.crop, zone.season, zone.irrigation_method, zone.area_ha,
           evening.day, evening.depletion_mm, evening.taw_mm, evening.raw_mm
      FROM fields AS field
      JOIN crop_zones AS zone ON zone.field_id = field.id AND zone.withdrawn_at IS NULL
 LEFT JOIN LATERAL (SELECT day, depletion_mm, taw_mm, raw_mm FROM balance_days
                     WHERE crop_zone_id = zone.id AND superseded_at IS NULL
                       AND day >= :oldest AND day < :day
                  ORDER BY day DESC LIMIT 1) AS evening ON true
     WHERE field.farm_id = :farm AND field.withdrawn_at IS NULL
       AND zone.planted <= :day AND zone.harvested >= :day
  ORDER BY zone.field_id, zone.id
""")


def of_farm(
    connection: sa.Connection, farm_id: int, *, day: dt.date, oldest: dt.date
) -> list[FieldWater]:
    """Crops that grow on the day, each with the newest evening from ``oldest`` to before it."""
    rows = connection.execute(_OF_FARM, {"farm": farm_id, "day": day, "oldest": oldest})
    return [FieldWater(*row) for row in rows]


class SeasonSpan(NamedTuple):
    """A season of a farm: the year of harvest, the first sowing and the last harvest."""

    season: int
    first: dt.date
    last: dt.date


_SEASONS = sa.text("""
    SELECT zone.season, min(zone.planted), max(zone.harvested)
      FROM crop_zones AS zone JOIN fields AS field ON field.id = zone.field_id
     WHERE field.farm_id = :farm AND field.withdrawn_at IS NULL AND zone.withdrawn_at IS NULL
  GROUP BY zone.season
  ORDER BY zone.season DESC
""")


def seasons(connection: sa.Connection, farm_id: int) -> list[SeasonSpan]:
    """Seasons in which something grew on a farm, the newest first."""
    return [SeasonSpan(*row) for row in connection.execute(_SEASONS, {"farm": farm_id})]
