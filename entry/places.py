"""Boundaries of a file: each is its field's next boundary, or a new field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from analytics import boundary_files
from analytics.boundary_checks import Checked, Neighbours
from analytics.boundary_files import BoundaryError, Place
from entry import EntryRefused, land
from entry.models import Text
from storage import fields
from storage.fields import Field

_TEXT: TypeAdapter[str | None] = TypeAdapter(Text | None)
Action = Literal["new field", "new boundary", "same boundary", "refused"]


class Stored(NamedTuple):
    """A place of a file, and what became of it."""

    number: int  # in the file, from 1 on
    name: str | None
    action: Action
    area_ha: float | None = None
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()


class Boundaries(NamedTuple):
    """A file of boundaries, place by place."""

    kind: str  # geojson, shapefile, kml or isoxml
    places: list[Stored]
    kept: bool

    @property
    def stored(self) -> int:
        """Fields that are new or have a new boundary."""
        return sum("new" in one.action for one in self.places) if self.kept else 0

    @property
    def refused(self) -> list[Stored]:
        """Places that are wrong."""
        return [one for one in self.places if one.errors]


def store(
    connection: sa.Connection,
    farm_id: int,
    content: bytes,
    *,
    by: str,
    dry: bool = False,
    name_property: str | None = None,
) -> Boundaries:
    """Store all boundaries of a file, or none; with ``dry`` only look at them.

    Raises
    ------
    EntryRefused
        If no boundaries can be read from it.
    """
    try:
        found = boundary_files.read(content, name_property=name_property)
    except BoundaryError as error:
        raise EntryRefused(f"The file: {error}.") from error
    with connection.begin_nested() as savepoint:
        writer = _Writer(connection, farm_id, found.kind, by)
        places = [writer.store(number, place) for number, place in enumerate(found.places, 1)]
        kept = not dry and not any(one.errors for one in places)
        if not kept:
            savepoint.rollback()
    return Boundaries(found.kind, places, kept)


def _is_text(said: str | None) -> bool:
    """Whether it can be stored, and said again, as that of a field that is entered alone."""
    try:
        _TEXT.validate_python(said)
    except ValidationError:
        return False
    return True


class _Writer:
    """Stores places one after another, each beside those before it."""

    def __init__(self, connection: sa.Connection, farm_id: int, kind: str, by: str) -> None:
        self._connection, self._farm_id, self._kind, self._by = connection, farm_id, kind, by
        known: Sequence[Field] = fields.of_farm(connection, farm_id)
        self._known = {one.name: one for one in known}
        self._shapes: dict[str, Mapping[str, Any]] = land.neighbours(connection, farm_id)
        self._neighbours = Neighbours(self._shapes)
        self._seen: set[str] = set()

    def store(self, number: int, place: Place) -> Stored:
        name = place.name[:200] if place.name else None
        refused = Stored(number, name, "refused")
        if name is None:
            return refused._replace(errors=["has no name; say which by name_property"])
        if not (_is_text(name) and _is_text(place.official_id)):
            said = "its name, or its official id, has control characters or is too long"
            return Stored(number, None, "refused", errors=[said])
        if name in self._seen:
            return refused._replace(errors=[f"{name} stands in the file twice"])
        self._seen.add(name)
        try:
            checked = land.check_geometry(place.geometry)
        except EntryRefused as error:
            return refused._replace(errors=[str(error)])
        warnings = land.told(self._neighbours.beside(checked.geometry, but=name))
        action = self._write(name, place, checked)
        self._shapes[name] = checked.geometry
        self._neighbours.put(name, checked.geometry)
        return Stored(number, name, action, checked.area_ha, (), warnings)

    def _write(self, name: str, place: Place, checked: Checked) -> Action:
        field = self._known.get(name)
        if field is None:
            land.add_field(
                self._connection,
                self._farm_id,
                name,
                checked,
                source=self._kind,
                by=self._by,
                official_field_id=place.official_id,
                soil={},
                soil_source="not stated",
            )
            return "new field"
        if self._shapes.get(name) == checked.geometry:
            return "same boundary"
        land.change_boundary(self._connection, field, checked, source=self._kind, by=self._by)
        return "new boundary"
