"""Every figure of an area is what plain SQL over the tables makes of it."""

import datetime as dt
import itertools
import math
import random
from typing import Any

import pytest
import sqlalchemy as sa
from scipy.stats import t

from analytics.uncertainty import Part, Stated, as_json
from reports.statements import statement
from reports.statements.columns import key_of
from reports.statements.statement import Asked
from storage import farms, tables
from storage.farms import Region
from tests.reports.statements import filed
from tests.two_farms import START, put_land

MONTHS = ("2025-05-31", "2025-06-01", "2025-06-30", "2025-07-01")
OWN, STATION, METER, FREEDOM = 300.0, 200.0, 100.0, 4.0


@pytest.fixture
def country(connection: sa.Connection) -> sa.Connection:
    """Two regions, one with districts, and enough farms everywhere."""
    draw = random.Random(5)
    for code in ("KZ-43", "KZ-61", "KZ-6110", "KZ-6120"):
        farms.put_region(connection, Region(code, code[3:], code, code, code))
    number = 0
    for code in ("KZ-43", "KZ-6110", "KZ-6120"):
        for farm in range(5):
            farm_id = filed.put_farm(connection, f"{code.lower()}-{farm}", code)
            for crop, method in (("cotton", "drip"), ("maize", "sprinkler"), ("wheat", None)):
                number += 1
                zone = filed.put_zone(connection, farm_id, field=crop, crop=crop, method=method)
                depths = {day: draw.uniform(10, 60) for day in MONTHS} if method else {}
                applied = sum(depths.values()) * 10.0 * 10.0
                values = filed.saved(applied, draw.uniform(500, 3_000))
                parts = (
                    Part("baseline", OWN, "own", FREEDOM),
                    Part("station_et0", STATION, "farm"),
                    Part("meter_calibration", METER, "all"),
                )
                stated = as_json(Stated(values["apparent_savings_m3"], parts))
                values |= {"mass_kg": draw.uniform(2e4, 4e4), "harvested_ha": draw.uniform(5, 10)}
                values["uncertainty"] = {"apparent": stated, "consumptive": stated}
                if method is None:
                    no_saving = [name for name in values if "saving" in name]
                    values |= dict.fromkeys([*no_saving, "baseline_m3", "recoverable_change_m3"])
                filed.put_result(connection, zone, values, digest=str(number))
                if depths:
                    filed.put_days(connection, zone, depths)
    return connection


def now(connection: sa.Connection) -> dt.datetime:
    (moment,) = connection.execute(sa.select(sa.func.now())).one()
    assert isinstance(moment, dt.datetime)
    return moment


def figures(connection: sa.Connection, kind: str, area: str) -> dict[str, dict[str, Any]]:
    """Observations of a statement by what they are of, in one text."""
    made = statement.of(connection, Asked(kind, filed.SEASON, area=area), as_of=now(connection))
    return {
        " ".join(value for value in key_of(one).values() if value != str(filed.SEASON)): one
        for one in made.content["observations"]
    }


_BELOW = {"KZ": ["KZ", "KZ-43", "KZ-61"], "KZ-61": ["KZ-61", "KZ-6110", "KZ-6120"]}


@pytest.mark.parametrize("area", ["KZ", "KZ-61"])
def test_water_by_area_month_and_technology(country: sa.Connection, area: str) -> None:
    found = figures(country, "water", area)
    rows = country.execute(
        sa.text("""
            SELECT code, month, method, sum(depth * area * 10) AS m3
              FROM (SELECT unnest(CAST(:areas AS text[])) AS code) AS area
              JOIN (SELECT region_code, to_char(day, 'YYYY-MM') AS month,
                           irrigation_method AS method, irrigation_gross_mm AS depth,
                           crop_zones.area_ha AS area
                      FROM balance_days JOIN crop_zones ON crop_zones.id = crop_zone_id
                      JOIN fields ON fields.id = field_id JOIN farms ON farms.id = farm_id
                     WHERE superseded_at IS NULL) AS day ON starts_with(region_code, code)
          GROUP BY GROUPING SETS ((code), (code, month), (code, method))"""),
        {"areas": _BELOW[area]},
    ).all()

    checked = 0
    for code, month, method, m3 in rows:
        if code != area and (month or method):
            continue  # of the areas below, the whole alone is shown
        key = " ".join(part for part in (code, month, "WATER_APPLIED", method) if part)
        assert found[key]["OBS_VALUE"] == pytest.approx(m3, abs=1e-5), key
        checked += 1
    assert checked == 3 + 3 + 2  # areas, months, technologies


@pytest.mark.parametrize(("area", "farms_of_area"), [("KZ", 15), ("KZ-61", 10)])
def test_savings_add_up_by_what_causes_share(
    country: sa.Connection, area: str, farms_of_area: int
) -> None:
    found = figures(country, "savings", area)[f"{area} APPARENT_SAVING"]
    value = country.scalar(
        sa.text("""SELECT sum(apparent_savings_m3) FROM season_results
                     JOIN crop_zones ON crop_zones.id = crop_zone_id
                     JOIN fields ON fields.id = field_id JOIN farms ON farms.id = farm_id
                    WHERE superseded_at IS NULL AND starts_with(region_code, :area)"""),
        {"area": area},
    )
    # METHODS, section 3: own errors in quadrature, a farm's station linearly within the farm, the
    # meter's calibration linearly over all; two judged crop zones a farm. Degrees of freedom by
    # Welch and Satterthwaite, of what was estimated from seasons alone.
    zones = 2 * farms_of_area
    own, station = zones * OWN**2, farms_of_area * (2 * STATION) ** 2
    u = math.sqrt(own + station + (zones * METER) ** 2)
    freedom = u**4 / (zones * OWN**4 / FREEDOM)
    half = t.ppf(0.975, freedom) * u
    assert found["OBS_VALUE"] == pytest.approx(value, abs=1e-5)
    assert found["CI95_LOW"] == pytest.approx(value - half, rel=1e-9)
    assert found["CI95_HIGH"] == pytest.approx(value + half, rel=1e-9)
    assert found["DEMONSTRATED"] is bool(value > 2 * u)


def test_harvest_by_crop_is_mass_over_area(country: sa.Connection) -> None:
    bulletin, yields = figures(country, "harvest", "KZ"), figures(country, "yields", "KZ")
    rows = country.execute(
        sa.text("""SELECT crop, sum(harvested_ha) AS ha, sum(mass_kg) AS kg, sum(area_ha) AS sown,
                          sum(bunker_mass_kg) AS bunker
                     FROM season_results JOIN crop_zones ON crop_zones.id = crop_zone_id
                    WHERE superseded_at IS NULL GROUP BY crop""")
    ).all()

    assert len(rows) == 3
    for crop, ha, kg, sown, bunker in rows:
        told = {
            name: bulletin[f"KZ {name} {crop}"]["OBS_VALUE"]
            for name in ("HARVESTED_AREA", "SHARE_HARVESTED", "MASS_CLEAN", "MASS_BUNKER")
        }
        assert told == pytest.approx(
            {
                "HARVESTED_AREA": ha / 1e3,  # thousand ha
                "SHARE_HARVESTED": 100 * ha / sown,
                "MASS_CLEAN": kg / 1e6,  # thousand t
                "MASS_BUNKER": bunker / 1e6,
            },
            abs=1e-6,
        )
        assert yields[f"KZ YIELD_CENTNER {crop}"]["OBS_VALUE"] == pytest.approx(
            kg / ha / 100, abs=1e-5
        )


def test_denominators_stand_also_where_figures_are_left_empty(country: sa.Connection) -> None:
    farms.put_region(country, Region("KZ-79", "79", "KZ-79", "KZ-79", "KZ-79"))
    for slug in ("alone-1", "alone-2"):
        zone = filed.put_zone(country, filed.put_farm(country, slug, "KZ-79"), crop="cotton")
        filed.put_result(country, zone, filed.saved(7_777.0, 10.0), digest=slug)
    filed.put_zone(country, filed.put_farm(country, "silent", "KZ-79"))
    found = figures(country, "water", "KZ")

    assert found["KZ-79 FARMS_REGISTERED"]["OBS_VALUE"] == 3
    assert found["KZ-79 FARMS_REPORTING"]["OBS_VALUE"] == 2
    two = found["KZ-79 WATER_APPLIED"]
    assert two["OBS_STATUS"] == "Q"
    assert not {"OBS_VALUE", "CI95_LOW", "FARMS"} & two.keys()
    # Whoever adds and subtracts what all reports tell finds no sum of the two farms: neither what
    # one applied, 7,777 m³, nor both.
    told = {key: one for area in ("KZ-43", "KZ-61", "KZ-79") for key, one in
            figures(country, "water", area).items()} | found  # fmt: skip
    published = {
        one["OBS_VALUE"]
        for one in told.values()
        if one["INDICATOR"] == "WATER_APPLIED" and "OBS_VALUE" in one
    }
    assert len(published) > 10
    for count in (1, 2, 3, 4):
        for some in itertools.combinations(published, count):
            for signs in itertools.product((1, -1), repeat=count - 1):
                sum_ = some[0] + sum(a * b for a, b in zip(signs, some[1:], strict=True))
                assert not any(abs(abs(sum_) - one) < 0.01 for one in (7_777.0, 15_554.0))


def test_what_is_left_out_is_told_with_the_reason(country: sa.Connection) -> None:
    farm = Asked("savings", filed.SEASON, farm="kz-43-0")
    made = statement.of(country, farm, as_of=now(country)).content["coverage"]
    assert [(one["field"], one["reason"]) for one in made["excluded"]] == [("wheat", "rain-fed")]

    region = Asked("savings", filed.SEASON, area="KZ-61")
    made = statement.of(country, region, as_of=now(country)).content["coverage"]
    assert made["excluded"] == [{"reason": "rain-fed", "crop_zones": 10, "area_ha": 100.0}]
    assert (made["farms_registered"], made["farms_reporting"], made["crop_zones"]) == (10, 10, 30)


def test_investments_give_a_cost_for_each_cubic_metre_saved(country: sa.Connection) -> None:
    ids = country.scalars(sa.text("SELECT id FROM farms WHERE region_code = 'KZ-43'")).all()
    country.execute(
        tables.investments.insert(),
        [
            {
                "farm_id": one,
                "made_on": "2023-04-01",
                "purpose": "water-saving-irrigation",
                "amount_kzt": 1e6,
                "service_life_years": 10.0,
                "reference": "contract",
            }
            for one in ids
        ],
    )
    found = figures(country, "programme", "KZ-43")
    saved = found["KZ-43 APPARENT_SAVING"]["OBS_VALUE"]

    # Five farms, 100 000 ₸ a year each.
    cost = found["KZ-43 COST_PER_M3_SAVED"]
    assert cost["OBS_VALUE"] == pytest.approx(5e5 / saved, abs=1e-6)
    assert cost["CI95_LOW"] < cost["OBS_VALUE"] < cost["CI95_HIGH"]
    assert "KZ COST_PER_M3_SAVED" not in figures(country, "programme", "KZ-61")


def test_digests_of_few_farms_records_are_not_told(country: sa.Connection) -> None:
    # An amount of money has few enough values to try them all against a digest.
    id_ = country.scalar(sa.text("SELECT id FROM farms WHERE slug = 'kz-43-0'"))
    country.execute(
        tables.investments.insert().values(
            farm_id=id_, made_on="2023-04-01", purpose="other", amount_kzt=1e6,
            service_life_years=10.0, reference="contract",
        )
    )  # fmt: skip
    digests = [
        statement.of(country, asked, as_of=now(country)).content["inputs"]["records"]
        for asked in (
            Asked("programme", filed.SEASON, area="KZ-43"),
            Asked("programme", filed.SEASON, farm="kz-43-0"),
        )
    ]

    assert [one["investments"] is None for one in digests] == [True, False]
    assert [one["crop_zones"] is None for one in digests] == [False, False]


def test_what_was_measured_is_a_mean_over_hectares(country: sa.Connection) -> None:
    # Of ten hectares each: cotton and maize knew their water, wheat's result says so too; one of
    # the 15 crop zones of the region knows it on half of its days: 1450 of 15.
    id_ = country.scalar(
        sa.text("""SELECT crop_zones.id FROM crop_zones JOIN fields ON fields.id = field_id
                     JOIN farms ON farms.id = farm_id WHERE slug = 'kz-43-0' AND crop = 'maize'""")
    )
    assert id_ is not None
    values = filed.saved(1_000.0, 1.0) | {"water_coverage_pct": 50.0}
    filed.put_result(country, id_, values, digest="half")
    found = figures(country, "programme", "KZ-43")

    assert found["KZ-43 WATER_MEASURED"]["OBS_VALUE"] == pytest.approx(1_450 / 15, abs=1e-6)
    assert found["KZ-43 WEATHER_MEASURED"]["OBS_STATUS"] == "M"


def test_a_farm_is_digital_when_a_device_of_its_spoke_in_the_season(
    country: sa.Connection,
) -> None:
    spoke, silent = put_land(country, "spoke", "KZ-79"), put_land(country, "silent", "KZ-79")
    country.execute(
        sa.text("DELETE FROM readings WHERE datastream_id = :id"), {"id": silent.stream}
    )
    told = []
    for moment in (now(country), START):  # the first reading says that it arrived at START
        asked = Asked("programme", 2025, farm=spoke.slug)
        made = statement.of(country, asked, as_of=moment)
        told.append([one["OBS_VALUE"] for one in made.content["observations"]
                     if one["INDICATOR"] == "DEVICES_REPORTING"])  # fmt: skip
    found = figures(country, "programme", "KZ")

    assert found["KZ-79 FARMS_DIGITAL"]["OBS_VALUE"] == 1
    assert found["KZ-79 FARMS_REGISTERED"]["OBS_VALUE"] == 2
    assert found["KZ-79 DEVICES"]["OBS_STATUS"] == "Q"
    assert told == [[1.0], []]  # then neither farm nor device was registered
