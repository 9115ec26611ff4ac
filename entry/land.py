"""Fields and boundaries as they are entered: checked, compared with neighbours, written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from analytics import boundary_checks
from analytics.boundary_checks import Beside, Checked
from analytics.sections import ScenarioError
from analytics.soil_document import soil_from_mapping
from entry import EntryRefused
from entry.models import FarmIn, FieldIn
from storage import farms, fields
from storage.fields import Field


def enter_farm(connection: sa.Connection, asked: FarmIn, *, by: str) -> int:
    """Enter a farm; return its id.

    Raises
    ------
    EntryRefused
        If there is no such region.
    """
    known = [one.code for one in farms.regions(connection)]
    if asked.region_code is not None and asked.region_code not in known:
        there_are = ", ".join(known) or "none"
        raise EntryRefused(f"There is no region {asked.region_code!r}; there are {there_are}.")
    return farms.add(connection, created_by=by, **asked.model_dump())


def enter_field(
    connection: sa.Connection, farm_id: int, asked: FieldIn, *, by: str, source: str = "entered"
) -> tuple[int, list[str]]:
    """Enter a field, its boundary checked and its area taken from it; its id, and warnings."""
    check_soil(asked.soil)
    checked = None
    warnings: list[str] = []
    if asked.geometry is not None:
        checked = check_geometry(asked.geometry)
        check_area(checked.area_ha, asked.official_area_ha, asked.area_tolerance_pct)
        warnings = warnings_of(checked.geometry, neighbours(connection, farm_id))
    field_id = add_field(
        connection,
        farm_id,
        asked.name,
        checked,
        source=source,
        by=by,
        stated_ha=asked.official_area_ha,
        **asked.model_dump(include={"official_field_id", "soil", "soil_source", "land_use"}),
    )
    return field_id, warnings


def check_soil(soil: Mapping[str, Any]) -> None:
    """Refuse a soil that no balance could be computed with; none at all may come later."""
    if not soil:
        return
    try:
        soil_from_mapping(soil)
    except (ScenarioError, ValueError, TypeError) as error:
        raise EntryRefused(str(error)) from error


def check_geometry(geometry: Mapping[str, Any]) -> Checked:
    """A boundary that can be one."""
    try:
        return boundary_checks.check(geometry)
    except ValueError as error:
        raise EntryRefused(f"The boundary {error}.") from error


def check_area(area_ha: float, official_ha: float | None, tolerance_pct: float) -> None:
    """Refuse a boundary whose area is another than that of the documents."""
    if official_ha is None:
        return
    off = 100.0 * (area_ha / official_ha - 1.0)
    if abs(off) > tolerance_pct:
        raise EntryRefused(
            f"The boundary has {area_ha:,.2f} ha, documents say {official_ha:,.2f} ha: "
            f"{off:+.1f} %, and {tolerance_pct:g} % is allowed. Mend one of them, or allow more by "
            "area_tolerance_pct."
        )


def neighbours(connection: sa.Connection, farm_id: int) -> dict[str, Mapping[str, Any]]:
    """Boundaries of a farm's fields, by their names."""
    known = fields.of_farm(connection, farm_id)
    shapes = fields.boundaries(connection, [one.id for one in known])
    return {one.name: shapes[one.id] for one in known if one.id in shapes}


def warnings_of(geometry: Mapping[str, Any], beside: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What people should look at, and may be right."""
    return told(boundary_checks.overlaps(geometry, beside))


def told(found: Beside) -> list[str]:
    """What a boundary shares with others, in words."""
    shared = [
        f"overlaps {name} by {area:,.2f} ha" for name, area in sorted(found.shared_ha.items())
    ]
    unknown = sorted(found.unknown.items())
    return shared + [f"cannot be compared with {name}: {reason}" for name, reason in unknown]


def add_field(
    connection: sa.Connection,
    farm_id: int,
    name: str,
    checked: Checked | None,
    *,
    source: str,
    by: str,
    stated_ha: float | None = None,
    **values: Any,
) -> int:
    """Add a field, with its first boundary where there is one."""
    area = {"area_ha": stated_ha, "area_source": "stated"}
    if checked is not None:
        area = {"area_ha": checked.area_ha, "area_source": "geodesic"}
    field_id = fields.add(connection, farm_id=farm_id, name=name, created_by=by, **area, **values)
    if checked is not None:
        put_boundary(connection, field_id, checked, source=source, by=by)
    return field_id


def change_boundary(
    connection: sa.Connection, field: Field, checked: Checked, *, source: str, by: str
) -> int:
    """Give a field its next boundary, and the area that follows from it; return the version.

    Raises
    ------
    NotFound
        If the field was withdrawn meanwhile.
    """
    fields.get(connection, field.id, lock=True)
    fields.change(connection, field.id, area_ha=checked.area_ha, area_source="geodesic")
    return put_boundary(connection, field.id, checked, source=source, by=by)


def put_boundary(
    connection: sa.Connection, field_id: int, checked: Checked, *, source: str, by: str
) -> int:
    """Keep a version of a boundary; the versions before stay."""
    return fields.add_boundary(
        connection,
        field_id,
        checked.geometry,
        geometry_source=source,
        area_ha=checked.area_ha,
        created_by=by,
    )
