"""What a season leaves behind: a yield map, and a report whose figures were corrected."""

import sqlalchemy as sa

from analytics.daily import machines
from reports.statements import filing
from reports.statements.statement import Asked
from storage import devices, farms, fields
from tests.analytics.ground import rectangle
from tests.reports.machine_farm import HARVESTED, at, passes, send
from tests.reports.statements.filed import put_result, saved
from tests.two_farms import KEY, Land


def harvest(connection: sa.Connection, land: Land) -> None:
    """A combine goes over the field, and its tracks are analysed."""
    fields.add_boundary(
        connection, land.field, rectangle((0.0, 100.0), (0.0, 200.0)), geometry_source="test",
        area_ha=2.0,
    )  # fmt: skip
    combine = f"{land.slug}-combine"
    devices.put(connection, combine, farm_id=land.farm, kind="harvester", name=combine)
    grain = {"mass_flow_kg_s": 4.0, "crop_moisture_pct": 14.0}
    send(connection, combine, passes(at(HARVESTED, 9), range(10), **grain))
    farm = farms.get(connection, land.slug)
    begun, over = at(HARVESTED, 0), at(HARVESTED, 48)
    machines.compute(connection, {farm.id: farm}, {combine: begun}, now=over)


def correct(connection: sa.Connection, land: Land) -> None:
    """Figures of the filed report are others by now, and are filed."""
    put_result(connection, land.zone, saved(12_000.0, 2_000.0), digest="a late reading")
    asked = Asked("water", 2025, farm=land.slug)
    filing.file(connection, asked, KEY, author="test", reason="a meter was read late")
