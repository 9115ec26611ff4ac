"""Where water comes from and what was invested, as people enter and withdraw it."""

from __future__ import annotations

import sqlalchemy as sa

from storage import tables
from storage.entries import Entries


class OfFarms(Entries):
    """Rows of one table, each of a farm."""

    def __init__(self, table: sa.Table, name: str) -> None:
        self.table, self.name = table, name
        farm = tables.farms
        self._filters = {"farm_id": farm.c.id}
        self._query = sa.select(*table.c, farm.c.slug.label("farm")).select_from(
            table.join(farm, farm.c.id == table.c.farm_id)
        )


water_supplies = Entries(tables.water_supplies, "water supply", of_zone=False)
investments = OfFarms(tables.investments, "investment")
