"""Papers of a small country whose regions differ, one of them with too few farms to tell of."""

from typing import Any

import sqlalchemy as sa

from reports.documents import paper
from reports.documents.paper import Paper
from reports.statements import statement
from reports.statements.statement import Asked
from storage import farms, fields
from storage.farms import Region
from tests.reports.statements import filed

NAMES = {
    "KZ-61": ("Түркістан облысы", "Туркестанская область", "Turkistan Region"),
    "KZ-43": ("Қызылорда облысы", "Кызылординская область", "Kyzylorda Region"),
    "KZ-79": ("Шымкент қаласы", "город Шымкент", "Shymkent"),
}
PLACES = {"KZ-61": (42.9, 68.3), "KZ-43": (44.8, 65.6), "KZ-79": (42.4, 69.6)}


def put_country(connection: sa.Connection, few: int = 2) -> dict[str, int]:
    """Four farms in each of two regions, and a few of another crop in a third, with places."""
    zones = filed.put_country(connection)
    farms.put_region(connection, Region("KZ-79", "79", *NAMES["KZ-79"]))
    for number in range(few):
        slug = f"kz-79-{number}"
        zone = filed.put_zone(
            connection, filed.put_farm(connection, slug, "KZ-79"), crop="maize", method="furrow"
        )
        filed.put_result(connection, zone, filed.saved(12_000.0, -900.0), digest=slug)
        filed.put_days(connection, zone, {"2025-07-02": 120.0})
        zones[slug] = zone
    for code, names in NAMES.items():
        farms.put_region(connection, Region(code, code[3:], *names))
    for slug in zones:
        latitude, longitude = PLACES[slug[:5].upper()]
        farm, number = farms.get(connection, slug), int(slug[-1])
        farms.change(
            connection, farm.id, latitude_deg=latitude + 0.3 * number, longitude_deg=longitude
        )
    return zones


def square(longitude: float, latitude: float, side_deg: float = 0.01) -> dict[str, Any]:
    """A boundary."""
    east, north = longitude + side_deg, latitude + side_deg
    ring = [[longitude, latitude], [east, latitude], [east, north], [longitude, north]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def bound(connection: sa.Connection, slug: str) -> None:
    """Give the fields of a farm boundaries, side by side."""
    farm = farms.get(connection, slug)
    for place, field in enumerate(fields.of_farm(connection, farm.id)):
        geometry = square(68.3 + 0.02 * place, 42.9)
        fields.add_boundary(
            connection, field.id, geometry, geometry_source="test", area_ha=field.area_ha
        )


def filed_paper(connection: sa.Connection, kind: str, **asked: Any) -> Paper:
    """What the document of a report shows that is filed now."""
    found = filed.file(connection, kind, **asked)
    return paper.of_revision(connection, found.revision, address="https://dala.example.kz")


def draft(connection: sa.Connection, kind: str, **asked: Any) -> Paper:
    """What the document of a statement shows that nobody files."""
    now = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    made = statement.of(connection, Asked(kind, filed.SEASON, **asked), as_of=now)
    return paper.of_draft(connection, made)
