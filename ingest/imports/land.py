"""Fields and crops of the farm that what people wrote down is of."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ingest.imports.results import Asked, Refused
from storage import fields
from storage.fields import CropZone, Field


class Land(NamedTuple):
    """Fields of the farm by name, and the crop zones of each."""

    fields: dict[str, Field]
    zones: dict[int, list[CropZone]]

    def field(self, name: str | None, file: str) -> Field:
        if name in self.fields:
            return self.fields[name or ""]
        known = ", ".join(sorted(self.fields)[:8]) or "none"
        if name is None:
            raise Refused(f"{file}: which field is it of? Name one with --field ({known})")
        raise Refused(f"{file}: there is no field {name!r} on the farm ({known})")


def land_of(connection: sa.Connection, asked: Asked) -> Land:
    zones: dict[int, list[CropZone]] = {}
    for field, zone in fields.zones(connection, farm_id=asked.farm.id):
        zones.setdefault(field.id, []).append(zone)
    return Land({one.name: one for one in fields.of_farm(connection, asked.farm.id)}, zones)
