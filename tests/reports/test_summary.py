"""A farm, its region and the country: the same sums, one above the other."""

import datetime as dt
import io
import math
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from analytics.uncertainty import Part, Stated, as_json
from api.models import CountrySummary
from reports import adjusting, printing, summary
from storage import farms, fields, results
from storage.database import NotFound
from storage.farms import Region

NOW = dt.datetime(2025, 11, 1, tzinfo=dt.UTC)
SEASON = 2025


def put_farm(connection: sa.Connection, slug: str, region: str | None) -> int:
    return farms.put(
        connection, slug, name=slug.title(), region_code=region, timezone="Asia/Almaty",
        latitude_deg=43.0, longitude_deg=68.0, elevation_m=200.0,
    )  # fmt: skip


def put_zone(
    connection: sa.Connection,
    farm_id: int,
    field: str,
    area_ha: float,
    *,
    season: int = SEASON,
    crop: str = "cotton",
    method: str | None = "drip",
) -> int:
    field_id = fields.put(
        connection, farm_id=farm_id, name=field, area_ha=area_ha, area_source="stated", soil={},
        soil_source="stated",
    )  # fmt: skip
    return fields.put_zone(
        connection, field_id=field_id, season=season, crop=crop,
        planted=dt.date(season, 4, 20), harvested=dt.date(season, 9, 30), area_ha=area_ha,
        irrigation_method=method, crop_parameters={}, conventions={},
    )  # fmt: skip


def saved(value: float, *, option: str = "B", source: str = "metered seasons") -> dict[str, Any]:
    """10 000 m³ applied on 10 ha; own error 300, the station's 200, the calibration's 100 m³."""
    parts = (
        Part("baseline", 300.0, "own", 4.0),
        Part("station_et0", 200.0, "farm"),
        Part("meter_calibration", 100.0, "all"),
    )
    return {
        "applied_m3": 10_000.0,
        "baseline_m3": 10_000.0 + value,
        "apparent_savings_m3": value,
        "uncertainty": {"apparent": as_json(Stated(value, parts))},
        "savings_option": option,
        "baseline_source": source,
        "etc_mm": 200.0,
        "eta_mm": 180.0,
        "rain_mm": 20.0,
        "transpiration_mm": 150.0,
        "relative_yield_estimate": 0.9,
    }


def put_result(connection: sa.Connection, zone: int, values: Mapping[str, Any]) -> None:
    stated = {"method": "balance", "method_version": "1", "input_digest": "first"}
    results.put_season(connection, zone, dict(values) | stated | {"conventions": {}, "notes": []})


@pytest.fixture
def country(connection: sa.Connection) -> sa.Connection:
    """Two regions of two farms and one, and a farm that belongs to none; each with two fields."""
    farms.put_region(connection, Region("KZ-99", "99", "Бір", "Один", "One"))
    farms.put_region(connection, Region("KZ-98", "98", "Екі", "Два", "Two"))
    for slug, region in (
        ("alpha", "KZ-99"), ("beta", "KZ-99"), ("gamma", "KZ-98"), ("stray", None),
    ):  # fmt: skip
        farm_id = put_farm(connection, slug, region)
        put_result(connection, put_zone(connection, farm_id, "north", 10.0), saved(1_000.0))
        computed = saved(4_000.0, option="D", source="balance counterfactual")
        put_result(connection, put_zone(connection, farm_id, "south", 10.0), computed)
    return connection


def of_country(connection: sa.Connection) -> dict[str, Any]:
    return summary.of_country(connection, season=SEASON, now=NOW)


def uncertainty_of(saving: Mapping[str, Any], factor: float) -> float:
    low, high = saving["ci95"]
    return (high - low) / 2 / factor


def test_a_country_is_the_sum_of_its_regions_and_of_farms_without_one(country: sa.Connection):
    found = of_country(country)

    assert (found["regions_registered"], found["regions_reporting"]) == (2, 2)
    assert (found["farms_registered"], found["farms_reporting"]) == (4, 4)
    assert [(line["region"], line["farms_registered"]) for line in found["regions"]] == [
        ("KZ-98", 1), ("KZ-99", 2), (None, 1),
    ]  # fmt: skip
    for name in ("applied_m3", "baseline_m3"):
        assert found["water"][name] == sum(line["water"][name] for line in found["regions"])
    lines = [line["water"]["apparent_savings_m3"]["value"] for line in found["regions"]]
    assert found["water"]["apparent_savings_m3"]["value"] == sum(lines) == 20_000.0
    assert found["area_ha"] == 80.0


def test_each_level_of_the_summary_has_the_same_keys(country: sa.Connection):
    farm = summary.of_farm(country, "alpha", season=SEASON, now=NOW)
    region = summary.of_region(country, "KZ-99", season=SEASON, now=NOW)
    whole = of_country(country)

    for one in (farm["crop_zones"][0], region, region["farms"][0], whole, whole["regions"][0]):
        assert one["water"].keys() == farm["water"].keys()
        assert one["yield"].keys() == farm["yield"].keys()
    assert CountrySummary(**whole).water.applied_m3 == 80_000.0


def test_errors_of_a_station_stay_on_its_farm_and_those_of_all_meters_add_up(
    country: sa.Connection,
):
    """A farm's two fields share 200 m³ of the station's error and everybody the calibration's."""
    causes = {
        one["cause"]: one["u_m3"] for one in of_country(country)["water"]["uncertainty"]["apparent"]
    }

    assert causes["baseline"] == pytest.approx(math.sqrt(8) * 300)  # 8 fields, each by itself
    assert causes["station_et0"] == pytest.approx(math.sqrt(4) * 400)  # 4 farms of 2 fields
    assert causes["meter_calibration"] == pytest.approx(8 * 100)


def test_the_interval_of_the_country_follows_from_its_causes(country: sa.Connection):
    saving = of_country(country)["water"]["apparent_savings_m3"]
    own, station, calibration = 8 * 300**2, 4 * 400**2, 800**2
    u = math.sqrt(own + station + calibration)
    # Welch and Satterthwaite: eight own parts of 300² with 4 degrees of freedom each.
    freedom = u**4 / (8 * 300**4 / 4)

    assert freedom > 100  # so that the factor is that of many seasons, not of the four
    assert 1.96 < uncertainty_of(saving, 1.0) / u < 1.98
    assert saving["demonstrated"] is True


def test_what_is_computed_stands_apart_from_what_is_metered(country: sa.Connection):
    by_option = of_country(country)["water"]["savings_by_option"]

    assert [(one["option"], one["baseline_source"], one["crop_zones"]) for one in by_option] == [
        ("B", "metered seasons", 4),
        ("D", "balance counterfactual", 4),
    ]
    assert [one["apparent_savings_m3"]["value"] for one in by_option] == [4_000.0, 16_000.0]


def test_indicators_are_sums_by_sums(country: sa.Connection):
    farm = put_farm(country, "wet", "KZ-98")
    wet = saved(0.0) | {"applied_m3": 90_000.0, "etc_mm": 700.0, "eta_mm": 700.0, "rain_mm": 0.0}
    put_result(country, put_zone(country, farm, "north", 30.0), wet)
    found = summary.of_region(country, "KZ-98", season=SEASON, now=NOW)["water"]["indicators"]

    # 2 x 10 ha: 10 000 + 2 000 m³ by 20 000; 30 ha: 90 000 by 210 000.
    assert found["relative_water_supply"] == pytest.approx((24_000 + 90_000) / (40_000 + 210_000))
    mean_of_ratios = (0.6 + 0.6 + 90 / 210) / 3
    assert found["relative_water_supply"] != pytest.approx(mean_of_ratios, rel=0.01)
    assert found["crop_water_productivity_kg_m3"] is None  # nothing was weighed


def test_irrigated_area_stands_beside_that_of_the_season_before(country: sa.Connection):
    farm = put_farm(country, "growing", None)
    put_zone(country, farm, "north", 15.0, season=SEASON - 1)
    put_zone(country, farm, "dry", 40.0, season=SEASON - 1, method=None)
    put_result(country, put_zone(country, farm, "north", 15.0), saved(1_000.0))
    put_result(country, put_zone(country, farm, "new", 20.0), saved(1_000.0))
    found = summary.of_farm(country, "growing", now=NOW)

    assert (found["water"]["irrigated_ha"], found["irrigated_before_ha"]) == (35.0, 15.0)
    assert summary.of_farm(country, "alpha", now=NOW)["irrigated_before_ha"] is None


def test_sown_harvested_bunker_and_clean_are_four_figures(country: sa.Connection):
    farm = put_farm(country, "harvest", None)
    weighed = {"harvested_ha": 8.0, "mass_kg": 24_000.0, "bunker_mass_kg": 26_000.0}
    put_result(country, put_zone(country, farm, "north", 10.0), saved(0.0) | weighed)
    put_zone(country, farm, "lost", 5.0)  # sown, and nothing came of it
    found = summary.of_farm(country, "harvest", now=NOW)["yield"]

    assert (found["sown_ha"], found["harvested_ha"]) == (15.0, 8.0)
    assert (found["mass_t"], found["bunker_mass_t"]) == (24.0, 26.0)
    assert found["yield_kg_ha"] == 3_000.0
    assert found["by_crop"][0]["sown_ha"] == 15.0
    assert found["response_estimate"]["relative_yield"] == pytest.approx(0.9)
    assert "estimate" in found["response_estimate"]["method"]


# --- adjustments ----------------------------------------------------------------------------------


def adjust(connection: sa.Connection, **change: Any) -> int:
    entry: dict[str, Any] = {
        "farm": "alpha", "field": "north", "season": SEASON, "volume_m3": 800.0, "u_m3": 100.0,
        "reason": "leaching of salts before sowing", "author": "A. Auditor",
    } | change  # fmt: skip
    return adjusting.enter(connection, entry.pop("farm"), entry.pop("field"), **entry)


def test_an_adjustment_shows_with_its_author_reason_and_volume(country: sa.Connection):
    entered = adjust(country)
    north, south = summary.of_farm(country, "alpha", now=NOW)["crop_zones"]

    (shown,) = north["adjustments"]
    assert (shown["id"], shown["volume_m3"], shown["u_volume_m3"]) == (entered, 800.0, 100.0)
    assert (shown["reason"], shown["author"]) == ("leaching of salts before sowing", "A. Auditor")
    assert south["adjustments"] == []
    adjusting.withdraw(country, entered, author="B. Agronomist")
    assert summary.of_farm(country, "alpha", now=NOW)["crop_zones"][0]["adjustments"] == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"farm": "nowhere"}, NotFound, "farm 'nowhere'"),
        ({"field": "east"}, NotFound, "crop on field 'east' of alpha in 2025"),
        ({"season": 1999}, NotFound, "in 1999"),
        ({"crop": "maize"}, NotFound, "maize on field 'north'"),
        ({"volume_m3": 0.0}, ValueError, "volume of an adjustment"),
        ({"volume_m3": math.nan}, ValueError, "volume of an adjustment"),
        ({"u_m3": -1.0}, ValueError, "uncertainty of an adjustment"),
        ({"reason": " "}, ValueError, "reason of an adjustment"),
        ({"author": ""}, ValueError, "author of an adjustment"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(country: sa.Connection, change, error, message):
    with pytest.raises(error, match=message):
        adjust(country, **change)


def test_a_field_of_two_crops_asks_which(country: sa.Connection):
    farm_id = farms.get(country, "alpha").id
    put_zone(country, farm_id, "north", 10.0, crop="winter-wheat")

    with pytest.raises(
        ValueError, match=r"several crops in 2025: name one \(cotton, winter-wheat\)"
    ):
        adjust(country)
    assert adjust(country, crop="cotton") > 0


# --- for people -----------------------------------------------------------------------------------


def test_the_printed_summary_tells_computed_from_metered_and_names_adjustments(
    country: sa.Connection,
):
    adjust(country)
    console = Console(file=io.StringIO(), width=160)
    printing.print_summary(summary.of_farm(country, "alpha", now=NOW), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]

    assert "option B, metered seasons, 10.0 ha" in text
    assert "option D, balance counterfactual, 10.0 ha" in text
    assert "leaching of salts before sowing" in text
    assert "A. Auditor" in text
    assert "90 % of that without water stress" in text
    assert "estimate" in text
