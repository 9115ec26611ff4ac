"""The country, its regions and their districts: each is what it has of farms."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from api.dependencies import current_time
from storage import farms
from storage.farms import Region
from storage.tables import metadata
from tests.api.asking import Api, put_key
from tests.api.reading.farms import DRIP, NOW, SPRINKLER, put_farm, put_result, put_zone


@pytest.fixture(scope="module")
def api(engine: sa.Engine) -> Iterator[Api]:
    """A region with a farm of its own and two in districts, and a farm of another region."""
    with engine.begin() as connection:
        for code in ("KZ-61", "KZ-6110", "KZ-6120", "KZ-43"):
            farms.put_region(connection, Region(code, None, f"{code} kk", f"{code} ru", code))
        for slug, region, values in (
            ("alone", "KZ-61", DRIP),
            ("north", "KZ-6110", DRIP),
            ("south", "KZ-6120", SPRINKLER),
            ("far", "KZ-43", DRIP),
        ):
            farm = put_farm(connection, slug, region)
            put_result(connection, put_zone(connection, farm, "field-1", 10.0), values)
    made = Api(engine)
    made.app.dependency_overrides[current_time] = lambda: NOW
    yield made
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


NUMBERS = itertools.count()


def ask(api: Api, path: str, name: str, **reach: Any) -> Any:
    key = put_key(api.engine, f"{name}-{next(NUMBERS)}", **reach)
    answer = api.ask("GET", f"/v1/{path}", key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_region_is_its_own_farms_and_its_districts(api: Api) -> None:
    found = ask(api, "regions/KZ-61/summary?season=2025", "region", regions=["KZ-61"])

    assert found["covers"] == "region"
    assert [one["farm"] for one in found["farms"]] == ["alone", "north", "south"]
    assert found["farms_registered"] == 3
    assert found["water"]["applied_m3"] == 30_000.0 + 30_000.0 + 90_000.0
    districts = [(one["region"], one["water"]["applied_m3"]) for one in found["districts"]]
    assert districts == [("KZ-6110", 30_000.0), ("KZ-6120", 90_000.0)]


def test_a_district_is_asked_for_like_a_region_and_has_none(api: Api) -> None:
    found = ask(api, "regions/KZ-6110/summary?season=2025", "district", regions=["KZ-61"])

    assert [one["farm"] for one in found["farms"]] == ["north"]
    assert found["districts"] == []
    listed = ask(api, "farms?region=KZ-61", "list", everything=True)
    assert [one["slug"] for one in listed] == ["alone", "north", "south"]


def test_the_beginning_of_a_code_is_no_region(api: Api) -> None:
    key = put_key(api.engine, "beginning", everything=True)

    assert api.ask("GET", "/v1/regions/KZ-6/summary?season=2025", key=key).status_code == 404


def test_the_country_counts_districts_in_their_regions(api: Api) -> None:
    found = ask(api, "country/summary?season=2025", "country", everything=True)

    assert found["covers"] == "country"
    lines = [(one["region"], one["farms_registered"]) for one in found["regions"]]
    lines = [one for one in lines if one[1]]  # every region of the country has its line
    assert lines == [("KZ-43", 1), ("KZ-61", 3)]
    assert found["farms_registered"] == 4
    total = sum(one["water"]["applied_m3"] or 0.0 for one in found["regions"])
    assert found["water"]["applied_m3"] == total == 180_000.0


def test_who_sees_a_part_of_the_country_is_told_of_that_part(api: Api) -> None:
    found = ask(api, "country/summary?season=2025", "part", regions=["KZ-43"])

    assert (found["covers"], found["regions_registered"]) == ("own-farms", 1)
    assert [one["region"] for one in found["regions"]] == ["KZ-43"]
    whole = ask(api, "country/summary?season=2025", "whole", regions=["KZ"])
    assert whole["covers"] == "country"


def test_seasons_are_those_that_one_sees_crops_of(api: Api) -> None:
    assert ask(api, "seasons", "seasons", regions=["KZ-61"]) == [
        {"season": 2025, "farms": 3, "crop_zones": 3}
    ]
    assert ask(api, "seasons?region=KZ-6110", "one", everything=True) == [
        {"season": 2025, "farms": 1, "crop_zones": 1}
    ]
    assert ask(api, "seasons?farm=far", "far", everything=True)[0]["crop_zones"] == 1
    assert ask(api, "seasons?region=KZ-99", "none", everything=True) == []
