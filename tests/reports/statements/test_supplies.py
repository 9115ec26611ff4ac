"""Where water comes from and what it costs: by day, by what was known then, by dated bands."""

import datetime as dt

import pytest
import sqlalchemy as sa

from reports.statements import catalogues, statement
from reports.statements.statement import Asked
from storage import tables
from tests.reports.statements import filed


def put_supply(connection: sa.Connection, field_id: int, valid_from: str, source: str) -> None:
    connection.execute(
        tables.water_supplies.insert().values(
            field_id=field_id,
            valid_from=valid_from,
            source=source,
            tariff_kzt_m3=3.0,
            reference="contract",
        )
    )


def test_water_is_of_the_supply_of_its_day(connection: sa.Connection) -> None:
    zones = filed.put_country(connection)
    field = connection.scalar(
        sa.select(tables.crop_zones.c.field_id).where(tables.crop_zones.c.id == zones["kz-61-0"])
    )
    assert field is not None
    put_supply(connection, field, "2025-05-01", "canal")
    put_supply(connection, field, "2025-07-01", "groundwater")
    (moment,) = connection.execute(sa.select(sa.func.now())).one()
    asked = Asked("water", filed.SEASON, farm="kz-61-0")
    made = statement.of(connection, asked, as_of=moment)

    # 60 mm on 10 ha on 30 June from the canal, 40 mm on 1 July from a well.
    found = {
        (one.get("WATER_SOURCE"), one.get("TARIFF_BAND")): one["OBS_VALUE"]
        for one in made.content["observations"]
        if one["INDICATOR"] == "WATER_APPLIED" and {"WATER_SOURCE", "TARIFF_BAND"} & one.keys()
    }
    assert found == {
        ("canal", None): 6_000.0,
        ("groundwater", None): 4_000.0,
        (None, "no-band-known"): 10_000.0,  # under drip, of which no bands were found
    }


def test_a_part_of_a_season_has_the_water_of_its_days(connection: sa.Connection) -> None:
    filed.put_country(connection)
    (moment,) = connection.execute(sa.select(sa.func.now())).one()
    period = dt.date(2025, 7, 1), dt.date(2025, 8, 1)
    asked = Asked("water", filed.SEASON, farm="kz-61-0", period=period)
    made = statement.of(connection, asked, as_of=moment)

    (whole,) = (
        one["OBS_VALUE"]
        for one in made.content["observations"]
        if (one["INDICATOR"], one["TIME_PERIOD"]) == ("WATER_APPLIED", "2025-07-01/P31D")
        and not {"FIELD", "IRRIGATION_TECHNOLOGY", "WATER_SOURCE"} & one.keys()
        and not {"MEASUREMENT", "TARIFF_BAND"} & one.keys()
    )
    assert whole == 4_000.0


@pytest.mark.parametrize(
    ("tariff", "method", "year", "band"),
    [
        (2.0, "furrow", 2026, "0-2"),
        (2.01, "furrow", 2026, "2-4"),
        (20.0, "border", 2026, "15-20"),
        (20.5, "border", 2026, "20+"),
        (3.0, "furrow", 2025, "no-band-in-force"),
        (3.0, "drip", 2026, "no-band-known"),
        (3.0, "as recorded", 2026, "no-band-known"),
        (None, "furrow", 2026, "_U"),
    ],
)
def test_bands_are_those_of_their_day(
    tariff: float | None, method: str, year: int, band: str
) -> None:
    assert catalogues.tariff_band(tariff, method, dt.date(year, 6, 1)) == band


def test_the_catalogue_says_as_the_press_did() -> None:
    # Without water-saving technology 30/35/40/45/50/55 % up to 2/4/9/15/20 and above [₸/m³].
    (band,) = catalogues.catalogue(catalogues.TARIFFS)["bands"]
    assert [step.get("up_to_kzt_m3") for step in band["steps"]] == [2, 4, 9, 15, 20, None]
    assert [step["subsidised_pct"] for step in band["steps"]] == [30, 35, 40, 45, 50, 55]
    assert not band["verified"]
